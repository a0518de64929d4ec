using System.Security.Cryptography;
using Dapper;
using MassTransit;
using Npgsql;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Datasets.V1;
using Qualiz.Datasets.Model;
using Qualiz.Datasets.Rows;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Sessions;
using Qualiz.Platform.Data;
using Qualiz.Platform.Storage;

namespace Qualiz.Datasets.Quarantine;

/// <summary>Gives a step the repairs that wait for it, as a file; usually there are none, and that costs one query.</summary>
internal sealed class PatchConsumer(
    [FromKeyedServices(DatasetsModule.Service)] NpgsqlDataSource database, IObjectStore store, DatasetFileAccess files,
    IUnitOfWork<DatasetsDb> work, EndedRuns ended) : IConsumer<GetPatches>
{
    /// <summary>Under the project's folder; the collector knows that they belong to a run.</summary>
    public const string Folder = "patches";

    public async Task Consume(ConsumeContext<GetPatches> context) =>
        await context.RespondAsync(new PatchesFound { Content = await FindAsync(context.Message, context.CancellationToken) });

    private async Task<DatasetRef?> FindAsync(GetPatches asked, CancellationToken ct)
    {
        // What completed just now may have applied some of them already.
        foreach (var run in asked.Reinjection?.Ended ?? [])
        {
            await work.BeginAsync(ct);
            await ended.FillAsync(asked.Project, run, completed: null, ct);
            await work.CommitAsync(ct);
        }

        await using var connection = await database.OpenConnectionAsync(ct);
        var step = await connection.QuerySingleOrDefaultAsync<Step>(new CommandDefinition(
            "select id, applies_patches as Applies from datasets.quarantine_step where pipeline_id = @PipelineId and step = @StepId", asked, cancellationToken: ct));
        if (step is null or { Applies: false })
        {
            // Whoever asks applies them: from now on its rows can be repaired.
            await connection.ExecuteAsync(new CommandDefinition(
                """
                insert into datasets.quarantine_step (project_id, project, pipeline_id, pipeline, step, applies_patches)
                values (@ProjectId, @Project, @PipelineId, @Pipeline, @StepId, true)
                on conflict (pipeline_id, step) do update set applies_patches = true
                """,
                asked, cancellationToken: ct));
            if (step is null && asked.Reinjection is null)
                return null;
        }

        if (asked.Reinjection is null && !await connection.ExecuteScalarAsync<bool>(new CommandDefinition("select exists (select from datasets.patch where step_id = @Id and state = 'active')", new { step!.Id }, cancellationToken: ct)))
            return null;
        var scratch = files.NewScratch();
        try
        {
            return await WriteAsync(asked, step?.Id ?? 0, connection, scratch, ct);
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    private async Task<DatasetRef> WriteAsync(GetPatches asked, long stepId, NpgsqlConnection connection, string scratch, CancellationToken ct)
    {
        var key = $"{asked.Project}/{Folder}/{asked.RunId:D}/{asked.StepId}-{Guid.CreateVersion7():N}.parquet";
        var staged = store.GetStagingPath(key, scratch);
        try
        {
            long rows;
            using (var session = EngineSession.Open(new EngineOptions { MemoryBytes = 128L << 20, Threads = 1, Scratch = scratch, Paths = [staged] }))
            {
                session.Execute("CREATE TEMP TABLE patches (patch BIGINT, key VARCHAR, hash VARCHAR, changes VARCHAR, extra BOOLEAN)");
                // A row whose repair was changed, or taken back, after it went through is one of the run whose result it is in.
                const string sql = """
                    select p.id, p.key, p.hash, p.changes, exists (
                               select from datasets.quarantine_item i where i.patch_id = p.id
                                  and (i.state = 'repaired' and coalesce(i.repaired_run, i.last_run) = $2 or i.state = 'reinjected' and i.repaired_run = any ($3)))
                      from datasets.patch p where p.step_id = $1 and p.state = 'active' order by p.id
                    """;
                await using (var command = new NpgsqlCommand(sql, connection))
                {
                    command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = stepId });
                    command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = asked.Reinjection?.Of ?? Guid.Empty });
                    command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. asked.Reinjection?.Since ?? []] });
                    await using var reader = await command.ExecuteReaderAsync(ct);
                    using var appender = session.Connection.CreateAppender("patches");
                    while (await reader.ReadAsync(ct))
                        appender.CreateRow().AppendValue(reader.GetInt64(0)).AppendValue(reader.GetString(1)).AppendValue(reader.GetString(2)).AppendValue(reader.GetString(3)).AppendValue(reader.GetBoolean(4)).EndRow();
                }
                rows = await DatasetFiles.WriteAsync(session, "SELECT * FROM patches", staged, ct);
            }
            string hash;
            await using (var written = File.OpenRead(staged))
                hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(written, ct));
            var stored = await store.PutFileAsync(key, staged, ct);
            return new DatasetRef
            {
                Files = [new DataFile { Key = key, Rows = rows, Bytes = stored.Bytes, Sha256 = hash }],
                Schema = new DatasetSchema { Columns = [.. Columns.Select(column => new DatasetColumn { Name = column.Name, Type = column.Type, Nullable = false })] },
                Rows = rows,
                Bytes = stored.Bytes,
            };
        }
        finally
        {
            File.Delete(staged);
        }
    }

    private static readonly (string Name, string Type)[] Columns = [("patch", "int64"), ("key", "text"), ("hash", "text"), ("changes", "text"), ("extra", "bool")];

    private sealed record Step(long Id, bool Applies);
}
