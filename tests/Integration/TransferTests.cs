using System.Text;
using Qualiz.Cli;

namespace Qualiz.Integration.Tests;

/// <summary>A project leaves by the command line and arrives somewhere else.</summary>
public sealed class TransferTests(InProcessHost host) : IClassFixture<InProcessHost>, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("qualiz-transfer-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task An_exported_project_arrives_whole_and_is_exported_to_the_same_bytes()
    {
        var (from, to) = (Name(), Name());
        await SeedAsync(from);
        (await RunAsync("export", from, Folder("first"))).ShouldBe(ExitCode.Done);
        Files("first").Keys.ShouldBe(["connections/dwh.json", "connections/landing.json", "datasets/countries.csv", "datasets/countries.json", "pipelines/short.yaml", "project.json"], ignoreOrder: true);
        Files("first")["connections/dwh.json"].ShouldContain("\"password\": \"${DWH_PASSWORD}\"");
        Files("first")["connections/dwh.json"].ShouldNotContain("s3cret");

        // A hole is asked for before anything is changed.
        (await RunAsync("apply", Folder("first"), "--project", to, "--yes")).ShouldBe(ExitCode.BadInput);
        (await host.Api.StatusAsync($"projects/{to}")).ShouldBe(404);
        // So does a person have to agree, and nobody is there.
        File.WriteAllText(Folder("secrets"), "# of the test\nDWH_PASSWORD=s3cret\n");
        (await RunAsync("apply", Folder("first"), "--project", to, "--secrets", Folder("secrets"))).ShouldBe(ExitCode.BadInput);
        (await host.Api.StatusAsync($"projects/{to}")).ShouldBe(404);

        (await RunAsync("apply", Folder("first"), "--project", to, "--secrets", Folder("secrets"), "--yes")).ShouldBe(ExitCode.Done);
        (await RunAsync("export", to, Folder("second"))).ShouldBe(ExitCode.Done);
        Files("second").ShouldBe(Files("first"));
        (await host.Api.GetAsync($"projects/{to}/datasets/countries")).GetProperty("latest").Long("rows").ShouldBe(2);

        // Applied again it changes nothing, not even a version's number.
        (await RunAsync("plan", Folder("first"), "--project", to, "--strict")).ShouldBe(ExitCode.Done);
        (await RunAsync("apply", Folder("first"), "--project", to, "--yes")).ShouldBe(ExitCode.Done);
        (await host.Api.GetAsync($"projects/{to}/pipelines/short")).Long("version").ShouldBe(1);
        (await host.Api.GetAsync($"projects/{to}/datasets/countries")).GetProperty("latest").Long("version").ShouldBe(1);
    }

    [Fact]
    public async Task A_change_is_planned_and_applied_and_what_is_gone_from_the_project_goes_from_the_folder()
    {
        var project = Name();
        await SeedAsync(project);
        await RunAsync("export", project, Folder("x"));
        File.WriteAllText(Folder("x/pipelines/short.yaml"), Short.Replace("hello", "goodbye", StringComparison.Ordinal));
        File.WriteAllText(Folder("x/datasets/countries.csv"), "iso2,name\nNO,Norway\n");

        (await RunAsync("plan", Folder("x"), "--project", project, "--strict")).ShouldBe(ExitCode.Warnings);
        (await RunAsync("apply", Folder("x"), "--project", project, "--yes")).ShouldBe(ExitCode.Done);
        (await host.Api.GetAsync($"projects/{project}/pipelines/short")).Long("version").ShouldBe(2);
        (await host.Api.GetAsync($"projects/{project}/datasets/countries")).GetProperty("latest").Long("rows").ShouldBe(1);

        // What an export did not write stays, whatever a list in a file says.
        File.WriteAllText(Folder("x/pipelines/mine.yaml"), Short.Replace("pipeline: short", "pipeline: mine", StringComparison.Ordinal));
        File.WriteAllText(Folder("outside.txt"), "keep me");
        File.WriteAllText(Folder("x/project.json"), File.ReadAllText(Folder("x/project.json")).Replace("\"files\": [", "\"files\": [\"../outside.txt\", \"pipelines/../../outside.txt\",", StringComparison.Ordinal));
        await host.Api.DeleteAsync($"projects/{project}/connections/landing");
        (await RunAsync("export", project, Folder("x"))).ShouldBe(ExitCode.Done);
        Files("x").Keys.ShouldBe(["connections/dwh.json", "datasets/countries.csv", "datasets/countries.json", "pipelines/mine.yaml", "pipelines/short.yaml", "project.json"], ignoreOrder: true);
        File.Exists(Folder("outside.txt")).ShouldBeTrue();
    }

    [Fact]
    public async Task A_connection_that_goes_to_another_place_needs_its_secrets_again()
    {
        var project = Name();
        await host.Api.PostAsync("projects", new { slug = project });
        await host.Api.PutAsync($"projects/{project}/connections/hook", new { type = "webhook", settings = new { url = "https://hooks.example.org/one", authorization = "s3cret" } });
        await RunAsync("export", project, Folder("x"));
        File.WriteAllText(Folder("x/connections/hook.json"), File.ReadAllText(Folder("x/connections/hook.json")).Replace("/one", "/two", StringComparison.Ordinal));

        (await RunAsync("apply", Folder("x"), "--project", project, "--yes")).ShouldBe(ExitCode.BadInput);
        (await host.Api.GetAsync($"projects/{project}/connections/hook")).GetProperty("settings").GetProperty("url").GetString().ShouldBe("https://hooks.example.org/one");

        File.WriteAllText(Folder("secrets"), "HOOK_AUTHORIZATION=s3cret\n");
        (await RunAsync("apply", Folder("x"), "--project", project, "--secrets", Folder("secrets"), "--yes")).ShouldBe(ExitCode.Done);
        var hook = await host.Api.GetAsync($"projects/{project}/connections/hook");
        hook.GetProperty("settings").GetProperty("url").GetString().ShouldBe("https://hooks.example.org/two");
        hook.GetProperty("secrets").EnumerateArray().Select(secret => secret.GetString()).ShouldBe(["authorization"]);
    }

    [Fact]
    public async Task Where_only_pipelines_change_a_wrong_one_stops_before_any_is_saved_too()
    {
        var project = Name();
        await SeedAsync(project);
        await RunAsync("export", project, Folder("x"));
        File.WriteAllText(Folder("x/pipelines/short.yaml"), Short.Replace("hello", "goodbye", StringComparison.Ordinal));
        File.WriteAllText(Folder("x/pipelines/wrong.yaml"), "qualiz: 1\npipeline: wrong\nsteps:\n  say: {uses: lgo, with: {message: x}}\n");

        (await RunAsync("apply", Folder("x"), "--project", project, "--yes")).ShouldBe(ExitCode.Failed);
        (await host.Api.GetAsync($"projects/{project}/pipelines/short")).Long("version").ShouldBe(1);
    }

    [Fact]
    public async Task A_wrong_pipeline_stops_before_any_is_saved_and_applying_again_goes_on()
    {
        var (from, to) = (Name(), Name());
        await SeedAsync(from);
        await RunAsync("export", from, Folder("x"));
        File.WriteAllText(Folder("secrets"), "DWH_PASSWORD=s3cret\n");
        File.WriteAllText(Folder("x/pipelines/wrong.yaml"), "qualiz: 1\npipeline: wrong\nsteps:\n  say: {uses: lgo, with: {message: x}}\n");

        (await RunAsync("apply", Folder("x"), "--project", to, "--secrets", Folder("secrets"), "--yes")).ShouldBe(ExitCode.Failed);
        (await host.Api.StatusAsync($"projects/{to}/connections/dwh")).ShouldBe(200);
        (await host.Api.StatusAsync($"projects/{to}/pipelines/short")).ShouldBe(404);

        File.Delete(Folder("x/pipelines/wrong.yaml"));
        (await RunAsync("apply", Folder("x"), "--project", to, "--yes")).ShouldBe(ExitCode.Done);
        (await host.Api.StatusAsync($"projects/{to}/pipelines/short")).ShouldBe(200);
    }

    [Fact]
    public async Task A_folder_with_something_else_in_it_is_not_written_to()
    {
        var project = Name();
        await SeedAsync(project);
        Directory.CreateDirectory(Folder("mine"));
        File.WriteAllText(Folder("mine/notes.txt"), "keep me");

        (await RunAsync("export", project, Folder("mine"))).ShouldBe(ExitCode.BadInput);

        Directory.EnumerateFileSystemEntries(Folder("mine")).Count().ShouldBe(1);
    }

    [Theory]
    [InlineData("""{"name": "of another program", "targets": {}}""")]
    [InlineData("[1, 2]")]
    [InlineData("no JSON")]
    public async Task A_project_of_another_program_is_not_written_to(string head)
    {
        var project = Name();
        await SeedAsync(project);
        Directory.CreateDirectory(Folder("theirs/datasets"));
        File.WriteAllText(Folder("theirs/project.json"), head);
        File.WriteAllText(Folder("theirs/datasets/precious.csv"), "keep me");

        (await RunAsync("export", project, Folder("theirs"))).ShouldBe(ExitCode.BadInput);

        Files("theirs").ShouldBe(new Dictionary<string, string> { ["project.json"] = head, ["datasets/precious.csv"] = "keep me" }, ignoreOrder: true);
    }

    private const string Short = "qualiz: 1\npipeline: short   # kept as written\nsteps:\n  say: {uses: log, with: {message: hello}}\n";

    private async Task SeedAsync(string project)
    {
        await host.Api.PostAsync("projects", new { slug = project, name = "Customers", description = "Of two systems", timeZone = "Europe/Oslo" });
        await host.Api.PutAsync($"projects/{project}/connections/dwh", new { type = "postgres", settings = new { host = "db.example.org", port = 5432, database = "dwh", user = "loader", password = "s3cret", sslMode = "require" } });
        await host.Api.PutAsync($"projects/{project}/connections/landing", new { type = "folder", settings = new { root = "/data/landing" } });
        var upload = await host.Api.UploadAsync(project, "list of countries.csv", "iso2,name\nNO,Norway\nGB,United Kingdom\n");
        await host.Api.PostAsync($"projects/{project}/datasets/countries/versions", new { upload });
        await host.Api.SavePipelineAsync(project, "short", Short);
    }

    private Task<int> RunAsync(params string[] arguments) => CommandLine.RunAsync([.. arguments, "--url", host.Address.ToString()]);

    private static string Name() => $"t{Guid.NewGuid():N}"[..16];

    private string Folder(string name) => Path.Combine(_folder, name);

    private Dictionary<string, string> Files(string name) => Directory.EnumerateFiles(Folder(name), "*", SearchOption.AllDirectories)
        .ToDictionary(file => Path.GetRelativePath(Folder(name), file), file => Encoding.UTF8.GetString(File.ReadAllBytes(file)));
}
