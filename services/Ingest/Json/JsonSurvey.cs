using System.Globalization;
using System.Text;
using System.Text.Json;
using Qualiz.Engine.Types;
using Qualiz.Ingest.Conversion;
using Qualiz.Ingest.Csv;
using Qualiz.Ingest.Sources;
using Qualiz.Ingest.Typing;

namespace Qualiz.Ingest.Json;

/// <summary>Looks at every record of a JSON file: its names and types, and which records cannot be read.</summary>
internal static class JsonSurvey
{
    /// <summary>The name of the only column when records are no objects.</summary>
    public const string ValueColumn = "value";

    private const int MaxColumns = 10_000;

    public static JsonSource Run(
        SourceFile file, TextFile text, bool lines, DeclaredTypes declared, RejectSpool spool, List<string> warnings, Action<long> progress, CancellationToken ct, bool head = false)
    {
        using var rejects = spool;
        var shape = new JsonShape();
        var rejected = new List<long>();
        var records = 0L;
        using (var reader = new JsonRecords(CsvSurvey.Open(text.Path, text.Start), lines, file.Name))
        {
            while (Next(reader, head && records > 0))
            {
                records++;
                if ((records & 0x3ff) == 0)
                {
                    ct.ThrowIfCancellationRequested();
                    progress(0x400);
                }
                using var document = reader.Parse();
                if (document is null || !HasWholeTexts(document.RootElement))
                {
                    rejected.Add(records);
                    spool.Add(records, reader.Line, (RejectSpool.Key(reader.Raw.Span), false), RejectSpool.RawJson(reader.Raw.Span), "json", null, null,
                        $"the record is no valid JSON or is nested deeper than {DeclaredCheck.MaxJsonDepth} levels, names a member twice, or holds half a character");
                    continue;
                }
                if (Misfit(document.RootElement, declared) is { } misfit)
                {
                    rejected.Add(records);
                    spool.Add(records, reader.Line, spool.Key(Texts(document.RootElement)), Ingested(document.RootElement),
                        $"type({misfit.Column})", misfit.Column, misfit.Value, $"the value is no {declared[misfit.Column]}");
                    continue;
                }
                if (document.RootElement.ValueKind == JsonValueKind.Object)
                    Observe(document.RootElement, shape, file);
                else
                    shape.Declare(ValueColumn).Observe(document.RootElement);
            }
        }
        // Objects without a member are still rows.
        if (shape.Names.Count == 0 && records > rejected.Count)
            shape.Declare(ValueColumn);
        var columns = new List<ColumnFinding>();
        foreach (var name in shape.Names)
        {
            var (type, evidence) = shape.Field(name).Column();
            // A name that the engine cannot tell from another is kept apart in the rewritten file under a name of its own.
            columns.Add(new ColumnFinding(name, type, evidence) { Shape = shape.Field(name) });
        }
        var names = CsvSniffer.Name(shape.Names, shape.Names.Count, warnings);
        return new JsonSource(file, [.. columns.Select((column, i) => column with { Name = names[i] })], text, lines, records, rejected.Count, rejected)
        {
            Members = [.. shape.Names],
            Spools = spool.Count > 0 ? [(spool, 0L, 0L)] : [],
        };
    }

    // A record's members are columns, however many; a nested object with many names is kept as JSON.
    private static void Observe(JsonElement record, JsonShape columns, SourceFile file)
    {
        foreach (var member in record.EnumerateObject())
            columns.Declare(member.Name).Observe(member.Value);
        if (columns.Names.Count > MaxColumns)
        {
            throw new IngestException(
                "tooManyColumns",
                string.Create(CultureInfo.InvariantCulture, $"The records of {file.Name} have more than {MaxColumns:N0} different members in all. Are their names values? Put them into a nested object, which is kept as JSON."),
                "from");
        }
    }

    private static List<(string Name, string Text)> Texts(JsonElement record) =>
        record.ValueKind != JsonValueKind.Object ? [(ValueColumn, TextOf(record))]
        : [.. record.EnumerateObject().Where(member => member.Value.ValueKind != JsonValueKind.Null)
            .Select(member => (member.Name, TextOf(member.Value)))];

    private static string TextOf(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();

    private static byte[] Ingested(JsonElement record) =>
        Encoding.UTF8.GetBytes(record.ValueKind == JsonValueKind.Object ? record.GetRawText() : $"{{\"{ValueColumn}\":{record.GetRawText()}}}");

    // The beginning of a longer file ends somewhere.
    private static bool Next(JsonRecords reader, bool mayEnd)
    {
        try
        {
            return reader.Next();
        }
        catch (IngestException) when (mayEnd)
        {
            return false;
        }
    }

    // "\ud800" is valid JSON, but half a character is no text.
    private static bool HasWholeTexts(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in value.EnumerateObject())
                {
                    if (!IsWhole(System.Runtime.InteropServices.JsonMarshal.GetRawUtf8PropertyName(member)) || !HasWholeTexts(member.Value))
                        return false;
                }
                return true;
            case JsonValueKind.Array:
                foreach (var item in value.EnumerateArray())
                {
                    if (!HasWholeTexts(item))
                        return false;
                }
                return true;
            case JsonValueKind.String:
                return IsWhole(System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(value));
            default:
                return true;
        }
    }

    private static bool IsWhole(ReadOnlySpan<byte> raw)
    {
        var at = raw.IndexOf("\\u"u8);
        if (at < 0)
            return true;
        var pending = false;
        for (var i = at; i < raw.Length; i++)
        {
            if (raw[i] != '\\')
            {
                if (pending)
                    return false;
                continue;
            }
            i++;
            var high = false;
            if (raw[i] == 'u')
            {
                var unit = Convert.ToInt32(Encoding.ASCII.GetString(raw.Slice(i + 1, 4)), 16);
                i += 4;
                if (pending != unit is >= 0xdc00 and <= 0xdfff)
                    return false;
                high = unit is >= 0xd800 and <= 0xdbff;
            }
            else if (pending)
            {
                return false;
            }
            pending = high;
        }
        // A text ends with its quote, so a half character at its end was seen above; a name has none.
        return !pending;
    }

    private static (string Column, string Value)? Misfit(JsonElement record, DeclaredTypes declared)
    {
        if (declared.Count == 0)
            return null;
        if (record.ValueKind != JsonValueKind.Object)
            return Check(ValueColumn, record);
        // The configuration's names mean members whatever their case, as everywhere.
        foreach (var member in record.EnumerateObject())
        {
            if (Check(member.Name, member.Value) is { } misfit)
                return misfit;
        }
        return null;

        (string Column, string Value)? Check(string name, JsonElement value)
        {
            if (value.ValueKind == JsonValueKind.Null || !declared.TryGetValue(name, out var type) || type == ColumnType.Text || type == ColumnType.Json)
                return null;
            var text = TextOf(value);
            return DeclaredCheck.Fits(type, Encoding.UTF8.GetBytes(text), (byte)'.', declared.Dates.GetValueOrDefault(name)) ? null : (name, text);
        }
    }
}
