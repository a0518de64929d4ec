using System.Globalization;
using System.Text;
using System.Text.Json;
using Qualiz.Cli.Running;

namespace Qualiz.Cli;

/// <summary>The commands that look, and the two that tell a run what to do.</summary>
internal static class Queries
{
    public static async Task<int> ValidateAsync(CommandContext context, string file, CancellationToken ct)
    {
        var text = await RunCommand.ReadAsync(file, ct);
        var answer = await context.Client.PostTextAsync($"{context.ProjectPath}/pipelines/validate?file={Uri.EscapeDataString(Path.GetFileName(file))}", text, "application/yaml", ct);
        if (context.Json)
        {
            context.Terminal.Json(answer);
        }
        var problems = answer.List("problems").Select(error => error.Deserialize<ProblemError>(ApiJson.Options)!).ToList();
        foreach (var problem in context.Json ? [] : problems)
        {
            context.Terminal.Error(problem.Describe(file));
        }
        if (problems.Any(problem => !problem.IsWarning))
        {
            return ExitCode.BadInput;
        }
        if (!context.Json)
        {
            context.Terminal.Line($"{file}: ok");
            foreach (var step in answer.List("steps").Where(step => step.Text("notChecked") is not null))
            {
                context.Terminal.Line($"columns not checked in {step.Text("step")}: {step.Text("notChecked")}");
            }
        }
        return ExitCode.Done;
    }

    public static Task<int> ProjectsAsync(CommandContext context, int limit, CancellationToken ct) =>
        TableAsync(context, "api/v1/projects", limit, ["project", "name", "time zone", "created"],
            item => [Any(item, "slug"), Any(item, "name"), Any(item, "timeZone"), When(Any(item, "createdAt"))], ct);

    public static Task<int> PipelinesAsync(CommandContext context, int limit, CancellationToken ct) =>
        TableAsync(context, $"{context.ProjectPath}/pipelines", limit, ["pipeline", "version", "owner", "changed"],
            item => [Name(item), Any(item, "version", "latestVersion"), Any(item, "owner"), When(Any(item, "updatedAt", "changedAt", "createdAt"))], ct);

    public static Task<int> VersionsAsync(CommandContext context, string pipeline, int limit, CancellationToken ct) =>
        TableAsync(context, $"{context.ProjectPath}/pipelines/{Uri.EscapeDataString(pipeline)}/versions", limit, ["version", "saved", "by", "file"],
            item => [Any(item, "version"), When(Any(item, "createdAt")), Any(item, "createdBy"), Any(item, "fileName")], ct);

    public static Task<int> RunsAsync(CommandContext context, string? pipeline, string? state, int limit, CancellationToken ct)
    {
        var query = string.Join('&', new[] { ("pipeline", pipeline), ("state", state) }
            .Where(choice => choice.Item2 is not null).Select(choice => $"{choice.Item1}={Uri.EscapeDataString(choice.Item2!)}"));
        return TableAsync(context, $"{context.ProjectPath}/runs{(query.Length == 0 ? "" : $"?{query}")}", limit,
            ["run", "pipeline", "version", "state", "started", "took", "cause"],
            item => [RunIds.Short(Any(item, "id")), Any(item, "pipeline"), Any(item, "pipelineVersion"), Any(item, "state"), When(Any(item, "startedAt", "createdAt")), Took(item), Cause(item)], ct);
    }

    public static async Task<int> NotificationsAsync(CommandContext context, string? run, string? pipeline, string? state, int limit, CancellationToken ct)
    {
        var id = run is null ? null : (await RunIds.ResolveAsync(context.Client, context.ProjectPath, run, ct)).ToString();
        var query = string.Join('&', new[] { ("run", id), ("pipeline", pipeline), ("state", state) }
            .Where(choice => choice.Item2 is not null).Select(choice => $"{choice.Item1}={Uri.EscapeDataString(choice.Item2!)}"));
        return await TableAsync(context, $"{context.ProjectPath}/notifications{(query.Length == 0 ? "" : $"?{query}")}", limit,
            ["made", "run", "about", "to", "state"],
            item => [When(Any(item, "createdAt")), RunIds.Short(Any(item, "runId")), Any(item, "subject"), Any(item, "to"), Outlook(item)], ct);
    }

    /// <summary>What became of a message, or when it goes out.</summary>
    private static string Outlook(JsonElement item)
    {
        var reason = item.Text("reason");
        return Any(item, "state") switch
        {
            "notSent" => $"not sent: {reason}",
            "waiting" => $"goes out {(Any(item, "digest") == "true" ? "with others, " : "")}{When(Any(item, "dueAt"))}{(reason is null ? "" : $"; the last try failed: {reason}")}",
            var state => state,
        };
    }

    /// <summary>A run that a step of another one started names both.</summary>
    private static string Cause(JsonElement run) =>
        run.TryGetProperty("parent", out var parent) && parent.ValueKind == JsonValueKind.Object
            ? $"run {RunIds.Short(parent.Text("runId")!)}, step {parent.Text("step")}"
            : Any(run, "cause");

    public static Task<int> DatasetsAsync(CommandContext context, int limit, CancellationToken ct) =>
        TableAsync(context, $"{context.ProjectPath}/datasets", limit, ["dataset", "latest", "rows", "changed", "description"],
            item =>
            {
                var latest = item.TryGetProperty("latest", out var version) ? version : default;
                return [Name(item), Any(latest, "version"), Any(latest, "rows"), When(Any(latest, "createdAt")), Any(item, "description")];
            }, ct);

    public static Task<int> MetricsAsync(CommandContext context, string dataset, string? column, string? metric, int limit, CancellationToken ct)
    {
        var filter = string.Join('&', ((string?[])[column is null ? null : $"column={Uri.EscapeDataString(column)}", metric is null ? null : $"metric={Uri.EscapeDataString(metric)}"]).OfType<string>());
        return TableAsync(context, $"{context.ProjectPath}/datasets/{Uri.EscapeDataString(dataset)}/metrics{(filter.Length == 0 ? "" : $"?{filter}")}", limit, ["version", "when", "column", "metric", "value"],
            item => [Any(item, "version"), When(Any(item, "at")), Any(item, "column"), Any(item, "metric"), Any(item, "value")], ct);
    }

    public static Task<int> FindingsAsync(CommandContext context, string dataset, int limit, CancellationToken ct) =>
        TableAsync(context, $"{context.ProjectPath}/datasets/{Uri.EscapeDataString(dataset)}/findings", limit, ["version", "when", "what", "column", "metric", "expected", "score", "detail"],
            item =>
            [
                Any(item, "version"), When(Any(item, "at")), Any(item, "kind"), Any(item, "column"), Any(item, "metric"), Rounded(item, "expected", "G6"), Rounded(item, "score", "0.0"), Any(item, "detail"),
            ], ct);

    private static string Rounded(JsonElement item, string name, string format) =>
        item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble().ToString(format, CultureInfo.InvariantCulture) : "";

    public static Task<int> ConnectionsAsync(CommandContext context, CancellationToken ct) =>
        TableAsync(context, $"{context.ProjectPath}/connections", 500, ["connection", "type", "changed"],
            item => [Name(item), Any(item, "type"), When(Any(item, "updatedAt", "createdAt"))], ct);

    public static async Task<int> TestConnectionAsync(CommandContext context, string name, CancellationToken ct)
    {
        var answer = await context.Client.PostAsync($"{context.ProjectPath}/connections/{Uri.EscapeDataString(name)}/test", new { }, ct);
        if (context.Json)
        {
            context.Terminal.Json(answer);
        }
        else
        {
            context.Terminal.Line($"{(answer.Text("works") == "true" ? "ok    " : "FAILED")} {name}: {answer.Text("message")}");
        }
        return answer.Text("works") == "true" ? ExitCode.Done : ExitCode.Failed;
    }

    public static async Task<int> CancelAsync(CommandContext context, string run, CancellationToken ct)
    {
        await context.Client.PostAsync($"{await context.RunPathAsync(run, ct)}/cancel", new { reason = "asked for at the command line" }, ct);
        context.Terminal.Line("cancelling");
        return ExitCode.Done;
    }

    public static async Task<int> RetryAsync(CommandContext context, string run, CancellationToken ct)
    {
        var path = await context.RunPathAsync(run, ct);
        var before = await context.Client.GetAsync(path, ct);
        await context.Client.PostAsync($"{path}/retry", new { }, ct);
        return await new RunCommand(context.Client, context.Terminal, TimeProvider.System)
            .FollowAsync(path, new RunOptions("", [], context.Project, context.Json, false, null, false), ct, before.Text("lastEvent"));
    }

    public static async Task<int> RejectedAsync(CommandContext context, string run, string? step, int limit, CancellationToken ct)
    {
        var path = await context.RunPathAsync(run, ct);
        var steps = step is not null
            ? [step]
            : (await context.Client.GetAsync(path, ct)).List("steps").Select(item => item.Text("id")!).ToList();
        var shown = 0;
        foreach (var id in steps)
        {
            try
            {
                await foreach (var row in context.Client.ListAsync($"{path}/steps/{Uri.EscapeDataString(id)}/rejected", limit - shown, ct))
                {
                    shown++;
                    if (context.Json)
                    {
                        context.Terminal.Json(new { step = id, row });
                        continue;
                    }
                    context.Terminal.Line($"{id}  {Any(row, "source", "_source")} row {Any(row, "row", "_row")}");
                    foreach (var reason in row.List("reasons"))
                    {
                        context.Terminal.Line($"    {context.Terminal.Doubtful(reason.Text("rule") ?? "")} {reason.Text("column")} = {reason.Text("value") ?? "(empty)"}: {reason.Text("message")}");
                    }
                }
            }
            catch (ProblemException none) when (none.Status == System.Net.HttpStatusCode.NotFound && step is null)
            {
                // This step rejects nothing.
            }
            if (shown >= limit)
            {
                break;
            }
        }
        if (shown == 0 && !context.Json)
        {
            context.Terminal.Line("no rejected rows");
        }
        return ExitCode.Done;
    }

    public static async Task<int> StatusAsync(CommandContext context, CancellationToken ct)
    {
        var active = new List<string>();
        await foreach (var run in context.Client.ListAsync($"{context.ProjectPath}/runs", 20, ct))
        {
            active.Add($"{Any(run, "state"),-10} {Any(run, "pipeline")}  {RunIds.Short(Any(run, "id"))}  {When(Any(run, "startedAt", "createdAt"))}");
        }
        context.Terminal.Line(active.Count == 0 ? $"no runs yet in project {context.Project}" : $"newest runs of project {context.Project}:");
        foreach (var line in active.Take(5))
        {
            context.Terminal.Line($"  {line}");
        }
        return ExitCode.Done;
    }

    public static async Task<int> DoctorAsync(CommandContext context, CancellationToken ct)
    {
        var answer = await context.Client.GetAsync("api/v1/operators", ct);
        var operators = (answer.ValueKind == JsonValueKind.Array ? answer.EnumerateArray() : answer.List("items")).ToList();
        var kinds = operators.ToLookup(
            item => item.Text("available") != "false", item => item.TryGetProperty("manifest", out var manifest) ? manifest.Text("kind") : null);
        context.Terminal.Line(kinds[true].Any() ? $"ok     operators: {string.Join(", ", kinds[true].Order())}" : "FAILED no operator has announced itself");
        if (kinds[false].Any())
        {
            context.Terminal.Line($"FAILED operators that do not answer: {string.Join(", ", kinds[false].Order())}");
        }
        return kinds[true].Any() && !kinds[false].Any() ? ExitCode.Done : ExitCode.Failed;
    }

    /// <summary>In one fixed form, so that a comparison shows only real differences.</summary>
    public static async Task<int> OpenApiAsync(CommandContext context, string file, CancellationToken ct)
    {
        var document = System.Text.Json.Nodes.JsonNode.Parse((await context.Client.GetAsync("openapi/v1.json", ct)).GetRawText())!.AsObject();
        document.Remove("servers");
        var text = document.ToJsonString(new JsonSerializerOptions(ApiJson.Options) { WriteIndented = true, NewLine = "\n" });
        await File.WriteAllTextAsync(file, text + "\n", new UTF8Encoding(false), ct);
        return ExitCode.Done;
    }

    public static async Task<int> SchemaAsync(string file, CancellationToken ct)
    {
        await File.WriteAllTextAsync(file, Contracts.Files.PipelineSchema.Generate(), new UTF8Encoding(false), ct);
        return ExitCode.Done;
    }

    private static async Task<int> TableAsync(
        CommandContext context, string path, int limit, IReadOnlyList<string> headings, Func<JsonElement, IReadOnlyList<string>> row, CancellationToken ct)
    {
        var rows = new List<IReadOnlyList<string>>();
        await foreach (var item in context.Client.ListAsync(path, limit, ct))
        {
            if (context.Json)
            {
                context.Terminal.Json(item);
            }
            else
            {
                rows.Add(row(item));
            }
        }
        if (!context.Json)
        {
            context.Terminal.Table(headings, rows);
        }
        return ExitCode.Done;
    }

    private static string Name(JsonElement item) => Any(item, "name", "pipeline", "slug");

    private static string Any(JsonElement item, params string[] names) => names.Select(name => item.Text(name)).FirstOrDefault(value => value is not null) ?? "";

    private static string When(string time) => DateTimeOffset.TryParse(time, CultureInfo.InvariantCulture, out var at)
        ? at.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)
        : time;

    private static string Took(JsonElement run) =>
        DateTimeOffset.TryParse(run.Text("startedAt"), CultureInfo.InvariantCulture, out var begun)
        && DateTimeOffset.TryParse(run.Text("finishedAt"), CultureInfo.InvariantCulture, out var ended)
            ? StepView.Seconds(ended - begun)
            : "";
}
