using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Qualiz.Contracts.Tests")]
