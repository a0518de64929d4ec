using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Qualiz.Contracts.Data;
using Qualiz.Engine.Recipes;

namespace Qualiz.Engine.Rows;

/// <summary>
/// Masks values inside rejected rows that may be sensitive. The rows hold their values as JSON: <c>ingested</c> and <c>rejected</c> by
/// column, and in <c>reasons</c> the value and the message, which may quote it.
/// </summary>
/// <param name="Plain">
/// The columns whose values may be seen. Any other one is masked, because between coming in and being rejected a value may have had a
/// name of its own.
/// </param>
public sealed record RejectedMask(IReadOnlySet<string> Plain)
{
    /// <summary>What a port of rejected rows needs; null when nothing in it is sensitive.</summary>
    public static RejectedMask? Of(DatasetSchema rejected)
    {
        ArgumentNullException.ThrowIfNull(rejected);
        return rejected.Columns.All(column => column.Sensitivity is null) ? null
            : new RejectedMask(Members(rejected).Where(column => column.Sensitivity is null).Select(column => column.Name).ToHashSet(StringComparer.Ordinal))
            {
                Sensitive = [.. Members(rejected).Where(column => column.Sensitivity is not null).Select(column => column.Name)],
            };
    }

    /// <summary>The columns that are known to be sensitive, for the record of who saw them in clear.</summary>
    public IReadOnlyList<string> Sensitive { get; init; } = [];

    /// <summary>The columns whose values are inside a port of rejected rows, as far as it says; none when it holds nothing sensitive.</summary>
    public static IReadOnlyList<DatasetColumn> Members(DatasetSchema rejected) => rejected.Find(RejectedRows.Ingested)?.Members ?? [];

    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly HashSet<string> Applies = ["ingested", "rejected", "reasons"];

    /// <summary>The text of one of the three parts with its sensitive values hidden.</summary>
    /// <param name="part"><c>ingested</c>, <c>rejected</c> or <c>reasons</c>.</param>
    public string Mask(string part, string text) => Apply(part, text);

    internal string Apply(string column, string text)
    {
        if (!Applies.Contains(column))
            return text;
        try
        {
            switch (JsonNode.Parse(text))
            {
                case JsonObject values:
                    foreach (var name in values.Where(value => value.Value is not null && IsSensitive(value.Key)).Select(value => value.Key).ToList())
                        values[name] = RowReader.Mask;
                    return values.ToJsonString(Readable);
                case JsonArray reasons:
                    foreach (var reason in reasons.OfType<JsonObject>().Where(reason => IsSensitive(ColumnOf(reason))))
                    {
                        if (reason["value"] is not null)
                            reason["value"] = RowReader.Mask;
                        if (reason["message"] is not null)
                            reason["message"] = RowReader.Mask;
                    }
                    return reasons.ToJsonString(Readable);
                default:
                    return Masked;
            }
        }
        catch (JsonException)
        {
            return Masked;
        }
    }

    private static string Masked => JsonSerializer.Serialize(RowReader.Mask, Readable);

    /// <summary>A reason that names no column may be about any of them.</summary>
    private bool IsSensitive(string? column) => column is null || !Plain.Contains(column);

    private static string? ColumnOf(JsonObject reason) =>
        reason["column"] is JsonValue value && value.TryGetValue<string>(out var column) ? column : null;
}
