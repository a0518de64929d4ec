using System.Globalization;
using Dapper;
using Npgsql;
using Qualiz.Contracts;
using Qualiz.Contracts.Datasets.V1;
using Qualiz.Datasets.Resolving;

namespace Qualiz.Datasets.Tests;

public sealed class ResolvingTests(DatasetsHost host) : IClassFixture<DatasetsHost>
{
    [Fact]
    public async Task Each_kind_of_reference_finds_its_version()
    {
        var project = host.NewProject();
        var first = await host.PublishAsync(project, "customers", DatasetsHost.Nominal(1), 1);
        await host.PublishAsync(project, "customers", DatasetsHost.Nominal(2), 2);
        var today = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

        (await ResolvedAsync(project, "dataset:customers")).Version.ShouldBe(2);
        (await ResolvedAsync(project, "dataset:customers")).Content.Rows.ShouldBe(2);
        (await ResolvedAsync(project, "dataset:customers@1")).Version.ShouldBe(1);
        (await ResolvedAsync(project, $"dataset:customers@{today}")).Version.ShouldBe(2);
        (await ResolvedAsync(project, $"dataset:customers@run:{first}")).Version.ShouldBe(1);
        (await ResolvedAsync(project, $"dataset:{project}/customers@1")).Version.ShouldBe(1);
    }

    [Theory]
    [InlineData(null, "2026-11-20T23:30:00Z", "2026-11-20")]
    [InlineData("Europe/Oslo", "2026-11-20T23:30:00Z", "2026-11-21")]
    [InlineData("Europe/Oslo", "2026-11-20T22:59:59Z", "2026-11-20")]
    [InlineData("America/Los_Angeles", "2026-11-21T07:59:59Z", "2026-11-20")]
    // There is no midnight: the day before ends when it would be one o'clock.
    [InlineData("America/Santiago", "2026-09-06T03:59:59Z", "2026-09-05")]
    [InlineData("America/Santiago", "2026-09-06T04:00:00Z", "2026-09-06")]
    public async Task Days_are_those_of_the_projects_time_zone(string? zone, string created, string day)
    {
        var project = host.NewProject();
        if (zone is not null)
            host.Fakes.TimeZones[project] = zone;
        await host.PublishAsync(project, "customers", DatasetsHost.Nominal());
        await using var database = NpgsqlDataSource.Create(host.Database);
        await using var connection = await database.OpenConnectionAsync();
        await connection.ExecuteAsync(
            "update datasets.version set created_at = @at where dataset_id = (select id from datasets.dataset where project = @project)",
            new { at = DateTimeOffset.Parse(created, CultureInfo.InvariantCulture), project });
        (await ResolvedAsync(project, $"dataset:customers@{day}")).Version.ShouldBe(1);
        var before = DateOnly.Parse(day, CultureInfo.InvariantCulture).AddDays(-1).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        (await AskAsync(project, $"dataset:customers@{before}", Guid.NewGuid())).Second.ShouldNotBeNull().Message.ShouldContain("or before");
    }

    [Fact]
    public async Task A_run_reads_the_same_version_again_although_a_newer_one_came()
    {
        var project = host.NewProject();
        var run = Guid.NewGuid();
        await host.PublishAsync(project, "customers", DatasetsHost.Nominal(1), 1);
        (await ResolvedAsync(project, "dataset:customers", run)).Version.ShouldBe(1);
        await host.PublishAsync(project, "customers", DatasetsHost.Nominal(2), 2);
        (await ResolvedAsync(project, "dataset:customers", run)).Version.ShouldBe(1);
        (await ResolvedAsync(project, "dataset:customers", Guid.NewGuid())).Version.ShouldBe(2);
    }

    [Fact]
    public async Task Steps_that_ask_together_while_versions_come_all_read_the_same()
    {
        var project = host.NewProject();
        await host.PublishAsync(project, "customers", DatasetsHost.Nominal(), 1);
        var run = Guid.NewGuid();
        var publishing = Task.WhenAll(Enumerable.Range(0, 10).Select(_ => host.Sender.PublishAsync(
            host.Completed(project, Guid.NewGuid(), new Contracts.Runs.V1.PublishedOutput("customers", "s", DatasetsHost.Nominal(), null)), default)));
        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => ResolvedAsync(project, "dataset:customers", run)));
        await publishing;
        answers.Select(answer => answer.Version).Distinct().Count().ShouldBe(1);
    }

    [Theory]
    [InlineData("dataset:custmers", "did you mean \"customers\"")]
    [InlineData("dataset:zzz", "no dataset \"zzz\"")]
    [InlineData("dataset:customers@9", "its latest is 1")]
    [InlineData("dataset:customers@2001-01-01", "2001-01-01 or before")]
    [InlineData("dataset:customers@run:018f0000-0000-7000-8000-000000000000", "published no version")]
    [InlineData("dataset:customers@soon", "is no version")]
    [InlineData("dataset:customers@0", "is no version")]
    [InlineData("dataset:", "names no dataset")]
    [InlineData("customers", "begins with \"dataset:\"")]
    [InlineData("dataset:elsewhere/customers", "needs a grant")]
    public async Task What_cannot_be_resolved_says_why(string reference, string reason)
    {
        var project = host.NewProject();
        await host.PublishAsync(project, "customers", DatasetsHost.Nominal());
        var answer = await AskAsync(project, reference, Guid.NewGuid());
        answer.Second.ShouldNotBeNull().Message.ShouldContain(reason);
    }

    [Fact]
    public async Task Another_projects_dataset_is_unknown()
    {
        var (mine, theirs) = (host.NewProject(), host.NewProject());
        await host.PublishAsync(theirs, "customers", DatasetsHost.Nominal());
        (await AskAsync(mine, "dataset:customers", Guid.NewGuid())).Second.ShouldNotBeNull();
    }

    [Fact]
    public void References_are_read_as_written()
    {
        DatasetReference.Parse("dataset:a/b@12", out _).ShouldBe(new DatasetReference("a", "b", new VersionChoice.Number(12)));
        DatasetReference.Parse("dataset:b@latest", out _).ShouldBe(new DatasetReference(null, "b", new VersionChoice.Latest()));
        DatasetReference.Parse("dataset:a/b/c", out var error).ShouldBeNull();
        error.ShouldNotBeNull();
    }

    private Task<Platform.Messaging.Answer<DatasetResolved, DatasetUnknown>> AskAsync(string project, string reference, Guid run) =>
        host.Requests.AskAsync<DatasetResolved, DatasetUnknown>(
            Queues.DatasetRequests, new ResolveDataset { Project = project, RunId = run, Reference = reference }, new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token);

    private async Task<DatasetResolved> ResolvedAsync(string project, string reference, Guid? run = null) =>
        (await AskAsync(project, reference, run ?? Guid.NewGuid())) is { First: { } found } ? found : throw new InvalidOperationException($"{reference} is not resolved");
}
