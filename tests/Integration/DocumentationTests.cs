using System.Text.RegularExpressions;

namespace Qualiz.Integration.Tests;

/// <summary>Whoever copies an example out of the documentation can save it.</summary>
public sealed partial class DocumentationTests(InProcessHost host) : IClassFixture<InProcessHost>
{
    [Fact]
    public async Task Every_example_of_an_operator_can_be_saved()
    {
        var project = $"d{Guid.NewGuid():N}"[..12];
        await host.Api.PostAsync("projects", new { slug = project, name = project });
        await host.Api.PutAsync($"projects/{project}/connections/mail", new { type = "smtp", settings = new { host = "smtp.example.org", port = 587, from = "qualiz@example.org" } });
        await host.Api.SavePipelineAsync(project, "load-rates", "qualiz: 1\npipeline: load-rates\nparams:\n  country: {type: text}\nsteps:\n  say: {uses: log, with: {message: hello}}\n");
        var found = Examples().ToList();
        found.Select(example => example.Operator).Distinct().ShouldBe(["enrich", "dedup", "detect", "notify", "transform", "sql", "subjob"]);
        foreach (var example in found)
        {
            var inputs = new Dictionary<string, Guid>();
            foreach (var (table, csv) in example.Tables)
            {
                if (table.StartsWith("dataset:", StringComparison.Ordinal))
                    await host.Api.PostAsync($"projects/{project}/datasets/{table["dataset:".Length..]}/versions", new { upload = await host.Api.UploadAsync(project, "dataset.csv", csv) });
                else
                    inputs[table] = await host.Api.UploadAsync(project, $"{table}.csv", csv);
            }

            var name = $"documented-{found.IndexOf(example)}";
            var yaml = Pipeline(name, example, inputs);
            var checkedFile = await host.Api.ValidateAsync(project, yaml);
            checkedFile.List("problems").Where(problem => problem.Text("severity") != "warning").Select(problem => $"{problem.Text("line")}: {problem.Text("message")}")
                .ShouldBeEmpty($"{example.Operator}:\n{yaml}");
            await host.Api.SavePipelineAsync(project, name, yaml);
        }
    }

    private static string Pipeline(string name, Example example, Dictionary<string, Guid> inputs)
    {
        var before = inputs.Select(input => $$"""  {{input.Key}}: {uses: ingest, with: {from: {upload: "{{input.Value}}"} } }""");
        var with = string.Join("\n", example.Config.TrimEnd().Split('\n').Select(line => $"      {line}"));
        // Examples of steps without inputs read the step "clean" or the parameter "country".
        return $"""
            qualiz: 1
            pipeline: {name}
            params:
              country: {"{type: text, default: GB}"}
            steps:
              clean: {"{uses: log, with: {message: clean}}"}
            {string.Concat(before.Select(step => $"{step}\n"))}  documented:
                uses: {example.Operator}
                {(inputs.Count == 0 ? "needs: [clean]" : $"inputs: [{string.Join(", ", inputs.Keys)}]")}
                with:
            {with}

            """;
    }

    private static IEnumerable<Example> Examples()
    {
        var text = File.ReadAllText(Document());
        foreach (Match section in Section().Matches(text[text.IndexOf("# The operators at hand", StringComparison.Ordinal)..]))
        {
            foreach (Match block in Block().Matches(section.Groups["text"].Value))
                yield return new Example(section.Groups["name"].Value, block.Groups["yaml"].Value, Inputs(block.Groups["tables"].Value));
        }
    }

    /// <summary>The tables that go in, as CSV.</summary>
    private static Dictionary<string, string> Inputs(string tables)
    {
        var read = new Dictionary<string, string>();
        string? name = null;
        foreach (var line in tables.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (Head().Match(line) is { Success: true } head)
            {
                name = head.Groups["name"].Value is var given && (given.StartsWith("in", StringComparison.Ordinal) || given.StartsWith("dataset:", StringComparison.Ordinal)) ? given : null;
                if (name is not null)
                    read[name] = Row(head.Groups["columns"].Value.Split(" | ").Select(column => column.Split(':')[0]));
            }
            else if (name is not null)
            {
                read[name] += Row(line.Split(" | ").Select(cell => cell == "∅" ? "" : cell));
            }
        }
        return read;
    }

    private static string Row(IEnumerable<string> cells) => string.Join(',', cells) + "\n";

    private static string Document()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "docs", "operators.md")))
            folder = folder.Parent;
        return Path.Combine(folder.FullName, "docs", "operators.md");
    }

    private sealed record Example(string Operator, string Config, IReadOnlyDictionary<string, string> Tables);

    [GeneratedRegex(@"^### (?<name>\w+)\n(?<text>(?:(?!^#).*\n?)*)", RegexOptions.Multiline)]
    private static partial Regex Section();

    [GeneratedRegex(@"^```yaml\n(?<yaml>(?:(?!```).*\n)+)```\n(?:\n(?<tables>(?:    .*\n?)+))?", RegexOptions.Multiline)]
    private static partial Regex Block();

    [GeneratedRegex(@"^(?<name>in\d?|dataset:[\w-]+|[a-z]+): (?<columns>.+)$")]
    private static partial Regex Head();
}
