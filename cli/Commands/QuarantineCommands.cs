using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Qualiz.Cli.Running;

namespace Qualiz.Cli.Commands;

/// <summary>Rejected rows across runs: look, repair, dismiss, reopen, assign, export, import when they were mended in a spreadsheet, and try other rules on them.</summary>
internal static class QuarantineCommands
{
    private static readonly Option<string?> s_run = new("--run") { Description = "Rows that this run rejected (its id, the end of it, or latest)" };
    private static readonly Option<string?> s_pipeline = new("--pipeline") { Description = "Rows of this pipeline" };
    private static readonly Option<string?> s_step = new("--step") { Description = "Rows of this step" };
    private static readonly Option<string?> s_rule = new("--rule") { Description = "Rows with a reason of this rule or check" };
    private static readonly Option<string?> s_column = new("--column") { Description = "Rows with a reason about this column" };
    private static readonly Option<string?> s_state = new("--state") { Description = "open, repaired, reinjected, settled, dismissed, superseded; several with commas" };
    private static readonly Option<bool> s_unmask = new("--unmask") { Description = "Sensitive values in clear; it is on record" };
    private static readonly Option<string?> s_note = new("--note") { Description = "Why, for whoever looks later" };
    private static readonly Option<bool> s_dryRun = new("--dry-run") { Description = "Only count the rows" };
    private static readonly Option<string[]> s_set = new("--set") { Description = "COLUMN=VALUE; COLUMN= empties", Required = true, AllowMultipleArgumentsPerToken = true };
    private static readonly Option<string?> s_assignee = new("--assignee") { Description = "Rows that somebody has" };
    private static readonly Option<string?> s_to = new("--to") { Description = "Who has the rows from now on; left out, nobody" };
    private static readonly Option<string?> s_due = new("--due") { Description = "Open rows that are due on this day (2026-12-01) or before; overdue: that were due before today" };
    private static readonly Option<string?> s_on = new("--on") { Description = "The day, like 2026-12-01; left out, none" };
    private static readonly Argument<long?> s_item = new("ITEM") { Description = "The number of the row; left out, all rows that the options choose", Arity = ArgumentArity.ZeroOrOne };

    public static IEnumerable<Command> All() => [Quarantine()];

    private static Command Quarantine() => new("quarantine", "Rejected rows across runs")
    {
        List(), Show(), Account(), Export(), Import(), Try(), Reinject(),
        Change("repair", "Give columns new values; the next run applies them before its rules", "quarantine repair 12 --set email=kim@example.org", "quarantine repair --rule email --set email=", s_set),
        Change("dismiss", "Leave rows out for good", "quarantine dismiss 12 --note \"a test record\"", "quarantine dismiss --run latest --rule date"),
        Change("reopen", "Put dismissed or settled rows back into the queue", "quarantine reopen 12", "quarantine reopen --state dismissed --rule date"),
        Change("assign", "Give rows to somebody, or to nobody", "quarantine assign 12 --to kim", "quarantine assign --state open --rule email", s_to),
        Change("due", "Say until when somebody should have dealt with rows", "quarantine due 12 --on 2026-12-01", "quarantine due --run latest --on 2026-12-01", s_on),
        Change("undo", "Take repairs back", "quarantine undo 12", "quarantine undo --state repaired --column email"),
    };

    private static ClientCommand List() => new ClientCommand("list", "List rejected rows, oldest first", "quarantine list --run latest", "quarantine list --state open --rule email --json")
    {
        s_run, s_pipeline, s_step, s_rule, s_column, s_state, s_assignee, s_due, s_unmask, CommandLine.Limit,
    }.Doing(async (context, ct) =>
    {
        var query = await FilterAsync(context, ct);
        var rows = new List<IReadOnlyList<string>>();
        await foreach (var item in context.Client.ListAsync($"{context.ProjectPath}/quarantine{Query([.. query, .. Unmask(context)])}", context.Get(CommandLine.Limit), ct))
        {
            if (context.Json)
            {
                context.Terminal.Json(item);
                continue;
            }
            rows.Add([item.Text("id") ?? "", item.Text("pipeline") ?? "", item.Text("step") ?? "", item.Text("state") ?? "", item.Text("times") ?? "", RunIds.Short(item.Text("lastRun") ?? ""), Why(item), item.Text("assignee") ?? "", item.Text("due") ?? ""]);
        }
        if (!context.Json)
        {
            context.Terminal.Table(["item", "pipeline", "step", "state", "times", "last run", "why", "assignee", "due"], rows);
        }
        return ExitCode.Done;
    });

    private static ClientCommand Show()
    {
        var item = new Argument<long>("ITEM") { Description = "The number of the row" };
        return new ClientCommand("show", "Show a rejected row with its values and reasons", "quarantine show 12") { item, s_unmask }.Doing(async (context, ct) =>
        {
            var found = await context.Client.GetAsync($"{Address(context, context.Get(item))}{Query(Unmask(context))}", ct);
            if (context.Json)
            {
                context.Terminal.Json(found);
                return ExitCode.Done;
            }
            context.Terminal.Line($"{found.Text("pipeline")}/{found.Text("step")} row {found.Text("row")} of {found.Text("source")} is {found.Text("state")}{(found.Text("note") is { } note ? $" ({note})" : "")}");
            context.Terminal.Line($"rejected in {(found.Text("times") is "1" ? "run" : $"{found.Text("times")} runs, last in")} {RunIds.Short(found.Text("lastRun") ?? "")}");
            var rejected = found.GetProperty("rejected");
            var changes = found.TryGetProperty("patch", out var patch) && patch.ValueKind == JsonValueKind.Object ? patch.GetProperty("changes") : default;
            if (found.GetProperty("values") is { ValueKind: JsonValueKind.Object } values)
            {
                context.Terminal.Table(["column", "as ingested", "when rejected", "repair"], values.EnumerateObject().Select(value =>
                    (IReadOnlyList<string>)[value.Name, Shown(value.Value), rejected.Text(value.Name) ?? "", changes.Text(value.Name) ?? ""]));
            }
            foreach (var reason in found.List("reasons"))
            {
                context.Terminal.Line($"{reason.Text("rule")}{(reason.Text("column") is { } column ? $"({column})" : "")}: {reason.Text("message")}");
            }
            return ExitCode.Done;
        });
    }

    private static ClientCommand Account()
    {
        var run = new Argument<string>("RUN") { Description = "The run's id, the end of it, or latest" };
        return new ClientCommand("account", "What has become of the rows that a run rejected", "quarantine account latest") { run }.Doing(async (context, ct) =>
        {
            var account = await context.Client.GetAsync($"{await context.RunPathAsync(context.Get(run)!, ct)}/quarantine", ct);
            if (context.Json)
            {
                context.Terminal.Json(account);
            }
            foreach (var step in context.Json ? [] : account.List("steps"))
            {
                context.Terminal.Line($"{step.Text("step")}: {step.Text("sentence")}");
            }
            foreach (var rows in context.Json ? [] : account.List("repaired"))
            {
                context.Terminal.Line($"{rows.Text("rows")} repaired rows that run {rows.Text("runId")} rejected are in its result");
            }
            return ExitCode.Done;
        });
    }

    private static ClientCommand Try()
    {
        var rules = new Option<string>("--rules") { Required = true, Description = "The rules and checks of the step as they would be (YAML, as under with: of a cleanse step)" };
        var samples = new Option<int>("--samples") { Description = "How many rows of each kind are shown, 0 to 100", DefaultValueFactory = _ => 5 };
        return new ClientCommand(
            "try", "Say how many open rows would pass with other rules and checks; nothing is changed",
            "quarantine try --pipeline customers --step clean --rules recipe.yaml", "quarantine try --step clean --rule date --rules recipe.yaml --json")
        {
            rules, samples, s_run, s_pipeline, s_step, s_rule, s_column, s_assignee, s_due, s_unmask,
        }.Doing(async (context, ct) => await QuarantineTrial.ExecuteAsync(
            context, context.Get(rules)!, context.Get(samples), $"{context.ProjectPath}/quarantine/try{Query([.. await FilterAsync(context, ct), .. Unmask(context)])}", ct));
    }

    private static ClientCommand Reinject()
    {
        var version = new Option<int?>("--version-of-pipeline") { Description = "Another version of the pipeline than that of the run that rejected the rows" };
        var latest = new Option<bool>("--latest-version") { Description = "The newest version of the pipeline" };
        var whole = new Option<bool>("--whole") { Description = "Do all rows again from the step on, even where the repaired ones alone would do" };
        return new ClientCommand("reinject", "Bring repaired rows into the result now, by a run from the step on that rejected them", "quarantine reinject --pipeline customers", "quarantine reinject --run latest --dry-run")
        {
            s_run, s_pipeline, s_step, version, latest, whole, s_dryRun,
        }.Doing(async (context, ct) =>
        {
            var body = new JsonObject { ["version"] = context.Get(version), ["latestVersion"] = context.Get(latest), ["whole"] = context.Get(whole) };
            List<(string, string)> query = [.. await FilterAsync(context, ct), .. context.Get(s_dryRun) ? [("dryRun", "true")] : Array.Empty<(string, string)>()];
            var answer = await context.Client.PostAsync($"{context.ProjectPath}/quarantine/reinject{Query(query)}", body, ct);
            if (context.Json)
            {
                context.Terminal.Json(answer);
            }
            else if (!answer.List("runs").Any())
            {
                context.Terminal.Line("no row waits with a repair");
            }
            var refused = false;
            foreach (var run in answer.List("runs"))
            {
                var problem = run.TryGetProperty("problem", out var found) && found.ValueKind == JsonValueKind.Object ? found.Text("message") : null;
                refused |= problem is not null;
                var rows = $"{run.Text("rows")} rows of {run.Text("pipeline")}/{run.Text("step")} that run {RunIds.Short(run.Text("of") ?? "")} rejected";
                if (problem is not null)
                {
                    context.Terminal.Error($"{rows}: {problem}");
                }
                else if (!context.Json)
                {
                    context.Terminal.Line(context.Get(s_dryRun) ? $"{rows} would be re-injected" : $"{rows}: run {run.Text("runId")} ({run.Text("state")})");
                }
            }
            return refused ? ExitCode.Failed : ExitCode.Done;
        });
    }

    private static ClientCommand Export()
    {
        var target = new Option<string>("--output", "-o") { Required = true, Description = "Where to; the ending says in which format: .csv or .jsonl with all there is, .xlsx to mend and import" };
        return new ClientCommand("export", "Save rejected rows with their reasons", "quarantine export -o rejected.csv --state open", "quarantine export -o rejected.xlsx --pipeline people --step clean --state open") { target, s_run, s_pipeline, s_step, s_rule, s_column, s_state, s_assignee, s_due, s_unmask }
            .Doing(async (context, ct) =>
            {
                var path = context.Get(target)!;
                var format = Path.GetExtension(path).ToLowerInvariant() switch
                {
                    ".csv" => "csv",
                    ".jsonl" or ".ndjson" => "jsonl",
                    ".xlsx" => "xlsx",
                    var other => throw new BadInputException($"--output {path}: \"{other}\" is no format to export; name the file .csv, .jsonl or .xlsx"),
                };
                var query = await FilterAsync(context, ct);
                await context.Client.SaveAsync($"{context.ProjectPath}/quarantine/export{Query([.. query, ("format", format), .. Unmask(context)])}", path, ct);
                context.Terminal.Line($"saved {path}");
                return ExitCode.Done;
            });
    }

    private static ClientCommand Import()
    {
        var sheet = new Argument<FileInfo>("FILE") { Description = "The mended workbook, or the same saved as CSV" };
        return new ClientCommand("import", "Make repairs of the cells that were changed in an exported .xlsx", "quarantine import rejected.xlsx --dry-run", "quarantine import rejected.xlsx --note \"asked the shop\"") { sheet, s_note, s_dryRun }
            .Doing(async (context, ct) =>
            {
                var file = context.Get(sheet)!;
                if (!file.Exists)
                {
                    throw new BadInputException($"{file} is not there");
                }
                List<(string, string)> query = context.Get(s_dryRun) ? [("dryRun", "true")] : [];
                if (context.Get(s_note) is { } note)
                {
                    query.Add(("note", note));
                }
                using var content = new StreamContent(file.OpenRead());
                content.Headers.ContentType = new("application/octet-stream");
                var applied = await context.Client.PostContentAsync($"{context.ProjectPath}/quarantine/import{Query(query)}", content, ct);
                foreach (var problem in context.Json ? [] : applied.List("problems"))
                {
                    context.Terminal.Error($"{file}:{problem.Text("line")}{(problem.Text("column") is { } column ? $" {column}" : "")}: {problem.Text("message")}");
                }
                Say(context, applied, $"{applied.Text("repaired")} rows {(context.Get(s_dryRun) ? "would be repaired" : "repaired")}, {applied.Text("unchanged")} unchanged, {applied.Text("refused")} refused");
                return applied.Text("refused") is "0" ? ExitCode.Done : ExitCode.Failed;
            });
    }

    private static ClientCommand Change(string action, string description, string example, string other, Option? more = null)
    {
        var command = new ClientCommand(action, description, example, other) { s_item, s_run, s_pipeline, s_step, s_rule, s_column, s_state, s_assignee, s_due, s_note, s_dryRun };
        if (more is not null)
        {
            command.Options.Add(more);
        }
        return command.Doing(async (context, ct) =>
        {
            var body = new JsonObject();
            if (action == "repair")
            {
                body["changes"] = Changes(context.Get(s_set)!);
            }
            if (action == "assign")
            {
                body["assignee"] = context.Get(s_to);
            }
            if (action == "due")
            {
                body["due"] = context.Get(s_on);
            }
            if (context.Get(s_note) is { } note)
            {
                body["note"] = note;
            }
            var query = await FilterAsync(context, ct);
            if (context.Get(s_item) is { } item)
            {
                if (query.Count > 0 || context.Get(s_dryRun))
                {
                    throw new BadInputException("give the number of one row, or options that choose rows, not both");
                }
                var address = Address(context, item);
                var found = await context.Client.GetAsync(address, ct);
                var changed = await context.Client.PostChangeAsync($"{address}/{action}", body, $"\"{found.Text("revision")}\"", ct);
                Say(context, changed, $"row {item} is {changed.Text("state")}");
                return ExitCode.Done;
            }
            if (query.Count == 0)
            {
                throw new BadInputException("say which rows: the number of one, or --run, --pipeline, --step, --rule, --column, --state, --assignee, --due");
            }
            body["action"] = action;
            var answer = await context.Client.PostAsync($"{context.ProjectPath}/quarantine/bulk{Query([.. query, .. context.Get(s_dryRun) ? [("dryRun", "true")] : Array.Empty<(string, string)>()])}", body, ct);
            Say(context, answer, context.Get(s_dryRun) ? $"{answer.Text("items")} rows would be changed" : $"{answer.Text("items")} rows changed");
            return ExitCode.Done;
        });
    }

    private static void Say(CommandContext context, JsonElement answer, string text)
    {
        if (context.Json)
        {
            context.Terminal.Json(answer);
        }
        else
        {
            context.Terminal.Line(text);
        }
    }

    internal static JsonObject Changes(string[] given)
    {
        var changes = new JsonObject();
        foreach (var text in given)
        {
            var at = text.IndexOf('=', StringComparison.Ordinal);
            if (at <= 0)
            {
                throw new BadInputException($"--set {text}: expected COLUMN=VALUE");
            }
            changes[text[..at]] = text[(at + 1)..] is { Length: > 0 } value ? value : null;
        }
        return changes;
    }

    private static async Task<List<(string Name, string Value)>> FilterAsync(CommandContext context, CancellationToken ct)
    {
        var query = new List<(string, string)>();
        foreach (var (name, option) in new[] { ("pipeline", s_pipeline), ("step", s_step), ("rule", s_rule), ("column", s_column), ("state", s_state), ("assignee", s_assignee), ("due", s_due) })
        {
            if (context.Get(option) is { } value)
            {
                query.Add((name, value));
            }
        }
        if (context.Get(s_run) is { } run)
        {
            query.Add(("run", (await RunIds.ResolveAsync(context.Client, context.ProjectPath, run, ct)).ToString()));
        }
        return query;
    }

    private static IReadOnlyList<(string, string)> Unmask(CommandContext context) => context.Get(s_unmask) ? [("unmask", "true")] : [];

    private static string Query(IReadOnlyList<(string Name, string Value)> query) =>
        query.Count == 0 ? "" : $"?{string.Join('&', query.Select(choice => $"{choice.Name}={Uri.EscapeDataString(choice.Value)}"))}";

    private static string Address(CommandContext context, long item) => $"{context.ProjectPath}/quarantine/{item.ToString(CultureInfo.InvariantCulture)}";

    private static string Why(JsonElement item) => string.Join(", ", item.List("reasons").Select(reason => reason.Text("column") is { } column ? $"{reason.Text("rule")}({column})" : reason.Text("rule")).Distinct().Take(3));

    private static string Shown(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => "",
        JsonValueKind.String => value.GetString()!,
        _ => value.GetRawText(),
    };
}
