using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Qualiz.Deliver.Tests")]
[assembly: InternalsVisibleTo("Qualiz.Ingest.Tests")]
[assembly: InternalsVisibleTo("Qualiz.Benchmarks")]
