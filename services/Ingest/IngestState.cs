using System.Text.Json;
using System.Text.Json.Serialization;
using Qualiz.Contracts.Data;

namespace Qualiz.Ingest;

/// <summary>What a completed run leaves for the next: the files it has seen and the columns it found.</summary>
internal sealed record IngestState
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    public int Version { get; init; } = 1;
    public IReadOnlyList<SeenFile> Files { get; init; } = [];
    public IReadOnlyList<SeenColumn> Columns { get; init; } = [];

    public static IngestState Read(JsonElement? state) =>
        state is { ValueKind: JsonValueKind.Object } element ? element.Deserialize<IngestState>(Json) ?? new IngestState() : new IngestState();

    public SeenCursor? Cursor { get; init; }

    /// <summary>What all this is of: a table, a query, an upload, files of a connection; null in states from before it was written down.</summary>
    public string? Source { get; init; }

    public JsonElement Write() => JsonSerializer.SerializeToElement(this, Json);
}

/// <param name="Path">The source's id.</param>
/// <param name="Hash">XXH128 of the content.</param>
internal sealed record SeenFile(string Path, long Size, string Hash)
{
    /// <summary>What the bucket calls this content, so that it need not be fetched to be known again; null where no such thing is listed.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Version { get; init; }
}

/// <param name="Value">The largest value read, as text.</param>
/// <param name="Seen">Content hashes of the rows that the next run will see again: those at that value, or within the time looked back on.</param>
internal sealed record SeenCursor(string Column, string Value, IReadOnlyList<string> Seen)
{
    /// <summary>The same where they are many: each hash and how often it came.</summary>
    public DatasetRef? SeenRows { get; init; }
}

internal sealed record SeenColumn(string Name, string Type)
{
    /// <summary>No value has been seen yet: the type says nothing.</summary>
    public bool Empty { get; init; }

    /// <summary>How its dates are written, where that is not as computers do.</summary>
    public string? Format { get; init; }
}
