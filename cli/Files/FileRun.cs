using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Qualiz.Cli.Running;

namespace Qualiz.Cli.Files;

/// <summary>What is asked about a file's rows.</summary>
/// <param name="Pipeline">The name of the pipeline that reads the file.</param>
/// <param name="Doing">What the person is told while the answer is worked out.</param>
/// <param name="Path">Below the address of the rows.</param>
internal sealed record FileQuestion(string Pipeline, string Description, string Doing, string Path);

/// <summary>Runs a pipeline that nobody has written, on files that are uploaded for it and taken away again.</summary>
internal sealed class FileRun(CommandContext context)
{
    /// <summary>The pipelines that they make: nobody has written them, and nobody works on what they leave.</summary>
    public static readonly IReadOnlyList<string> Pipelines = ["qualiz-clean", "qualiz-cluster", "qualiz-match", "qualiz-profile", "qualiz-suggest"];

    /// <summary>How long the instance has them: the person has the result, and the file.</summary>
    public const string Keep = "keep: {intermediate: 1d, runs: 7d, quarantine: false}";

    /// <summary>What the person calls each upload.</summary>
    public Dictionary<string, string> Names { get; } = new(StringComparer.Ordinal);

    /// <param name="pipeline">Its name; its text names a parameter for each file.</param>
    /// <param name="files">Parameter and path.</param>
    /// <param name="quiet">The steps are shown only when something goes wrong.</param>
    /// <param name="finish">Given the run's address, when it ended well; its answer is the exit code.</param>
    /// <param name="failed">The same when it failed: what it has rejected is in no quarantine.</param>
    public async Task<int> ExecuteAsync(
        string pipeline, string text, IReadOnlyDictionary<string, string> files, bool quiet, bool strict, Func<string, Task<int>> finish, CancellationToken ct, Func<string, Task>? failed = null)
    {
        await context.EnsureProjectAsync(ct);
        var saved = await context.Client.PutTextAsync($"{context.ProjectPath}/pipelines/{pipeline}", text, "application/yaml", ct);
        var parameters = new JsonObject();
        try
        {
            foreach (var (name, path) in files)
            {
                context.Terminal.Status([$"reading {path}"]);
                var upload = (await Changes.SendFileAsync(context, path, null, ct)).Text("id")!;
                parameters[name] = upload;
                Names[upload] = Path.GetFileName(path);
            }
            context.Terminal.Status([]);
            var body = new JsonObject { ["pipeline"] = pipeline, ["params"] = parameters.DeepClone() };
            RunControl.AddVersion(body, saved);
            var started = await context.Client.PostAsync($"{context.ProjectPath}/runs", body, ct, Guid.CreateVersion7().ToString());
            var runPath = $"{context.ProjectPath}/runs/{started.Text("id")}";
            var options = new RunOptions("", [], context.Project, context.Json && !quiet, strict, null, Detach: false) { Quiet = quiet, Saved = true };
            var exit = await new RunCommand(context.Client, context.Terminal, TimeProvider.System).FollowAsync(runPath, options, ct);
            if (exit is not (ExitCode.Done or ExitCode.Warnings))
            {
                if (failed is not null && exit == ExitCode.Failed)
                {
                    await failed(runPath);
                }
                return exit;
            }
            var finished = await finish(runPath);
            return finished == ExitCode.Done ? exit : finished;
        }
        finally
        {
            context.Terminal.Status([]);
            foreach (var (_, upload) in parameters)
            {
                await ForgetAsync(upload!.GetValue<string>());
            }
        }
    }

    /// <summary>Asks something about a file, of which nothing is done but reading it.</summary>
    /// <param name="tell">Given the answer and the run's address.</param>
    public Task<int> AskAsync(FileQuestion question, string file, Func<JsonElement, string, Task> tell, CancellationToken ct) =>
        ExecuteAsync(question.Pipeline, Reading(question), new Dictionary<string, string> { ["file"] = file }, quiet: true, strict: false, async runPath =>
        {
            context.Terminal.Status([question.Doing]);
            var answer = await context.Client.GetAsync($"{runPath}/steps/file/outputs/out/{question.Path}", ct, Timeout.InfiniteTimeSpan);
            context.Terminal.Status([]);
            await tell(answer, runPath);
            return ExitCode.Done;
        }, ct);

    /// <summary>The same where the answer is a list of which rules can be made.</summary>
    /// <param name="list">The member that holds it.</param>
    /// <param name="output">Where the rules are written to; null: nowhere.</param>
    /// <param name="advice">What to do with the rules before they are used.</param>
    public Task<int> ProposeAsync(
        FileQuestion question, string file, string list, string? output, Func<IReadOnlyList<JsonElement>, string> rules, string advice, Action<JsonElement, List<JsonElement>> print, CancellationToken ct) =>
        AskAsync(question, file, async (answer, _) =>
        {
            var items = answer.List(list).ToList();
            if (output is not null)
            {
                await File.WriteAllTextAsync(output, rules(items), new UTF8Encoding(false), ct);
            }
            if (context.Json)
            {
                foreach (var item in items)
                {
                    context.Terminal.Json(item);
                }
                return;
            }
            print(answer, items);
            if (output is not null)
            {
                context.Terminal.Line($"{output}: {advice}, then: qualiz clean {file} -o OUT --rules {output}");
            }
        }, ct);

    private static string Reading(FileQuestion question) => $$$"""
        # Made by ./qualiz at the command line
        qualiz: 1
        pipeline: {{{question.Pipeline}}}
        description: {{{question.Description}}}
        {{{Keep}}}
        params: {file: {type: text}}
        steps:
          file: {uses: ingest, with: {from: {upload: "${params.file}"}, onEmpty: fail}}

        """;

    private async Task ForgetAsync(string upload)
    {
        try
        {
            await context.Client.DeleteAsync($"{context.ProjectPath}/uploads/{upload}", CancellationToken.None);
        }
        catch (Exception failure) when (failure is ProblemException or UnreachableException)
        {
            // It stays among the uploads, where it can be deleted by hand.
        }
    }
}
