using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Qualiz.Contracts;
using Qualiz.Contracts.Pipelines.V1;
using Qualiz.Platform.Messaging;
using Qualiz.TestKit;

namespace Qualiz.Pipelines.Tests;

public sealed class LifecycleTests(PipelinesHost host) : IClassFixture<PipelinesHost>
{
    private const string Text = "qualiz: 1\npipeline: golden\nsteps: {a: {uses: source}}\n";

    private IRequests Requests => host.Host.Services.GetRequiredService<IRequests>();

    [Fact]
    public async Task An_archived_pipeline_starts_nothing_and_comes_back()
    {
        var (project, address) = await PipelineAsync();
        var archived = await PipelinesHost.ReadAsync(await host.Client.PostAsync($"{address}/archive", null), 200);
        archived.GetProperty("archivedAt").ValueKind.ShouldBe(JsonValueKind.String);
        (await ResolveAsync(project)).Second!.Message.ShouldBe("Pipeline \"golden\" is archived; restore it to start runs.");
        await PipelinesHost.ReadAsync(await host.PutAsync(address, Text + "# more\n", ifMatch: "\"1\""), 409);
        (await NamesAsync(project, "pipelines")).ShouldBeEmpty();
        (await NamesAsync(project, "pipelines?archived=true")).ShouldBe(["golden"]);

        // Twice is once.
        await PipelinesHost.ReadAsync(await host.Client.PostAsync($"{address}/archive", null), 200);
        await PipelinesHost.ReadAsync(await host.Client.PostAsync($"{address}/restore", null), 200);
        await PipelinesHost.ReadAsync(await host.Client.PostAsync($"{address}/restore", null), 200);
        (await ResolveAsync(project)).First!.Version.ShouldBe(1);
        await host.Runs.EventAsync<PipelineRestored>(message => message.Project == project);
        await NumbersAsync(project, 1, 2, 3, 4);
        await PipelinesHost.ReadAsync(await host.Client.PostAsync($"/api/v1/projects/{project}/pipelines/nothing/archive", null), 404);
    }

    [Fact]
    public async Task A_deleted_pipeline_is_gone_but_its_runs_still_find_their_version()
    {
        var (project, address) = await PipelineAsync();
        var before = (await ResolveAsync(project)).First!;
        using (var stale = new HttpRequestMessage(HttpMethod.Delete, address))
        {
            stale.Headers.TryAddWithoutValidation("If-Match", "\"7\"");
            await PipelinesHost.ReadAsync(await host.Client.SendAsync(stale), 412);
        }
        ((int)(await host.Client.DeleteAsync(address)).StatusCode).ShouldBe(204);
        await PipelinesHost.ReadAsync(await host.Client.DeleteAsync(address), 404);
        await PipelinesHost.ReadAsync(await host.Client.GetAsync(address), 404);
        (await ResolveAsync(project)).Second!.Message.ShouldContain("There is no pipeline \"golden\"");
        (await Requests.AskAsync<PipelinePlanFound, PipelineUnknown>(Queues.PipelineRequests, new GetPipelinePlan { VersionId = before.VersionId }, CancellationToken.None)).First.ShouldNotBeNull();

        // The name is free, and what gets it is another pipeline.
        await PipelinesHost.ReadAsync(await host.PutAsync(address, Text), 201);
        (await ResolveAsync(project)).First!.PipelineId.ShouldNotBe(before.PipelineId);
        (await host.Runs.EventAsync<PipelineDeleted>(message => message.Project == project)).PipelineId.ShouldBe(before.PipelineId);
        (await ListedAsync(project)).DeletedPipelines.ShouldBe([before.PipelineId]);
    }

    [Fact]
    public async Task An_archived_project_can_be_read_and_nothing_else()
    {
        var (project, address) = await PipelineAsync();
        await PipelinesHost.ReadAsync(await host.Client.PostAsync($"/api/v1/projects/{project}/archive", null), 200);
        await PipelinesHost.ReadAsync(await host.Client.GetAsync(address), 200);
        var problem = await PipelinesHost.ReadAsync(await host.PutConnectionAsync(project, "files", new { type = "folder", settings = new { root = Path.GetTempPath() } }), 409);
        problem.GetProperty("type").GetString().ShouldBe("https://qualiz.dev/problems/archived");
        (await ResolveAsync(project)).Second!.Message.ShouldBe($"Project \"{project}\" is archived; restore it to start runs.");
        await PipelinesHost.ReadAsync(await host.Client.PostAsync($"/api/v1/projects/{project}/restore", null), 200);
        (await ResolveAsync(project)).First.ShouldNotBeNull();
        await host.Runs.EventAsync<ProjectRestored>(message => message.Project == project);
    }

    [Fact]
    public async Task A_deleted_project_is_gone_with_its_secrets_and_its_slug_is_never_given_again()
    {
        var (project, _) = await PipelineAsync();
        await PipelinesHost.ReadAsync(await host.PutConnectionAsync(project, "files", new { type = "folder", settings = new { root = Path.GetTempPath() } }), 201);
        await PipelinesHost.ReadAsync(await host.Client.DeleteAsync($"/api/v1/projects/{project}"), 400);
        await PipelinesHost.ReadAsync(await host.Client.DeleteAsync($"/api/v1/projects/{project}?confirm=other"), 400);
        ((int)(await host.Client.DeleteAsync($"/api/v1/projects/{project}?confirm={project}")).StatusCode).ShouldBe(204);
        await PipelinesHost.ReadAsync(await host.Client.GetAsync($"/api/v1/projects/{project}"), 404);
        await PipelinesHost.ReadAsync(await host.Client.GetAsync($"/api/v1/projects/{project}/pipelines"), 404);
        await PipelinesHost.ReadAsync(await host.Client.DeleteAsync($"/api/v1/projects/{project}?confirm={project}"), 404);
        await PipelinesHost.ReadAsync(await host.Client.PostAsJsonAsync("/api/v1/projects", new { slug = project }), 409);
        (await ResolveAsync(project)).Second!.Message.ShouldBe($"There is no project \"{project}\".");
        (await ListedAsync(project)).Deleted.ShouldBeTrue();
        await using var database = new NpgsqlConnection(host.Host.Surroundings.Database);
        (await database.ExecuteScalarAsync<long>("select count(*) from pipelines.connection c join pipelines.project p on p.id = c.project_id where p.slug = @project", new { project })).ShouldBe(0);
    }

    [Fact]
    public async Task A_project_is_edited_on_the_version_that_was_read()
    {
        var project = await host.ProjectAsync();
        var address = $"/api/v1/projects/{project}";
        using var read = await host.Client.GetAsync(address);
        await PipelinesHost.ReadAsync(await EditAsync(new { name = "Golden" }, null), 428);
        await PipelinesHost.ReadAsync(await EditAsync(new { timeZone = "Mars/Base" }, read.Headers.ETag!.Tag), 422);
        (await PipelinesHost.ReadAsync(await EditAsync(new { name = "Golden" }, read.Headers.ETag!.Tag), 200)).GetProperty("name").GetString().ShouldBe("Golden");
        await PipelinesHost.ReadAsync(await EditAsync(new { name = "Silver" }, read.Headers.ETag!.Tag), 412);
        await host.Runs.EventAsync<ProjectEdited>(message => message.Project == project);

        async Task<HttpResponseMessage> EditAsync(object body, string? tag)
        {
            using var request = new HttpRequestMessage(HttpMethod.Patch, address) { Content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json") };
            if (tag is not null)
            {
                request.Headers.TryAddWithoutValidation("If-Match", tag);
            }

            return await host.Client.SendAsync(request);
        }
    }

    [Fact]
    public async Task Changes_of_connections_are_told_without_their_settings()
    {
        var project = await host.ProjectAsync();
        var body = new { type = "folder", settings = new { root = Path.GetTempPath() } };
        await PipelinesHost.ReadAsync(await host.PutConnectionAsync(project, "files", body), 201);
        await PipelinesHost.ReadAsync(await host.PutConnectionAsync(project, "files", body, "\"1\""), 200);
        ((int)(await host.Client.DeleteAsync($"/api/v1/projects/{project}/connections/files")).StatusCode).ShouldBe(204);
        (await host.Runs.EventAsync<ConnectionSaved>(message => message.Project == project && message.Revision == 2)).Type.ShouldBe("folder");
        (await host.Runs.EventAsync<ConnectionDeleted>(message => message.Project == project)).Connection.ShouldBe("files");
        await NumbersAsync(project, 1, 2, 3, 4);
    }

    private async Task<(string Project, string Address)> PipelineAsync()
    {
        var project = await host.ProjectAsync();
        var address = $"/api/v1/projects/{project}/pipelines/golden";
        await PipelinesHost.ReadAsync(await host.PutAsync(address, Text), 201);
        return (project, address);
    }

    private Task<Answer<PipelineResolved, PipelineUnknown>> ResolveAsync(string project) =>
        Requests.AskAsync<PipelineResolved, PipelineUnknown>(Queues.PipelineRequests, new ResolvePipeline { Project = project, Pipeline = "golden" }, CancellationToken.None);

    private async Task<ListedProject> ListedAsync(string project) =>
        (await Requests.AskAsync<ProjectsListed>(Queues.PipelineRequests, new ListProjects(), CancellationToken.None)).Projects.Single(listed => listed.Project == project);

    private async Task<List<string?>> NamesAsync(string project, string list) =>
        [.. (await PipelinesHost.ReadAsync(await host.Client.GetAsync($"/api/v1/projects/{project}/{list}"), 200)).GetProperty("items").EnumerateArray().Select(item => item.GetProperty("name").GetString())];

    /// <summary>All events of the project, whatever they are about, have one numbering.</summary>
    private Task NumbersAsync(string project, params long[] expected) => TestHost.UntilAsync(() =>
    {
        lock (host.Runs.Events)
        {
            var id = host.Runs.Events.OfType<ProjectCreated>().FirstOrDefault(created => created.Project == project)?.ProjectId;
            var numbers = host.Runs.Events.OfType<IEvent>().Where(happened => happened.ProjectId == id).Select(happened => happened.Sequence).Order().ToList();
            return numbers.SequenceEqual(expected) ? null : $"events {string.Join(' ', expected)}; there are {string.Join(' ', numbers)}";
        }
    });
}
