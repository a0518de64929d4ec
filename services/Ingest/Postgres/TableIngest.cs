using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Npgsql;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Recipes;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;
using Qualiz.Ingest.Conversion;
using Qualiz.Ingest.Csv;
using Qualiz.Ingest.Repeats;
using Qualiz.Ingest.Sources;
using Qualiz.Ingest.Typing;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Outbound;

namespace Qualiz.Ingest.Postgres;

/// <summary>What is known of a table before its rows come.</summary>
internal sealed record TableSurvey(SourceFile File, IReadOnlyList<ColumnFinding> Columns) : SourceSurvey(File, Columns, 0, 0);

/// <summary>Reads a table or query of a PostgreSQL server into a dataset: several lines at one snapshot, binary, straight into the engine.</summary>
internal sealed class TableIngest(OutboundGuard guard)
{
    public async Task<StepResult> RunAsync(IngestConfig config, StepContext step, IngestState state, CancellationToken ct)
    {
        await using var link = await PostgresLink.OpenAsync(await step.Connections.OpenAsync(config.From.Connection!, ct), guard, $"{step.Command.Pipeline}/{step.Command.StepId}", ct);
        try
        {
            return await RunAsync(link, config, step, state, ct);
        }
        catch (NpgsqlException error) when (!ct.IsCancellationRequested)
        {
            throw PostgresLink.Explain(error, link.Name, SourceTable.Path(config));
        }
        catch (Exception error) when (ct.IsCancellationRequested && error is NpgsqlException or EngineException)
        {
            throw new OperationCanceledException(ct);
        }
    }

    /// <summary>The columns that the table gives, without reading it.</summary>
    public async Task<DatasetSchema> DescribeAsync(IngestConfig config, SourceAccess access, IReadOnlyList<SeenColumn> before, CancellationToken ct)
    {
        await using var link = await PostgresLink.OpenAsync(await access.Connections.OpenAsync(config.From.Connection!, ct), guard, "schema", ct);
        try
        {
            await using var line = await link.ReadAsync(null, ct);
            var declared = DeclaredTypes.Of(config);
            var warnings = new List<string>();
            var table = await SourceTable.DescribeAsync(line, config, await SourceTable.FromAsync(line, config, ct), null, declared, new Dictionary<string, ColumnType>(), warnings, sample: 1000, ct);
            return SchemaPlan.Schema(SchemaPlan.Make([Survey(table, "")], config, declared, before, warnings), config);
        }
        catch (NpgsqlException error) when (!ct.IsCancellationRequested)
        {
            throw PostgresLink.Explain(error, link.Name, SourceTable.Path(config));
        }
    }

    private static async Task<StepResult> RunAsync(PostgresLink link, IngestConfig config, StepContext step, IngestState state, CancellationToken ct)
    {
        var warnings = new List<string>();
        await using var first = await link.ReadAsync(null, ct);
        var from = await SourceTable.FromAsync(first, config, ct);
        var source = SourceTable.Identity(link.Name, config, from);
        // Where the cursor of another table stands says nothing of this one: all before it would be left out.
        if (state.Source is { } other && other != source)
        {
            warnings.Add($"The last run read {Name(other)}, this one reads {Name(source)}: it begins anew and reads all rows.");
            state = new IngestState();
        }
        var declared = IngestOperator.Declared(config, state);
        var since = config.Incremental is { } incremental && state.Cursor is { } last && last.Column == incremental.Cursor ? last : null;
        var before = state.Columns.ToDictionary(column => column.Name, column => ColumnType.Parse(column.Type), StringComparer.OrdinalIgnoreCase);
        var table = await SourceTable.DescribeAsync(first, config, from, since?.Value, declared, before, warnings, sample: 0, ct);
        var snapshot = await PostgresLink.ScalarAsync<string>(first, "SELECT pg_current_snapshot()::text", ct);
        var survey = Survey(table, $"{link.Name}/{table.Label}@{snapshot}");
        var columns = SchemaPlan.Make([survey], config, declared, state.Columns, warnings);
        var key = Key(config, columns);
        var ranges = table.Ranges(step.Grant.Threads);
        var lines = new List<NpgsqlConnection> { first };
        try
        {
            if (ranges.Count > 1)
            {
                var shared = await PostgresLink.ScalarAsync<string>(first, "SELECT pg_export_snapshot()", ct);
                while (lines.Count < Math.Min(step.Grant.Threads, ranges.Count))
                    lines.Add(await link.ReadAsync(shared, ct));
            }
            return await CopyAsync(link, config, step, state with { Source = source }, table, survey, columns, key, lines, ranges, since, warnings, ct);
        }
        finally
        {
            foreach (var line in lines.Skip(1))
                await line.DisposeAsync();
        }
    }

    private static async Task<StepResult> CopyAsync(
        PostgresLink link, IngestConfig config, StepContext step, IngestState state, SourceTable table, TableSurvey survey, IReadOnlyList<TargetColumn> columns,
        IReadOnlyList<string>? key, List<NpgsqlConnection> lines, IReadOnlyList<string> ranges, SeenCursor? since, List<string> warnings, CancellationToken ct)
    {
        var schema = SchemaPlan.Schema(columns, config);
        var target = step.Outputs.CreateFile("out");
        var others = new Queue<string>([step.Outputs.CreateFile("out"), step.Outputs.CreateFile("out")]);
        var deletedPath = config.Incremental?.Deleted is null ? null : step.Outputs.CreateFile(IngestModule.DeletedPort);
        var rejectedPath = step.Outputs.CreateFile(RejectedRows.Port);
        var seenPath = step.Outputs.CreateFile("seen");
        var seenBefore = since?.SeenRows is { } known ? await FindAsync(step, known, ct) : [];
        using var spool = new RejectSpool(Path.Combine(step.Scratch, "rejected"), key ?? []);
        var total = table.EstimatedRows;
        var copy = new TableCopy(table.Columns, lines, ranges, (row, show, fault) => Reject(spool, row, show, fault), rows => { });
        using var repeats = key is null ? RepeatFilter.For(Math.Max(1_000_000, total * 5 / 4), step.Grant.MemoryBytes, columns) : null;
        using var session = EngineSession.Open(
            new EngineOptions
            {
                MemoryBytes = step.Grant.MemoryBytes - (repeats?.Bytes ?? 0),
                Threads = step.Grant.Threads,
                Scratch = step.Scratch,
                Paths = [target, .. others, rejectedPath, seenPath, .. seenBefore, .. deletedPath is null ? Array.Empty<string>() : [deletedPath]],
                // A table has no order.
                PreserveOrder = false,
            },
            opened =>
            {
                copy.Register(opened);
                repeats?.Register(opened);
            });
        var select = $"SELECT {string.Join(", ", columns.Select(column => $"{Value(table, column)} AS {Sql.Identifier(column.Name)}"))} FROM {TableCopy.Function}()";
        var processes = lines.Select(line => line.ProcessID).ToList();
        long rows;
        await using (ct.Register(() => _ = link.CancelAsync(processes)))
        {
            try
            {
                rows = await session.WithProgressAsync(
                    () => DatasetFiles.WriteAsync(session, repeats is null ? select : repeats.Watch(select), target, ct),
                    _ => step.Progress.Report(new StepProgress("copy", copy.Rows, total > 0 ? Math.Min(1, (double)copy.Rows / total) : null)),
                    TimeProvider.System);
            }
            catch (EngineException) when (copy.Failure is { } failure)
            {
                ct.ThrowIfCancellationRequested();
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
                throw;
            }
        }
        spool.Dispose();
        if (rows + spool.Count != copy.Rows)
            throw new EngineException(EngineException.EngineFailed, string.Create(CultureInfo.InvariantCulture, $"{copy.Rows} rows came from the server, but {rows} were written and {spool.Count} set aside."));

        var converted = new ConvertedFile(target, rows, new RowOrigin { Source = survey.File.Source, Key = key });
        var delta = new TableDelta(session, columns, config.Incremental, table);
        await delta.LoadAsync(since, seenBefore, ct);
        var cursor = await delta.CursorAsync(converted, state, since, step.Outputs, seenPath, warnings, ct);
        var outcome = await delta.SiftAsync(converted, key, since, others.Dequeue, deletedPath, ct);
        converted = outcome.File;
        if (key is null)
            converted = (await new RepeatFinder(session, outcome.File.Path == target ? repeats : null, columns).ResolveAsync([converted], others.Dequeue, ct))[0];
        var outputs = new Dictionary<string, DatasetRef>
        {
            ["out"] = DatasetRef.Of(schema, converted.Rows == 0 ? [] : [(await step.Outputs.CommitAsync(converted.Path, converted.Rows, ct)) with { Origin = converted.Origin }]) with { Partial = since is not null },
        };
        if (deletedPath is not null && outcome.Deleted > 0)
            outputs[IngestModule.DeletedPort] = DatasetRef.Of(schema, await step.Outputs.CommitAsync(deletedPath, outcome.Deleted, ct));
        if (spool.Count > 0)
        {
            var set = survey with { Spools = [(spool, rows, 0)] };
            var count = await RejectedFile.WriteAsync(session, [set], columns, key, rejectedPath, ct);
            outputs[RejectedRows.Port] = DatasetRef.Of(RejectedRows.Schema(schema.Columns), await step.Outputs.CommitAsync(rejectedPath, count, ct));
        }
        if (copy.Rows == 0 && config.OnEmpty == OnEmpty.Fail)
            throw new IngestException("empty", since is null ? "The table has no rows." : "There are no new rows.", "onEmpty");
        if (copy.Rows == 0 && config.OnEmpty == OnEmpty.Skip)
            return new StepResult.Skipped(since is null ? "the table has no rows" : "there are no new rows");
        foreach (var warning in warnings)
            step.Log.LogWarning("{Warning}", warning);
        var line = new StepLedger
        {
            Input = survey.File.Name,
            In = copy.Rows,
            Out = converted.Rows,
            Rejected = spool.Count,
            Merged = outcome.Replaced,
            Filtered = outcome.Deleted + outcome.Seen,
            Reasons =
            [
                .. spool.ByRule.OrderByDescending(rule => rule.Value).Select(rule => new LedgerReason("rejected", rule.Key, rule.Value)),
                .. ((string Kind, string Reason, long Rows)[])[("merged", "replaced", outcome.Replaced), ("filtered", "seenBefore", outcome.Seen), ("filtered", "deleted", outcome.Deleted)] is var counts
                    ? counts.Where(count => count.Rows > 0).Select(count => new LedgerReason(count.Kind, count.Reason, count.Rows)) : [],
            ],
        };
        step.Log.LogInformation("{Input}: {In} in, {Out} out, {Rejected} rejected", line.Input, line.In, line.Out, line.Rejected);
        return new StepResult.Completed(new StepOutcome
        {
            Outputs = outputs,
            Ledger = [line],
            Counts = new Dictionary<string, long> { ["lines"] = lines.Count },
            Warnings = warnings,
            State = new IngestState
            {
                Cursor = cursor,
                Source = state.Source,
                Columns = [.. columns.Select(column => column.Seen)],
            }.Write(),
            // What was read of a table is read, whatever day the run is about. A query may be about that day: below a cursor that it moves lie rows that it has left out.
            StateGrows = since is not null && config.From.Table is not null,
        });
    }

    private static async Task<IReadOnlyList<string>> FindAsync(StepContext step, DatasetRef known, CancellationToken ct)
    {
        try
        {
            return await step.GetLocalPathsAsync(known, ct);
        }
        catch (FileNotFoundException)
        {
            throw new IngestException("stateLost", "What the last run wrote down of the rows that come again is gone. Reset the step's state to read all rows anew.", "incremental");
        }
    }

    private static TableSurvey Survey(SourceTable table, string source) =>
        new(new SourceFile("", table.Label, "", 0, "") { Given = source }, [.. table.Columns.Select(column => new ColumnFinding(column.Name, column.Type, new ColumnEvidence()))]);

    // For people: the hash of a query tells them nothing.
    private static string Name(string source) => source.IndexOf("/query ", StringComparison.Ordinal) is >= 0 and var at ? $"a query of {source[..at]}" : source;

    private static IReadOnlyList<string>? Key(IngestConfig config, IReadOnlyList<TargetColumn> columns)
    {
        var wanted = config.Key.Count > 0 ? config.Key : config.Incremental?.Key ?? [];
        foreach (var name in wanted)
        {
            if (!columns.Any(column => column.Name.Equals(name, StringComparison.OrdinalIgnoreCase)))
                throw new IngestException("columnUnknown", $"There is no column \"{name}\".", config.Key.Count > 0 ? $"key.{name}" : "incremental.key");
        }
        return wanted.Count == 0 ? null : [.. columns.Where(column => wanted.Contains(column.Name, StringComparer.OrdinalIgnoreCase)).Select(column => column.Name)];
    }

    private static string Value(SourceTable table, TargetColumn column) =>
        table.Columns.FirstOrDefault(found => found.Name.Equals(column.Name, StringComparison.OrdinalIgnoreCase)) is { } source
            ? source.Expression()
            : $"CAST(NULL AS {column.Decision.Type.DuckDb})";

    private static void Reject(RejectSpool spool, IReadOnlyList<PostgresColumn> row, Func<int, string?> show, int fault)
    {
        var values = new ArrayBufferWriter<byte>();
        var parts = new List<(string Name, string Text)>();
        using (var json = new Utf8JsonWriter(values))
        {
            json.WriteStartObject();
            for (var i = 0; i < row.Count; i++)
            {
                var text = show(i);
                json.WriteString(row[i].Name, text);
                if (text is not null)
                    parts.Add((row[i].Name, text));
            }
            json.WriteEndObject();
        }
        var column = row[fault];
        spool.Add(spool.Count + 1, spool.Count + 1, spool.Key(parts), values.WrittenSpan, $"type({column.Name})", column.Name, show(fault), $"the value is no {column.Check ?? column.Type}");
    }
}
