using System.Text;
using Qualiz.Engine.Datasets;
using Qualiz.Ingest.Typing;

namespace Qualiz.Ingest.Csv;

/// <summary>What the configuration says of a text file; null: to be found out.</summary>
internal sealed record CsvHints
{
    public byte[]? Delimiter { get; init; }
    public byte? Quote { get; init; }
    public byte? Escape { get; init; }
    public bool? Header { get; init; }

    /// <summary>How many lines the names of the columns take.</summary>
    public int HeaderRows { get; init; } = 1;
    public byte DecimalSign { get; init; } = (byte)'.';
    public IReadOnlyList<string> Nulls { get; init; } = [];
    public DeclaredTypes Types { get; init; } = [];
}

/// <summary>Finds delimiter, quoting, header and columns from the beginning of a file.</summary>
internal static class CsvSniffer
{
    private const int SampleRecords = 1000;
    private const string EngineRow = "file_row_number";
    private static readonly byte[] Delimiters = [(byte)',', (byte)';', (byte)'\t', (byte)'|'];
    private static readonly byte[] OneBar = [(byte)'|'];

    /// <returns>Null for a file without any record, or a head without a whole one.</returns>
    public static CsvLayout? Sniff(byte[] head, bool whole, CsvHints hints, List<string> warnings)
    {
        var samples = Candidates(head, hints).Select(dialect => Read(head, whole, dialect)).ToList();
        // One that needs more of the file to see its first record may be the right one.
        if (samples.Exists(sample => sample.Short))
            return null;
        // An apostrophe encloses fields only where it does so more often than the double quote.
        if (hints.Quote is null)
        {
            var doubled = samples.Where(sample => sample.Dialect.Quote == '"').Max(sample => sample.Quoted);
            samples.RemoveAll(sample => sample.Dialect.Quote == '\'' && sample.Quoted <= doubled);
        }
        // Two bytes delimit where the first of them never stands without the second: then it alone would only find empty fields or blanks between.
        foreach (var pair in samples.Where(sample => sample is { Dialect.IsPlain: false, Pairs: true, Modal: > 1 }).ToList())
            samples.RemoveAll(sample => sample.Dialect.IsPlain && sample.Dialect with { Rest = pair.Dialect.Rest, Spaced = pair.Dialect.Spaced } == pair.Dialect && sample.Share <= pair.Share);
        var best = samples.Where(sample => sample.Dialect.IsPlain || sample.Pairs || hints.Delimiter is not null).MaxBy(sample => sample.Score)!;
        var records = best.Records;
        if (records.Count == 0)
            return null;
        if (best.Dialect.Spaced)
            warnings.Add("Behind each delimiter stands a blank; it is taken as part of it.");

        var modal = best.Modal;
        var preamble = 0;
        if (modal > 1)
        {
            // A title may have been filled up with delimiters; then the row below it must be a full one.
            while (preamble < Math.Min(10, records.Count - 1) && records[preamble].Filled <= 1 && (records[preamble].Width < modal || (modal > 2 && hints.Header != false)))
                preamble++;
            if (preamble == Math.Min(10, records.Count - 1) || (records.Take(preamble).Any(record => record.Width == modal) && records[preamble].Filled <= modal / 2))
                preamble = 0;
        }
        var first = records[preamble];
        var rows = Math.Min(hints.HeaderRows, records.Count - preamble);
        // Where no record at all can be cut, each is to be set aside; none of them is a header.
        var header = hints.Header ?? (records.Exists(record => !record.Faulty) && (rows > 1 || IsHeader(first.Fields, [.. records.Skip(preamble + 1).Where(record => !record.Faulty && record.Width == first.Width).Take(100).Select(record => record.Fields)], hints.DecimalSign)));
        rows = header ? rows : 0;
        var top = records.GetRange(preamble, rows);
        var given = header ? Titles(top) : [];
        var faulty = top.Exists(record => record.Faulty);
        if (faulty)
            warnings.Add("The quotes of the header are wrong; its names are read as they stand between the delimiters.");
        var data = records.Skip(preamble + Math.Max(rows, 1)).Where(record => !record.Faulty).ToList();
        // Names that are missing in the header where the rows have no field either are delimiters too many.
        if (given.Count > modal && given.Count(name => name.Length == 0) == given.Count - modal && data.Count > 0 && data.TrueForAll(record => record.Width <= modal))
        {
            warnings.Add($"The header has {given.Count} fields, the rows have {modal}: its empty ones are left out.");
            given = [.. given.Where(name => name.Length > 0)];
        }
        var width = !header || faulty ? modal : given.Count;
        var pad = false;
        if (data.Count > 0)
        {
            if (modal > given.Count && data.Count(record => record.Width == modal) > data.Count / 2)
            {
                width = modal;
                if (header)
                    warnings.Add($"The header names {given.Count} columns, the rows have {modal}: the others are called column{given.Count + 1} and so on.");
            }
            else if (modal < width && data.Count(record => record.Width < width) > data.Count / 2)
            {
                pad = true;
                warnings.Add("Most rows end before their last columns; what is missing is read as null.");
            }
        }
        var names = Name(given, width, warnings);
        return new CsvLayout
        {
            Dialect = best.Dialect,
            Columns = names,
            Declared = [.. names.Select(name => hints.Types.GetValueOrDefault(name))],
            Dates = [.. names.Select(name => hints.Types.Dates.GetValueOrDefault(name))],
            Preamble = preamble,
            HeaderRows = rows,
            // A row of one column may well hold the column's name.
            HeaderFields = faulty || rows == 0 || top[^1].Filled < 2 ? [] : top[^1].Fields,
            HeaderFaulty = faulty,
            Pad = pad,
            DecimalSign = hints.DecimalSign,
            Nulls = [.. hints.Nulls.Select(Encoding.UTF8.GetBytes)],
        };
    }

    /// <summary>The columns' names; those of several lines are put together, and one above several columns stands for each of them.</summary>
    private static List<string> Titles(List<SampleRecord> header)
    {
        var titles = Enumerable.Repeat("", header.Max(record => record.Width)).ToArray();
        foreach (var (at, record) in header.Index())
        {
            var last = "";
            for (var i = 0; i < titles.Length; i++)
            {
                var text = i < record.Width ? Encoding.UTF8.GetString(record.Fields[i]).Trim() : "";
                last = text.Length > 0 || at == header.Count - 1 ? text : last;
                titles[i] = $"{titles[i]} {last}".Trim();
            }
        }
        return [.. titles];
    }

    /// <summary>Makes names that can stand side by side in a table: none empty, none twice whatever the case, none of ours, nor the one that the engine gives to the rows of a file.</summary>
    public static IReadOnlyList<string> Name(IEnumerable<string> given, int width, List<string> warnings)
    {
        var taken = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var names = new List<string>();
        foreach (var text in given.Concat(Enumerable.Repeat("", width)).Take(width))
        {
            var wish = text.Replace("\0", "", StringComparison.Ordinal).Trim();
            if (wish.Length == 0)
                wish = $"column{names.Count + 1}";
            if (HiddenColumns.Names.Append(EngineRow).Contains(wish, StringComparer.OrdinalIgnoreCase))
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
        CsvDialect[] delimiters = hints.Delimiter is [var given, .. var rest]
            ? [new(given) { Rest = rest }]
            : [.. Delimiters.SelectMany(Forms)];
        byte[] quotes = hints.Quote is { } said ? [said] : [(byte)'"', (byte)'\''];
        return quotes.SelectMany(quote =>
        {
            byte[] escapes = hints.Escape is { } escape ? [escape] : quote == 0 ? [0] : [quote, (byte)'\\'];
            return delimiters.SelectMany(delimiter => escapes.Select(e => delimiter with { Quote = quote, Escape = e }));
        });

        IEnumerable<CsvDialect> Forms(byte delimiter)
        {
            yield return new CsvDialect(delimiter);
            if (head.AsSpan().IndexOf([delimiter, (byte)' ']) >= 0)
                yield return new CsvDialect(delimiter) { Spaced = true };
            if (delimiter == '|' && head.AsSpan().IndexOf("||"u8) >= 0)
                yield return new CsvDialect(delimiter) { Rest = OneBar };
        }
    }

    private static Sample Read(byte[] head, bool whole, CsvDialect dialect)
    {
        using var scanner = new CsvScanner(new MemoryStream(head, writable: false), dialect);
        var records = new List<SampleRecord>();
        var pairs = true;
        var quoted = 0;
        while (records.Count < SampleRecords && scanner.Next())
        {
            // The last record of a head is cut off, and a first one whose quote is not closed in it may be.
            if (!whole && records.Count == 0 && head.Length < CsvScanner.MaxRecordBytes && (scanner.NextOffset >= head.Length || scanner.Fault == RecordFault.UnterminatedQuote))
                return new Sample(dialect, records, 1, 0, 0, false, 0) { Short = true };
            if (!whole && scanner.NextOffset >= head.Length)
                break;
            if (scanner.Blank)
                continue;
            if (scanner.Fault != RecordFault.None)
            {
                records.Add(new SampleRecord(Cut(scanner.Raw, dialect), Faulty: true));
                continue;
            }
            var record = new byte[scanner.Count][];
            for (var i = 0; i < record.Length; i++)
            {
                ref readonly var field = ref scanner.Fields[i];
                quoted += field.Quoted ? 1 : 0;
                var text = new byte[field.Length];
                record[i] = field.Escaped ? text[..scanner.Unescape(field, text)] : scanner.Bytes(field).ToArray();
                // The blank at a line's end is often cut off.
                if (!dialect.IsPlain && pairs)
                    pairs = (field.Quoted || !record[i].Contains(dialect.Delimiter)) && (!dialect.Spaced || i == 0 || scanner.Before(field) == ' ' || (field.Length == 0 && i == record.Length - 1));
            }
            records.Add(new SampleRecord(record, Faulty: false));
        }
        var good = records.Where(record => !record.Faulty).ToList();
        var modal = good.Count == 0 ? 1 : good.CountBy(record => record.Width).OrderByDescending(pair => pair.Value).ThenByDescending(pair => pair.Key).First().Key;
        var share = good.Count == 0 ? 0 : good.Count(record => record.Width == modal) / (double)records.Count;
        // One column is what every wrong delimiter finds, so it counts little; the header must be of the same cut.
        var score = modal == 1
            ? 0.05 * share
            : share * (1 + (0.05 * Math.Log2(modal))) * (records.Take(10).Any(record => record.Width == modal) ? 1 : 0.5) * (records[0].Width == modal ? 1 : 0.9);
        // A backslash is an escape only where it makes fewer faults.
        if (!dialect.Doubles && dialect.Quote != 0)
            score -= 1e-6;
        if (dialect.Quote == '\'')
            score -= 2e-6;
        return new Sample(dialect, records, modal, share, score, pairs, quoted);
    }

    /// <summary>A record whose quotes are wrong, cut at every delimiter.</summary>
    private static byte[][] Cut(ReadOnlySpan<byte> raw, CsvDialect dialect)
    {
        byte[] delimiter = dialect.Spaced ? [dialect.Delimiter, (byte)' '] : [dialect.Delimiter, .. dialect.Rest];
        var fields = new List<byte[]>();
        while (true)
        {
            var end = raw.IndexOf(delimiter);
            var field = end < 0 ? raw : raw[..end];
            fields.Add((field.Length > 1 && field[0] == dialect.Quote && field[^1] == dialect.Quote ? field[1..^1] : field).ToArray());
            if (end < 0)
                return [.. fields];
            raw = raw[(end + delimiter.Length)..];
        }
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

    /// <param name="Faulty">Its quotes are wrong; it tells nothing of the file's cut.</param>
    private sealed record SampleRecord(byte[][] Fields, bool Faulty)
    {
        public int Width => Fields.Length;
        public int Filled => Fields.Count(text => text.Length > 0);
    }

    /// <param name="Pairs">The second byte of the delimiter stands behind the first wherever that is not quoted.</param>
    private sealed record Sample(CsvDialect Dialect, List<SampleRecord> Records, int Modal, double Share, double Score, bool Pairs, int Quoted)
    {
        /// <summary>The head does not hold a whole record.</summary>
        public bool Short { get; init; }
    }
}
