using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Qualiz.Enrich.Tests")]
