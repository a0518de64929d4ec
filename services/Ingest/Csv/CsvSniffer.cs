using System.Text;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Types;
using Qualiz.Ingest.Typing;

namespace Qualiz.Ingest.Csv;

/// <summary>What the configuration says of a text file; null: to be found out.</summary>
internal sealed record CsvHints
{
    public byte? Delimiter { get; init; }
    public byte? Quote { get; init; }
    public byte? Escape { get; init; }
    public bool? Header { get; init; }
    public byte DecimalSign { get; init; } = (byte)'.';
    public IReadOnlyList<string> Nulls { get; init; } = [];
    public IReadOnlyDictionary<string, ColumnType> Types { get; init; } = new Dictionary<string, ColumnType>();
}

/// <summary>Finds delimiter, quoting, header and columns from the beginning of a file.</summary>
internal static class CsvSniffer
{
    private const int SampleRecords = 1000;

    /// <returns>Null for a file without any record.</returns>
    public static CsvLayout? Sniff(byte[] head, bool whole, CsvHints hints, List<string> warnings)
    {
        var best = Candidates(head, hints)
            .Select(dialect => Read(head, whole, dialect))
            .MaxBy(sample => sample.Score)!;
        var records = best.Records;
        if (records.Count == 0)
            return null;

        var modal = best.Modal;
        var preamble = 0;
        if (modal > 1)
        {
            // A title may have been filled up with delimiters; then the row below it must be a full one.
            while (preamble < Math.Min(10, records.Count - 1) && Filled(records[preamble]) <= 1 && (records[preamble].Length < modal || (modal > 2 && hints.Header != false)))
                preamble++;
            if (preamble == Math.Min(10, records.Count - 1) || (records.Take(preamble).Any(record => record.Length == modal) && Filled(records[preamble]) <= modal / 2))
                preamble = 0;
        }
        var first = records[preamble];
        var header = hints.Header ?? IsHeader(first, records.Skip(preamble + 1).Where(record => record.Length == first.Length).Take(100).ToList(), hints.DecimalSign);
        var width = header ? first.Length : modal;
        var data = records.Skip(preamble + 1).ToList();
        var pad = false;
        if (data.Count > 0)
        {
            if (modal > first.Length && data.Count(record => record.Length == modal) > data.Count / 2)
            {
                width = modal;
                if (header)
                    warnings.Add($"The header names {first.Length} columns, the rows have {modal}: the others are called column{first.Length + 1} and so on.");
            }
            else if (modal < width && data.Count(record => record.Length < width) > data.Count / 2)
            {
                pad = true;
                warnings.Add("Most rows end before their last columns; what is missing is read as null.");
            }
        }
        var names = Name(header ? first.Select(field => Encoding.UTF8.GetString(field)) : [], width, warnings);
        return new CsvLayout
        {
            Dialect = best.Dialect,
            Columns = names,
            Declared = [.. names.Select(name => hints.Types.GetValueOrDefault(name))],
            Preamble = preamble,
            Header = header,
            Pad = pad,
            DecimalSign = hints.DecimalSign,
            Nulls = [.. hints.Nulls.Select(Encoding.UTF8.GetBytes)],
        };
    }

    /// <summary>Makes names that can stand side by side in a table: none empty, none twice whatever the case, none of ours.</summary>
    public static IReadOnlyList<string> Name(IEnumerable<string> given, int width, List<string> warnings)
    {
        var taken = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var names = new List<string>();
        foreach (var text in given.Concat(Enumerable.Repeat("", width)).Take(width))
        {
            var wish = text.Replace("\0", "", StringComparison.Ordinal).Trim();
            if (wish.Length == 0)
                wish = $"column{names.Count + 1}";
            if (HiddenColumns.Names.Contains(wish, StringComparer.OrdinalIgnoreCase))
                wish += "_";
            var name = wish;
            for (var i = 2; !taken.Add(name); i++)
                name = $"{wish}_{i}";
            if (text.Trim().Length > 0 && name != text.Trim())
                warnings.Add($"Column {names.Count + 1} (\"{text.Trim()}\") is called \"{name}\": its name is taken.");
            names.Add(name);
        }
        return names;
    }

    private static IEnumerable<CsvDialect> Candidates(byte[] head, CsvHints hints)
    {
        byte[] delimiters = hints.Delimiter is { } given ? [given] : [(byte)',', (byte)';', (byte)'\t', (byte)'|'];
        // An apostrophe encloses fields only where no double quote does.
        byte[] quotes = hints.Quote is { } said ? [said] : head.Contains((byte)'"') ? [(byte)'"'] : [(byte)'"', (byte)'\''];
        return quotes.SelectMany(quote =>
        {
            byte[] escapes = hints.Escape is { } escape ? [escape] : quote == 0 ? [0] : [quote, (byte)'\\'];
            return delimiters.SelectMany(delimiter => escapes.Select(e => new CsvDialect(delimiter, quote, e)));
        });
    }

    private static int Filled(byte[][] record) => record.Count(field => field.Length > 0);

    private static Sample Read(byte[] head, bool whole, CsvDialect dialect)
    {
        using var scanner = new CsvScanner(new MemoryStream(head, writable: false), dialect);
        var records = new List<byte[][]>();
        var faults = 0;
        while (records.Count < SampleRecords && scanner.Next())
        {
            // The last record of a head is cut off.
            if (!whole && scanner.NextOffset >= head.Length)
                break;
            if (scanner.Fault != RecordFault.None)
                faults++;
            else if (!scanner.Blank)
            {
                var record = new byte[scanner.Count][];
                for (var i = 0; i < record.Length; i++)
                {
                    ref readonly var field = ref scanner.Fields[i];
                    var text = new byte[field.Length];
                    record[i] = field.Escaped ? text[..scanner.Unescape(field, text)] : scanner.Bytes(field).ToArray();
                }
                records.Add(record);
            }
        }
        var modal = records.Count == 0 ? 1 : records.CountBy(record => record.Length).OrderByDescending(pair => pair.Value).ThenByDescending(pair => pair.Key).First().Key;
        var share = records.Count == 0 ? 0 : records.Count(record => record.Length == modal) / (double)(records.Count + faults);
        // One column is what every wrong delimiter finds, so it counts little; the header must be of the same cut.
        var score = modal == 1
            ? 0.05 * share
            : share * (1 + (0.05 * Math.Log2(modal))) * (records.Take(10).Any(record => record.Length == modal) ? 1 : 0.5) * (records[0].Length == modal ? 1 : 0.9);
        // A backslash is an escape only where it makes fewer faults.
        if (!dialect.Doubles && dialect.Quote != 0)
            score -= 1e-6;
        if (dialect.Quote == '\'')
            score -= 2e-6;
        return new Sample(dialect, records, modal, score);
    }

    private static bool IsHeader(byte[][] first, List<byte[][]> rows, byte decimalSign)
    {
        if (first.All(field => field.Length == 0))
            return false;
        var typed = first.Count(field => IsTyped(field, decimalSign));
        if (typed == 0)
            return true;
        // A name above a column of numbers or dates.
        for (var i = 0; i < first.Length; i++)
        {
            if (first[i].Length > 0 && !IsTyped(first[i], decimalSign) && typed <= first.Length / 2)
            {
                var values = rows.Select(row => row[i]).Where(value => value.Length > 0).ToList();
                if (values.Count > 0 && values.All(value => IsTyped(value, decimalSign)))
                    return true;
            }
        }
        return false;
    }

    private static bool IsTyped(byte[] value, byte decimalSign)
    {
        if (value.Length == 0)
            return false;
        if (value.AsSpan().IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0)
            return true;
        var evidence = new ColumnEvidence();
        evidence.Observe(value, decimalSign);
        return !evidence.IsText;
    }

    private sealed record Sample(CsvDialect Dialect, List<byte[][]> Records, int Modal, double Score);
}
