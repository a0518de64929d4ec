using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Qualiz.Engine.Datasets;

namespace Qualiz.Ingest.Csv;

/// <summary>
/// Rejected records of one part of a file, kept in a scratch file so that any number of them fits. Record and line numbers are relative
/// to the part; the columns are those of <see cref="Columns"/>.
/// </summary>
/// <param name="declared">The columns of the declared key; none: a record is known by its content.</param>
internal sealed class RejectSpool(string path, IReadOnlyList<string> declared) : IDisposable
{
    public const string Columns = "{'record': 'BIGINT', 'line': 'BIGINT', 'key': 'VARCHAR', 'declared': 'BOOLEAN', 'ingested': 'VARCHAR', 'rule': 'VARCHAR', 'column': 'VARCHAR', 'value': 'VARCHAR', 'message': 'VARCHAR'}";

    // A raw record is kept in full up to this size; what is longer is cut in the report, never in the source.
    private const int MaxRawBytes = 1 << 20;

    private CsvWriter? _writer;
    private bool _closed;

    public string Path => path;

    public long Count { get; private set; }

    /// <summary>Counts by rule, for the ledger.</summary>
    public Dictionary<string, long> ByRule { get; } = new(StringComparer.Ordinal);

    public long LongestRecord => _writer?.LongestRecord ?? 0;

    public void Add(long record, RecordReader reader, CsvLayout layout)
    {
        var scanner = reader.Scanner;
        var column = reader.FaultColumn >= 0 ? layout.Columns[reader.FaultColumn] : null;
        var (rule, message) = Explain(reader.Fault, layout, scanner.Count, column, reader.FaultColumn);
        if (reader.Fault != RecordFault.WrongType)
        {
            Add(record, scanner.Line, (Key(scanner.Raw), false), RawJson(scanner.Raw), rule, column, null, message);
            return;
        }
        var values = new ArrayBufferWriter<byte>();
        string? value = null;
        var parts = new List<(string Name, string Text)>();
        using (var json = new Utf8JsonWriter(values))
        {
            json.WriteStartObject();
            var fields = scanner.Fields;
            for (var i = 0; i < layout.Columns.Count; i++)
            {
                json.WritePropertyName(layout.Columns[i]);
                if (i >= fields.Length || reader.IsNull(fields[i]))
                {
                    json.WriteNullValue();
                    continue;
                }
                var text = Text(scanner, fields[i]);
                json.WriteStringValue(text);
                parts.Add((layout.Columns[i], text));
                if (i == reader.FaultColumn)
                    value = text;
            }
            json.WriteEndObject();
        }
        Add(record, scanner.Line, Key(parts), values.WrittenSpan, rule, column, value, message);
    }

    public void Add(long record, long line, (string Text, bool Declared) key, ReadOnlySpan<byte> ingested, string rule, string? column, string? value, string message)
    {
        _writer ??= new CsvWriter(new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1));
        _writer.Number(record);
        _writer.Number(line);
        _writer.Text(key.Text);
        _writer.Text(key.Declared ? "true"u8 : "false"u8);
        _writer.Text(ingested);
        _writer.Text(rule);
        Optional(column);
        Optional(value);
        _writer.Text(message);
        _writer.EndRecord();
        Count++;
        ByRule[rule] = ByRule.GetValueOrDefault(rule) + 1;
    }

    /// <summary>Makes the file readable; nothing can be added afterwards.</summary>
    public void Dispose()
    {
        if (!_closed)
            _writer?.Dispose();
        _closed = true;
    }

    public static string Key(ReadOnlySpan<byte> raw) => HiddenColumns.KeyOf(raw);

    /// <summary>The key of a record whose values are known, as HiddenColumns.KeyExpression has it, over the texts as they came. A declared key of which all values are empty is one too.</summary>
    public (string Text, bool Declared) Key(IReadOnlyCollection<(string Name, string Text)> values)
    {
        return declared.Count == 0 ? (Hash(values), false) : (Hash(values.Where(value => declared.Contains(value.Name, StringComparer.OrdinalIgnoreCase))), true);
    }

    private static string Hash(IEnumerable<(string Name, string Text)> values)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in values.OrderBy(part => part.Name, StringComparer.Ordinal))
            text.Append('\u001e').Append(name).Append('\u001f').Append(value);
        return Key(Encoding.UTF8.GetBytes(text.ToString()));
    }

    public static ReadOnlySpan<byte> RawJson(ReadOnlySpan<byte> raw)
    {
        var cut = raw.Length > MaxRawBytes;
        var values = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(values))
        {
            json.WriteStartObject();
            json.WriteString("raw", Readable(cut ? raw[..MaxRawBytes] : raw));
            if (cut)
                json.WriteNumber("rawBytes", raw.Length);
            json.WriteEndObject();
        }
        return values.WrittenSpan;
    }

    // Bytes that are no UTF-8 are shown as \xNN.
    private static string Readable(ReadOnlySpan<byte> raw)
    {
        if (System.Text.Unicode.Utf8.IsValid(raw))
            return Encoding.UTF8.GetString(raw);
        var text = new StringBuilder(raw.Length);
        while (!raw.IsEmpty)
        {
            var status = Rune.DecodeFromUtf8(raw, out var rune, out var used);
            if (status == OperationStatus.Done)
                text.Append(rune.ToString());
            else
            {
                foreach (var invalid in raw[..used])
                    text.Append(CultureInfo.InvariantCulture, $"\\x{invalid:x2}");
            }
            raw = raw[used..];
        }
        return text.ToString();
    }

    private static string Text(CsvScanner scanner, in FieldSlice field)
    {
        if (!field.Escaped)
            return Encoding.UTF8.GetString(scanner.Bytes(field));
        var text = new byte[field.Length];
        return Encoding.UTF8.GetString(text, 0, scanner.Unescape(field, text));
    }

    private void Optional(string? text)
    {
        if (text is null)
            _writer!.Null();
        else
            _writer!.Text(text);
    }

    private static (string Rule, string Message) Explain(RecordFault fault, CsvLayout layout, int count, string? column, int index) => fault switch
    {
        RecordFault.UnterminatedQuote => ("unterminatedQuote", "a quoted field is never closed"),
        RecordFault.TextAfterQuote => ("textAfterQuote", "text stands behind a closing quote"),
        RecordFault.TooFewFields => ("fieldCount", $"the line has {count} fields instead of {layout.Columns.Count}"),
        RecordFault.TooManyFields => ("fieldCount", $"the line has {count} fields instead of {layout.Columns.Count}"),
        RecordFault.InvalidText => ("encoding", "the line holds bytes that are no text in the file's encoding"),
        RecordFault.WrongType => ($"type({column})", $"the value is no {layout.Declared[index]}"),
        RecordFault.RepeatedHeader => ("repeatedHeader", "the line repeats the header"),
        RecordFault.BeforeHeader => ("beforeHeader", "the line stands above the header"),
        _ => ("unreadable", "the record cannot be read"),
    };
}
