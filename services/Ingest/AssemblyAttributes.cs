using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Qualiz.Ingest.Tests")]
[assembly: InternalsVisibleTo("Qualiz.Benchmarks")]
