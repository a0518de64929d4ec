using System.Globalization;
using System.Text;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;
using Qualiz.Ingest.Csv;
using Qualiz.Ingest.Excel;
using Qualiz.Ingest.Json;
using Qualiz.Ingest.Sources;
using Qualiz.Ingest.Typing;

namespace Qualiz.Ingest.Conversion;

/// <summary>Looks at every byte of a source file, whatever its format.</summary>
internal sealed class Surveyor(IngestFormat format, DeclaredTypes declared, IReadOnlyList<string> key, long memory, int threads, string scratch, Action<long> progress, bool head = false)
{
    private int _numbers;

    public async Task<SourceSurvey?> SurveyAsync(SourceFile file, List<string> warnings, CancellationToken ct)
    {
        if (IsParquet(file.Path) && format.Type is FileFormat.Auto or FileFormat.Parquet)
            return await ParquetAsync(file, warnings, ct);
        if (format.Type == FileFormat.Parquet)
            throw new IngestException("fileUnreadable", $"{file.Name} is no Parquet file.");
        if (FileKind.Of(file.Path) is { } kind)
        {
            if ((kind == FileKind.OpenXml || kind == FileKind.Compound) && format.Type is FileFormat.Auto or FileFormat.Excel)
                return await Task.Run(() => ExcelSurvey.Run(file, kind == FileKind.OpenXml, format, declared, memory, NewFile("sheet"), new RejectSpool(NewFile("rejected"), key), warnings, progress, ct), ct);
            throw new IngestException("fileUnreadable", $"{file.Name} is {kind.Name}, which cannot be read{kind.Advice}.");
        }
        if (format.Type == FileFormat.Excel)
            throw new IngestException("fileUnreadable", $"{file.Name} is no Excel file.");
        var encoding = CsvBytes.Name(format.Encoding);
        var text = await TextFile.PrepareAsync(file.Path, encoding, NewFile("text"), ct);
        var type = format.Type == FileFormat.Auto ? Guess(file.Name, text) : format.Type;
        if (type is FileFormat.Json or FileFormat.Jsonl)
        {
            return await Task.Run(
                () => JsonSurvey.Run(file, text, type == FileFormat.Jsonl, declared, new RejectSpool(NewFile("rejected"), key), warnings, progress, ct, head), ct);
        }
        var survey = Csv(file, text, warnings, ct);
        // The file's beginning was UTF-8, but what comes later is not: it is a one-byte encoding, unless UTF-8 prevails.
        if (survey is { Survey: { InvalidText: > 0 } seen } && !text.Sure && text.Encoding == "utf-8" && seen.InvalidText >= seen.Multibyte)
        {
            warnings.Add($"{file.Name} is not UTF-8 and is read as windows-1252. Set format.encoding if that is wrong.");
            text = await TextFile.PrepareAsync(text.Path, "windows-1252", NewFile("text"), ct);
            survey = Csv(file, text, warnings, ct);
        }
        else if (survey is not null && !text.Sure && text.Encoding != "utf-8")
        {
            warnings.Add($"{file.Name} is not UTF-8 and is read as {text.Encoding}. Set format.encoding if that is wrong.");
        }
        return survey;
    }

    private CsvSource? Csv(SourceFile file, TextFile text, List<string> warnings, CancellationToken ct)
    {
        var length = new FileInfo(text.Path).Length - text.Start;
        var head = TextFile.ReadHead(text.Path, text.Start);
        if (IsBinary(head))
            throw new IngestException("fileUnreadable", $"{file.Name} is no text: more than a tenth of it are bytes that no text has. CSV, JSON, Excel and Parquet can be read.");
        var found = new List<string>();
        var layout = CsvSniffer.Sniff(head, length <= head.Length, Hints(), found);
        // A first record that is longer than the head.
        while (layout is null && head.Length < length && head.Length < CsvScanner.MaxRecordBytes)
        {
            head = TextFile.ReadHead(text.Path, text.Start, Math.Min(head.Length * 4, CsvScanner.MaxRecordBytes));
            layout = CsvSniffer.Sniff(head, length <= head.Length, Hints(), found);
        }
        if (layout is null && head.Length < length)
            throw new IngestException("fileUnreadable", $"{file.Name} has no whole record within its first {CsvScanner.MaxRecordBytes >> 20} MB; it is no CSV.");
        warnings.AddRange(found.Select(warning => $"{file.Name}: {warning}"));
        if (layout is null)
        {
            warnings.Add($"{file.Name} is empty.");
            return null;
        }
        var survey = CsvSurvey.Run(text.Path, text.Start, layout, threads, () => new RejectSpool(NewFile("rejected"), key), progress, ct);
        var columns = layout.Columns.Select((name, i) => new ColumnFinding(name, null, survey.Evidence[i])).ToList();
        return new CsvSource(file, columns, text, layout, survey) { Spools = survey.Spools };
    }

    private async Task<ParquetSource> ParquetAsync(SourceFile file, List<string> warnings, CancellationToken ct)
    {
        // The engine takes such a name for a pattern, and has no way to say that it is none.
        if (file.Path.AsSpan().IndexOfAny("*?[{") >= 0)
        {
            var plain = NewFile("source");
            File.CreateSymbolicLink(plain, file.Path);
            file = file with { Path = plain };
        }
        using var session = EngineSession.Open(new EngineOptions { MemoryBytes = memory, Threads = threads, Scratch = scratch, Paths = [file.Path] });
        var read = Scan.Parquet(file.Path);
        var described = session.Query($"DESCRIBE SELECT * FROM {read}", row => (Name: row.GetString(0), Type: row.GetString(1)));
        var renamed = new List<string>();
        var names = CsvSniffer.Name(described.Select(column => column.Name), described.Count, renamed);
        warnings.AddRange(renamed.Select(warning => $"{file.Name}: {warning}"));
        var stored = new Dictionary<string, StoredColumn>(StringComparer.Ordinal);
        var columns = new List<ColumnFinding>();
        // A head has the footer, and no values.
        var unseen = false;
        foreach (var (name, (original, type)) in names.Zip(described))
        {
            stored[name] = new StoredColumn(original, type);
            var ours = ColumnType.FromDuckDb(type) ?? ColumnType.NearestTo(type);
            // Nanoseconds are what some programs write for any time; they fit when none is used.
            if (type == "TIMESTAMP_NS" && head)
                (ours, unseen) = (ColumnType.Timestamp, true);
            else if (type == "TIMESTAMP_NS")
                ours = await session.ScalarAsync<bool>($"SELECT bool_and(epoch_ns({Sql.Identifier(original)}) % 1000 = 0) FROM {read}", ct) ? ColumnType.Timestamp : ColumnType.Text;
            if (declared.TryGetValue(name, out var wanted) && ours is not null && wanted != ours && !head)
                await CheckDeclaredAsync(session, file, read, name, stored[name], wanted, ct);
            columns.Add(new ColumnFinding(
                name,
                ours ?? throw new IngestException("typeUnsupported", $"Column \"{original}\" of {file.Name} has the type {type}, which Qualiz does not have."),
                new ColumnEvidence()));
        }
        var rows = session.Scalar<long>($"SELECT count(*) FROM {read}");
        return new ParquetSource(file, columns, stored, rows) { Unchecked = unseen };
    }

    // Tabs, line ends and the signs that are made to separate are left aside; a stray NUL is no reason yet.
    private static bool IsBinary(ReadOnlySpan<byte> head)
    {
        head = head[..Math.Min(head.Length, 4096)];
        var strange = 0;
        foreach (var one in head)
            strange += one is 0 or (> 1 and < 9) or (> 13 and < 26) ? 1 : 0;
        return strange > 16 && strange > head.Length / 10;
    }

    // The engine's conversion would round, cut or wrap what its target does not hold.
    private async Task CheckDeclaredAsync(EngineSession session, SourceFile file, string read, string name, StoredColumn stored, ColumnType wanted, CancellationToken ct)
    {
        var column = Sql.Identifier(stored.Name);
        var type = stored.Type;
        var misfits = 0L;
        if (type == "VARCHAR")
        {
            // Within the engine: there are as many values as the file has rows, and none of them is needed out here.
            var fits = $"qualiz_fits_{Interlocked.Increment(ref _numbers).ToString(CultureInfo.InvariantCulture)}";
            session.Connection.RegisterScalarFunction<string, bool>(fits, (texts, results, rows) =>
            {
                for (var row = 0UL; row < rows; row++)
                    results.WriteValue(!texts[0].IsValid(row) || DeclaredCheck.Fits(wanted, Encoding.UTF8.GetBytes(texts[0].GetValue<string>(row)), (byte)'.'), row);
            });
            misfits = await session.ScalarAsync<long>($"SELECT count(*) FROM {read} WHERE {column} IS NOT NULL AND NOT {fits}({column})", ct);
        }
        else if (wanted != ColumnType.Text)
        {
            var cast = $"TRY_CAST({column} AS {wanted.DuckDb})";
            misfits = await session.ScalarAsync<long>($"SELECT count(*) FROM {read} WHERE {column} IS NOT NULL AND ({cast} IS NULL OR CAST({cast} AS {type}) IS DISTINCT FROM {column})", ct);
        }
        if (misfits > 0)
            throw new IngestException("typeMismatch", string.Create(CultureInfo.InvariantCulture, $"Column \"{name}\" of {file.Name} is {ColumnType.FromDuckDb(type)?.ToString() ?? type}, and {misfits} of its values are no {wanted}."), $"types.{name}");
    }

    private CsvHints Hints() => new()
    {
        Delimiter = format.Delimiter is { } delimiter ? CsvBytes.Delimiter(delimiter) : null,
        Quote = format.Quote is { } quote ? quote.Length == 0 ? (byte)0 : CsvBytes.One(quote) : null,
        Escape = format.Escape is { } escape ? CsvBytes.One(escape) : null,
        Header = format.Header switch { HeaderMode.Present => true, HeaderMode.Absent => false, _ => null },
        HeaderRows = format.HeaderRows,
        DecimalSign = (byte)format.Decimal[0],
        Nulls = format.Nulls,
        Types = declared,
    };

    private string NewFile(string purpose) => Path.Combine(scratch, $"{purpose}-{Interlocked.Increment(ref _numbers):00000}");

    private static bool IsParquet(string path)
    {
        using var stream = File.OpenRead(path);
        Span<byte> magic = stackalloc byte[4];
        return stream.ReadAtLeast(magic, 4, throwOnEndOfStream: false) == 4 && magic.SequenceEqual("PAR1"u8);
    }

    /// <summary>True for formats that are read from their end and cannot be cut.</summary>
    public static bool IsIndexed(string path) => IsParquet(path) || FileKind.Of(path) is not null;

    private static FileFormat Guess(string name, TextFile text)
    {
        var extension = Path.GetExtension(name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? name[..^3] : name).ToUpperInvariant();
        if (extension is ".JSONL" or ".NDJSON")
            return FileFormat.Jsonl;
        if (extension is ".CSV" or ".TSV" or ".TAB")
            return FileFormat.Csv;
        var head = TextFile.ReadHead(text.Path, text.Start).AsSpan().TrimStart(" \t\r\n"u8);
        if (head.IsEmpty || head[0] is not ((byte)'[' or (byte)'{'))
            return extension == ".JSON" ? FileFormat.Json : FileFormat.Csv;
        if (head[0] == '[')
            return FileFormat.Json;
        // Objects, one on each line, are lines even under the name .json; an object over several lines is not.
        var end = head.IndexOf((byte)'\n');
        return end > 0 && DeclaredCheck.Fits(ColumnType.Json, head[..end], (byte)'.') ? FileFormat.Jsonl : FileFormat.Json;
    }
}
