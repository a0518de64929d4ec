using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Qualiz.Dedup.Tests")]
[assembly: InternalsVisibleTo("Qualiz.Benchmarks")]
