using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Tests;

/// <summary>A folder of one test, removed after it.</summary>
public sealed class ScratchFolder : IDisposable
{
    public ScratchFolder()
    {
        Path = Directory.CreateTempSubdirectory("qualiz-engine-").FullName;
    }

    public string Path { get; }

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public EngineSession Open(long memory = 512L << 20, params string[] paths) => EngineSession.Open(
        new EngineOptions { MemoryBytes = memory, Threads = 2, Scratch = Path, Paths = paths });

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
