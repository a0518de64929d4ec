using System.Globalization;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Recipes;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;
using Qualiz.Ingest.Conversion;
using Qualiz.Ingest.Heads;
using Qualiz.Ingest.Postgres;
using Qualiz.Ingest.Repeats;
using Qualiz.Ingest.Sources;
using Qualiz.Ingest.Typing;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Outbound;

namespace Qualiz.Ingest;

/// <summary>
/// Reads files into a dataset without losing or changing anything: each file is surveyed byte by byte, then converted, and both counts must agree.
/// </summary>
internal sealed class IngestOperator(IConfiguration configuration, OutboundGuard guard) : IOperator<IngestConfig>
{
    /// <summary>More files than this are put together, so that readers of the dataset need not open thousands.</summary>
    private const int MaxFiles = 64;

    public async Task<StepResult> ExecuteAsync(IngestConfig config, StepContext step, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(step);
        var read = new ReadFiles();
        try
        {
            return await IngestAsync(config, step, read, ct);
        }
        catch (Exception error) when (error is IngestException or InvalidDataException or EngineException { EndsStep: true } && read.Changed is { } name)
        {
            // Whatever came of it: half of a file is worth another try, not a judgement.
            var changed = ReadFiles.Gone(name);
            return Failed(changed.Code, changed.Message, changed.Path, changed.Transient);
        }
        catch (IngestException error)
        {
            return Failed(error.Code, error.Message, error.Path, error.Transient);
        }
        catch (ConnectionException error)
        {
            return Failed("connectionInvalid", error.Message, "from.connection");
        }
        catch (OutboundRefusedException error)
        {
            return Failed("connectionInvalid", error.Message, "from.connection");
        }
        catch (InvalidDataException error)
        {
            return Failed("fileUnreadable", error.Message, null);
        }
        catch (EngineException error) when (error.EndsStep)
        {
            return new StepResult.Failed(error.ToStepError());
        }
    }

    public Task<OutputInferred> InferOutputAsync(IngestConfig config, InferenceContext context, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(context);
        return new IngestInference(configuration, guard).InferAsync(config, context, ct);
    }

    private async Task<StepResult> IngestAsync(IngestConfig config, StepContext step, ReadFiles read, CancellationToken ct)
    {
        var state = IngestState.Read(step.State);
        if ((config.From.Table ?? config.From.Query) is not null)
            return await new TableIngest(guard).RunAsync(config, step, state, ct);
        // What another table or upload was like says nothing of this one. Files of a folder are of one kind, whatever its pattern finds today.
        var source = config.From.Connection ?? (config.From.Upload is { } upload ? $"upload:{upload}" : config.From.Url is null ? "files" : "url");
        if (state.Source is { } other && other != source)
            state = state with { Columns = [], Cursor = null };
        var seen = config.From.OnlyNew ? new SeenBefore(state.Files) : null;
        var found = await new SourceLocator(configuration, guard).FindAsync(config.From, SourceAccess.Of(step), ct, seen: seen);
        var warnings = new List<string>();
        var declared = Declared(config, state);
        var progress = new RowProgress(step);
        var surveyor = new Surveyor(config.Format, declared, config.Key, step.Grant.MemoryBytes, step.Grant.Threads, step.Scratch, progress.Add);
        var files = new List<SeenFile>();
        var surveys = new List<SourceSurvey>();
        var empty = new List<string>();
        var known = 0;
        progress.Begin("survey");
        foreach (var file in found)
        {
            SourceSurvey? survey;
            string hash;
            // Not the size that was listed: the file may have grown since.
            var bytes = read.Begin(file);
            if (seen is not null)
            {
                hash = await TextFile.HashAsync(file.Path, ct);
                if (seen.Has(file.Id, bytes, hash))
                {
                    known++;
                    // It was written anew with the same content, or its version was not known yet.
                    files.Add(new SeenFile(file.Id, bytes, hash) { Version = file.Version });
                    continue;
                }
                survey = await surveyor.SurveyAsync(new SourceFile(file.Id, file.Name, file.Path, bytes, hash), warnings, ct);
            }
            else
            {
                var hashing = TextFile.HashAsync(file.Path, ct);
                survey = await surveyor.SurveyAsync(new SourceFile(file.Id, file.Name, file.Path, bytes, ""), warnings, ct);
                hash = await hashing;
            }
            files.Add(new SeenFile(file.Id, bytes, hash) { Version = file.Version });
            if (survey is null)
                empty.Add(file.Name);
            else
                surveys.Add(survey with { File = survey.File with { Hash = hash } });
        }
        var skipped = known + (seen?.LeftOut ?? 0);
        if (skipped > 0)
            step.Log.LogInformation("{Skipped} files were read by an earlier run and are left out", skipped);
        if (surveys.Count == 0 && config.OnEmpty is OnEmpty.Fail or OnEmpty.Skip)
        {
            var reason = empty switch
            {
                [var one] => $"{one} is empty",
                [_, ..] => string.Create(CultureInfo.InvariantCulture, $"{empty.Count:N0} files were found, all of them empty"),
                _ => found.Count + skipped > 0 ? "no new file was found" : "no file was found",
            };
            return config.OnEmpty == OnEmpty.Skip ? new StepResult.Skipped(reason)
                : throw new IngestException("empty", empty.Count > 0 ? $"{reason}." : $"N{reason[1..]}.", "onEmpty");
        }

        var columns = surveys.Count == 0
            ? [.. state.Columns.Select(TargetColumn.Of)]
            : SchemaPlan.Make(surveys, config, declared, state.Columns, warnings);
        var schema = SchemaPlan.Schema(columns, config);
        IReadOnlyList<string>? key = config.Key.Count == 0
            ? null
            : [.. columns.Where(column => config.Key.Contains(column.Name, StringComparer.OrdinalIgnoreCase)).Select(column => column.Name)];

        progress.Begin("convert", surveys.Sum(survey => survey.Good));
        var (output, rejected) = await ConvertAsync(surveys, columns, schema, key, step, progress, ct);
        read.RequireUnchanged();
        foreach (var warning in warnings)
            step.Log.LogWarning("{Warning}", warning);
        var ledger = surveys.Select(Ledger).ToList();
        foreach (var line in ledger)
            step.Log.LogInformation("{Input}: {In} in, {Out} out, {Rejected} rejected", line.Input, line.In, line.Out, line.Rejected);
        var outputs = new Dictionary<string, DatasetRef> { ["out"] = output with { Partial = config.From.OnlyNew && state.Files.Count > 0 } };
        if (rejected is not null)
            outputs[RejectedRows.Port] = rejected;
        return new StepResult.Completed(new StepOutcome
        {
            Outputs = outputs,
            Ledger = ledger,
            Counts = Counts(found.Count - known, skipped),
            Warnings = warnings,
            State = new IngestState
            {
                Files = config.From.OnlyNew ? [.. state.Files.ExceptBy(files.Select(file => file.Path), old => old.Path), .. files] : [],
                Columns = [.. columns.Select(column => column.Seen)],
                Source = source,
            }.Write(),
            // A file that was read is read, whatever day the run is about.
            StateGrows = config.From.OnlyNew && state.Source == source,
        });
    }

    private static async Task<(DatasetRef Out, DatasetRef? Rejected)> ConvertAsync(
        List<SourceSurvey> surveys, IReadOnlyList<TargetColumn> columns, DatasetSchema schema, IReadOnlyList<string>? key, StepContext step, RowProgress progress, CancellationToken ct)
    {
        if (surveys.Count == 0)
            return (DatasetRef.Of(schema), null);
        var together = surveys.Count > MaxFiles;
        var targets = surveys.Select((_, i) => together ? Path.Combine(step.Scratch, $"part-{i:00000}.parquet") : step.Outputs.CreateFile("out")).ToList();
        var joined = together ? surveys.Chunk(MaxFiles).Select(_ => step.Outputs.CreateFile("out")).ToList() : [];
        var rejectedRows = surveys.Sum(survey => survey.Rejected);
        var rejectedPath = rejectedRows > 0 ? step.Outputs.CreateFile(RejectedRows.Port) : null;
        // Where each source becomes a file of its own, one that must be written anew needs a place too.
        var others = together || key is not null ? [] : surveys.Select(_ => step.Outputs.CreateFile("out")).ToList();
        using var repeats = key is null ? RepeatFilter.For(surveys.Sum(survey => survey.Good), step.Grant.MemoryBytes, columns) : null;
        using var session = EngineSession.Open(
            new EngineOptions
            {
                MemoryBytes = step.Grant.MemoryBytes - (repeats?.Bytes ?? 0),
                Threads = step.Grant.Threads,
                Scratch = step.Scratch,
                Paths = [.. surveys.Select(survey => survey.File.Path), .. targets, .. others, .. joined, .. rejectedPath is null ? Array.Empty<string>() : [rejectedPath]],
            },
            repeats is null ? null : repeats.Register);
        var converter = new FileConverter(session, columns, key, step.Scratch, repeats);
        var converted = new List<ConvertedFile>();
        // Without a single good record there may be no column to write.
        for (var i = 0; columns.Count > 0 && i < surveys.Count; i++)
        {
            var source = surveys[i];
            converted.Add(await session.WithProgressAsync(() => converter.ConvertAsync(source, targets[i], ct), share => progress.At((long)(source.Good * share)), TimeProvider.System));
            progress.Add(source.Good);
            if (source is CsvSource { Text.Staged: true } csv)
                File.Delete(csv.Text.Path);
        }
        if (key is null)
        {
            var other = 0;
            converted = [.. await new RepeatFinder(session, repeats, columns).ResolveAsync(converted, () => together ? Path.Combine(step.Scratch, $"numbered-{other++:00000}.parquet") : others[other++], ct)];
        }
        var files = new List<DataFile>();
        if (together)
        {
            var part = 0;
            foreach (var chunk in converted.Chunk(MaxFiles))
            {
                var local = new LocalDataset(
                    DatasetRef.Of(schema, [.. chunk.Select(file => new DataFile { Key = file.Path, Rows = file.Rows, Bytes = 0, Sha256 = "", Origin = file.Origin })]),
                    [.. chunk.Select(file => file.Path)]);
                var rows = await DatasetFiles.WriteAsync(session, $"SELECT * FROM {DatasetFiles.Relation(local)}", joined[part], ct);
                files.Add(await step.Outputs.CommitAsync(joined[part++], rows, ct));
                foreach (var file in chunk)
                    File.Delete(file.Path);
            }
        }
        // The files are made durable while the rejected records are put together.
        var committing = together ? Task.CompletedTask : CommitAsync();
        long count = 0;
        try
        {
            if (rejectedPath is not null)
                count = await RejectedFile.WriteAsync(session, surveys, columns, key, rejectedPath, ct);
        }
        finally
        {
            await committing;
        }
        var expected = surveys.Sum(survey => survey.Good);
        if (files.Sum(file => file.Rows) != expected)
            throw new EngineException(EngineException.EngineFailed, string.Create(CultureInfo.InvariantCulture, $"{expected} rows were read, but {files.Sum(file => file.Rows)} written."));
        if (rejectedPath is null)
            return (DatasetRef.Of(schema, files), null);
        if (count != rejectedRows)
            throw new EngineException(EngineException.EngineFailed, string.Create(CultureInfo.InvariantCulture, $"{rejectedRows} records were rejected, but {count} written."));
        var rejected = await step.Outputs.CommitAsync(rejectedPath, count, ct);
        return (DatasetRef.Of(schema, files), DatasetRef.Of(RejectedRows.Schema(schema.Columns), rejected));

        async Task CommitAsync()
        {
            foreach (var file in converted)
                files.Add((await step.Outputs.CommitAsync(file.Path, file.Rows, ct)) with { Origin = file.Origin });
        }
    }

    // With onSchemaChange: ignore, the columns of the last run are declared: what does not fit them is rejected.
    internal static DeclaredTypes Declared(IngestConfig config, IngestState state)
    {
        var declared = DeclaredTypes.Of(config);
        if (config.OnSchemaChange != OnSchemaChange.Ignore)
            return declared;
        // The type of a column without a value so far says nothing yet.
        foreach (var column in state.Columns.Where(column => !column.Empty))
        {
            if (declared.TryAdd(column.Name, ColumnType.Parse(column.Type)) && column.Format is { } format)
                declared.Dates[column.Name] = format;
        }
        return declared;
    }

    private static StepLedger Ledger(SourceSurvey survey)
    {
        var reasons = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var (spool, _, _) in survey.Spools)
        {
            foreach (var (rule, rows) in spool.ByRule)
                reasons[rule] = reasons.GetValueOrDefault(rule) + rows;
        }
        return new StepLedger
        {
            Input = survey.File.Name,
            In = survey.Records,
            Out = survey.Good,
            Rejected = survey.Rejected,
            Reasons = [.. reasons.OrderByDescending(reason => reason.Value).Select(reason => new LedgerReason("rejected", reason.Key, reason.Value))],
        };
    }

    private static Dictionary<string, long> Counts(int read, int skipped)
    {
        var counts = new Dictionary<string, long> { ["files"] = read };
        if (skipped > 0)
            counts["filesSeenBefore"] = skipped;
        return counts;
    }

    private static StepResult.Failed Failed(string code, string message, string? path, bool transient = false) =>
        new(new StepError { Code = code, Message = message, Path = path, Transient = transient });

    /// <summary>Counts rows of a phase and tells the step; called from several threads.</summary>
    private sealed class RowProgress(StepContext step)
    {
        private string _phase = "";
        private long _rows;
        private long _total;

        public void Begin(string phase, long total = 0)
        {
            _phase = phase;
            _rows = 0;
            _total = total;
        }

        public void Add(long rows) => Report(Interlocked.Add(ref _rows, rows));

        public void At(long rows) => Report(Interlocked.Read(ref _rows) + rows);

        private void Report(long rows) => step.Progress.Report(new StepProgress(_phase, rows, _total > 0 ? Math.Min(1, (double)rows / _total) : null));
    }
}
