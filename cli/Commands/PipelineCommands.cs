using System.CommandLine;

namespace Qualiz.Cli.Commands;

/// <summary>Pipelines and the connections they use.</summary>
internal static class PipelineCommands
{
    public static IEnumerable<Command> All() => [Projects(), Validate(), Pipelines(), Connections()];

    private static Command Projects()
    {
        var slug = new Argument<string>("PROJECT") { Description = "Its name in addresses: small letters, digits, - and _; it can never be changed" };
        var name = new Option<string?>("--name") { Description = "Its name for people" };
        var zone = new Option<string?>("--time-zone") { Description = "In which days and schedules count, e.g. Europe/Oslo (default UTC)" };
        var create = new ClientCommand("create", "Create a project", "projects create crm --name \"Customer data\" --time-zone Europe/Oslo") { slug, name, zone }
            .Doing((context, ct) => Changes.CreateProjectAsync(context, context.Get(slug)!, context.Get(name), context.Get(zone), ct));
        var list = new ClientCommand("list", "List the projects", "projects list") { CommandLine.Limit }
            .Doing((context, ct) => Queries.ProjectsAsync(context, context.Get(CommandLine.Limit), ct));
        return new Command("projects", "Pipelines, connections, runs and data that belong together") { list, create };
    }

    private static ClientCommand Validate()
    {
        var file = new Argument<string>("FILE.yaml") { Description = "The pipeline file, or - for standard input" };
        return new ClientCommand("validate", "Check a pipeline file without saving it", "validate infra/demo/customers.yaml") { file }
            .Doing((context, ct) => Queries.ValidateAsync(context, context.Get(file)!, ct), file);
    }

    private static ClientCommand Pipelines()
    {
        var name = new Argument<string>("PIPELINE") { Description = "Its name" };
        var version = new Option<int?>("--version") { Description = "The number of the version (default: the newest)" };
        var show = new ClientCommand("show", "Show a pipeline as it was written", "pipelines show customers", "pipelines show customers --version 3") { name, version }
            .Doing((context, ct) => PipelineHistory.ShowAsync(context, context.Get(name)!, context.Get(version), ct));
        var versions = new ClientCommand("versions", "List the versions of a pipeline, newest first", "pipelines versions customers") { name, CommandLine.Limit }
            .Doing((context, ct) => Queries.VersionsAsync(context, context.Get(name)!, context.Get(CommandLine.Limit), ct));
        var since = new Option<int?>("--since") { Description = "The version to compare with (default: the one before)" };
        var diff = new ClientCommand("diff", "Show what a version changed", "pipelines diff customers", "pipelines diff customers --since 3") { name, version, since }
            .Doing((context, ct) => PipelineHistory.DiffAsync(context, context.Get(name)!, context.Get(version), context.Get(since), ct));
        var to = new Option<int?>("--to") { Description = "The version to go back to, or forth (default: the one before the last change that is not undone yet)" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Show what would change, and change nothing" };
        var undo = new ClientCommand(
            "undo", "Save an earlier version as the next one; again and again it goes back change by change",
            "pipelines undo customers", "pipelines undo customers --to 3 --dry-run")
        {
            name, to, dryRun,
        }.Doing((context, ct) => PipelineHistory.UndoAsync(context, context.Get(name)!, context.Get(to), context.Get(dryRun), ct));
        return new ClientCommand("pipelines", "List the pipelines; show one, its versions and what they changed; undo changes", "pipelines") { CommandLine.Limit, show, versions, diff, undo }
            .Doing((context, ct) => Queries.PipelinesAsync(context, context.Get(CommandLine.Limit), ct));
    }

    private static Command Connections()
    {
        var name = new Argument<string>("NAME") { Description = "The name that pipelines use" };
        var type = new Option<string>("--type") { Required = true, Description = "postgres, folder, s3, http, smtp, webhook, slack or key" };
        var setting = new Option<string[]>("--set", "-s") { Description = "A setting that is no secret: NAME=VALUE (host=..., database=..., root=...)", DefaultValueFactory = _ => [] };
        var stdin = new Option<bool>("--secret-stdin") { Description = "Read the secret (password, key, token) from standard input" };
        var env = new Option<string?>("--secret-env") { Description = "Read the secret from this environment variable" };
        var set = new ClientCommand(
            "set", "Create or change a connection. Its secret comes from standard input or the environment, never from the command line.",
            "connections set landing --type folder --set root=/data/landing",
            "connections set dwh --type postgres -s host=db.example.org -s database=sales -s user=qualiz --secret-env DWH_PASSWORD",
            "connections set prices --type http -s url=https://api.example.org/exports/ -s auth=bearer --secret-env PRICES_TOKEN")
        {
            name, type, setting, stdin, env,
        }.Doing((context, ct) => Changes.SetConnectionAsync(
            context, context.Get(name)!, context.Get(type)!, context.Get(setting) ?? [], context.Get(stdin), context.Get(env), ct));
        var test = new ClientCommand("test", "Try a connection now", "connections test dwh") { name }
            .Doing((context, ct) => Queries.TestConnectionAsync(context, context.Get(name)!, ct));
        var list = new ClientCommand("list", "List the connections", "connections list").Doing(Queries.ConnectionsAsync);
        return new Command("connections", "Where data comes from and goes to") { set, test, list };
    }
}
