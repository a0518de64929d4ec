using Dapper;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Options;
using Qualiz.Contracts.Datasets.V1;
using Qualiz.Datasets.Model;
using Qualiz.Datasets.Retention;
using Qualiz.Datasets.Rows;
using Qualiz.Engine.Profiling;
using Qualiz.Engine.Sessions;
using Qualiz.Platform.Data;
using Qualiz.Platform.Http;

namespace Qualiz.Datasets.Metrics;

/// <summary>
/// Takes the figures of versions that have none yet, oldest first. A version is measured by whoever comes to it; of two who do so at once one writes,
/// because writing begins with the mark that it is done. Broken off, it is begun anew.
/// </summary>
internal sealed class VersionMeasurer(IUnitOfWork<DatasetsDb> work, DatasetFileAccess files, IOptions<RetentionOptions> options, TimeProvider time, ILogger<VersionMeasurer> log)
{
    /// <summary>Measures the next version; false: there is none.</summary>
    public async Task<bool> MeasureNextAsync(CancellationToken ct)
    {
        if (await work.Db.Versions.AsNoTracking().Where(version => version.MeasuredAt == null && version.RemovedAt == null).OrderBy(version => version.CreatedAt).ThenBy(version => version.Number)
                .FirstOrDefaultAsync(ct) is not { } version)
            return false;
        var dataset = await work.Db.Datasets.AsNoTracking().SingleAsync(candidate => candidate.Id == version.DatasetId, ct);
        var before = await work.Db.Versions.AsNoTracking().SingleOrDefaultAsync(candidate => candidate.DatasetId == version.DatasetId && candidate.Number == version.Number - 1, ct);
        var values = new List<MetricValue> { new("", MetricNames.Rows, version.Rows), new("", MetricNames.Bytes, version.Bytes) };
        if (version.Quality is { } quality)
            values.Add(new MetricValue("", MetricNames.Quality, quality));
        try
        {
            using var opened = await files.OpenPageAsync(version.Content, ct);
            values.AddRange(await DatasetMetrics.MeasureAsync(opened.Dataset, opened.Scratch, ct));
        }
        catch (Exception problem) when (problem is ApiException or EngineException)
        {
            // Its files are gone or damaged: trying again would find them so, and stand before all others.
            log.LogWarning("Version {Version} of dataset {Dataset} in project {Project} cannot be measured: {Problem}", version.Number, dataset.Name, dataset.Project, problem.Message);
        }
        await WriteAsync(dataset, version, before, values, ct);
        return true;
    }

    private async Task WriteAsync(Dataset dataset, DatasetVersion version, DatasetVersion? before, List<MetricValue> values, CancellationToken ct)
    {
        await work.BeginAsync(ct);
        var connection = work.Db.Database.GetDbConnection();
        var transaction = work.Db.Database.CurrentTransaction!.GetDbTransaction();
        Task<int> ExecuteAsync(string sql, object parameters) => connection.ExecuteAsync(new CommandDefinition(sql, parameters, transaction, cancellationToken: ct));
        var key = new { version.DatasetId, version.Number };
        if (await ExecuteAsync("update datasets.version set measured_at = @now where dataset_id = @DatasetId and number = @Number and measured_at is null", new { key.DatasetId, key.Number, now = time.GetUtcNow() }) == 0)
            return;
        var history = (await connection.QueryAsync<(string Column, string Metric, DateTime At, double Value)>(new CommandDefinition(
            """
            select column_name, metric, at, value from datasets.metric
            where dataset_id = @DatasetId and number < @Number and number >= @Number - @Window order by number
            """, new { key.DatasetId, key.Number, AnomalyScore.Window }, transaction, cancellationToken: ct)))
            .ToLookup(point => (point.Column, point.Metric), point => (new DateTimeOffset(point.At.ToUniversalTime()), point.Value));
        await ExecuteAsync(
            """
            insert into datasets.metric (dataset_id, number, column_name, metric, at, value)
            select @DatasetId, @Number, c, m, @CreatedAt, v from unnest(@columns, @metrics, @values) as t(c, m, v)
            on conflict do nothing
            """,
            new
            {
                key.DatasetId,
                key.Number,
                version.CreatedAt,
                columns = values.Select(value => value.Column).ToArray(),
                metrics = values.Select(value => value.Metric).ToArray(),
                values = values.Select(value => value.Value).ToArray(),
            });
        var findings = Finding.Anomalies(values, history, version.CreatedAt).Concat(before is null ? [] : Finding.Drift(before.Content.Schema, version.Content.Schema)).ToList();
        foreach (var finding in findings)
        {
            await ExecuteAsync(
                """
                insert into datasets.finding (dataset_id, number, kind, column_name, metric, at, expected, score, detail)
                values (@DatasetId, @Number, @Kind, @Column, @Metric, @CreatedAt, @Expected, @Score, @Detail) on conflict do nothing
                """, new { key.DatasetId, key.Number, finding.Kind, finding.Column, finding.Metric, version.CreatedAt, finding.Expected, finding.Score, finding.Detail });
        }
        // What is kept is bounded by the number of versions, however often there is a new one.
        var oldest = version.Number - options.Value.MetricVersions;
        await ExecuteAsync("delete from datasets.metric where dataset_id = @DatasetId and number <= @oldest", new { key.DatasetId, oldest });
        await ExecuteAsync("delete from datasets.finding where dataset_id = @DatasetId and number <= @oldest", new { key.DatasetId, oldest });
        if (findings.Count > 0)
        {
            work.Outbox.Publish(new DatasetFindings
            {
                Id = Guid.CreateVersion7(),
                OccurredAt = time.GetUtcNow(),
                ProjectId = dataset.ProjectId,
                Actor = "system",
                SourceRunId = version.RunId,
                Project = dataset.Project,
                Dataset = dataset.Name,
                Version = version.Number,
                Findings = [.. findings.Select(finding => new DatasetFinding(finding.Kind, finding.Column, finding.Metric))],
            });
        }
        await work.CommitAsync(ct);
    }
}
