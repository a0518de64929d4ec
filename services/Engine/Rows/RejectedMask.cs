using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Qualiz.Engine.Rows;

/// <summary>
/// Masks sensitive values inside rejected rows, which hold their values as JSON: <c>ingested</c> and <c>rejected</c> by
/// column, and in <c>reasons</c> the value and the message, which may quote it.
/// </summary>
/// <param name="Columns">The sensitive columns; null when they are not known, which masks every value.</param>
public sealed record RejectedMask(IReadOnlySet<string>? Columns)
{
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
    private bool IsSensitive(string? column) => Columns is null || column is null || Columns.Contains(column);

    private static string? ColumnOf(JsonObject reason) =>
        reason["column"] is JsonValue value && value.TryGetValue<string>(out var column) ? column : null;
}
