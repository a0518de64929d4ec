using System.Text.Json;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Datasets.V1;
using Qualiz.Datasets.Metrics;
using Qualiz.TestKit;

namespace Qualiz.Datasets.Tests;

public sealed class MetricTests(DatasetsHost host) : IClassFixture<DatasetsHost>
{
    private static readonly DatasetColumn[] Columns = [DatasetsHost.Column("amount", "int64"), DatasetsHost.Column("email", "text", "personal"), DatasetsHost.Column("salary", "double", "personal")];

    [Fact]
    public async Task A_version_is_measured_soon_after_it_is_there_and_sensitive_columns_only_in_the_large()
    {
        var project = host.NewProject();
        var file = await host.WriteFileAsync($"{project}/a.parquet", "SELECT i AS amount, CASE WHEN i < 3 THEN 'a' || i END AS email, i * 1000.0::DOUBLE AS salary FROM range(4) t(i)");
        await host.PublishAsync(project, "orders", DatasetsHost.Content([file], Columns));
        await MeasuredAsync(project, "orders", 1);

        var figures = await FiguresAsync(project, "orders");
        figures.Select(figure => figure.GetProperty("version").GetInt32()).ShouldAllBe(version => version == 1);
        figures.ToDictionary(figure => $"{figure.GetProperty("column").GetString()}.{figure.GetProperty("metric").GetString()}", figure => figure.GetProperty("value").GetDouble()).ShouldBe(
            new Dictionary<string, double>
            {
                [".rows"] = 4,
                [".bytes"] = file.Bytes,
                [".quality"] = 0.5,
                ["amount.completeness"] = 1,
                ["amount.distinct"] = 4,
                ["amount.mean"] = 1.5,
                ["amount.min"] = 0,
                ["amount.max"] = 3,
                ["email.completeness"] = 0.75,
                ["email.distinct"] = 3,
                ["salary.completeness"] = 1,
                ["salary.distinct"] = 4,
            }, ignoreOrder: true);
        (await host.GetAsync(project, "datasets/orders/metrics?column=amount&metric=mean")).GetProperty("items").GetArrayLength().ShouldBe(1);
        (await host.GetAsync(project, "datasets/orders/metrics?column=&metric=rows")).GetProperty("items").GetArrayLength().ShouldBe(1);
        (await host.GetAsync(project, "datasets/orders/findings")).GetProperty("items").GetArrayLength().ShouldBe(0);

        // Another project has no such dataset.
        (await host.RefusalAsync(host.NewProject(), "datasets/orders/metrics")).Status.ShouldBe(404);
        (await host.RefusalAsync(host.NewProject(), "datasets/orders/findings")).Status.ShouldBe(404);
    }

    [Fact]
    public async Task A_version_measured_twice_or_by_two_has_its_figures_once()
    {
        var project = host.NewProject();
        var file = await host.WriteFileAsync($"{project}/a.parquet", "SELECT i AS amount, 'x' AS email, 1.0::DOUBLE AS salary FROM range(4) t(i)");
        await host.PublishAsync(project, "orders", DatasetsHost.Content([file], Columns));
        await MeasuredAsync(project, "orders", 1);
        var before = await FiguresAsync(project, "orders");
        await ExecuteAsync("update datasets.version set measured_at = null where dataset_id = (select id from datasets.dataset where project = @project)", new { project });
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            await using var scope = host.Services.CreateAsyncScope();
            while (await scope.ServiceProvider.GetRequiredService<VersionMeasurer>().MeasureNextAsync(default))
            {
            }
        }));
        await MeasuredAsync(project, "orders", 1);
        (await FiguresAsync(project, "orders")).Select(figure => figure.GetRawText()).ShouldBe(before.Select(figure => figure.GetRawText()));
    }

    [Fact]
    public async Task Changed_columns_and_unusual_figures_are_found_and_told_without_values()
    {
        var project = host.NewProject();
        var file = await host.WriteFileAsync($"{project}/a.parquet", "SELECT i AS amount, 'x' || i AS email, 1.0::DOUBLE AS salary FROM range(100) t(i)");
        for (var i = 1; i <= 16; i++)
        {
            await host.PublishAsync(project, "orders", DatasetsHost.Content([file], Columns), i);
            await MeasuredAsync(project, "orders", i);
        }
        (await host.GetAsync(project, "datasets/orders/findings")).GetProperty("items").GetArrayLength().ShouldBe(0);

        var few = await host.WriteFileAsync($"{project}/b.parquet", "SELECT i || '' AS amount, CASE WHEN i > 4 THEN 'x' END AS email, 7 AS added FROM range(10) t(i)");
        await host.PublishAsync(project, "orders", DatasetsHost.Content([few], DatasetsHost.Column("amount", "text"), Columns[1], DatasetsHost.Column("added", "int64")), 17);
        await MeasuredAsync(project, "orders", 17);
        var found = (await host.GetAsync(project, "datasets/orders/findings")).GetProperty("items").EnumerateArray().ToList();
        found.Select(finding => $"{finding.GetProperty("kind").GetString()} {finding.GetProperty("column").GetString()} {finding.GetProperty("metric").GetString()}".TrimEnd()).ShouldBe(
            ["anomaly  rows", "anomaly amount distinct", "anomaly email completeness", "anomaly email distinct", "columnGone salary", "columnNew added", "columnType amount"]);
        found[0].GetProperty("expected").GetDouble().ShouldBe(100, 0.001);
        found[0].GetProperty("score").GetDouble().ShouldBeLessThan(-3.5);
        found[^1].GetProperty("detail").GetString().ShouldBe("int64 before, text now");

        await TestHost.UntilAsync(() => Told(project).Count == 1 ? null : $"one event, there are {Told(project).Count}");
        var told = Told(project)[0];
        (told.Version, told.Dataset, told.Findings.Count).ShouldBe((17, "orders", 7));

        // Page by page they are the same.
        var paged = new List<string>();
        for (string? cursor = null; ;)
        {
            var page = await host.GetAsync(project, $"datasets/orders/metrics?limit=7{(cursor is null ? "" : $"&cursor={cursor}")}");
            paged.AddRange(page.GetProperty("items").EnumerateArray().Select(item => item.GetRawText()));
            if ((cursor = page.GetProperty("next").GetString()) is null)
                break;
        }
        paged.Distinct().Count().ShouldBe(paged.Count);
        paged.ShouldBe((await FiguresAsync(project, "orders")).Select(figure => figure.GetRawText()));
        paged.Count.ShouldBe((16 * (3 + 5 + 2 + 2)) + (3 + 2 + 2 + 5));
    }

    [Fact]
    public async Task A_version_whose_files_are_gone_is_measured_as_far_as_it_goes_and_stands_before_no_other()
    {
        var project = host.NewProject();
        await host.PublishAsync(project, "lost", DatasetsHost.Nominal(7));
        await MeasuredAsync(project, "lost", 1);
        (await FiguresAsync(project, "lost")).Select(figure => figure.GetProperty("metric").GetString()).ShouldBe(["bytes", "quality", "rows"]);
    }

    private List<DatasetFindings> Told(string project) => [.. host.Fakes.Events.OfType<DatasetFindings>().Where(told => told.Project == project)];

    private async Task<List<JsonElement>> FiguresAsync(string project, string dataset)
    {
        var items = new List<JsonElement>();
        for (string? cursor = null; ;)
        {
            var page = await host.GetAsync(project, $"datasets/{dataset}/metrics?limit=200{(cursor is null ? "" : $"&cursor={cursor}")}");
            items.AddRange(page.GetProperty("items").EnumerateArray());
            if ((cursor = page.GetProperty("next").GetString()) is null)
                return items;
        }
    }

    private Task MeasuredAsync(string project, string dataset, int version) => TestHost.UntilAsync(async () =>
    {
        await using (var scope = host.Services.CreateAsyncScope())
        {
            while (await scope.ServiceProvider.GetRequiredService<VersionMeasurer>().MeasureNextAsync(default))
            {
            }
        }
        await using var connection = new NpgsqlConnection(host.Database);
        return await connection.ExecuteScalarAsync<bool>(
            "select measured_at is not null from datasets.version v join datasets.dataset d on d.id = v.dataset_id where d.project = @project and d.name = @dataset and v.number = @version",
            new { project, dataset, version }) ? null : $"figures of version {version} of {dataset}";
    });

    private async Task ExecuteAsync(string sql, object parameters)
    {
        await using var connection = new NpgsqlConnection(host.Database);
        await connection.ExecuteAsync(sql, parameters);
    }
}
