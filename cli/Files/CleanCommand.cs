using System.Text;
using Qualiz.Cli.Running;

namespace Qualiz.Cli.Files;

/// <summary><c>clean FILE -o OUT</c>: the clean rows, and beside them the rejected ones with their reasons.</summary>
internal sealed class CleanCommand(CommandContext context)
{
    private const string Name = "qualiz-clean";

    /// <summary>Only what no value can lose by: "NA" may be Namibia and "none" an answer, so they stay.</summary>
    private const string DefaultRules = """
        rules:
          - {rule: trim, columns: "*"}
          - {rule: nulls, columns: "*", values: [N/A, "#N/A", "NULL", "-", "?"]}

        """;

    private const string Head = $$$"""
        # Made by ./qualiz clean
        qualiz: 1
        pipeline: qualiz-clean
        description: Cleans a file at the command line
        {{{FileRun.Keep}}}
        params: {file: {type: text}}
        steps:
          read: {uses: ingest, with: {from: {upload: "${params.file}"}, onEmpty: fail}}
          clean:
            uses: cleanse
            inputs: [read]
            with:

        """;

    private const int Indent = 6;

    public async Task<int> ExecuteAsync(string file, string output, string? rulesFile, bool strict, CancellationToken ct)
    {
        var format = FormatOf(output);
        var rules = rulesFile is null ? DefaultRules : await RunCommand.ReadAsync(rulesFile, ct);
        try
        {
            return await new FileRun(context).ExecuteAsync(
                Name, Head + Indented(rules), new Dictionary<string, string> { ["file"] = file }, quiet: false, strict, runPath => SaveAsync(runPath, file, output, format, ct), ct,
                runPath => SaveRejectedAsync(runPath, file, output, ct));
        }
        catch (ProblemException problem) when (rulesFile is not null && problem.Errors.Any(error => error.Line is not null))
        {
            // The server has seen the rules within a pipeline; the person has them in a file of their own.
            var above = Head.Count(letter => letter == '\n');
            foreach (var error in problem.Errors)
            {
                var moved = error.Line > above ? error with { Line = error.Line - above, Column = Math.Max(1, (error.Column ?? 1) - Indent) } : error;
                context.Terminal.Error(moved.Describe(rulesFile));
            }
            return ExitCode.BadInput;
        }
    }

    private async Task<int> SaveAsync(string runPath, string file, string output, string format, CancellationToken ct)
    {
        if (Path.GetDirectoryName(output) is { Length: > 0 } folder)
        {
            Directory.CreateDirectory(folder);
        }
        var download = new OutputDownload(context.Client, context.Terminal);
        await download.TrySaveAsync($"{runPath}/steps/clean/outputs/out/download?format={format}&unmask=true", output, ct);
        if (!context.Json)
        {
            context.Terminal.Line($"clean rows: {output}");
        }
        var rejected = await SaveRejectedAsync(runPath, file, output, ct);
        if (context.Json)
        {
            context.Terminal.Json(new { @out = output, rejected = rejected == 0 ? null : RejectedBeside(output), rejectedRows = rejected });
        }
        return ExitCode.Done;
    }

    private async Task<long> SaveRejectedAsync(string runPath, string file, string output, CancellationToken ct)
    {
        var beside = RejectedBeside(output);
        var rejected = await new RejectedDownload(context.Client, Path.GetFileName(file)).SaveAsync(runPath, ["read", "clean"], beside, ct);
        if (rejected > 0 && !context.Json)
        {
            context.Terminal.Line($"{StepView.Number(rejected)} rejected {(rejected == 1 ? "row" : "rows")} with reasons: {beside}");
        }
        return rejected;
    }

    /// <exception cref="BadInputException">The name does not say how to write.</exception>
    public static string FormatOf(string output) => Path.GetExtension(output).ToLowerInvariant() switch
    {
        ".csv" => "csv",
        ".jsonl" or ".ndjson" => "jsonl",
        ".parquet" => "parquet",
        var other => throw new BadInputException($"{output}: \"{other}\" is no format that can be written; name it .csv, .jsonl or .parquet"),
    };

    public static string RejectedBeside(string output) => Path.ChangeExtension(output, ".rejected.csv");

    private static string Indented(string text)
    {
        var lines = text.TrimStart('\uFEFF').ReplaceLineEndings("\n").Split('\n');
        var indented = new StringBuilder();
        foreach (var line in lines)
        {
            indented.Append(line.Length == 0 ? "" : new string(' ', Indent)).Append(line).Append('\n');
        }
        return indented.ToString();
    }
}
