using System.Data.Common;
using Npgsql;
using Qualiz.Contracts.Data;
using Qualiz.Datasets.Rows;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Recipes;
using Qualiz.Engine.Sessions;

namespace Qualiz.Datasets.Quarantine;

/// <summary>
/// The rejected rows of a step in the engine, numbered in the order of their source. The database sees only who they are, until it is
/// known which of them it has: those values alone that are new to it go there, by COPY, and none is held in memory here.
/// </summary>
internal sealed class RejectedBatch : IDisposable
{
    private const long MemoryBytes = 384L << 20;
    private const char Separator = '\u001f';

    private readonly OpenedDataset _opened;
    private readonly Dictionary<string, byte[]> _lists = new(StringComparer.Ordinal);

    private RejectedBatch(OpenedDataset opened)
    {
        _opened = opened;
        Session = OpenSession(opened);
    }

    public EngineSession Session { get; }
    public long Rows { get; private set; }

    public static async Task<RejectedBatch> OpenAsync(DatasetFileAccess files, DatasetRef rejected, CancellationToken ct)
    {
        var opened = await files.OpenPageAsync(rejected, ct);
        RejectedBatch? batch = null;
        try
        {
            batch = new RejectedBatch(opened);
            await batch.ReadAsync(ct);
            return batch;
        }
        catch
        {
            batch?.Session.Dispose();
            opened.Dispose();
            throw;
        }
    }

    public static EngineSession OpenSession(OpenedDataset opened) => EngineSession.Open(new EngineOptions
    {
        MemoryBytes = MemoryBytes,
        Threads = 2,
        Scratch = opened.Scratch,
        Paths = opened.Dataset.Paths,
    });

    private async Task ReadAsync(CancellationToken ct)
    {
        // Whatever is no JSON object is hashed as it stands.
        var hash = $"CASE WHEN json_type(ingested) = 'OBJECT' THEN {RowPatches.Hash("ingested")} ELSE left(md5(CAST(ingested AS VARCHAR)), 16) END";
        string List(string member) =>
            $"coalesce(array_to_string(list_sort(list_distinct(list_filter(json_extract_string(reasons, '$[*].{member}'), lambda x: x IS NOT NULL))), chr({(int)Separator})), '')";
        // Numbered apart from their values, which are moved as little as can be.
        await Session.ExecuteAsync(
            $"""
            CREATE TEMP TABLE rejected_rows AS
            SELECT *, left(md5(concat_ws(chr({(int)Separator}), ingested, rejected, reasons)), 16) AS digest
            FROM (
              SELECT coalesce(_source, '') AS source, coalesce(_row, 0) AS row, coalesce(_key, hash) AS key, hash,
                CAST(ingested AS VARCHAR) AS ingested, CAST(rejected AS VARCHAR) AS rejected, CAST(reasons AS VARCHAR) AS reasons, {List("rule")} AS rules, {List("column")} AS columns
              FROM (SELECT *, {hash} AS hash FROM {DatasetFiles.Relation(_opened.Dataset)}));
            CREATE TEMP TABLE places AS
            SELECT rowid AS place, CAST(row_number() OVER (PARTITION BY key, hash ORDER BY source, row, rowid) AS INTEGER) AS ordinal, row_number() OVER (ORDER BY source, row, rowid) AS n
            FROM rejected_rows;
            CREATE TEMP TABLE known (n BIGINT, content BOOLEAN)
            """, ct);
        Rows = await Session.ScalarAsync<long>("SELECT count(*) FROM rejected_rows", ct);
    }

    /// <summary>Who the rows are.</summary>
    public async Task CopyIdentitiesAsync(NpgsqlConnection connection, string table, CancellationToken ct)
    {
        await using var copy = await CopyRows.BeginAsync(connection, table, "n, source, row, key, hash, ordinal, digest", ct);
        await foreach (var row in Session.StreamAsync("SELECT n, source, row, key, hash, ordinal, digest FROM rejected_rows r JOIN places p ON p.place = r.rowid", row => row, ct))
        {
            await copy.NextAsync(ct);
            copy.Add(row.GetInt64(0));
            copy.Add(row.GetString(1));
            copy.Add(row.GetInt64(2));
            copy.Add(row.GetString(3));
            copy.Add(row.GetString(4));
            copy.Add(row.GetInt32(5));
            copy.Add(row.GetString(6));
        }
        await copy.CompleteAsync(ct);
    }

    /// <summary>Which rows the database has.</summary>
    /// <param name="known">Their numbers, and whether their values are others by now.</param>
    public async Task<long> KnowAsync(DbDataReader known, CancellationToken ct)
    {
        var rows = 0L;
        using var appender = Session.Connection.CreateAppender("known");
        for (; await known.ReadAsync(ct); rows++)
            appender.CreateRow().AppendValue(known.GetInt64(0)).AppendValue(known.GetBoolean(1)).EndRow();
        return rows;
    }

    /// <summary>The values of known rows that have changed.</summary>
    public async Task CopyChangedAsync(NpgsqlConnection connection, string table, CancellationToken ct)
    {
        await using var copy = await CopyRows.BeginAsync(connection, table, "n, ingested, rejected, reasons, rules, columns", ct);
        var changed = Session.StreamAsync(
            "SELECT n, ingested, rejected, reasons, rules, columns FROM rejected_rows r JOIN places p ON p.place = r.rowid JOIN known USING (n) WHERE content", row => row, ct);
        await foreach (var row in changed)
        {
            await copy.NextAsync(ct);
            copy.Add(row.GetInt64(0));
            AddValues(copy, row, 1);
        }
        await copy.CompleteAsync(ct);
    }

    /// <summary>The rows that are not known, as new items, numbered in the order of their source: that is how people read them.</summary>
    /// <param name="first">The first of as many free numbers as there are new rows.</param>
    public async Task CopyFreshAsync(NpgsqlConnection connection, long stepId, Guid run, long first, DateTimeOffset now, CancellationToken ct)
    {
        await using var copy = await CopyRows.BeginAsync(
            connection, "datasets.quarantine_item",
            "id, key, hash, ordinal, source, row, digest, ingested, rejected, reasons, rules, columns, step_id, first_run, last_run, times, state, actor, at, created_at", ct);
        var fresh = Session.StreamAsync(
            """
            SELECT number, key, hash, ordinal, source, row, digest, ingested, rejected, reasons, rules, columns
            FROM rejected_rows r JOIN (SELECT place, ordinal, row_number() OVER (ORDER BY n) AS number FROM places ANTI JOIN known USING (n)) f ON f.place = r.rowid
            """,
            row => row, ct);
        await foreach (var row in fresh)
        {
            await copy.NextAsync(ct);
            copy.Add(first + row.GetInt64(0) - 1);
            copy.Add(row.GetString(1));
            copy.Add(row.GetString(2));
            copy.Add(row.GetInt32(3));
            copy.Add(row.GetString(4));
            copy.Add(row.GetInt64(5));
            copy.Add(row.GetString(6));
            AddValues(copy, row, 7);
            copy.Add(stepId);
            copy.Add(run);
            copy.Add(run);
            copy.Add(1);
            copy.Add(ItemState.Open);
            copy.Add("system");
            copy.Add(now);
            copy.Add(now);
        }
        await copy.CompleteAsync(ct);
    }

    public void Dispose()
    {
        Session.Dispose();
        _opened.Dispose();
    }

    private void AddValues(CopyRows copy, DbDataReader row, int from)
    {
        var (ingested, rejected) = (row.GetString(from), row.GetString(from + 1));
        copy.Add(ingested);
        // Values that no rule has changed are kept once.
        if (rejected == ingested)
            copy.AddNull();
        else
            copy.Add(rejected);
        copy.Add(row.GetString(from + 2));
        for (var column = from + 3; column < from + 5; column++)
            copy.Add(ListOf(row.GetString(column)));
    }

    /// <summary>Few combinations of rules and columns are in many rows.</summary>
    private byte[] ListOf(string joined)
    {
        if (_lists.TryGetValue(joined, out var list))
            return list;
        list = CopyRows.Encode(joined.Split(Separator, StringSplitOptions.RemoveEmptyEntries));
        if (_lists.Count < 10_000)
            _lists[joined] = list;
        return list;
    }
}
