using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace Qualiz.Cli.Transfer;

/// <summary>What of a project leaves and arrives, whether it was read from a folder or from an instance.</summary>
internal sealed record ProjectSnapshot
{
    /// <summary>Null: there is no such project yet.</summary>
    public required ProjectSettings? Settings { get; init; }
    public SortedDictionary<string, PipelineText> Pipelines { get; } = new(StringComparer.Ordinal);
    public SortedDictionary<string, ConnectionSettings> Connections { get; } = new(StringComparer.Ordinal);
    public SortedDictionary<string, ReferenceDataset> Datasets { get; } = new(StringComparer.Ordinal);

    /// <summary>By type of connection, which of its settings say where it goes. Only known of an instance.</summary>
    public Dictionary<string, IReadOnlyList<string>> Addresses { get; } = new(StringComparer.Ordinal);

    /// <summary>Why something is not in it, a sentence each.</summary>
    public List<string> LeftOut { get; } = [];
}

/// <param name="Tag">Set when it comes from an instance: what a change of it names.</param>
internal sealed record ProjectSettings(string Name, string? Description, string TimeZone, EntityTagHeaderValue? Tag = null);

/// <param name="Text">As authored, to the last character.</param>
internal sealed record PipelineText(string Text, EntityTagHeaderValue? Tag = null);

/// <param name="Settings">Without secrets, by name in order.</param>
/// <param name="Secrets">The names of the settings that are secret.</param>
internal sealed record ConnectionSettings(string Type, JsonObject Settings, IReadOnlyList<string> Secrets, EntityTagHeaderValue? Tag = null)
{
    /// <summary>The name of a secret's hole: what its value is called in the environment or a file of secrets.</summary>
    public static string Hole(string connection, string secret) =>
        string.Concat($"{connection}_{string.Concat(secret.Select(letter => char.IsAsciiLetterUpper(letter) ? $"_{letter}" : $"{letter}"))}"
            .Select(letter => char.IsAsciiLetterOrDigit(letter) ? char.ToUpperInvariant(letter) : '_'));
}

/// <summary>A dataset that was uploaded: a list of countries, of codes.</summary>
/// <param name="Extension"><c>.csv</c>, <c>.csv.gz</c>, <c>.parquet</c>: how its file is read.</param>
/// <param name="Open">Its file's content.</param>
internal sealed record ReferenceDataset(string? Owner, string? Description, string Extension, string Sha256, long Bytes, Func<CancellationToken, Task<Stream>> Open);
