using System.CommandLine;
using Qualiz.Cli.Running;

namespace Qualiz.Cli.Commands;

/// <summary>Starting runs, following them, telling them what to do, and what they left.</summary>
internal static class RunCommands
{
    private static readonly Argument<string> RunId = new("RUN") { Description = "The id, its end as it is shown, or latest" };

    public static IEnumerable<Command> All() => [Run(), Attach(), Runs(), Cancel(), Retry(), Logs(), Rejected()];

    private static ClientCommand Run()
    {
        var file = new Argument<string>("FILE.yaml") { Description = "The pipeline file, or - for standard input" };
        var set = new Option<string[]>("--set", "-s") { Description = "A parameter: NAME=VALUE", DefaultValueFactory = _ => [] };
        var strict = new Option<bool>("--strict") { Description = "Exit 3 when the run completed with warnings" };
        var output = new Option<string?>("--out", "-o") { Description = "Save what every step wrote to each of its ports in this folder" };
        var format = new Option<string>("--format") { Description = "How --out saves: csv, jsonl or parquet", DefaultValueFactory = _ => "csv" };
        format.AcceptOnlyFromAmong("csv", "jsonl", "parquet");
        var detach = new Option<bool>("--detach") { Description = "Start only, do not wait (./qualiz attach RUN follows it later)" };
        return new ClientCommand(
            "run", "Save the file as a version, run it and show what happens",
            "run infra/demo/customers.yaml",
            "run customers.yaml --set day=2026-11-21 --strict",
            "run customers.yaml --out results --json > events.jsonl")
        {
            file, set, strict, output, format, detach,
        }.Doing(async (context, ct) =>
        {
            await context.EnsureProjectAsync(ct);
            return await new RunCommand(context.Client, context.Terminal, TimeProvider.System).ExecuteAsync(
                new RunOptions(context.Get(file)!, context.Get(set) ?? [], context.Project, context.Json, context.Get(strict), context.Get(output), context.Get(detach))
                {
                    Format = context.Get(format)!,
                },
                ct);
        }, file);
    }

    private static ClientCommand Attach()
    {
        var strict = new Option<bool>("--strict") { Description = "Exit 3 when the run completed with warnings" };
        var output = new Option<string?>("--out", "-o") { Description = "Save what every step wrote to each of its ports in this folder" };
        return new ClientCommand("attach", "Follow a run from its beginning to its end", "attach latest", "attach 4d8a2b11 --out results") { RunId, strict, output }
            .Doing(async (context, ct) => await new RunCommand(context.Client, context.Terminal, TimeProvider.System).FollowAsync(
                await context.RunPathAsync(context.Get(RunId)!, ct),
                new RunOptions("", [], context.Project, context.Json, context.Get(strict), context.Get(output), Detach: false), ct));
    }

    private static ClientCommand Runs()
    {
        var pipeline = new Option<string?>("--pipeline") { Description = "Only runs of this pipeline" };
        var state = new Option<string?>("--state") { Description = "Only runs in these states: queued, running, completed, failed, cancelled" };
        return new ClientCommand("runs", "List the runs, newest first", "runs", "runs --pipeline customers --state failed,cancelled --limit 10") { pipeline, state, CommandLine.Limit }
            .Doing((context, ct) => Queries.RunsAsync(context, context.Get(pipeline), context.Get(state), context.Get(CommandLine.Limit), ct));
    }

    private static ClientCommand Cancel() => new ClientCommand("cancel", "Cancel a run", "cancel 4d8a2b11") { RunId }
        .Doing((context, ct) => Queries.CancelAsync(context, context.Get(RunId)!, ct));

    private static ClientCommand Retry() => new ClientCommand("retry", "Retry a failed run from its failed steps, and follow it", "retry latest") { RunId }
        .Doing((context, ct) => Queries.RetryAsync(context, context.Get(RunId)!, ct));

    private static ClientCommand Logs()
    {
        var step = new Argument<string?>("STEP") { Arity = ArgumentArity.ZeroOrOne, Description = "All steps when left out" };
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on until the run has ended" };
        return new ClientCommand("logs", "Print what steps logged (--json: as it is stored)", "logs latest", "logs 4d8a2b11 clean", "logs latest -f") { RunId, step, follow }
            .Doing((context, ct) => LogView.ShowAsync(context, context.Get(RunId)!, context.Get(step), context.Get(follow), ct));
    }

    private static ClientCommand Rejected()
    {
        var step = new Argument<string?>("STEP") { Arity = ArgumentArity.ZeroOrOne, Description = "All steps when left out" };
        return new ClientCommand("rejected", "Show the rows that a run rejected, with their reasons", "rejected latest", "rejected 4d8a2b11 clean --limit 10") { RunId, step, CommandLine.Limit }
            .Doing((context, ct) => Queries.RejectedAsync(context, context.Get(RunId)!, context.Get(step), context.Get(CommandLine.Limit), ct));
    }
}
