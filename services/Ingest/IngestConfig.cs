using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Qualiz.Contracts.Schemas;
using Qualiz.Contracts.Values;
using Qualiz.Engine.Types;

namespace Qualiz.Ingest;

/// <summary>The <c>with:</c> block of an ingest step.</summary>
internal sealed record IngestConfig : IValidatableObject
{
    [Field(Title = "Source", Description = "Where the files are: a connection, a folder, an upload, the object store or an address.", ExampleJson = """{"connection": "landing", "files": "shop/*.csv"}""")]
    public required IngestSource From { get; init; }

    [Field(Title = "Format", Description = "How the files are written; what is not said is found out from each file.", ExampleJson = """{"type": "csv", "decimal": ","}""")]
    public IngestFormat Format { get; init; } = new();

    [Field(Title = "Types", Description = "Types of columns that must not be guessed; a value that does not fit rejects its row.", ExampleJson = """{"customer_id": "text", "balance": "decimal(18,2)"}""")]
    public IReadOnlyDictionary<string, string> Types { get; init; } = new Dictionary<string, string>();

    [Field(Title = "Key", Description = "The columns that identify a row; without them a row is known by its content.", Format = FieldFormat.Columns, Example = new[] { "customer_id" })]
    public IReadOnlyList<string> Key { get; init; } = [];

    [Field(Title = "When there is nothing", Description = "What to do when no file, or no new file, is found.", Example = "continue")]
    public OnEmpty OnEmpty { get; init; } = OnEmpty.Continue;

    [Field(Title = "When columns change", Description = "What to do when files have other columns or types than in the last run.", Example = "add")]
    public OnSchemaChange OnSchemaChange { get; init; } = OnSchemaChange.Add;

    [Field(Title = "Incremental", Description = "Read only rows of a table that are new or changed since the last completed run; the first run reads all.", ExampleJson = """{"cursor": "updated_at", "lookback": "2h", "key": ["customer_id"]}""")]
    public IncrementalSource? Incremental { get; init; }

    [Field(Title = "Sensitivity", Description = "Tags of columns with personal or secret values; they follow the columns.", ExampleJson = """{"email": "personal"}""", Group = FieldAttribute.AdvancedGroup)]
    public IReadOnlyDictionary<string, string> Sensitivity { get; init; } = new Dictionary<string, string>();

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        var kinds = new[] { From.Connection, From.Folder, From.Upload, From.Store, From.Connection is null ? From.Url : null }.Count(value => value is not null);
        if (kinds != 1)
            yield return new ValidationResult("exactly one of connection, folder, upload, store and url is expected", [nameof(From)]);
        if (new[] { From.Files, From.Table, From.Query, From.Url }.Count(value => value is not null) is var parts && From.Connection is not null && parts != 1)
            yield return new ValidationResult(parts == 0 ? "files, table, query or url is missing: what of the connection?" : "only one of files, table, query and url is expected", [nameof(From)]);
        if (From.Connection is null && (From.Table ?? From.Query) is not null)
            yield return new ValidationResult("a table or query needs a connection", [nameof(From)]);
        if (From.OnlyNew && (From.Table ?? From.Query) is not null)
            yield return new ValidationResult("onlyNew is for files; a table has incremental", [nameof(From)]);
        if (Incremental is not null && (From.Table ?? From.Query) is null)
            yield return new ValidationResult("incremental is for a table or query; files have from.onlyNew", [nameof(Incremental)]);
        foreach (var (column, type) in Types)
        {
            if (!ColumnType.TryParse(type, out _))
            {
                yield return new ValidationResult(
                    $"types.{column}: \"{type}\" is no type; there are text, bool, int64, decimal(p,s), double, date, time, timestamp, timestamptz, json, list(T), struct(name T, ...)",
                    [nameof(Types)]);
            }
        }
        if (Format.Delimiter is { } delimiter && CsvBytes.Delimiter(delimiter) is null)
            yield return new ValidationResult("delimiter is one ASCII character or up to eight, or the word tab", [nameof(Format)]);
        if (Format is { Delimiter: { } outside, Quote: { Length: > 0 } inside } && outside.Contains(inside, StringComparison.Ordinal))
            yield return new ValidationResult("the delimiter holds the quote", [nameof(Format)]);
        if (Format.Quote is { Length: > 0 } quote && CsvBytes.One(quote) is null)
            yield return new ValidationResult("quote is one ASCII character, or empty for none", [nameof(Format)]);
        if (Format.Escape is { } escape && CsvBytes.One(escape) is null)
            yield return new ValidationResult("escape is one ASCII character", [nameof(Format)]);
        if (Format.Decimal is not ("." or ","))
            yield return new ValidationResult("decimal is \".\" or \",\"", [nameof(Format)]);
    }
}

internal sealed record IngestSource
{
    [Field(Title = "Connection", Description = "A connection to a database, a folder, a bucket or a web server, by its name.", Format = FieldFormat.Connection, Example = "landing")]
    public string? Connection { get; init; }

    [Field(Title = "Table", Description = "A table or view of the connection's database.", Example = "sales.customers", MaxLength = 200)]
    public string? Table { get; init; }

    [Field(Title = "Query", Description = "Instead of a table, a SELECT for the connection's database.", Example = "SELECT id, name FROM sales.customers WHERE active", Format = FieldFormat.CodeSql, Group = FieldAttribute.AdvancedGroup, MaxLength = 100_000)]
    public string? Query { get; init; }

    [Field(Title = "Files", Description = "Which files, below the connection or folder: * any name, ** any folders, ? any character.", Example = "shop/2026-11-20/*.csv.gz")]
    public string? Files { get; init; }

    [Field(Title = "Folder", Description = "A folder, or files in it, under a root that the administrator has opened.", Example = "/data/in/*.csv")]
    public string? Folder { get; init; }

    [Field(Title = "Upload", Description = "The id of an uploaded file.", Example = "0199b6f2-7e51-7c3d-9a30-5e1f4d8a2b11")]
    public string? Upload { get; init; }

    [Field(Title = "Store", Description = "Files of this project in the object store, by the beginning of their key.", Example = "imports/")]
    public string? Store { get; init; }

    [Field(Title = "Address", Description = "The address of one file on the web; with a connection of type http, below its address.", Example = "https://example.org/prices.csv", MaxLength = 2000)]
    public string? Url { get; init; }

    [Field(Title = "Only new files", Description = "Leave out files that a completed run has read already, by path, size and content.", Example = true)]
    public bool OnlyNew { get; init; }
}

internal sealed record IncrementalSource
{
    [Field(Title = "Cursor", Description = "A column that grows with every change: a moment or a number.", Format = FieldFormat.Column, Example = "updated_at")]
    public required string Cursor { get; init; }

    [Field(Title = "Look back", Description = "Read so much again, for changes that were committed late. Rows that have not changed are not given twice.", Example = "2h")]
    public Duration? Lookback { get; init; }

    [Field(Title = "Key", Description = "The columns that identify a row; of several states of it the latest is taken.", Format = FieldFormat.Columns, Example = new[] { "customer_id" })]
    public IReadOnlyList<string> Key { get; init; } = [];

    [Field(Title = "Deleted", Description = "A column that marks deleted rows: true, or any value where it is no bool. They go to the port deleted.", Format = FieldFormat.Column, Example = "deleted_at")]
    public string? Deleted { get; init; }
}

internal sealed record IngestFormat
{
    [Field(Title = "Type", Description = "The format of the files.", Example = "csv")]
    public FileFormat Type { get; init; } = FileFormat.Auto;

    [Field(Title = "Delimiter", Description = "What separates fields: one character or several, such as \"||\", or the word tab.", Example = ";", VisibleIf = "type=auto,csv")]
    public string? Delimiter { get; init; }

    [Field(Title = "Sheet", Description = "Which sheet of an Excel file, by its name; else the first that holds anything.", Example = "Customers", VisibleIf = "type=auto,excel", MaxLength = 100)]
    public string? Sheet { get; init; }

    [Field(Title = "Header", Description = "Whether the first line holds the names of the columns.", Example = "auto", VisibleIf = "type=auto,csv,excel")]
    public HeaderMode Header { get; init; } = HeaderMode.Auto;

    [Field(Title = "Lines of the header", Description = "How many lines the names of the columns take; the names of several lines are put together.", Example = 2, Minimum = 1, Maximum = 10, Group = FieldAttribute.AdvancedGroup, VisibleIf = "type=auto,csv")]
    public int HeaderRows { get; init; } = 1;

    [Field(Title = "Encoding", Description = "How characters are written as bytes.", Example = "auto", Group = FieldAttribute.AdvancedGroup)]
    public TextEncoding Encoding { get; init; } = TextEncoding.Auto;

    [Field(Title = "Decimal sign", Description = "The sign before the decimals of numbers.", Example = ",", VisibleIf = "type=auto,csv")]
    public string Decimal { get; init; } = ".";

    [Field(Title = "Null words", Description = "Unquoted words that mean \"no value\", beside the empty field.", Example = new[] { "NULL", "\\N" }, VisibleIf = "type=auto,csv")]
    public IReadOnlyList<string> Nulls { get; init; } = [];

    [Field(Title = "Quote", Description = "What encloses a field that holds delimiters; empty for none.", Example = "\"", Group = FieldAttribute.AdvancedGroup, VisibleIf = "type=auto,csv")]
    public string? Quote { get; init; }

    [Field(Title = "Escape", Description = "What stands before a quote inside quotes; by default the quote itself.", Example = "\\", Group = FieldAttribute.AdvancedGroup, VisibleIf = "type=auto,csv")]
    public string? Escape { get; init; }
}

internal enum FileFormat
{
    [Field(Title = "Find out")]
    Auto,
    [Field(Title = "CSV")]
    Csv,
    [Field(Title = "JSON")]
    Json,
    [Field(Title = "JSON Lines")]
    Jsonl,
    [Field(Title = "Parquet")]
    Parquet,
    [Field(Title = "Excel")]
    Excel,
}

internal enum HeaderMode
{
    [Field(Title = "Find out")]
    Auto,
    [Field(Title = "Yes")]
    Present,
    [Field(Title = "No")]
    Absent,
}

internal enum TextEncoding
{
    [Field(Title = "Find out")]
    Auto,
    [JsonStringEnumMemberName("utf-8")]
    [Field(Title = "UTF-8")]
    Utf8,
    [JsonStringEnumMemberName("latin-1")]
    [Field(Title = "Latin-1")]
    Latin1,
    [JsonStringEnumMemberName("windows-1252")]
    [Field(Title = "Windows-1252")]
    Windows1252,
    [JsonStringEnumMemberName("utf-16")]
    [Field(Title = "UTF-16")]
    Utf16,
    [JsonStringEnumMemberName("utf-16le")]
    [Field(Title = "UTF-16, little-endian")]
    Utf16Le,
    [JsonStringEnumMemberName("utf-16be")]
    [Field(Title = "UTF-16, big-endian")]
    Utf16Be,
    [JsonStringEnumMemberName("utf-32")]
    [Field(Title = "UTF-32")]
    Utf32,
    [JsonStringEnumMemberName("iso-8859-2")]
    [Field(Title = "ISO 8859-2 (central Europe)")]
    Iso2,
    [JsonStringEnumMemberName("iso-8859-5")]
    [Field(Title = "ISO 8859-5 (Cyrillic)")]
    Iso5,
    [JsonStringEnumMemberName("iso-8859-7")]
    [Field(Title = "ISO 8859-7 (Greek)")]
    Iso7,
    [JsonStringEnumMemberName("iso-8859-9")]
    [Field(Title = "ISO 8859-9 (Turkish)")]
    Iso9,
    [JsonStringEnumMemberName("iso-8859-15")]
    [Field(Title = "ISO 8859-15 (western Europe with the euro)")]
    Iso15,
    [JsonStringEnumMemberName("windows-1250")]
    [Field(Title = "Windows-1250 (central Europe)")]
    Windows1250,
    [JsonStringEnumMemberName("windows-1251")]
    [Field(Title = "Windows-1251 (Cyrillic)")]
    Windows1251,
    [JsonStringEnumMemberName("windows-1253")]
    [Field(Title = "Windows-1253 (Greek)")]
    Windows1253,
    [JsonStringEnumMemberName("windows-1254")]
    [Field(Title = "Windows-1254 (Turkish)")]
    Windows1254,
    [JsonStringEnumMemberName("koi8-r")]
    [Field(Title = "KOI8-R (Russian)")]
    Koi8R,
    [JsonStringEnumMemberName("ibm437")]
    [Field(Title = "Code page 437 (DOS)")]
    Ibm437,
    [JsonStringEnumMemberName("ibm850")]
    [Field(Title = "Code page 850 (DOS)")]
    Ibm850,
    [JsonStringEnumMemberName("shift_jis")]
    [Field(Title = "Shift JIS (Japanese)")]
    ShiftJis,
    [JsonStringEnumMemberName("euc-jp")]
    [Field(Title = "EUC-JP (Japanese)")]
    EucJp,
    [JsonStringEnumMemberName("gb18030")]
    [Field(Title = "GB 18030 (Chinese)")]
    Gb18030,
    [JsonStringEnumMemberName("big5")]
    [Field(Title = "Big5 (Chinese)")]
    Big5,
    [JsonStringEnumMemberName("euc-kr")]
    [Field(Title = "EUC-KR (Korean)")]
    EucKr,
}

internal enum OnEmpty
{
    [Field(Title = "Go on", Description = "The step gives an empty dataset.")]
    Continue,
    [Field(Title = "Skip", Description = "The step and what depends on it are skipped.")]
    Skip,
    [Field(Title = "Fail")]
    Fail,
}

internal enum OnSchemaChange
{
    [Field(Title = "Take them", Description = "New columns and wider types are taken over.")]
    Add,
    [Field(Title = "Leave them out", Description = "Columns and types stay as they were; values that do not fit reject their row.")]
    Ignore,
    [Field(Title = "Fail")]
    Fail,
}

internal static class CsvBytes
{
    public static byte[]? Delimiter(string text) =>
        text is "tab" or "\\t" ? [(byte)'\t'] : text.Length is > 0 and <= 8 && text.All(IsByte) ? [.. text.Select(c => (byte)c)] : null;

    public static byte? One(string text) => text.Length == 1 && IsByte(text[0]) ? (byte)text[0] : null;

    private static bool IsByte(char c) => char.IsAscii(c) && c is not ('\n' or '\r' or '\0');

    public static string Name(TextEncoding encoding) => encoding switch
    {
        TextEncoding.Utf8 => "utf-8",
        TextEncoding.Latin1 => "latin-1",
        TextEncoding.Windows1252 => "windows-1252",
        TextEncoding.Utf16 => "utf-16",
        TextEncoding.Utf16Le => "utf-16le",
        TextEncoding.Utf16Be => "utf-16be",
        TextEncoding.Utf32 => "utf-32",
        TextEncoding.Iso2 => "iso-8859-2",
        TextEncoding.Iso5 => "iso-8859-5",
        TextEncoding.Iso7 => "iso-8859-7",
        TextEncoding.Iso9 => "iso-8859-9",
        TextEncoding.Iso15 => "iso-8859-15",
        TextEncoding.Windows1250 => "windows-1250",
        TextEncoding.Windows1251 => "windows-1251",
        TextEncoding.Windows1253 => "windows-1253",
        TextEncoding.Windows1254 => "windows-1254",
        TextEncoding.Koi8R => "koi8-r",
        TextEncoding.Ibm437 => "ibm437",
        TextEncoding.Ibm850 => "ibm850",
        TextEncoding.ShiftJis => "shift_jis",
        TextEncoding.EucJp => "euc-jp",
        TextEncoding.Gb18030 => "gb18030",
        TextEncoding.Big5 => "big5",
        TextEncoding.EucKr => "euc-kr",
        _ => "auto",
    };
}
