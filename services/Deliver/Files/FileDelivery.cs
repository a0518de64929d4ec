using System.Security.Cryptography;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Files;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Rows;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Storage;

namespace Qualiz.Deliver.Files;

/// <summary>
/// One delivery to a file. It is written under a temporary name, flushed and renamed, so that a reader sees the old file or the new one.
/// A small file beside it says which run and step it is from: the same delivery again changes nothing, and that of an older run
/// does not come on top, however late or often it is executed: run ids grow with the time of their start.
/// </summary>
internal static class FileDelivery
{
    public static async Task<Delivered> RunAsync(DeliverConfig config, StepContext step, DeliveryRows rows, IReadOnlyList<string> roots, CancellationToken ct)
    {
        var (store, key) = config.To.File is { } file ? InFolder(file, roots) : (step.Store, InStore(config.To.Store!, step));
        var format = Format(config, key);
        try
        {
            // Makes the folder, and refuses links on the way.
            var path = store.GetStagingPath(key, step.Scratch);
            using Receipts receipts = config.To.File is null
                ? new StoredReceipt(store, ReceiptKey(key))
                : await LockedReceipt.OpenAsync(Path.Combine(Path.GetDirectoryName(path)!, Path.GetFileName(ReceiptKey(key))), config.LockTimeout, ct).ConfigureAwait(false);
            if (config.To.File is not null)
                path = LocalFolder.TakeStagingPath(Path.Combine(Path.GetDirectoryName(path)!, Path.GetFileName(key)));
            var receipt = await receipts.ReadAsync(ct).ConfigureAwait(false);
            if (receipt is not null && await store.ExistsAsync(key, ct).ConfigureAwait(false))
            {
                if (receipt.RunId == step.Command.RunId && receipt.Step == step.Command.StepId && await IsWholeAsync(store, key, receipt, step, ct).ConfigureAwait(false))
                {
                    step.Log.LogInformation("Delivered already: {Rows} rows", receipt.Rows);
                    return new Delivered(receipt.Rows, Counts(receipt), []);
                }
                if (receipt.PipelineId == step.Command.PipelineId && receipt.RunId.CompareTo(step.Command.RunId) > 0)
                    throw new DeliveryException("superseded", $"Run {receipt.RunId}, which was started later, has written this file already; this one comes too late. {DeliveryException.DoAgain}");
            }
            try
            {
                await WriteAsync(rows, step, format, path, ct).ConfigureAwait(false);
                var sha = await HashAsync(path, ct).ConfigureAwait(false);
                var stored = await store.PutFileAsync(key, path, ct).ConfigureAwait(false);
                receipt = new Receipt(step.Command.RunId, step.Command.StepId, step.Command.PipelineId, step.Fence, rows.Count, stored.Bytes, sha);
                await receipts.WriteAsync(receipt, ct).ConfigureAwait(false);
                step.Log.LogInformation("Wrote {Rows} rows, {Bytes} bytes", rows.Count, stored.Bytes);
                return new Delivered(rows.Count, Counts(receipt), []);
            }
            finally
            {
                File.Delete(path);
            }
        }
        catch (StoreUnavailableException exception) when (config.To.File is not null)
        {
            throw new DeliveryException("targetUnavailable", exception.Message, "to.file", transient: true);
        }
        catch (ArgumentException exception)
        {
            throw new DeliveryException("fileName", exception.Message, config.To.File is null ? "to.store" : "to.file");
        }
    }

    private static async Task WriteAsync(DeliveryRows rows, StepContext step, FileFormat format, string path, CancellationToken ct)
    {
        var gzip = format.Gzip == true ? "gzip" : "none";
        var options = format.Type switch
        {
            FileType.Csv => $"FORMAT csv, HEADER {Sql.Literal(format.Header)}, DELIMITER {Sql.Literal(format.Delimiter)}, COMPRESSION {gzip}, USE_TMP_FILE false",
            // The engine's own JSON writer would spell the numbers of json values anew, so a row is one text, and nothing in it is quoted or cut.
            FileType.JsonLines => $"{Lines}, COMPRESSION {gzip}, USE_TMP_FILE false",
            FileType.Json => $"{Lines}, PREFIX {Sql.Literal("[\n\t")}, NEW_LINE {Sql.Literal(",\n\t")}, SUFFIX {Sql.Literal("\n]\n")}, COMPRESSION {gzip}, USE_TMP_FILE false",
            _ => DatasetFiles.ParquetOptions,
        };
        using var session = rows.Open(step, path);
        var select = format.Type is FileType.Json or FileType.JsonLines
            ? Line(rows.Columns)
            : string.Join(", ", rows.Columns.Select(column => $"{Value(column.Name, DatasetFiles.TypeOf(column), format.Type)} AS {Sql.Identifier(column.Name)}"));
        var written = await session.ExecuteAsync($"COPY (SELECT {select} FROM {rows.Relation}) TO {Sql.Literal(path)} ({options})", ct).ConfigureAwait(false);
        // The driver's count is 32 bits wide.
        if (rows.Count <= int.MaxValue && InputRows.Check(written, rows.Count) is { } damage)
            throw new DeliveryException(damage);
    }

    private const string Lines = "FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\n'";

    // A json value stands as it came, on one line: outside of its texts a break is a blank, and in them there is none.
    private static string Line(IReadOnlyList<DatasetColumn> columns)
    {
        var members = columns.Select(column =>
        {
            var type = DatasetFiles.TypeOf(column);
            var value = Sql.Identifier(column.Name);
            return $"{Sql.Literal($"{RowJson.Name(column.Name)}:")} || {(type.IsNested ? $"coalesce({RowJson.WithNumbers(type, value)}, 'null')" : RowJson.Value(type, value))}";
        });
        var line = $"'{{' || {string.Join(" || ',' || ", members)} || '}}'";
        return columns.Any(column => DatasetFiles.TypeOf(column).IsNested) ? $"{RowJson.OnOneLine(line)} AS line" : $"{line} AS line";
    }

    private static string Value(string name, ColumnType type, FileType format)
    {
        var column = Sql.Identifier(name);
        if (format == FileType.Parquet)
            return column;
        if (type == ColumnType.Timestamp || type == ColumnType.TimestampTz)
            return RowJson.Text(type, column);
        return type is ColumnType.ListType or ColumnType.StructType ? RowJson.WithNumbers(type, column) : column;
    }

    private static (IObjectStore Store, string Key) InFolder(string file, IReadOnlyList<string> roots)
    {
        var path = Path.GetFullPath(Path.IsPathRooted(file) || roots.Count == 0 ? file : Path.Combine(roots[0], file));
        foreach (var root in roots)
        {
            var folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));
            if (path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal))
                return (LocalFolder.Open(folder), path[(folder.Length + 1)..]);
        }
        throw new DeliveryException("folderRefused", "The file does not lie in a folder that Qualiz may write to (Folders:Roots).", "to.file");
    }

    private static string InStore(string name, StepContext step) => $"{Names.Exports}/{step.Command.Project}/{name.TrimStart('/')}";

    private static FileFormat Format(DeliverConfig config, string key)
    {
        var name = Path.GetFileName(key).ToLowerInvariant();
        var gzip = name.EndsWith(".gz", StringComparison.Ordinal);
        if (config.Format is { } format)
            return format with { Gzip = format.Gzip ?? gzip };
        if (gzip)
            name = name[..^3];
        return Path.GetExtension(name) switch
        {
            ".csv" => new FileFormat { Type = FileType.Csv, Gzip = gzip },
            ".tsv" => new FileFormat { Type = FileType.Csv, Delimiter = "\t", Gzip = gzip },
            ".jsonl" or ".ndjson" => new FileFormat { Type = FileType.JsonLines, Gzip = gzip },
            ".json" => new FileFormat { Type = FileType.Json, Gzip = gzip },
            ".parquet" when !gzip => new FileFormat { Type = FileType.Parquet },
            _ => throw new DeliveryException("formatUnknown", "The name does not tell the file's format; state format.type: csv, jsonLines, json or parquet.", "format"),
        };
    }

    private static string ReceiptKey(string key)
    {
        var slash = key.LastIndexOf('/') + 1;
        return $"{key[..slash]}.{key[slash..]}.qualiz";
    }

    // Somebody may have put another file there since.
    private static async Task<bool> IsWholeAsync(IObjectStore store, string key, Receipt receipt, StepContext step, CancellationToken ct) =>
        await HashAsync(await store.GetLocalPathAsync(key, step.Scratch, ct).ConfigureAwait(false), ct).ConfigureAwait(false) == receipt.Sha256;

    private static async Task<string> HashAsync(string path, CancellationToken ct)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20, FileOptions.Asynchronous | FileOptions.SequentialScan);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, ct).ConfigureAwait(false));
    }

    private static Dictionary<string, long> Counts(Receipt receipt) => new() { ["bytes"] = receipt.Bytes };
}
