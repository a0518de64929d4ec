using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Qualiz.Engine.Types;
using Qualiz.Ingest.Conversion;
using Qualiz.Ingest.Csv;

namespace Qualiz.Ingest.Json;

/// <summary>Writes the good records of a JSON file as CSV: numbers as they are spelt, so that none passes through a double; nested values as JSON.</summary>
internal static class JsonRewriter
{
    /// <param name="typeOf">The type of a column; null: it is not taken. In one of type json a text is a JSON text.</param>
    /// <param name="numbered">Puts each record's number in the source before its values.</param>
    /// <returns>The length of the longest record written.</returns>
    public static long Rewrite(JsonSource source, Func<string, ColumnType?> typeOf, bool numbered, string target, CancellationToken ct)
    {
        using var reader = new JsonRecords(CsvSurvey.Open(source.Text.Path, source.Text.Start), source.Lines, source.File.Name);
        using var writer = new CsvWriter(new FileStream(target, FileMode.Create, FileAccess.Write, FileShare.None, 1));
        var rejected = 0;
        var types = source.Columns.Select(column => typeOf(column.Name)).ToArray();
        for (var record = 1L; reader.Next(); record++)
        {
            if ((record & 0x3ff) == 0)
                ct.ThrowIfCancellationRequested();
            if (rejected < source.RejectedRecords.Count && source.RejectedRecords[rejected] == record)
            {
                rejected++;
                continue;
            }
            using var document = reader.Parse()!;
            if (numbered)
                writer.Number(record);
            var root = document.RootElement;
            for (var i = 0; i < source.Members.Count; i++)
            {
                var value = root.ValueKind == JsonValueKind.Object
                    ? root.TryGetProperty(source.Members[i], out var member) ? member : default
                    : source.Members[i] == JsonSurvey.ValueColumn ? root : default;
                Write(writer, value, types[i], source.Members.Count == 1 && !numbered);
            }
            writer.EndRecord();
        }
        return writer.LongestRecord;
    }

    private static void Write(CsvWriter writer, JsonElement value, ColumnType? type, bool alone)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Undefined or JsonValueKind.Null:
                if (alone)
                    writer.NullWord();
                else
                    writer.Null();
                break;
            case JsonValueKind.String when type != ColumnType.Json:
                writer.Text(Encoding.UTF8.GetBytes(value.GetString()!));
                break;
            case JsonValueKind.Object or JsonValueKind.Array when type is not null && !IsPlain(value, type):
                writer.Text(Spelt(value, type));
                break;
            default:
                writer.Text(JsonMarshal.GetRawUtf8Value(value));
                break;
        }
    }

    // The engine would make a text of a number by way of a double.
    private static bool IsPlain(JsonElement value, ColumnType type)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object when type is ColumnType.StructType { Fields: var fields }:
                foreach (var member in value.EnumerateObject())
                {
                    if (Find(fields, member.Name) is { } field && !IsPlain(member.Value, field.Type))
                        return false;
                }
                return true;
            case JsonValueKind.Array when type is ColumnType.ListType { Of: var of }:
                foreach (var item in value.EnumerateArray())
                {
                    if (!IsPlain(item, of))
                        return false;
                }
                return true;
            case JsonValueKind.String or JsonValueKind.Null:
                return true;
            default:
                return type != ColumnType.Text;
        }
    }

    /// <summary>The value with what goes into a text as one, letter by letter as it is in the file.</summary>
    private static byte[] Spelt(JsonElement value, ColumnType type)
    {
        if (type == ColumnType.Text)
            return JsonMarshal.GetRawUtf8Value(value).ToArray();
        using var target = new MemoryStream();
        using (var writer = new Utf8JsonWriter(target))
            Spell(writer, value, type);
        return target.ToArray();
    }

    private static void Spell(Utf8JsonWriter writer, JsonElement value, ColumnType type)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object when type is ColumnType.StructType { Fields: var fields }:
                writer.WriteStartObject();
                foreach (var member in value.EnumerateObject())
                {
                    writer.WritePropertyName(member.Name);
                    Spell(writer, member.Value, Find(fields, member.Name)?.Type ?? ColumnType.Json);
                }
                writer.WriteEndObject();
                break;
            case JsonValueKind.Array when type is ColumnType.ListType { Of: var of }:
                writer.WriteStartArray();
                foreach (var item in value.EnumerateArray())
                    Spell(writer, item, of);
                writer.WriteEndArray();
                break;
            case not (JsonValueKind.String or JsonValueKind.Null) when type == ColumnType.Text:
                writer.WriteStringValue(JsonMarshal.GetRawUtf8Value(value));
                break;
            default:
                writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);
                break;
        }
    }

    private static StructField? Find(IReadOnlyList<StructField> fields, string name) => fields.FirstOrDefault(field => field.Name == name);
}
