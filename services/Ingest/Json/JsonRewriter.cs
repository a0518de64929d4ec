using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Qualiz.Ingest.Conversion;
using Qualiz.Ingest.Csv;

namespace Qualiz.Ingest.Json;

/// <summary>Writes the good records of a JSON file as CSV: numbers as they are spelt, so that none passes through a double; nested values as JSON.</summary>
internal static class JsonRewriter
{
    /// <param name="isJson">Is the column of type json? A text in it is a JSON text.</param>
    /// <param name="numbered">Puts each record's number in the source before its values.</param>
    /// <returns>The length of the longest record written.</returns>
    public static long Rewrite(JsonSource source, Func<string, bool> isJson, bool numbered, string target, CancellationToken ct)
    {
        using var reader = new JsonRecords(CsvSurvey.Open(source.Text.Path, source.Text.Start), source.Lines, source.File.Name);
        using var writer = new CsvWriter(new FileStream(target, FileMode.Create, FileAccess.Write, FileShare.None, 1));
        var rejected = 0;
        var json = source.Columns.Select(column => isJson(column.Name)).ToArray();
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
                Write(writer, value, json[i], source.Members.Count == 1 && !numbered);
            }
            writer.EndRecord();
        }
        return writer.LongestRecord;
    }

    private static void Write(CsvWriter writer, JsonElement value, bool asJson, bool alone)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Undefined or JsonValueKind.Null:
                if (alone)
                    writer.NullWord();
                else
                    writer.Null();
                break;
            case JsonValueKind.String when !asJson:
                writer.Text(Encoding.UTF8.GetBytes(value.GetString()!));
                break;
            default:
                writer.Text(JsonMarshal.GetRawUtf8Value(value));
                break;
        }
    }
}
