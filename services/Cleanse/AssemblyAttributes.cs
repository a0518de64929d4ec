using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Qualiz.Cleanse.Tests")]
