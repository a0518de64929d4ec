using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Qualiz.Runs.Tests")]
