using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using System.Xml;
using MiniExcelLibs;
using MiniExcelLibs.Attributes;
using MiniExcelLibs.Csv;
using MiniExcelLibs.OpenXml;
using Qualiz.Platform.Http;

namespace Qualiz.Datasets.Quarantine;

/// <summary>A line of a sheet that came back.</summary>
/// <param name="Line">As the spreadsheet counts, the header being 1.</param>
/// <param name="Cells">Column and text.</param>
internal sealed record SheetLine(int Line, long? Item, int? Revision, IReadOnlyList<(string Column, string Text)> Cells);

/// <summary>
/// Rejected rows of one step as a workbook to mend and send back: a line for each row, its number and revision first, then the values as a repair would change
/// them. Every value is a cell of text, so that no spreadsheet takes zeros from an id or makes a date of a code.
/// </summary>
internal static class QuarantineSheet
{
    public const string MediaType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    public const int MostRows = 100_000;
    public const long MostBytes = 64L << 20;

    /// <summary>Unpacked; what is larger was packed to do harm.</summary>
    private const long MostUnpacked = 2L << 30;

    /// <summary>No cell of a spreadsheet holds more characters.</summary>
    private const int LongestText = 32_767;

    private const string Item = "#item";
    private const string Revision = "#revision";
    private const string State = "#state";
    private const string Why = "#why";
    private static readonly string[] s_own = [Item, Revision, State, Why];

    private static readonly string[] s_errors = ["#N/A", "#VALUE!", "#REF!", "#DIV/0!", "#NUM!", "#NAME?", "#NULL!"];

    /// <param name="columns">Of the values of all items.</param>
    public static void Write(Stream target, IEnumerable<ItemView> items, IReadOnlyList<string> columns)
    {
        IEnumerable<Dictionary<string, object>> Lines()
        {
            foreach (var item in items)
            {
                var line = new Dictionary<string, object>
                {
                    [Item] = item.Id,
                    [Revision] = item.Revision,
                    [State] = item.State,
                    [Why] = string.Join("; ", item.Reasons.ValueKind != JsonValueKind.Array ? [] : item.Reasons.EnumerateArray().Select(Reason)),
                };
                foreach (var column in columns)
                    line[Header(column)] = Shown(ValueOf(item, column));
                yield return line;
            }
        }
        MiniExcel.SaveAs(target, Lines(), sheetName: "rejected", configuration: new OpenXmlConfiguration
        {
            DynamicColumns = [.. columns.Select(column => new DynamicExcelColumn(Header(column)) { Format = "@", Width = 18 })],
        });
    }

    /// <exception cref="ApiException">It is no workbook and no CSV file, or not one of rejected rows, or too large.</exception>
    public static List<SheetLine> Read(Stream sent)
    {
        try
        {
            var packed = sent.ReadByte() == 'P' && sent.ReadByte() == 'K';
            sent.Position = 0;
            if (!packed)
                return Lines(sent.Query(excelType: ExcelType.CSV, configuration: new CsvConfiguration { Seperator = Separator(sent), ReadLineBreaksWithinQuotes = true }));
            CheckSize(sent);
            return Lines(sent.Query(excelType: ExcelType.XLSX));
        }
        // The library meets damaged files with whatever comes to it.
        catch (Exception error) when (error is XmlException or InvalidDataException or FormatException or OverflowException or ArgumentException
            or IndexOutOfRangeException or NullReferenceException or InvalidOperationException or KeyNotFoundException or EndOfStreamException or NotSupportedException or InvalidCastException)
        {
            throw new ApiException(StatusCodes.Status400BadRequest, "badRequest", "The file is no workbook (.xlsx) and no CSV file, or it is damaged.");
        }
    }

    /// <summary>A value as its cell shows it. What a spreadsheet cannot hold is cut, or left out.</summary>
    public static string Shown(JsonElement value)
    {
        var text = value.ValueKind switch
        {
            JsonValueKind.Undefined or JsonValueKind.Null => "",
            JsonValueKind.String => value.GetString()!,
            _ => value.GetRawText(),
        };
        return text.Length > LongestText ? text[..LongestText] : text;
    }

    /// <summary>What a spreadsheet writes where it could not compute.</summary>
    public static bool IsError(string cell) => s_errors.Contains(cell, StringComparer.Ordinal);

    /// <summary>Whether a cell still says what it said: line ends and invisible characters do not survive every spreadsheet.</summary>
    public static bool IsSame(string cell, string shown) => cell == shown || Fold(cell) == Fold(shown);

    private static string Fold(string text) => string.Concat(text.ReplaceLineEndings("\n").Where(character => character is '\n' or '\t' || !char.IsControl(character)));

    /// <summary>As the source sent it, with what its repair changes.</summary>
    private static JsonElement ValueOf(ItemView item, string column) =>
        item.Patch is { } patch && patch.Changes.TryGetProperty(column, out var changed) ? changed
        : item.Values.ValueKind == JsonValueKind.Object && item.Values.TryGetProperty(column, out var value) ? value : default;

    private static string Reason(JsonElement reason)
    {
        var text = Text(reason, "message") ?? Text(reason, "rule") ?? "";
        return Text(reason, "column") is { } column ? $"{column}: {text}" : text;
    }

    private static string? Text(JsonElement reason, string member) =>
        reason.ValueKind == JsonValueKind.Object && reason.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>A column of the data that is called like one of ours.</summary>
    private static string Header(string column) => s_own.Contains(column.TrimEnd('\''), StringComparer.Ordinal) ? $"{column}'" : column;

    private static string Column(string header) => header.EndsWith('\'') && s_own.Contains(header.TrimEnd('\''), StringComparer.Ordinal) ? header[..^1] : header;

    private static void CheckSize(Stream sent)
    {
        using (var archive = new ZipArchive(sent, ZipArchiveMode.Read, leaveOpen: true))
        {
            if (archive.Entries.Count > 1000 || archive.Entries.Sum(entry => (decimal)entry.Length) > MostUnpacked)
                throw new ApiException(StatusCodes.Status413PayloadTooLarge, "tooLarge", $"The workbook unpacks to more than {MostUnpacked >> 30} GB and is refused.");
        }
        sent.Position = 0;
    }

    /// <summary>Spreadsheets part fields by what is usual where they run.</summary>
    private static char Separator(Stream sent)
    {
        var reader = new StreamReader(sent, leaveOpen: true);
        var first = reader.ReadLine() ?? "";
        sent.Position = 0;
        return ",;\t".MaxBy(separator => first.Count(character => character == separator));
    }

    private static List<SheetLine> Lines(IEnumerable<dynamic> read)
    {
        using var rows = read.Select(row => (string[])[.. ((IDictionary<string, object?>)row).Values.Select(Text)]).GetEnumerator();
        var header = rows.MoveNext() ? rows.Current : [];
        var (item, revision) = (Array.IndexOf(header, Item), Array.IndexOf(header, Revision));
        if (item < 0 || revision < 0)
        {
            throw new ApiException(
                StatusCodes.Status400BadRequest, "badRequest", $"The first line has no columns {Item} and {Revision}: this is no sheet of rejected rows (export them as xlsx).");
        }
        var data = Enumerable.Range(0, header.Length).Where(i => header[i].Length > 0 && !s_own.Contains(header[i], StringComparer.Ordinal)).Select(i => (At: i, Column: Column(header[i]))).ToList();
        if (data.GroupBy(column => column.Column, StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new ApiException(StatusCodes.Status400BadRequest, "badRequest", $"The sheet has the column \"{twice.Key}\" twice; keep one of them.");

        var lines = new List<SheetLine>();
        for (var number = 2; rows.MoveNext(); number++)
        {
            var row = rows.Current;
            // Below the last row many spreadsheets keep lines of nothing.
            if (row.All(cell => cell.Length == 0))
                continue;
            if (lines.Count == MostRows)
                throw TooMany();
            string Cell(int at) => at < row.Length ? row[at] : "";
            lines.Add(new SheetLine(
                number, Number(Cell(item)), Number(Cell(revision)) is { } seen and >= 0 and <= int.MaxValue ? (int)seen : null, [.. data.Select(column => (column.Column, Cell(column.At)))]));
        }
        return lines;
    }

    public static ApiException TooMany() =>
        new(StatusCodes.Status400BadRequest, "badRequest", string.Create(CultureInfo.InvariantCulture, $"A sheet has at most {MostRows:N0} rows; choose fewer, e.g. by rule, column or run."));

    private static long? Number(string? text) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string Text(object? cell) => cell switch
    {
        null => "",
        string text => text,
        bool yes => yes ? "true" : "false",
        DateTime day when day.TimeOfDay == TimeSpan.Zero => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        DateTime moment => moment.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFF", CultureInfo.InvariantCulture),
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        var other => other.ToString() ?? "",
    };
}
