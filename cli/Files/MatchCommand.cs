using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Qualiz.Cli.Running;

namespace Qualiz.Cli.Files;

/// <param name="Keys">Columns, separated by commas where several together are a key.</param>
internal sealed record MatchOptions(IReadOnlyList<string> Keys, double Accept, double Review, bool KeysOnly);

/// <summary><c>match A [B] -o DIR</c>: which rows of one or two files are the same thing.</summary>
internal sealed partial class MatchCommand(CommandContext context)
{
    private static readonly (string Port, string Meaning)[] Tables =
    [
        ("entities", "one row for each thing"),
        ("members", "one row for each row that came in, with its entity"),
        ("pairs", "pairs that are the same or may be, most doubtful included"),
        ("provenance", "which row each value of an entity was taken from"),
    ];

    public Task<int> ExecuteAsync(string first, string? second, string folder, MatchOptions options, CancellationToken ct)
    {
        var files = new Dictionary<string, string> { ["a"] = first };
        if (second is not null)
        {
            files["b"] = second;
        }
        var run = new FileRun(context);
        return run.ExecuteAsync("qualiz-match", Pipeline(options, second is not null), files, quiet: false, strict: false, async runPath =>
        {
            Directory.CreateDirectory(folder);
            var download = new OutputDownload(context.Client, context.Terminal);
            foreach (var (port, meaning) in Tables)
            {
                var target = Path.Combine(folder, $"{port}.csv");
                if (await download.TrySaveAsync($"{runPath}/steps/match/outputs/{port}/download?format=csv&unmask=true", target, ct))
                {
                    NameSources(target, run.Names);
                    if (!context.Json)
                    {
                        context.Terminal.Line($"{target}  {context.Terminal.Faint(meaning)}");
                    }
                }
            }
            var beside = Path.Combine(folder, "rejected.csv");
            var rejected = await new RejectedDownload(context.Client, Path.GetFileName(first)).SaveAsync(runPath, second is null ? ["a"] : ["a", "b"], beside, ct);
            if (context.Json)
            {
                context.Terminal.Json(new { @out = folder, rejectedRows = rejected });
            }
            else if (rejected > 0)
            {
                context.Terminal.Line($"{beside}  {RejectedDownload.Told(rejected)}");
            }
            return ExitCode.Done;
        }, ct);
    }

    /// <summary>A source is an upload that is gone by now; the person knows it as a file.</summary>
    internal static void NameSources(string path, IReadOnlyDictionary<string, string> names)
    {
        using (var named = new StreamWriter(path + ".partial", append: false, new UTF8Encoding(false)) { NewLine = "\r\n" })
        {
            foreach (var line in File.ReadLines(path))
            {
                named.WriteLine(UploadSource().Replace(line, source => names.TryGetValue(source.Groups[1].Value, out var name)
                    ? string.Concat(name.Select(letter => letter is ',' or '"' or '\n' or '\r' ? '_' : letter))
                    : source.Value));
            }
        }
        File.Move(path + ".partial", path, overwrite: true);
    }

    [GeneratedRegex("upload:([0-9a-f-]{36})(@[0-9a-f]+)?", RegexOptions.NonBacktracking)]
    private static partial Regex UploadSource();

    internal static string Pipeline(MatchOptions options, bool two)
    {
        var text = new StringBuilder("""
            # Made by ./qualiz match
            qualiz: 1
            pipeline: qualiz-match
            description: Finds rows of files at the command line that are the same thing

            """);
        text.Append(CultureInfo.InvariantCulture, $"{FileRun.Keep}\nparams: {{a: {{type: text}}{(two ? ", b: {type: text}" : "")}}}\nsteps:\n");
        foreach (var file in two ? new[] { "a", "b" } : ["a"])
        {
            text.Append(CultureInfo.InvariantCulture, $"  {file}: {{uses: ingest, with: {{from: {{upload: \"${{params.{file}}}\"}}, onEmpty: fail}}}}\n");
        }
        text.Append(CultureInfo.InvariantCulture, $"  match:\n    uses: dedup\n    inputs: [{(two ? "a, b" : "a")}]\n    with:\n");
        if (options.Keys.Count > 0)
        {
            var keys = options.Keys.Select(key => new { columns = key.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) });
            text.Append(CultureInfo.InvariantCulture, $"      keys: {JsonSerializer.Serialize(keys, ApiJson.Options)}\n");
        }
        if (!options.KeysOnly)
        {
            text.Append(CultureInfo.InvariantCulture, $"      match: {{auto: true, accept: {options.Accept}, review: {options.Review}}}\n");
        }
        return text.ToString();
    }
}
