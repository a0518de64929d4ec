using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Qualiz.Dedup.Tests")]
