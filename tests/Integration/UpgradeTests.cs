using Npgsql;
using Qualiz.Cleanse;
using Qualiz.Datasets;
using Qualiz.Dedup;
using Qualiz.Deliver;
using Qualiz.Enrich;
using Qualiz.Ingest;
using Qualiz.Notify;
using Qualiz.Pipelines;
using Qualiz.Runs;
using Qualiz.Tasks;
using Qualiz.TestKit;

namespace Qualiz.Integration.Tests;

/// <summary>
/// The database of an earlier release, dumped while runs were under way and its host was killed (Upgrade/*.sql, made by
/// pg_dump --inserts), is migrated by this build: what had ended still opens, what had not ends. Upgrade/store is what that
/// release wrote to its store for the run of the pipeline "finished".
/// </summary>
public sealed class UpgradeTests : IAsyncLifetime
{
    private const string Project = "old";
    private static readonly string[] s_roles = ["bus", "pipelines", "runs", "datasets"];
    private readonly string _folder = Directory.CreateTempSubdirectory("qualiz-test-upgrade-").FullName;
    private TestHost _host = null!;

    public async Task InitializeAsync()
    {
        var surroundings = await TestSurroundings.CreateAsync(TestBus.InProcess);
        await RestoreAsync(surroundings.Settings["ConnectionStrings:Qualiz"]!, Path.Combine(LocalFolder(), "f70f4bc.sql"));
        CopyFolder(Path.Combine(LocalFolder(), "store"), Path.Combine(_folder, "store"));
        _host = await TestHost.StartAsync(
            surroundings,
            builder => builder.AddPipelines().AddRuns().AddDatasets().AddIngest().AddCleanse().AddDedup().AddEnrich().AddDeliver().AddNotify().AddTasks(),
            app => app.MapPipelines().MapRuns().MapDatasets(),
            new Dictionary<string, string?>
            {
                ["Store:Root"] = Path.Combine(_folder, "store"),
                ["Folders:Roots:0"] = "/srv/landing",
                ["Secrets:Key"] = Convert.ToBase64String("upgrade-test-key-of-32-bytes-len"u8),
                ["Engine:Scratch"] = Path.Combine(_folder, "scratch"),
                ["Engine:WorkerCommand:0"] = "dotnet",
                ["Engine:WorkerCommand:1"] = Path.Combine(AppContext.BaseDirectory, "Qualiz.Standalone.dll"),
            });
    }

    [Fact]
    public async Task Runs_of_the_release_before_open_and_those_under_way_end()
    {
        var api = new Api(_host.Client);
        var runs = (await api.GetAsync($"projects/{Project}/runs")).List("items").ToList();
        runs.Select(run => run.Text("pipeline")).Distinct().Order().ShouldBe(["chain", "failed", "finished", "waiting"]);

        // The host starts with them at once: those of the dump were running, one was queued behind another.
        await TestHost.UntilAsync(async () =>
        {
            var open = (await api.GetAsync($"projects/{Project}/runs")).List("items").Where(run => run.Text("state") is "running" or "queued").Select(run => run.Text("pipeline")).ToList();
            return open.Count == 0 ? null : $"the end of {string.Join(", ", open)}";
        }, TimeSpan.FromSeconds(90));

        foreach (var run in (await api.GetAsync($"projects/{Project}/runs")).List("items"))
        {
            var id = run.GetProperty("id").GetGuid();
            run.Text("state").ShouldBe(run.Text("pipeline") == "failed" ? "failed" : "completed", $"{run}");
            var view = await api.GetAsync($"projects/{Project}/runs/{id}");
            view.List("steps").ShouldNotBeEmpty();
            var states = view.List("steps").Select(step => step.Text("state")).ToList();
            states.ShouldAllBe(state => state == "completed" || run.Text("pipeline") == "failed");
        }
    }

    [Fact]
    public async Task What_the_release_before_kept_is_read_and_its_pipelines_are_checked_and_saved_again()
    {
        var api = new Api(_host.Client);
        var dataset = await api.GetAsync($"projects/{Project}/datasets/names");
        (dataset.GetProperty("latest").Long("version"), dataset.GetProperty("latest").Long("rows")).ShouldBe((1, 2));
        var rows = await api.GetAsync($"projects/{Project}/datasets/names/versions/latest/rows");
        rows.List("items").Select(row => row.GetRawText()).ShouldBe(["""{"id":1,"name":"a"}""", """{"id":3,"name":"b"}"""]);

        var run = (await api.GetAsync($"projects/{Project}/runs?pipeline=finished")).List("items").Single().GetProperty("id").GetGuid();
        (await api.GetAsync($"projects/{Project}/runs/{run}/steps/clean/rejected")).List("items").Single().GetProperty("ingested").GetRawText().ShouldBe("""{"id":2,"name":null}""");
        (await api.TextAsync($"projects/{Project}/runs/{run}/steps/clean/log")).ShouldContain("1 rejected by notNull(name)");
        (await api.TextAsync($"projects/{Project}/runs/{run}/steps/read/outputs/out/download?format=csv")).ShouldContain("3,b");

        await OperatorsAsync(api, "ingest", "cleanse", "log", "wait");
        foreach (var name in (string[])["chain", "failed", "finished", "waiting"])
        {
            var text = await api.TextAsync($"projects/{Project}/pipelines/{name}/text");
            var found = await api.ValidateAsync(Project, text);
            found.List("problems").Where(problem => problem.Text("severity") != "warning").Select(problem => problem.Text("message")).ShouldBeEmpty(name);
            (await api.SaveAgainAsync(Project, name, text + "# changed\n", version: 1)).ShouldBe(200, name);
            (await api.GetAsync($"projects/{Project}/pipelines/{name}")).Long("version").ShouldBe(2);
        }
    }

    /// <summary>Announcements that the dump holds are old: operators count as gone until they announce themselves.</summary>
    private static Task OperatorsAsync(Api api, params string[] kinds) => TestHost.UntilAsync(async () =>
    {
        var known = (await api.GetAsync("operators")).List("items").Where(item => item.GetProperty("available").GetBoolean())
            .Select(item => item.GetProperty("manifest").Text("kind")).ToList();
        return kinds.Except(known).ToList() is { Count: > 0 } missing ? $"operators {string.Join(", ", missing)}" : null;
    });

    private static void CopyFolder(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    private static string LocalFolder() => Path.Combine(AppContext.BaseDirectory, "Upgrade");

    private static async Task RestoreAsync(string database, string dump)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        foreach (var role in s_roles)
        {
            // Roles belong to the whole server: another test's host may be making the same one.
            try
            {
                await using var make = new NpgsqlCommand($"CREATE ROLE \"{role}\" NOLOGIN", connection);
                await make.ExecuteNonQueryAsync();
            }
            catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.DuplicateObject or PostgresErrorCodes.UniqueViolation)
            {
                // There already.
            }
        }
        await using var restore = new NpgsqlCommand(await File.ReadAllTextAsync(dump), connection);
        await restore.ExecuteNonQueryAsync();
    }

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
