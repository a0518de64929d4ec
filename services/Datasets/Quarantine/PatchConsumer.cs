using System.Security.Cryptography;
using Dapper;
using MassTransit;
using Npgsql;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Datasets.V1;
using Qualiz.Datasets.Rows;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Sessions;
using Qualiz.Platform.Storage;

namespace Qualiz.Datasets.Quarantine;

/// <summary>Gives a step the repairs that wait for it, as a file; usually there are none, and that costs one query.</summary>
internal sealed class PatchConsumer(
    [FromKeyedServices(DatasetsModule.Service)] NpgsqlDataSource database, IObjectStore store, DatasetFileAccess files) : IConsumer<GetPatches>
{
    /// <summary>Under the project's folder; the collector knows that they belong to a run.</summary>
    public const string Folder = "patches";

    public async Task Consume(ConsumeContext<GetPatches> context) =>
        await context.RespondAsync(new PatchesFound { Content = await FindAsync(context.Message, context.CancellationToken) });

    private async Task<DatasetRef?> FindAsync(GetPatches asked, CancellationToken ct)
    {
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
            if (step is null)
                return null;
        }

        if (!await connection.ExecuteScalarAsync<bool>(new CommandDefinition("select exists (select from datasets.patch where step_id = @Id and state = 'active')", step, cancellationToken: ct)))
            return null;
        var scratch = files.NewScratch();
        try
        {
            return await WriteAsync(asked, step.Id, connection, scratch, ct);
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
                session.Execute("CREATE TEMP TABLE patches (patch BIGINT, key VARCHAR, hash VARCHAR, changes VARCHAR)");
                await using (var command = new NpgsqlCommand("select id, key, hash, changes from datasets.patch where step_id = $1 and state = 'active' order by id", connection))
                {
                    command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = stepId });
                    await using var reader = await command.ExecuteReaderAsync(ct);
                    using var appender = session.Connection.CreateAppender("patches");
                    while (await reader.ReadAsync(ct))
                        appender.CreateRow().AppendValue(reader.GetInt64(0)).AppendValue(reader.GetString(1)).AppendValue(reader.GetString(2)).AppendValue(reader.GetString(3)).EndRow();
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

    private static readonly (string Name, string Type)[] Columns = [("patch", "int64"), ("key", "text"), ("hash", "text"), ("changes", "text")];

    private sealed record Step(long Id, bool Applies);
}
