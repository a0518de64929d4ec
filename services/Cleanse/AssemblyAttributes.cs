using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Qualiz.Cleanse.Tests")]
[assembly: InternalsVisibleTo("Qualiz.Benchmarks")]
