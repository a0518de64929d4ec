using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Qualiz.Engine")]
[assembly: InternalsVisibleTo("Qualiz.Engine.Tests")]
[assembly: InternalsVisibleTo("Qualiz.Benchmarks")]
[assembly: DisableRuntimeMarshalling]
