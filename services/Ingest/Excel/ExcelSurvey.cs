using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Xml;
using ExcelDataReader;
using ExcelDataReader.Exceptions;
using Qualiz.Engine.Types;
using Qualiz.Ingest.Conversion;
using Qualiz.Ingest.Csv;
using Qualiz.Ingest.Sources;
using Qualiz.Ingest.Typing;

namespace Qualiz.Ingest.Excel;

/// <param name="Rewritten">The good rows in the one form of CSV that the engine is told to read, each behind its record number.</param>
internal sealed record ExcelSource(SourceFile File, IReadOnlyList<ColumnFinding> Columns, string Rewritten, long LongestRecord, long Records, long Rejected)
    : SourceSurvey(File, Columns, Records, Rejected);

/// <summary>
/// Reads a sheet once: finds its header, writes its rows down as text and collects what each column's cells are. A cell is what Excel says it is: a number
/// kept as text stays text.
/// </summary>
internal static class ExcelSurvey
{
    // As for other packed files: sheets seldom unpack to more than 50 times their size.
    private const long FreeBytes = 256L << 20;
    private const int HeadRows = 200;
    private const int MaxColumns = 16_384;

    static ExcelSurvey() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    public static ExcelSource? Run(
        SourceFile file, bool openXml, IngestFormat format, DeclaredTypes declared, long memory, string rewritten, RejectSpool spool, List<string> warnings,
        Action<long> progress, CancellationToken ct)
    {
        if (openXml)
            CheckSize(file, memory);
        else if (file.Bytes > Math.Min(memory / 4, 1L << 30))
            throw new IngestException("fileTooLarge", $"{file.Name} is too large for an old Excel file; save it as xlsx.");
        try
        {
            using var stream = System.IO.File.OpenRead(file.Path);
            using var reader = openXml ? ExcelReaderFactory.CreateOpenXmlReader(stream) : ExcelReaderFactory.CreateBinaryReader(stream);
            if (Select(reader, file, format.Sheet, warnings, ct) is not { } sheet)
                return null;
            return Read(reader, file, format, declared, ExcelErrors.Find(file, openXml, reader.Name, sheet, ct), rewritten, spool, warnings, progress, ct);
        }
        catch (InvalidPasswordException)
        {
            throw new IngestException("fileUnreadable", $"{file.Name} is protected by a password.");
        }
        // The library meets damaged files with whatever comes to it.
        catch (Exception error) when (error is ExcelReaderException or XmlException or InvalidDataException or FormatException or OverflowException or ArgumentException
            or IndexOutOfRangeException or NullReferenceException or InvalidOperationException or KeyNotFoundException or EndOfStreamException or NotSupportedException or InvalidCastException)
        {
            throw new IngestException("fileUnreadable", $"{file.Name} is no Excel workbook, or it is damaged.");
        }
    }

    private static void CheckSize(SourceFile file, long memory)
    {
        using var archive = ZipFile.OpenRead(file.Path);
        var limit = Math.Max(FreeBytes, file.Bytes * TextFile.MaxExpansion);
        var total = archive.Entries.Sum(entry => (decimal)entry.Length);
        if (total > limit || archive.Entries.Count > 10_000)
            throw new IngestException("fileExpands", $"{file.Name} unpacks to more than {TextFile.MaxExpansion} times its size and is refused.");
        // All distinct texts of a workbook are held at once.
        if (archive.GetEntry("xl/sharedStrings.xml") is { Length: var texts } && texts > memory / 4)
            throw new IngestException("fileTooLarge", $"The texts of {file.Name} need more memory than the step has; save the sheet as CSV.");
    }

    /// <returns>The number of the sheet, from 0 on; null: all are empty.</returns>
    private static int? Select(IExcelDataReader reader, SourceFile file, string? wanted, List<string> warnings, CancellationToken ct)
    {
        var names = new List<string>();
        var found = -1;
        var others = new List<string>();
        do
        {
            ct.ThrowIfCancellationRequested();
            names.Add(reader.Name);
            var fits = wanted is null ? reader.VisibleState == "visible" && HasCells(reader) : reader.Name.Equals(wanted, StringComparison.OrdinalIgnoreCase);
            if (fits && found < 0)
                found = names.Count - 1;
            else if (fits)
                others.Add(reader.Name);
        }
        while (reader.NextResult());
        if (found < 0 && wanted is not null)
            throw new IngestException("sheetUnknown", $"{file.Name} has no sheet \"{wanted}\"; there are {string.Join(", ", names.Take(20))}.", "format.sheet");
        if (found < 0)
        {
            warnings.Add($"{file.Name} is empty.");
            return null;
        }
        if (others.Count > 0)
            warnings.Add($"{file.Name}: the sheet {names[found]} is read. There are also {string.Join(", ", others.Take(20))}; format.sheet says which.");
        reader.Reset();
        for (var i = 0; i < found; i++)
            reader.NextResult();
        return found;
    }

    private static bool HasCells(IExcelDataReader reader)
    {
        for (var rows = 0; rows < 1000 && reader.Read(); rows++)
        {
            for (var i = 0; i < reader.FieldCount; i++)
            {
                if (reader.GetValue(i) is not (null or ""))
                    return true;
            }
        }
        return false;
    }

    private static ExcelSource? Read(
        IExcelDataReader reader, SourceFile file, IngestFormat format, DeclaredTypes declared, IReadOnlyDictionary<(int Row, int Column), ExcelError> errors, string rewritten, RejectSpool spool, List<string> warnings,
        Action<long> progress, CancellationToken ct)
    {
        var width = Math.Min(errors.Keys.Aggregate(reader.FieldCount, (most, at) => Math.Max(most, at.Column + 1)), MaxColumns);
        Warn(file, errors, warnings);
        var merges = reader.MergeCells ?? [];
        var head = new List<(int Row, object?[] Cells)>();
        var row = 0;
        while (head.Count < HeadRows && reader.Read())
        {
            var cells = Cells(reader, row++, errors, width);
            if (cells.Any(cell => cell is not null))
                head.Add((row, cells));
        }
        if (head.Count == 0)
        {
            warnings.Add($"{file.Name} is empty.");
            return null;
        }
        // Columns that are empty in front and behind are no columns.
        var first = Enumerable.Range(0, width).First(i => head.Any(line => line.Cells[i] is not null));
        var modal = head.Select(line => Filled(line.Cells)).GroupBy(count => count).OrderByDescending(group => group.Count()).ThenByDescending(group => group.Key).First().Key;
        var preamble = 0;
        // Titles and remarks above the table: rows that fill less than half of what rows usually fill.
        while (modal > 1 && preamble < head.Count - 1 && preamble < 20 && Filled(head[preamble].Cells) * 2 <= modal && Filled(head[preamble].Cells) < 3)
            preamble++;
        if (preamble == head.Count - 1)
            preamble = 0;
        var header = format.Header switch { HeaderMode.Present => true, HeaderMode.Absent => false, _ => head[preamble].Cells.All(IsName) };
        if (format.Header == HeaderMode.Absent)
            preamble = 0;
        var top = preamble;
        string?[] titles = [];
        if (header)
        {
            titles = [.. head[top].Cells.Select(cell => cell is null ? null : Show(cell))];
            var at = head[top].Row - 1;
            var spans = merges.Where(merge => merge.FromRow == at && merge.ToRow == at && merge.ToColumn > merge.FromColumn && merge.ToColumn < width).ToList();
            // Groups of columns under one title: the names stand in the row below.
            if (spans.Count > 0 && top + 1 < head.Count && head[top + 1].Row == head[top].Row + 1 && head[top + 1].Cells.All(IsName))
            {
                foreach (var span in spans)
                {
                    for (var i = span.FromColumn; i <= span.ToColumn; i++)
                        titles[i] = titles[span.FromColumn];
                }
                top++;
                var names = head[top].Cells;
                for (var i = 0; i < width; i++)
                    titles[i] = names[i] is { } cell && Show(cell) is var name ? titles[i] is { } group && group != name ? $"{group} {name}" : name : titles[i];
            }
            top++;
        }
        var last = Enumerable.Range(0, width).Last(i => head.Any(line => line.Cells[i] is not null) || (i < titles.Length && titles[i] is not null));
        if (merges.Any(merge => merge.FromRow >= head[Math.Min(top, head.Count - 1)].Row))
            warnings.Add($"{file.Name}: cells of the table are merged; the first cell of each has the value, the others have none.");

        var columns = new List<ExcelColumn>();
        var given = CsvSniffer.Name(titles.Skip(first).Take(last - first + 1).Select(title => title ?? ""), last - first + 1, warnings);
        for (var i = 0; i < given.Count; i++)
            columns.Add(new ExcelColumn(given[i], first + i, declared.GetValueOrDefault(given[i])));
        long records = 0, longest;
        using (spool)
        {
            using var writer = new CsvWriter(new FileStream(rewritten, FileMode.Create, FileAccess.Write, FileShare.None, 1));
            for (var i = 0; i < preamble; i++)
                Reject(++records, head[i].Row, head[i].Cells, "beforeHeader", null, null, "the line stands above the header");
            foreach (var (line, cells) in head.Skip(top))
                Take(line, cells);
            while (reader.Read())
            {
                var cells = Cells(reader, row++, errors, width);
                if (cells.Any(cell => cell is not null))
                    Take(row, cells);
                if ((records & 0xff) == 0)
                    ct.ThrowIfCancellationRequested();
            }
            longest = writer.LongestRecord;

            void Take(int line, object?[] cells)
            {
                records++;
                foreach (var column in columns)
                {
                    if (column.Declared is { } type && type != ColumnType.Text && cells[column.Index] is { } cell && !DeclaredCheck.Fits(type, Encoding.UTF8.GetBytes(Show(cell)), (byte)'.', declared.Dates.GetValueOrDefault(column.Name)))
                    {
                        Reject(records, line, cells, $"type({column.Name})", column.Name, Show(cell), $"the value is no {type}");
                        return;
                    }
                }
                // Something beside the table would be lost.
                for (var i = 0; i < cells.Length; i++)
                {
                    if (cells[i] is not null && (i < first || i > last))
                    {
                        Reject(records, line, cells, "fieldCount", null, null, $"column {i + 1} of the sheet has a value, but no name");
                        return;
                    }
                }
                writer.Number(records);
                foreach (var column in columns)
                {
                    var cell = cells[column.Index];
                    column.Observe(cell);
                    if (cell is null)
                        writer.Null();
                    else
                        writer.Text(Show(cell));
                }
                writer.EndRecord();
                progress(1);
            }

            void Reject(long record, int line, object?[] cells, string rule, string? column, string? value, string message)
            {
                var parts = cells.Select((cell, i) => (Name: i - first is var at && at >= 0 && at < given.Count ? given[at] : $"column{i + 1}", Cell: cell)).Where(part => part.Cell is not null)
                    .Select(part => (part.Name, Text: Show(part.Cell!))).ToList();
                var json = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(parts.GroupBy(part => part.Name).ToDictionary(part => part.Key, part => part.First().Text));
                spool.Add(record, line, spool.Key(parts), json, rule, column, value, message);
            }
        }
        return new ExcelSource(file, [.. columns.Select(column => column.Finding())], rewritten, longest, records, spool.Count)
        {
            Spools = spool.Count > 0 ? [(spool, 0L, 0L)] : [],
        };
    }

    private static int Filled(object?[] cells) => cells.Count(cell => cell is not null);

    // A title, also one that a formula was to make.
    private static bool IsName(object? cell) => cell is null or string or ExcelError;

    private static object?[] Cells(IExcelDataReader reader, int row, IReadOnlyDictionary<(int Row, int Column), ExcelError> errors, int width)
    {
        var cells = new object?[width];
        for (var i = 0; i < Math.Min(width, reader.FieldCount); i++)
            cells[i] = reader.GetValue(i) is var value && value is "" ? null : value;
        for (var i = 0; errors.Count > 0 && i < width; i++)
            cells[i] ??= errors.GetValueOrDefault((row, i));
        return cells;
    }

    private static void Warn(SourceFile file, IReadOnlyDictionary<(int Row, int Column), ExcelError> errors, List<string> warnings)
    {
        if (errors.Count == 0)
            return;
        var first = errors.OrderBy(error => error.Key).Take(3).Select(error => string.Create(CultureInfo.InvariantCulture, $"{error.Value.Text} in {Letters(error.Key.Column)}{error.Key.Row + 1}"));
        warnings.Add(string.Create(
            CultureInfo.InvariantCulture,
            $"{file.Name}: {errors.Count} cells are errors of formulas and are kept as text ({string.Join(", ", first)}{(errors.Count > 3 ? ", ..." : "")}). The rule nulls makes them empty, a type under types rejects their rows."));

        static string Letters(int column) => (column >= 26 ? Letters((column / 26) - 1) : "") + (char)('A' + (column % 26));
    }

    /// <summary>A cell as text that reads back as the same value.</summary>
    internal static string Show(object cell) => cell switch
    {
        string text => text,
        ExcelError error => error.Text,
        bool truth => truth ? "true" : "false",
        DateTime moment => ExcelColumn.IsTime(moment) ? moment.ToString("HH:mm:ss.FFFFFF", CultureInfo.InvariantCulture)
            : moment.TimeOfDay == TimeSpan.Zero ? moment.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)
            : moment.ToString("yyyy-MM-dd HH:mm:ss.FFFFFF", CultureInfo.InvariantCulture),
        TimeSpan span => span.ToString("c", CultureInfo.InvariantCulture),
        double number => Number(number),
        IFormattable value => value.ToString(null, CultureInfo.InvariantCulture),
        _ => cell.ToString() ?? "",
    };

    // Plain digits as far as they go: 0.00001 and not 1E-05.
    private static string Number(double number)
    {
        var text = number.ToString("R", CultureInfo.InvariantCulture);
        return text.Contains('E', StringComparison.Ordinal) && Math.Abs(number) is < 1e15 and > 1e-10 && decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var plain) && (double)plain == number
            ? plain.ToString(CultureInfo.InvariantCulture)
            : text;
    }
}

/// <summary>A column of a sheet, and what its cells have been.</summary>
internal sealed class ExcelColumn(string name, int index, ColumnType? declared)
{
    private static readonly DateTime Zero = new(1899, 12, 31);

    private ColumnEvidence _evidence = new();
    private long _values;
    private long _numbers;
    private long _bools;
    private long _days;
    private long _moments;
    private long _times;

    public string Name => name;
    public int Index => index;
    public ColumnType? Declared => declared;

    // A time alone is counted from the day before the first.
    public static bool IsTime(DateTime moment) => moment.Date == Zero || moment.Date == Zero.AddDays(-1);

    public void Observe(object? cell)
    {
        if (cell is null)
            return;
        _values++;
        switch (cell)
        {
            case bool:
                _bools++;
                break;
            case double or int or long or decimal or float:
                _numbers++;
                _evidence.Observe(Encoding.UTF8.GetBytes(ExcelSurvey.Show(cell)), (byte)'.');
                break;
            case DateTime moment when IsTime(moment):
                _times++;
                break;
            case DateTime { TimeOfDay.Ticks: 0 }:
                _days++;
                break;
            case DateTime:
                _moments++;
                break;
        }
    }

    public ColumnFinding Finding() => new(name, Type(), Evidence());

    // All numbers are doubles here, however many digits it takes to write them.
    private ColumnEvidence Evidence() => _numbers > 0 && _numbers == _values ? _evidence with { Kinds = _evidence.Kinds | ValueKinds.Double } : new ColumnEvidence();

    // Null: nothing was seen; another file may know.
    private ColumnType? Type()
    {
        if (_values == 0)
            return null;
        if (_bools == _values)
            return ColumnType.Bool;
        if (_days == _values)
            return ColumnType.Date;
        if (_times == _values)
            return ColumnType.Time;
        if (_days + _moments == _values)
            return ColumnType.Timestamp;
        if (_numbers < _values)
            return ColumnType.Text;
        if (_evidence.Kinds.HasFlag(ValueKinds.Int))
            return ColumnType.Int64;
        return _evidence.Kinds.HasFlag(ValueKinds.Decimal) && _evidence.IntegerDigits + _evidence.Scale <= 18 ? ColumnType.Decimal(18, _evidence.Scale) : ColumnType.Double;
    }
}
