using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Qualiz.Platform.Tests")]
[assembly: InternalsVisibleTo("Qualiz.TestKit")]
[assembly: InternalsVisibleTo("Qualiz.Tasks.Tests")]
[assembly: InternalsVisibleTo("Qualiz.OperatorKit")]
