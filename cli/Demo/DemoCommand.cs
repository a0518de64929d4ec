using System.Text.Json.Nodes;
using Qualiz.Cli.Running;

namespace Qualiz.Cli.Demo;

/// <summary>Seeds the project, its sources and its connections, as often as it is called, and runs the demo's pipeline.</summary>
internal sealed class DemoCommand(CommandContext context)
{
    public async Task<int> ExecuteAsync(string definition, string landing, string postgres, CancellationToken ct)
    {
        var settings = postgres.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(part => part.Split('=', 2))
            .ToDictionary(part => part[0], part => part.ElementAtOrDefault(1) ?? "", StringComparer.OrdinalIgnoreCase);

        await Changes.EnsureProjectAsync(context.Client, context.Project, "Demo", "Invented customers of two systems.", ct);
        DemoData.Write(landing);
        await PutConnectionAsync("landing", "folder", new JsonObject { ["root"] = landing }, ct);
        await PutConnectionAsync("dwh", "postgres", new JsonObject
        {
            ["host"] = settings["Host"],
            ["port"] = int.Parse(settings.GetValueOrDefault("Port", "5432"), System.Globalization.CultureInfo.InvariantCulture),
            ["database"] = settings["Database"],
            ["user"] = settings["Username"],
            ["password"] = settings.GetValueOrDefault("Password"),
        }, ct);
        var file = Path.Combine(definition, "customers.yaml");
        return await new RunCommand(context.Client, context.Terminal, TimeProvider.System).ExecuteAsync(
            new RunOptions(file, [], context.Project, context.Json, Strict: false, Out: null, Detach: false), ct);
    }

    private Task PutConnectionAsync(string name, string type, JsonObject settings, CancellationToken ct) =>
        Changes.PutConnectionAsync(context, name, type, settings, ct);
}
