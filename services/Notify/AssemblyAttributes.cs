using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Qualiz.Notify.Tests")]
