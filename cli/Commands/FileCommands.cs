using System.CommandLine;
using Qualiz.Cli.Files;

namespace Qualiz.Cli.Commands;

/// <summary>For a file at hand and nothing else: no pipeline to write, no instance to run.</summary>
internal static class FileCommands
{
    public static IEnumerable<Command> All() => [Profile(), Clean()];

    private static ClientCommand Profile()
    {
        var file = new Argument<string>("FILE") { Description = "CSV, JSON, JSON Lines, Parquet, ..., also compressed by gzip" };
        return new ClientCommand("profile", "Say what is in a file: types, empty cells, values and patterns of each column", "profile customers.csv", "profile customers.csv --json") { file }
            .Doing((context, ct) => new ProfileCommand(context).ExecuteAsync(context.Get(file)!, ct));
    }

    private static ClientCommand Clean()
    {
        var file = new Argument<string>("FILE") { Description = "CSV, JSON, JSON Lines, Parquet, ..., also compressed by gzip" };
        var output = new Option<string>("--out", "-o") { Description = "Where to: .csv, .jsonl or .parquet. Rejected rows go beside it, as NAME.rejected.csv", Required = true };
        var rules = new Option<string?>("--rules")
        {
            Description = "Rules and checks (YAML, as under with: of a cleanse step; docs/rules.md). Without it: trim all texts, and make \"\", N/A, #N/A, NULL, - and ? empty",
        };
        var strict = new Option<bool>("--strict") { Description = "Exit 3 when rows were rejected" };
        return new ClientCommand(
            "clean", "Clean a file",
            "clean customers.csv -o customers.clean.csv",
            "clean customers.csv.gz -o customers.parquet --rules rules.yaml --strict")
        {
            file, output, rules, strict,
        }.Doing((context, ct) => new CleanCommand(context).ExecuteAsync(context.Get(file)!, context.Get(output)!, context.Get(rules), context.Get(strict), ct));
    }
}
