using System.CommandLine;
using Qualiz.Cli.Demo;
using Qualiz.Cli.Running;

namespace Qualiz.Cli;

internal static class CommandLine
{
    private static readonly Option<string> Url = new("--url")
    {
        Description = "Address of the instance (QUALIZ_URL)",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("QUALIZ_URL") is { Length: > 0 } url ? url : "http://127.0.0.1:5080",
        Recursive = true,
    };

    private static readonly Option<string> Project = new("--project", "-p")
    {
        Description = "Project (QUALIZ_PROJECT)",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("QUALIZ_PROJECT") is { Length: > 0 } project ? project : "demo",
        Recursive = true,
    };

    private static readonly Option<bool> Json = new("--json") { Description = "One JSON object a line", Recursive = true };

    private static readonly Option<int> Limit = new("--limit") { Description = "At most so many", DefaultValueFactory = _ => 50 };

    public static async Task<int> RunAsync(string[] args)
    {
        var parsed = Root().Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
            {
                await Console.Error.WriteLineAsync(error.Message);
            }
            await Console.Error.WriteLineAsync("See --help.");
            return ExitCode.BadInput;
        }
        return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
    }

    private static RootCommand Root() => new("Qualiz: run pipelines and look at what they did. Exit codes: 0 done, 1 failed, 2 bad file or usage, 3 warnings with --strict, 4 cancelled, 5 no connection.")
    {
        Url, Project, Json,
        Run(), Validate(), Pipelines(), Runs(), Cancel(), Retry(), Logs(), Rejected(), Datasets(), Upload(), Connections(), Status(), Doctor(), OpenApi(), Schema(), Demo(),
    };

    private static Command Run()
    {
        var file = new Argument<string>("FILE.yaml") { Description = "The pipeline file, or - for standard input" };
        var set = new Option<string[]>("--set", "-s") { Description = "A parameter: NAME=VALUE", DefaultValueFactory = _ => [] };
        var strict = new Option<bool>("--strict") { Description = "Exit 3 when the run completed with warnings" };
        var output = new Option<string?>("--out", "-o") { Description = "Save the steps' outputs as CSV files in this folder" };
        var detach = new Option<bool>("--detach") { Description = "Start only, do not wait" };
        return new Command("run", "Save the file as a version, run it and show what happens") { file, set, strict, output, detach }.Doing((context, ct) =>
            new RunCommand(context.Client, context.Terminal, TimeProvider.System).ExecuteAsync(
                new RunOptions(
                    context.Get(file)!, context.Get(set) ?? [], context.Project, context.Json, context.Get(strict), context.Get(output), context.Get(detach)),
                ct),
            file);
    }

    private static Command Validate()
    {
        var file = new Argument<string>("FILE.yaml");
        return new Command("validate", "Check a pipeline file without saving it") { file }.Doing((context, ct) => Queries.ValidateAsync(context, context.Get(file)!, ct), file);
    }

    private static Command Pipelines() => new Command("pipelines", "List the pipelines") { Limit }.Doing((context, ct) => Queries.PipelinesAsync(context, context.Get(Limit), ct));

    private static Command Runs()
    {
        var pipeline = new Option<string?>("--pipeline") { Description = "Only runs of this pipeline" };
        return new Command("runs", "List the runs, newest first") { pipeline, Limit }
            .Doing((context, ct) => Queries.RunsAsync(context, context.Get(pipeline), context.Get(Limit), ct));
    }

    private static Command Cancel()
    {
        var run = new Argument<string>("RUN");
        return new Command("cancel", "Cancel a run") { run }.Doing((context, ct) => Queries.CancelAsync(context, context.Get(run)!, ct));
    }

    private static Command Retry()
    {
        var run = new Argument<string>("RUN");
        return new Command("retry", "Retry a failed run from its failed steps, and follow it") { run }.Doing((context, ct) => Queries.RetryAsync(context, context.Get(run)!, ct));
    }

    private static Command Logs()
    {
        var run = new Argument<string>("RUN");
        var step = new Argument<string>("STEP");
        return new Command("logs", "Print a step's log (NDJSON)") { run, step }.Doing((context, ct) => Queries.LogAsync(context, context.Get(run)!, context.Get(step)!, ct));
    }

    private static Command Rejected()
    {
        var run = new Argument<string>("RUN");
        var step = new Argument<string?>("STEP") { Arity = ArgumentArity.ZeroOrOne, Description = "All steps when left out" };
        return new Command("rejected", "Show the rows that a run rejected, with their reasons") { run, step, Limit }
            .Doing((context, ct) => Queries.RejectedAsync(context, context.Get(run)!, context.Get(step), context.Get(Limit), ct));
    }

    private static Command Datasets() => new Command("datasets", "List the named datasets") { Limit }.Doing((context, ct) => Queries.DatasetsAsync(context, context.Get(Limit), ct));

    private static Command Upload()
    {
        var file = new Argument<string>("FILE");
        var name = new Option<string?>("--name") { Description = "The dataset's name (default: the file's)" };
        return new Command("upload", "Upload a file for a pipeline to ingest") { file, name }
            .Doing((context, ct) => Changes.UploadAsync(context, context.Get(file)!, context.Get(name), ct), file);
    }

    private static Command Connections()
    {
        var name = new Argument<string>("NAME");
        var type = new Option<string>("--type") { Required = true, Description = "postgres, folder or s3" };
        var setting = new Option<string[]>("--set", "-s") { Description = "A setting that is no secret: NAME=VALUE (host=..., database=..., root=...)", DefaultValueFactory = _ => [] };
        var stdin = new Option<bool>("--secret-stdin") { Description = "Read the secret (password, key) from standard input" };
        var env = new Option<string?>("--secret-env") { Description = "Read the secret from this environment variable" };
        var set = new Command("set", "Create or change a connection. Its secret comes from standard input or the environment, never from the command line.")
        {
            name, type, setting, stdin, env,
        }.Doing((context, ct) => Changes.SetConnectionAsync(
            context, context.Get(name)!, context.Get(type)!, context.Get(setting) ?? [], context.Get(stdin), context.Get(env), ct));
        var list = new Command("list", "List the connections").Doing(Queries.ConnectionsAsync);
        return new Command("connections", "Where data comes from and goes to") { set, list };
    }

    private static Command Status() => new Command("status", "What the instance is doing").Doing(Queries.StatusAsync);

    private static Command Doctor() => new Command("doctor", "Check the instance over HTTP").Doing(Queries.DoctorAsync);

    private static Command OpenApi()
    {
        var target = new Argument<string>("FILE");
        return new Command("openapi", "Save the API's OpenAPI document") { target }.Doing((context, ct) => Queries.OpenApiAsync(context, context.Get(target)!, ct));
    }

    private static Command Schema()
    {
        var target = new Argument<string>("FILE");
        return new Command("schema", "Save the JSON Schema of pipeline files") { target }.Doing((context, ct) => Queries.SchemaAsync(context.Get(target)!, ct));
    }

    private static Command Demo()
    {
        var definition = new Option<string>("--data") { Required = true, Description = "The folder with customers.yaml" };
        var landing = new Option<string>("--landing") { Required = true, Description = "The folder that the sources are written to" };
        var postgres = new Option<string>("--postgres") { Required = true, Description = "Where to deliver: Host=...;Port=...;Username=...;Database=..." };
        return new Command("demo", "Seed the demo project and run its pipeline") { definition, landing, postgres }.Doing((context, ct) =>
            new DemoCommand(context).ExecuteAsync(context.Get(definition)!, context.Get(landing)!, context.Get(postgres)!, ct));
    }

    /// <summary>Runs the action with a client, and turns what can go wrong into words and an exit code.</summary>
    private static Command Doing(this Command command, Func<CommandContext, CancellationToken, Task<int>> action, Argument<string>? file = null)
    {
        command.SetAction(async (parsed, ct) =>
        {
            var terminal = Terminal.ForConsole();
            try
            {
                if (!Uri.TryCreate(parsed.GetValue(Url)!.TrimEnd('/') + "/", UriKind.Absolute, out var address))
                {
                    throw new BadInputException($"--url {parsed.GetValue(Url)}: expected an address like http://127.0.0.1:5080");
                }
                using var client = new QualizClient(address);
                return await action(new CommandContext(parsed, client, terminal, parsed.GetValue(Project)!, parsed.GetValue(Json)), ct);
            }
            catch (ProblemException problem)
            {
                if (problem.Errors.Count == 0)
                {
                    terminal.Error($"{problem.Title}{(problem.Message == problem.Title ? "" : $": {problem.Message}")}");
                }
                foreach (var error in problem.Errors)
                {
                    terminal.Error(error.Describe(file is null ? null : parsed.GetValue(file)));
                }
                return (int)problem.Status is >= 400 and < 500 ? ExitCode.BadInput : ExitCode.Failed;
            }
            catch (BadInputException wrong)
            {
                terminal.Error(wrong.Message);
                return ExitCode.BadInput;
            }
            catch (UnreachableException unreachable)
            {
                terminal.Error(unreachable.Message);
                return ExitCode.NoConnection;
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return ExitCode.Cancelled;
            }
        });
        return command;
    }
}

/// <summary>What a command works with.</summary>
internal sealed record CommandContext(ParseResult Parsed, QualizClient Client, Terminal Terminal, string Project, bool Json)
{
    public string ProjectPath => $"api/v1/projects/{Uri.EscapeDataString(Project)}";

    public T? Get<T>(Option<T> option) => Parsed.GetValue(option);

    public T? Get<T>(Argument<T> argument) => Parsed.GetValue(argument);
}
