using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Qualiz.Engine.Tests")]
