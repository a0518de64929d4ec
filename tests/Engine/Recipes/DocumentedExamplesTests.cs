using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Qualiz.Engine.Recipes;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;
using YamlDotNet.RepresentationModel;

namespace Qualiz.Engine.Tests.Recipes;

/// <summary>Every example of docs/rules.md does what it says there.</summary>
public sealed partial class DocumentedExamplesTests
{
    public static TheoryData<string, string, string> Examples()
    {
        var examples = new TheoryData<string, string, string>();
        var text = File.ReadAllText(Document());
        var titles = Title().Matches(text);
        foreach (Match match in Example().Matches(text))
            examples.Add(titles.Last(title => title.Index < match.Index).Groups["title"].Value, match.Groups["yaml"].Value, match.Groups["rows"].Value);
        return examples;
    }

    [Fact]
    public void Every_rule_and_check_has_an_example()
    {
        var titles = Examples().Select(row => (object[])row).Select(row => $"{((string)row[1])[1..5].TrimEnd(':', 'k')} {row[0]}").ToHashSet();
        foreach (var (type, kind) in new[] { (typeof(Rule), "rule"), (typeof(Check), "chec") })
        {
            foreach (var variant in type.GetCustomAttributes(typeof(JsonDerivedTypeAttribute), false).Cast<JsonDerivedTypeAttribute>())
                titles.ShouldContain($"{kind} {variant.TypeDiscriminator}");
        }
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public async Task The_example_is_right(string title, string yaml, string rows)
    {
        using var bench = new RecipeBench();
        var lines = rows.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var header = lines[0].Split(" => ");
        var columns = Cells(header[0]).Select(column => column.Split(':', 2, StringSplitOptions.TrimEntries)).ToList();
        var types = columns.ConvertAll(column => column.Length > 1 ? ColumnType.Parse(column[1]).DuckDb : "VARCHAR");
        var cases = lines[1..].Select(line => line.Split(" => ")).ToList();
        var values = string.Join(", ", cases.Select((entry, i) =>
            $"({i}, {string.Join(", ", Cells(entry[0]).Select((cell, c) => $"CAST({(cell == "∅" ? "NULL" : Sql.Literal(cell[1..^1]))} AS {types[c]})"))})"));
        var names = Sql.Identifiers(columns.ConvertAll(column => column[0]));
        var query = $"SELECT {names} FROM (VALUES {values}) t(\"the place\", {names}) ORDER BY \"the place\"";
        bench.References["dataset:countries"] = (await bench.InputAsync("SELECT * FROM (VALUES ('NO'), ('GB'), (NULL)) t(iso2)", "countries")).Dataset;
        var json = Json(yaml);
        var isRule = yaml.StartsWith("{rule:", StringComparison.Ordinal);
        var output = await bench.RunAsync(query, isRule ? $"[{json}]" : "[]", isRule ? "[]" : $"[{json}]");

        output.Rows.ShouldBe(cases.Where(entry => entry[1] is not ("rejected" or "filtered"))
            .SelectMany(entry => entry[1].Split(" && ")).Select(row => string.Join("|", Cells(row).Select(cell => cell == "∅" ? "∅" : cell[1..^1]))), title);
        if (header.Length > 1)
            output.Compiled.Schema.Columns.Where(column => !column.Hidden).Select(column => column.Name).ShouldBe(Cells(header[1]), title);
        output.Rejected.Select(row => row.Row).ShouldBe(cases.Select((entry, i) => (entry, i)).Where(entry => entry.entry[1] == "rejected").Select(entry => entry.i + 1L), title);
        output.Result.Filtered.ShouldBe(cases.Count(entry => entry[1] == "filtered"), title);
        (output.Result.In + output.Result.Added).ShouldBe(output.Result.Out + output.Result.Rejected + output.Result.Filtered, title);
        output.Result.Fatal.ShouldBeEmpty(title);
    }

    private static string[] Cells(string line) => line.Split(" | ", StringSplitOptions.TrimEntries);

    private static string Json(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        return JsonSerializer.Serialize(Value(stream.Documents[0].RootNode));
    }

    private static object Value(YamlNode node) => node switch
    {
        YamlMappingNode map => map.Children.ToDictionary(entry => ((YamlScalarNode)entry.Key).Value!, entry => Value(entry.Value)),
        YamlSequenceNode list => list.Children.Select(Value).ToList(),
        YamlScalarNode { Style: YamlDotNet.Core.ScalarStyle.Plain, Value: "true" } => true,
        YamlScalarNode { Style: YamlDotNet.Core.ScalarStyle.Plain, Value: "false" } => false,
        YamlScalarNode { Style: YamlDotNet.Core.ScalarStyle.Plain } scalar when long.TryParse(scalar.Value, out var number) => number,
        YamlScalarNode { Style: YamlDotNet.Core.ScalarStyle.Plain } scalar when decimal.TryParse(scalar.Value, System.Globalization.CultureInfo.InvariantCulture, out var number) => number,
        YamlScalarNode scalar => scalar.Value!,
        _ => throw new InvalidOperationException(),
    };

    private static string Document()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "docs", "rules.md")))
            folder = folder.Parent;
        return Path.Combine(folder.FullName, "docs", "rules.md");
    }

    [GeneratedRegex(@"^### (?<title>\w+)\n", RegexOptions.Multiline)]
    private static partial Regex Title();

    [GeneratedRegex(@"^```yaml\n(?<yaml>[^\n]+)\n```\n(?<rows>(?:    [^\n]+\n?)+)", RegexOptions.Multiline)]
    private static partial Regex Example();
}
