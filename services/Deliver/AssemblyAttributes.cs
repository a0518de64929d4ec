using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Qualiz.Deliver.Tests")]
