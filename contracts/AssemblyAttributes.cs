using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Qualiz.Contracts.Tests")]
[assembly: InternalsVisibleTo("Qualiz.OperatorKit")]
