using System.CommandLine;
using Qualiz.Cli.Running;

namespace Qualiz.Cli.Commands;

/// <summary>Starting runs, following them, telling them what to do, and what they left.</summary>
internal static class RunCommands
{
    private static readonly Argument<string> RunId = new("RUN") { Description = "The id, its end as it is shown, or latest" };

    private static readonly Option<string?> Day = new("--day") { Description = "The logical day, run.day: 2026-11-21" };
    private static readonly Option<string?> Interval = new("--interval") { Description = "The logical interval, run.interval: START/END" };

    public static IEnumerable<Command> All() => [Run(), Attach(), Runs(), Cancel(), Pause(), Resume(), Retry(), Rerun(), Items(), Logs(), Rejected(), Explain(), Notifications()];

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
            file, set, Day, Interval, strict, output, format, detach,
        }.Doing(async (context, ct) =>
        {
            await context.EnsureProjectAsync(ct);
            return await new RunCommand(context.Client, context.Terminal, TimeProvider.System).ExecuteAsync(
                new RunOptions(context.Get(file)!, context.Get(set) ?? [], context.Project, context.Json, context.Get(strict), context.Get(output), context.Get(detach))
                {
                    Format = context.Get(format)!,
                    Day = context.Get(Day),
                    Interval = context.Get(Interval),
                },
                ct);
        }, file, context =>
        {
            if (context.Get(file)! is var name and not "-")
            {
                Changes.CheckFile(name);
            }
            if (RunCommand.Parameters(context.Get(set) ?? [], out _) is { } wrong)
            {
                throw new BadInputException(wrong);
            }
            RunControl.AddTime([], context.Get(Day), context.Get(Interval));
        });
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
        var state = new Option<string?>("--state") { Description = "Only runs in these states: queued, running, paused, completed, failed, cancelled" };
        return new ClientCommand("runs", "List the runs, newest first", "runs", "runs --pipeline customers --state failed,cancelled --limit 10") { pipeline, state, CommandLine.Limit }
            .Doing((context, ct) => Queries.RunsAsync(context, context.Get(pipeline), context.Get(state), context.Get(CommandLine.Limit), ct));
    }

    private static ClientCommand Cancel() => new ClientCommand("cancel", "Cancel a run", "cancel 4d8a2b11") { RunId }
        .Doing((context, ct) => Queries.CancelAsync(context, context.Get(RunId)!, ct));

    private static ClientCommand Retry() => new ClientCommand("retry", "Retry a failed run from its failed steps, and follow it", "retry latest") { RunId }
        .Doing((context, ct) => Queries.RetryAsync(context, context.Get(RunId)!, ct));

    private static ClientCommand Pause() => new ClientCommand("pause", "Pause a run: what runs may finish, nothing more begins", "pause latest") { RunId }
        .Doing((context, ct) => RunControl.PauseAsync(context, context.Get(RunId)!, ct));

    private static ClientCommand Resume() => new ClientCommand("resume", "Let a paused run go on", "resume latest") { RunId }
        .Doing((context, ct) => RunControl.ResumeAsync(context, context.Get(RunId)!, ct));

    private static ClientCommand Rerun()
    {
        var set = new Option<string[]>("--set", "-s") { Description = "A parameter to change: NAME=VALUE", DefaultValueFactory = _ => [] };
        var latest = new Option<bool>("--latest-version") { Description = "Take the pipeline's newest version instead of the run's" };
        var data = new Option<bool>("--latest-data") { Description = "Read the named datasets as they are now instead of the versions that the run read" };
        var detach = new Option<bool>("--detach") { Description = "Start only, do not wait" };
        return new ClientCommand(
            "rerun", "Start a new run like an earlier one, with changed parameters, and follow it",
            "rerun latest", "rerun 4d8a2b11 --set mode=full", "rerun 4d8a2b11 --latest-version --latest-data")
        {
            RunId, set, latest, data, Day, Interval, detach,
        }.Doing((context, ct) => RunControl.RerunAsync(
            context, context.Get(RunId)!, context.Get(set) ?? [], context.Get(latest), context.Get(data), context.Get(Day), context.Get(Interval), context.Get(detach), ct));
    }

    private static ClientCommand Items()
    {
        var step = new Argument<string>("STEP") { Description = "A step with forEach" };
        var state = new Option<string?>("--state") { Description = "Only elements in these states: running, completed, failed, skipped, ..." };
        return new ClientCommand("items", "List the elements of a step with forEach (logs and rejected take an element's name too)", "items latest shop --state failed") { RunId, step, state, CommandLine.Limit }
            .Doing((context, ct) => RunControl.ItemsAsync(context, context.Get(RunId)!, context.Get(step)!, context.Get(state), context.Get(CommandLine.Limit), ct));
    }

    private static ClientCommand Logs()
    {
        var step = new Argument<string?>("STEP") { Arity = ArgumentArity.ZeroOrOne, Description = "All steps when left out" };
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on until the run has ended" };
        return new ClientCommand("logs", "Print what steps logged (--json: as it is stored)", "logs latest", "logs 4d8a2b11 clean", "logs latest -f") { RunId, step, follow }
            .Doing((context, ct) => LogView.ShowAsync(context, context.Get(RunId)!, context.Get(step), context.Get(follow), ct));
    }

    private static ClientCommand Notifications()
    {
        var run = new Option<string?>("--run") { Description = "Only about this run: the id, its end as it is shown, or latest" };
        var pipeline = new Option<string?>("--pipeline") { Description = "Only about runs of this pipeline" };
        var state = new Option<string?>("--state") { Description = "Only those: waiting, sent or notSent" };
        return new ClientCommand(
            "notifications", "List the messages about runs, newest first: whom they are for, whether they were sent, and why not",
            "notifications", "notifications --run latest", "notifications --state notSent --limit 10")
        {
            run, pipeline, state, CommandLine.Limit,
        }.Doing((context, ct) => Queries.NotificationsAsync(context, context.Get(run), context.Get(pipeline), context.Get(state), context.Get(CommandLine.Limit), ct));
    }

    private static ClientCommand Explain()
    {
        var entity = new Argument<string>("ENTITY") { Description = "An entity's id, or the number of one of its rows: 12, or crm:12" };
        var step = new Option<string?>("--step") { Description = "The step that made it; needed where several make entities" };
        return new ClientCommand("explain", "Show why rows are one entity, what speaks against it, and what was cut off", "explain latest 12", "explain latest crm:12 --step match --json") { RunId, entity, step }
            .Doing((context, ct) => new Explanation(context).ExecuteAsync(context.Get(RunId)!, context.Get(entity)!, context.Get(step), ct));
    }

    private static ClientCommand Rejected()
    {
        var step = new Argument<string?>("STEP") { Arity = ArgumentArity.ZeroOrOne, Description = "All steps when left out" };
        return new ClientCommand("rejected", "Show the rows that a run rejected, with their reasons", "rejected latest", "rejected 4d8a2b11 clean --limit 10") { RunId, step, CommandLine.Limit }
            .Doing((context, ct) => Queries.RejectedAsync(context, context.Get(RunId)!, context.Get(step), context.Get(CommandLine.Limit), ct));
    }
}
