using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Qualiz.Platform.Tests")]
[assembly: InternalsVisibleTo("Qualiz.TestKit")]
