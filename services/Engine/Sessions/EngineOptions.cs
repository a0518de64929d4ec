namespace Qualiz.Engine.Sessions;

/// <summary>What one engine instance may use. It reaches nothing else: no other file, no network, no extension.</summary>
public sealed record EngineOptions
{
    public required long MemoryBytes { get; init; }
    public required int Threads { get; init; }

    /// <summary>An existing folder for spilled data and files of the step's own; readable and writable.</summary>
    public required string Scratch { get; init; }

    /// <summary>How much the engine may spill into <see cref="Scratch"/>; null: what the disk holds.</summary>
    public long? ScratchBytes { get; init; }

    /// <summary>Files that may be read or written, one by one.</summary>
    public IReadOnlyCollection<string> Paths { get; init; } = [];

    /// <summary>Further folders whose content may be read and written.</summary>
    public IReadOnlyCollection<string> Directories { get; init; } = [];

    /// <summary>Rows keep the order of their files; off only where the order means nothing.</summary>
    public bool PreserveOrder { get; init; } = true;

    /// <summary>
    /// Tables that are not temporary lie in a file in <see cref="Scratch"/>, compressed, and not in memory: what leaves memory need not be written first, and of what comes
    /// back only the columns that are asked for. For steps that keep all their rows, and more than once.
    /// </summary>
    public bool TablesOnDisk { get; init; }
}
