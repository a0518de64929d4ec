using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Qualiz.Contracts;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Contracts.Pipelines.V1;
using Qualiz.Pipelines.Operators;
using Qualiz.Platform.Messaging;
using Qualiz.TestKit;

namespace Qualiz.Pipelines.Tests;

public sealed class PipelineApiTests(PipelinesHost host) : IClassFixture<PipelinesHost>
{
    private const string Good = """
        qualiz: 1
        pipeline: golden
        owner: crm-team
        params: {day: {type: date, default: "${run.day}"}}
        retry: {times: 3}
        steps:
          a: {uses: source, with: {rows: 5, day: "${params.day}"}}
          b: {uses: target, inputs: [a], when: "a.rejectedShare < 2%", retry: {wait: 1s}}

        """;

    [Fact]
    public async Task A_project_is_created_once()
    {
        var slug = await host.ProjectAsync();
        var problem = await PipelinesHost.ReadAsync(await host.Client.PostAsJsonAsync("/api/v1/projects", new { slug }), 409);
        problem.GetProperty("type").GetString().ShouldBe("https://qualiz.dev/problems/slugTaken");
        (await PipelinesHost.ReadAsync(await host.Client.GetAsync($"/api/v1/projects/{slug}"), 200)).GetProperty("timeZone").GetString().ShouldBe("UTC");
        (await PipelinesHost.ReadAsync(await host.Client.GetAsync("/api/v1/projects?limit=500"), 200)).GetProperty("items").EnumerateArray()
            .Select(project => project.GetProperty("slug").GetString()).ShouldContain(slug);
        await PipelinesHost.ReadAsync(await host.Client.GetAsync("/api/v1/projects/nowhere"), 404);
        (await PipelinesHost.ReadAsync(await host.Client.PostAsJsonAsync("/api/v1/projects", new { slug = "exports" }), 422)).GetProperty("errors")[0].GetProperty("path").GetString().ShouldBe("slug");
        var invalid = await PipelinesHost.ReadAsync(await host.Client.PostAsJsonAsync("/api/v1/projects", new { slug = "Bad Slug", timeZone = "Mars/Base" }), 422);
        invalid.GetProperty("errors").GetArrayLength().ShouldBe(2);
    }

    [Fact]
    public async Task A_file_becomes_a_version_and_an_event_and_the_same_text_again_nothing()
    {
        var project = await host.ProjectAsync();
        var address = $"/api/v1/projects/{project}/pipelines/golden";
        var response = await host.PutAsync(address, Good);
        var saved = await PipelinesHost.ReadAsync(response, 201);
        response.Headers.ETag!.Tag.ShouldBe("\"1\"");
        saved.GetProperty("changed").GetBoolean().ShouldBeTrue();
        var published = await host.Runs.EventAsync<PipelinePublished>(message => message.Project == project);
        (published.Version, published.Sequence, published.Pipeline, published.Actor, published.RunId).ShouldBe((1, 2, "golden", "local", null));

        var again = await PipelinesHost.ReadAsync(await host.PutAsync(address, Good), 200);
        again.GetProperty("changed").GetBoolean().ShouldBeFalse();
        again.GetProperty("version").GetInt32().ShouldBe(1);

        var text = await host.Client.GetAsync($"{address}/text");
        (await text.Content.ReadAsStringAsync()).ShouldBe(Good);
        text.Content.Headers.ContentType!.MediaType.ShouldBe("application/yaml");
    }

    [Fact]
    public async Task A_change_names_the_version_it_was_made_on()
    {
        var project = await host.ProjectAsync();
        var address = $"/api/v1/projects/{project}/pipelines/golden";
        await PipelinesHost.ReadAsync(await host.PutAsync(address, Good, ifMatch: "\"1\""), 412);
        await PipelinesHost.ReadAsync(await host.PutAsync(address, Good), 201);
        var changed = Good + "# more\n";
        await PipelinesHost.ReadAsync(await host.PutAsync(address, changed), 428);
        await PipelinesHost.ReadAsync(await host.PutAsync(address, changed, ifMatch: "\"7\""), 412);
        (await PipelinesHost.ReadAsync(await host.PutAsync(address, changed, ifMatch: "\"1\""), 200)).GetProperty("version").GetInt32().ShouldBe(2);

        var versions = await PipelinesHost.ReadAsync(await host.Client.GetAsync($"{address}/versions?limit=1"), 200);
        versions.GetProperty("items")[0].GetProperty("version").GetInt32().ShouldBe(2);
        var next = await PipelinesHost.ReadAsync(await host.Client.GetAsync($"{address}/versions?limit=1&cursor={versions.GetProperty("next").GetString()}"), 200);
        next.GetProperty("items")[0].GetProperty("version").GetInt32().ShouldBe(1);
        next.GetProperty("next").ValueKind.ShouldBe(JsonValueKind.Null);
        (await (await host.Client.GetAsync($"{address}/versions/1/text")).Content.ReadAsStringAsync()).ShouldBe(Good);
        await PipelinesHost.ReadAsync(await host.Client.GetAsync($"{address}/versions/3"), 404);
        var response = await host.Client.GetAsync(address);
        response.Headers.ETag!.Tag.ShouldBe("\"2\"");
    }

    [Fact]
    public async Task Editors_at_the_same_time_make_gapless_versions_and_lose_nothing()
    {
        var project = await host.ProjectAsync();
        var address = $"/api/v1/projects/{project}/pipelines/golden";
        await PipelinesHost.ReadAsync(await host.PutAsync(address, Good), 201);
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(editor => host.PutAsync(address, $"{Good}# {editor}\n", ifMatch: "\"1\"")));
        answers.Select(answer => (int)answer.StatusCode).Order().ShouldBe([200, 412, 412, 412, 412, 412, 412, 412]);

        var created = await Task.WhenAll(Enumerable.Range(0, 6).Select(editor =>
            host.PutAsync($"/api/v1/projects/{project}/pipelines/fresh", $"{Good.Replace("golden", "fresh", StringComparison.Ordinal)}# {editor}\n")));
        created.Count(answer => (int)answer.StatusCode == 201).ShouldBe(1);
        created.ShouldAllBe(answer => (int)answer.StatusCode == 201 || (int)answer.StatusCode == 412 || (int)answer.StatusCode == 428);
    }

    [Fact]
    public async Task A_wrong_file_is_refused_with_all_places_and_saves_nothing()
    {
        var project = await host.ProjectAsync();
        var address = $"/api/v1/projects/{project}/pipelines/golden";
        const string wrong = """
            qualiz: 1
            pipeline: golden
            steps:
              a: {uses: sorce}
              b: {uses: source, with: {rows: 0, dya: x}}
              c: {uses: target, inputs: [b.rejekted], with: {connection: dhw}}
              d: {uses: target}
              e: {uses: target, inputs: [d]}
              f: {uses: source@2}
            """;
        await PipelinesHost.ReadAsync(await host.PutConnectionAsync(project, "dwh", new { type = "folder", settings = new { root = "/tmp" } }), 201);
        var problem = await PipelinesHost.ReadAsync(await host.PutAsync($"{address}?file=my.yaml", wrong), 422);
        problem.GetProperty("detail").GetString().ShouldBe("""my.yaml:4:13 steps.a.uses: "sorce" is no operator; did you mean "source"? (and 7 more)""");
        problem.GetProperty("errors").EnumerateArray()
            .Select(error => $"{error.GetProperty("line")}:{error.GetProperty("column")} {error.GetProperty("path")}: {error.GetProperty("message")}").ShouldBe([
                "4:13 steps.a.uses: \"sorce\" is no operator; did you mean \"source\"?",
                "5:34 steps.b.with.rows: should be at least 1, is 0",
                "5:37 steps.b.with.dya: \"dya\" is not known here; did you mean \"day\"?",
                "6:30 steps.c.inputs[0]: b (source) has no output \"rejekted\"; did you mean \"rejected\"?",
                "6:62 steps.c.with.connection: \"dhw\" is no connection of this project; did you mean \"dwh\"?",
                "7:3 steps.d: target needs an input: write inputs: [step]",
                "8:30 steps.e.inputs[0]: d (target) has no output; to come after it, write needs: [d]",
                "9:13 steps.f.uses: source has no version 2; there is source@1",
            ]);
        await PipelinesHost.ReadAsync(await host.Client.GetAsync(address), 404);
    }

    [Fact]
    public async Task The_name_in_the_file_is_the_name_in_the_address()
    {
        var project = await host.ProjectAsync();
        var problem = await PipelinesHost.ReadAsync(await host.PutAsync($"/api/v1/projects/{project}/pipelines/silver", Good), 422);
        problem.GetProperty("errors")[0].GetProperty("message").GetString().ShouldBe("the file names the pipeline \"golden\", the address \"silver\"");
    }

    [Fact]
    public async Task Validation_saves_nothing_and_tells_of_warnings_too()
    {
        var project = await host.ProjectAsync();
        var text = Good + "keep: {runs: 90d}\nlate: {by: 07:00}\n";
        var answer = await PipelinesHost.ReadAsync(
            await host.Client.PostAsync($"/api/v1/projects/{project}/pipelines/validate", new StringContent(text, Encoding.UTF8, "application/yaml")), 200);
        answer.GetProperty("valid").GetBoolean().ShouldBeTrue();
        answer.GetProperty("problems").EnumerateArray().Select(problem => problem.GetProperty("severity").GetString()).ShouldBe(["warning"]);
        answer.GetProperty("plan").GetProperty("steps").GetArrayLength().ShouldBe(2);
        (await PipelinesHost.ReadAsync(await host.Client.GetAsync($"/api/v1/projects/{project}/pipelines"), 200)).GetProperty("items").GetArrayLength().ShouldBe(0);
    }

    [Theory]
    [InlineData(new byte[] { 0xff, 0xfe, 0x00 }, 400)]
    [InlineData(new byte[] { (byte)'a', 0x00 }, 400)]
    [InlineData(new byte[0], 422)]
    public async Task What_is_no_text_is_refused(byte[] content, int status)
    {
        var project = await host.ProjectAsync();
        await PipelinesHost.ReadAsync(await host.Client.PutAsync($"/api/v1/projects/{project}/pipelines/golden", new ByteArrayContent(content)), status);
    }

    [Fact]
    public async Task Other_services_resolve_a_pipeline_and_get_its_plan()
    {
        var project = await host.ProjectAsync();
        await PipelinesHost.ReadAsync(await host.PutAsync($"/api/v1/projects/{project}/pipelines/golden", Good), 201);
        var requests = host.Host.Services.GetRequiredService<IRequests>();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));

        var resolved = await requests.AskAsync<PipelineResolved, PipelineUnknown>(Queues.PipelineRequests, new ResolvePipeline { Project = project, Pipeline = "golden" }, limit.Token);
        resolved.First!.Version.ShouldBe(1);
        var plan = (await requests.AskAsync<PipelinePlanFound, PipelineUnknown>(Queues.PipelineRequests, new GetPipelinePlan { VersionId = resolved.First.VersionId }, limit.Token)).First!.Plan;
        plan.Steps.Select(step => step.Id).ShouldBe(["a", "b"]);
        JsonSerializer.Serialize(plan.Step("a").Config).ShouldBe("""{"rows":5,"day":"${params.day}"}""");
        plan.Step("b").When.ShouldBe("a.rejectedShare < 2%");
        plan.Step("b").Inputs.ShouldHaveSingleItem().Port.ShouldBe("out");
        plan.Step("b").Retry.ShouldBe(new Contracts.Plans.RetryPolicy(3, TimeSpan.FromSeconds(1), 2, Contracts.Plans.RetryOn.Transient));
        plan.Params.ShouldHaveSingleItem().Default!.Value.GetString().ShouldBe("${run.day}");

        (await requests.AskAsync<PipelineResolved, PipelineUnknown>(Queues.PipelineRequests, new ResolvePipeline { Project = project, Pipeline = "goldn" }, limit.Token))
            .Second!.Message.ShouldContain("did you mean \"golden\"?");
        (await requests.AskAsync<PipelineResolved, PipelineUnknown>(Queues.PipelineRequests, new ResolvePipeline { Project = project, Pipeline = "golden", Version = 9 }, limit.Token))
            .Second!.Message.ShouldContain("has no version 9");
        (await requests.AskAsync<ProjectFound, ProjectUnknown>(Queues.PipelineRequests, new GetProject { Project = project }, limit.Token)).First.ShouldNotBeNull().TimeZone.ShouldBe("UTC");
        (await requests.AskAsync<ProjectFound, ProjectUnknown>(Queues.PipelineRequests, new GetProject { Project = "nowhere" }, limit.Token)).Second.ShouldNotBeNull();
    }

    [Fact]
    public async Task An_operator_is_there_when_it_announces_itself_and_away_after_90_silent_seconds()
    {
        var sender = host.Host.Services.GetRequiredService<IMessageSender>();
        await sender.PublishAsync(new OperatorAnnounced { Manifest = PipelinesHost.Target() with { Kind = "late" }, Instance = "x", At = DateTimeOffset.UtcNow }, CancellationToken.None);
        await TestHost.UntilAsync(async () => (await AvailableAsync("late")) is true ? null : "operator late");

        await using var database = NpgsqlDataSource.Create(host.Host.Surroundings.Database);
        await using (var connection = await database.OpenConnectionAsync())
        {
            await connection.ExecuteAsync("update pipelines.operator set last_seen = now() - interval '91 seconds' where kind = 'late'");
        }

        (await AvailableAsync("late")).ShouldBe(false);
    }

    [Fact]
    public async Task An_older_operator_does_not_replace_a_newer_one_that_is_alive()
    {
        var registry = host.Host.Services.GetRequiredService<OperatorRegistry>();
        foreach (var version in (string[])["1.9", "1.10", "1.2"])
        {
            await registry.SeenAsync(
                new OperatorAnnounced { Manifest = PipelinesHost.Source(version) with { Kind = "rolling" }, Instance = version, At = DateTimeOffset.UtcNow }, CancellationToken.None);
        }

        (await registry.ListAsync(CancellationToken.None)).Single(view => view.Manifest.Kind == "rolling").Manifest.Version.ShouldBe("1.10");
    }

    private async Task<bool?> AvailableAsync(string kind)
    {
        var list = await host.Client.GetFromJsonAsync<JsonElement>("/api/v1/operators");
        return list.GetProperty("items").EnumerateArray().FirstOrDefault(item => item.GetProperty("manifest").GetProperty("kind").GetString() == kind) is { ValueKind: JsonValueKind.Object } found
            ? found.GetProperty("available").GetBoolean()
            : null;
    }
}
