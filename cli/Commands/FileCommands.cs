using System.CommandLine;
using Qualiz.Cli.Files;

namespace Qualiz.Cli.Commands;

/// <summary>For a file at hand and nothing else: no pipeline to write, no instance to run.</summary>
internal static class FileCommands
{
    public static IEnumerable<Command> All() => [Profile(), Clean(), Cluster(), Match()];

    /// <exception cref="BadInputException">There is no such file, or nothing in it.</exception>
    private static void CheckData(string path)
    {
        Changes.CheckFile(path);
        // What comes out of a pipe has no length yet.
        if (!path.StartsWith("/dev/", StringComparison.Ordinal) && new FileInfo(path).Length == 0)
        {
            throw new BadInputException($"{path} is empty");
        }
    }

    private static ClientCommand Profile()
    {
        var file = new Argument<string>("FILE") { Description = "CSV, JSON, JSON Lines, Parquet, ..., also compressed by gzip" };
        var dependencies = new Option<bool>("--dependencies") { Description = "Say also which columns say what stands in another one, and which rows contradict; this takes longer" };
        var suggest = new Option<bool>("--suggest") { Description = "Say instead which rules and checks the rows speak for, with the evidence" };
        var output = new Option<string?>("--out", "-o") { Description = "With --suggest: write them as rules, the sure ones to be used, the others to be chosen from, then give the file to clean --rules" };
        return new ClientCommand(
            "profile", "Say what is in a file: types, empty cells, values and patterns of each column",
            "profile customers.csv", "profile customers.csv --json", "profile customers.csv --dependencies", "profile customers.csv --suggest -o rules.yaml")
        {
            file, dependencies, suggest, output,
        }.Doing(
            (context, ct) => context.Get(suggest)
                ? new SuggestCommand(context).ExecuteAsync(context.Get(file)!, context.Get(output), ct)
                : new ProfileCommand(context).ExecuteAsync(context.Get(file)!, context.Get(dependencies), ct),
            check: context =>
            {
                CheckData(context.Get(file)!);
                if (context.Get(output) is not null && !context.Get(suggest))
                {
                    throw new BadInputException("-o is for --suggest");
                }
                if (context.Get(dependencies) && context.Get(suggest))
                {
                    throw new BadInputException("--dependencies and --suggest are two different answers; ask for one of them");
                }
            });
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
        }.Doing((context, ct) => new CleanCommand(context).ExecuteAsync(context.Get(file)!, context.Get(output)!, context.Get(rules), context.Get(strict), ct), check: context =>
        {
            CheckData(context.Get(file)!);
            CleanCommand.FormatOf(context.Get(output)!);
            if (context.Get(rules) is { } recipe)
            {
                Changes.CheckFile(recipe);
            }
        });
    }

    private static ClientCommand Cluster()
    {
        var file = new Argument<string>("FILE") { Description = "CSV, JSON, JSON Lines, Parquet, ..., also compressed by gzip" };
        var column = new Argument<string>("COLUMN") { Description = "A column of texts" };
        var by = new Option<string>("--by")
        {
            Description = "fingerprint: the same words; ngram: the same letters; phonetic: the same sound in English; nearest: a letter or two apart",
            DefaultValueFactory = _ => "fingerprint",
        };
        var output = new Option<string?>("--out", "-o") { Description = "Write the merges as rules: take out what is wrong, then give the file to clean --rules" };
        return new ClientCommand(
            "cluster", "Find the values of a column that are spellings of one another",
            "cluster customers.csv city",
            "cluster customers.csv city --by nearest -o merges.yaml")
        {
            file, column, by, output,
        }.Doing(
            (context, ct) => new ClusterCommand(context).ExecuteAsync(context.Get(file)!, context.Get(column)!, context.Get(by)!, context.Get(output), ct),
            check: context =>
            {
                Changes.CheckFile(context.Get(file)!);
                if (context.Get(by) is not ("fingerprint" or "ngram" or "phonetic" or "nearest"))
                {
                    throw new BadInputException($"--by {context.Get(by)}: there are fingerprint, ngram, phonetic and nearest");
                }
            });
    }

    private static ClientCommand Match()
    {
        var first = new Argument<string>("A") { Description = "A file: its own rows are compared with each other" };
        var second = new Argument<string?>("B") { Arity = ArgumentArity.ZeroOrOne, Description = "A second file, whose rows may be those of A too; columns are told by their names" };
        var output = new Option<string>("--out", "-o") { Description = "A folder for entities, members and pairs", Required = true };
        var keys = new Option<string[]>("--key") { Description = "Rows with equal values there are the same for certain: COLUMN, or COLUMN,COLUMN together; may be given several times", DefaultValueFactory = _ => [] };
        var keysOnly = new Option<bool>("--exact") { Description = "Only the keys count, nothing that is merely similar" };
        var accept = new Option<double>("--accept") { Description = "Rows at least this likely to be the same are one (0 to 1)", DefaultValueFactory = _ => 0.95 };
        var review = new Option<double>("--review") { Description = "Pairs at least this likely are listed for a person (0 to 1)", DefaultValueFactory = _ => 0.6 };
        return new ClientCommand(
            "match", "Find the rows of one or two files that are the same thing",
            "match customers.csv -o matched",
            "match crm.csv shop.csv -o matched --key email --accept 0.9",
            "match orders.csv -o matched --key number,year --exact")
        {
            first, second, output, keys, keysOnly, accept, review,
        }.Doing((context, ct) => new MatchCommand(context).ExecuteAsync(
            context.Get(first)!, context.Get(second), context.Get(output)!,
            new MatchOptions(context.Get(keys) ?? [], context.Get(accept), context.Get(review), context.Get(keysOnly)), ct), check: context =>
        {
            CheckData(context.Get(first)!);
            if (context.Get(second) is { } other)
            {
                CheckData(other);
            }
            if (context.Get(keysOnly) && context.Get(keys) is not { Length: > 0 })
            {
                throw new BadInputException("--exact needs at least one --key");
            }
            if (context.Get(accept) is not (>= 0 and <= 1) || context.Get(review) is not (>= 0 and <= 1))
            {
                throw new BadInputException("--accept and --review are probabilities, from 0 to 1");
            }
        });
    }
}
