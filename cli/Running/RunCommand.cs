using System.Text.Json;
using System.Text.Json.Nodes;
using Qualiz.Contracts.Files;

namespace Qualiz.Cli.Running;

internal sealed record RunOptions(string File, IReadOnlyList<string> Set, string Project, bool Json, bool Strict, string? Out, bool Detach)
{
    /// <summary>How <see cref="Out"/> is saved: csv, jsonl or parquet.</summary>
    public string Format { get; init; } = "csv";

    /// <summary>The steps are shown only when the run does not end well.</summary>
    public bool Quiet { get; init; }

    /// <summary>The command brought the files and saves what the steps wrote; both are gone afterwards.</summary>
    public bool Saved { get; init; }
    public string? Day { get; init; }
    public string? Interval { get; init; }
}

/// <summary>Saves the file as a version of its pipeline (an unchanged file makes none), starts a run, and follows it.</summary>
internal sealed class RunCommand(QualizClient client, Terminal terminal, TimeProvider time)
{
    public async Task<int> ExecuteAsync(RunOptions options, CancellationToken ct)
    {
        var text = await ReadAsync(options.File, ct);
        if (Parameters(options.Set, out var parameters) is { } wrong)
        {
            terminal.Error(wrong);
            return ExitCode.BadInput;
        }
        var file = PipelineFile.Parse(text, options.File);
        if (file.Model is not { Pipeline: var name })
        {
            await ExplainAsync(file, text, options, ct);
            return ExitCode.BadInput;
        }
        var project = $"api/v1/projects/{Uri.EscapeDataString(options.Project)}";
        var saved = await client.PutTextAsync($"{project}/pipelines/{Uri.EscapeDataString(name)}?file={Uri.EscapeDataString(Path.GetFileName(options.File))}", text, "application/yaml", ct);
        var body = new JsonObject { ["pipeline"] = name, ["params"] = parameters };
        RunControl.AddVersion(body, saved);
        if (parameters["day"] is JsonValue day)
        {
            body["day"] = day.DeepClone();
        }
        RunControl.AddTime(body, options.Day, options.Interval);
        // The key makes a start that is sent again after a lost answer the same start.
        var started = await client.PostAsync($"{project}/runs", body, ct, Guid.CreateVersion7().ToString());
        var run = started.Text("id")!;
        var runPath = $"{project}/runs/{run}";
        if (options.Json)
        {
            terminal.Json(new { run, pipeline = name, version = saved.Text("version"), url = new Uri(client.Address, runPath).ToString() });
        }
        else
        {
            var settings = string.Concat(options.Set.Select(setting => $" · {setting}"));
            terminal.Line($"{name}{(saved.Text("version") is { } v ? $" v{v}" : "")} · run {RunIds.Short(run)}{settings}{(Ephemeral.Is ? "" : $" · {new Uri(client.Address, runPath)}")}");
        }
        if (options.Detach && Ephemeral.Is)
        {
            terminal.Error("--detach needs an instance that stays: ./qualiz up --detach. This one ends with the command, so the run is followed.");
        }
        else if (options.Detach)
        {
            if (!options.Json)
            {
                terminal.Line($"It goes on by itself; to follow it: ./qualiz attach {RunIds.Short(run)}");
            }
            return ExitCode.Done;
        }
        return await FollowAsync(runPath, options, ct);
    }

    /// <summary>The instance knows the operators, and finds more than the file alone can show.</summary>
    private async Task ExplainAsync(PipelineFile file, string text, RunOptions options, CancellationToken ct)
    {
        try
        {
            var answer = await client.PostTextAsync(
                $"api/v1/projects/{Uri.EscapeDataString(options.Project)}/pipelines/validate?file={Uri.EscapeDataString(Path.GetFileName(options.File))}", text, "application/yaml", ct);
            foreach (var problem in answer.List("problems"))
            {
                terminal.Error(problem.Deserialize<ProblemError>(ApiJson.Options)!.Describe(options.File));
            }
        }
        catch (Exception unknown) when (unknown is UnreachableException or ProblemException)
        {
            foreach (var problem in file.Problems)
            {
                terminal.Error(problem.ToString());
            }
        }
    }

    /// <param name="after">The number of the last event that is old news; null shows the run from its beginning.</param>
    public async Task<int> FollowAsync(string runPath, RunOptions options, CancellationToken ct, string? after = null)
    {
        var details = await client.GetAsync(runPath, ct);
        using var kept = new StringWriter();
        var shown = options.Json ? Terminal.Silent : options.Quiet ? new Terminal(kept, kept, colour: false, interactive: false) : terminal;
        var view = new RunView(shown, StepsOf(details), Ephemeral.Is, options.Saved || options.Out is not null, once: options.Saved);
        using var interrupts = new CancelOnInterrupt(client, terminal, runPath);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(interrupts.Token);
        var progress = terminal.Live && !options.Json ? new LiveProgress(client, terminal, time).ShowAsync(runPath, view, ended.Token) : Task.CompletedTask;
        try
        {
            await new RunFollower(client, time).FollowAsync(runPath, after, Show, interrupts.Token);
        }
        catch (OperationCanceledException) when (interrupts.Left)
        {
            return ExitCode.Cancelled;
        }
        finally
        {
            await ended.CancelAsync();
            await progress;
        }
        var exit = view.Exit ?? ExitCode.Failed;
        if (options.Quiet && exit != ExitCode.Done)
        {
            terminal.Error(kept.ToString().TrimEnd());
        }
        if (options.Out is not null)
        {
            await new OutputDownload(client, terminal).SaveAsync(runPath, options.Out, options.Format, options.Json, ct);
        }
        return exit == ExitCode.Done && options.Strict && view.Warned ? ExitCode.Warnings : exit;

        void Show(string type, string data)
        {
            if (options.Json)
            {
                var line = JsonNode.Parse(data) as JsonObject ?? [];
                line.Insert(0, "event", type);
                terminal.Json(line);
            }
            view.Show(type, data);
        }
    }

    /// <summary>Each step's operator.</summary>
    private static Dictionary<string, string> StepsOf(JsonElement run) =>
        run.List("steps").ToDictionary(step => step.Text("id") ?? "", step => step.Text("operator") ?? "", StringComparer.Ordinal);

    public static async Task<string> ReadAsync(string file, CancellationToken ct)
    {
        try
        {
            return file == "-" ? await Console.In.ReadToEndAsync(ct) : await File.ReadAllTextAsync(file, ct);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException(unreadable.Message);
        }
    }

    /// <summary>A value that reads as JSON is taken as such (numbers, lists, true); anything else is text.</summary>
    public static string? Parameters(IReadOnlyList<string> settings, out JsonObject parameters)
    {
        parameters = [];
        foreach (var setting in settings)
        {
            var at = setting.IndexOf('=', StringComparison.Ordinal);
            if (at <= 0)
            {
                return $"--set {setting}: expected NAME=VALUE";
            }
            parameters[setting[..at]] = Value(setting[(at + 1)..]);
        }
        return null;
    }

    private static JsonNode Value(string text)
    {
        try
        {
            return JsonNode.Parse(text) ?? JsonValue.Create(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }
}
