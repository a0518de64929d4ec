using System.CommandLine;
using Qualiz.Cli.Demo;

namespace Qualiz.Cli.Commands;

/// <summary>The instance itself.</summary>
internal static class InstanceCommands
{
    public static IEnumerable<Command> All() => [Status(), Doctor(), OpenApi(), Schema(), Demo(), Completion(), Suggest()];

    private static ClientCommand Status() => new ClientCommand("status", "What the instance is doing", "status").Doing(Queries.StatusAsync);

    private static ClientCommand Doctor() => new ClientCommand("doctor", "Check the instance over HTTP", "doctor").Doing(Queries.DoctorAsync);

    private static ClientCommand OpenApi()
    {
        var target = new Argument<string>("FILE") { Description = "Where to" };
        return new ClientCommand("openapi", "Save the API's OpenAPI document", "openapi openapi.json") { target }
            .Doing((context, ct) => Queries.OpenApiAsync(context, context.Get(target)!, ct));
    }

    private static ClientCommand Schema()
    {
        var target = new Argument<string>("FILE") { Description = "Where to" };
        return new ClientCommand("schema", "Save the JSON Schema of pipeline files, for editors", "schema pipeline.schema.json") { target }
            .Doing((context, ct) => Queries.SchemaAsync(context.Get(target)!, ct));
    }

    private static ClientCommand Demo()
    {
        var definition = new Option<string>("--data") { Required = true, Description = "The folder with customers-golden.yaml and its reference data" };
        var landing = new Option<string>("--landing") { Required = true, Description = "The folder that the sources are written to" };
        var postgres = new Option<string>("--postgres") { Required = true, Description = "The demo's database, read from and delivered to: Host=...;Port=...;Username=...;Database=..." };
        var rows = new Option<long>("--rows") { Description = "How many customers (default about 20,000); another number begins the sources anew" };
        return new ClientCommand(
            "demo", "Seed the demo project and run its pipeline",
            "demo --data infra/demo --landing .qualiz/landing --postgres \"Host=127.0.0.1;Port=5433;Username=qualiz;Database=demo_dwh\"")
        {
            definition, landing, postgres, rows,
        }.Doing((context, ct) => new DemoCommand(context).ExecuteAsync(context.Get(definition)!, context.Get(landing)!, context.Get(postgres)!, context.Get(rows), ct));
    }

    private static ClientCommand Completion()
    {
        var shell = new Argument<string>("SHELL") { Description = "bash or zsh" };
        shell.AcceptOnlyFromAmong("bash", "zsh");
        return new ClientCommand("completion", "Print a script that completes commands at the Tab key", "completion bash > ~/.qualiz-completion && . ~/.qualiz-completion") { shell }
            .Doing((context, _) =>
            {
                context.Terminal.Line(context.Get(shell) == "bash" ? BashCompletion : $"autoload -U +X bashcompinit && bashcompinit\n{BashCompletion}");
                return Task.FromResult(ExitCode.Done);
            });
    }

    private const string BashCompletion = """
        _qualiz() { mapfile -t COMPREPLY < <("$1" suggest -- "${COMP_LINE:0:COMP_POINT}" 2>/dev/null); }
        complete -o default -F _qualiz ./qualiz qualiz
        """;

    /// <summary>What the completion script asks.</summary>
    private static ClientCommand Suggest()
    {
        var line = new Argument<string>("LINE") { Description = "The line up to the cursor" };
        var command = new ClientCommand("suggest", "Say how a line may go on", "suggest -- \"./qualiz conn\"") { line }
            .Doing((context, _) =>
            {
                foreach (var word in CommandLine.SuggestionsFor(context.Get(line)!))
                {
                    context.Terminal.Line(word);
                }
                return Task.FromResult(ExitCode.Done);
            });
        command.Hidden = true;
        return command;
    }
}
