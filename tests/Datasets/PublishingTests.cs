using Qualiz.Contracts.Datasets.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.TestKit;

namespace Qualiz.Datasets.Tests;

public sealed class PublishingTests(DatasetsHost host) : IClassFixture<DatasetsHost>
{
    [Fact]
    public async Task A_completed_run_publishes_its_outputs_as_latest_versions()
    {
        var project = host.NewProject();
        var run = Guid.NewGuid();
        await host.Sender.PublishAsync(
            host.Completed(project, run, new PublishedOutput("customers", "enriched", DatasetsHost.Nominal(7), 0.98), new PublishedOutput("rejects", "clean", DatasetsHost.Nominal(2), null)), default);
        await host.UntilVersionAsync(project, "customers", 1);
        await host.UntilVersionAsync(project, "rejects", 1);

        var latest = (await host.GetAsync(project, "datasets/customers")).GetProperty("latest");
        latest.GetProperty("rows").GetInt64().ShouldBe(7);
        latest.GetProperty("runId").GetGuid().ShouldBe(run);
        latest.GetProperty("stepId").GetString().ShouldBe("enriched");
        latest.GetProperty("quality").GetDouble().ShouldBe(0.98);
    }

    [Fact]
    public async Task A_completion_that_arrives_twice_publishes_once()
    {
        var project = host.NewProject();
        var message = host.Completed(project, Guid.NewGuid(), new PublishedOutput("customers", "enriched", DatasetsHost.Nominal(), null));
        // Two sends are two messages: the inbox lets both through, and the run's key has to hold.
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => host.Sender.PublishAsync(message, default)));
        await host.UntilVersionAsync(project, "customers", 1);

        // Whatever is still under way is behind this one.
        await host.PublishAsync(project, "customers", DatasetsHost.Nominal(), 2);
        var versions = (await host.GetAsync(project, "datasets/customers/versions")).GetProperty("items").EnumerateArray().Select(version => version.GetProperty("version").GetInt32());
        versions.ShouldBe([2, 1]);
        await TestHost.UntilAsync(() => Published(project).Count == 2 ? null : $"two events, there are {Published(project).Count}");
    }

    [Fact]
    public async Task Runs_that_end_together_number_versions_and_events_without_gaps()
    {
        var project = host.NewProject();
        const int Runs = 20;
        await Task.WhenAll(Enumerable.Range(0, Runs).Select(index => host.Sender.PublishAsync(
            host.Completed(
                project, Guid.NewGuid(),
                // In either order: they must not lock each other out.
                index % 2 == 0
                    ? [new PublishedOutput("a", "one", DatasetsHost.Nominal(), null), new PublishedOutput("b", "two", DatasetsHost.Nominal(), null)]
                    : [new PublishedOutput("b", "two", DatasetsHost.Nominal(), null), new PublishedOutput("a", "one", DatasetsHost.Nominal(), null)]), default)));
        await host.UntilVersionAsync(project, "a", Runs);
        await host.UntilVersionAsync(project, "b", Runs);

        await TestHost.UntilAsync(() => Published(project).Count == 2 * Runs ? null : $"{2 * Runs} events, there are {Published(project).Count}");
        Published(project).Select(published => published.Sequence).Order().ShouldBe(Enumerable.Range(1, 2 * Runs).Select(number => (long)number));
        Published(project).ShouldAllBe(published => published.RunId == null && published.SourceRunId != null && published.ProjectId == host.Fakes.Projects[project]);
    }

    [Fact]
    public async Task Datasets_of_the_same_name_in_two_projects_are_two()
    {
        var (one, two) = (host.NewProject(), host.NewProject());
        await host.PublishAsync(one, "customers", DatasetsHost.Nominal(1));
        await host.PublishAsync(two, "customers", DatasetsHost.Nominal(2));
        (await host.GetAsync(one, "datasets/customers")).GetProperty("latest").GetProperty("rows").GetInt64().ShouldBe(1);
        (await host.GetAsync(two, "datasets/customers")).GetProperty("latest").GetProperty("rows").GetInt64().ShouldBe(2);
    }

    [Fact]
    public async Task A_project_that_is_not_there_has_no_datasets()
    {
        var (status, problem) = await host.RefusalAsync("nowhere", "datasets");
        status.ShouldBe(404);
        problem.GetProperty("type").GetString().ShouldBe("https://qualiz.dev/problems/notFound");
        problem.GetProperty("detail").GetString()!.ShouldContain("nowhere");
    }

    [Fact]
    public async Task The_list_of_datasets_pages_by_name()
    {
        var project = host.NewProject();
        foreach (var name in new[] { "c", "a", "e", "b", "d" })
            await host.PublishAsync(project, name, DatasetsHost.Nominal());
        var names = new List<string>();
        string? cursor = null;
        do
        {
            var page = await host.GetAsync(project, $"datasets?limit=2{(cursor is null ? "" : $"&cursor={cursor}")}");
            names.AddRange(page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("name").GetString()!));
            cursor = page.GetProperty("next").GetString();
        }
        while (cursor is not null);
        names.ShouldBe(["a", "b", "c", "d", "e"]);
    }

    [Fact]
    public async Task An_edit_needs_the_version_it_was_made_on_and_survives_a_new_version()
    {
        var project = host.NewProject();
        await host.PublishAsync(project, "customers", DatasetsHost.Nominal());
        var address = new Uri(DatasetsHost.Url(project, "datasets/customers"), UriKind.Relative);
        using var before = await host.Client.GetAsync(address);
        await host.PublishAsync(project, "customers", DatasetsHost.Nominal(), 2);

        async Task<HttpResponseMessage> EditAsync(string? tag, string description)
        {
            using var request = new HttpRequestMessage(HttpMethod.Patch, address) { Content = System.Net.Http.Json.JsonContent.Create(new { owner = "crm", description }) };
            if (tag is not null)
                request.Headers.TryAddWithoutValidation("If-Match", tag);
            return await host.Client.SendAsync(request);
        }
        ((int)(await EditAsync(null, "x")).StatusCode).ShouldBe(428);
        using var edited = await EditAsync(before.Headers.ETag!.ToString(), "All of them");
        ((int)edited.StatusCode).ShouldBe(200, await edited.Content.ReadAsStringAsync());
        ((int)(await EditAsync(before.Headers.ETag!.ToString(), "Others")).StatusCode).ShouldBe(412);
        (await host.GetAsync(project, "datasets/customers")).GetProperty("description").GetString().ShouldBe("All of them");
    }

    [Fact]
    public async Task A_misspelt_dataset_or_version_says_what_there_is()
    {
        var project = host.NewProject();
        await host.PublishAsync(project, "customers", DatasetsHost.Nominal());
        (await host.RefusalAsync(project, "datasets/custmers")).Problem.GetProperty("detail").GetString()!.ShouldContain("did you mean \"customers\"");
        (await host.RefusalAsync(project, "datasets/customers/versions/5")).Problem.GetProperty("detail").GetString()!.ShouldContain("its latest is 1");
        (await host.RefusalAsync(project, "datasets/customers/versions/newest")).Status.ShouldBe(404);
    }

    private List<DatasetPublished> Published(string project) => [.. host.Fakes.Events.OfType<DatasetPublished>().Where(published => published.Project == project)];
}
