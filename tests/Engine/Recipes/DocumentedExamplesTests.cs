using System.Text.Json;
using System.Text.RegularExpressions;
using Qualiz.Engine.Sessions;
using YamlDotNet.RepresentationModel;

namespace Qualiz.Engine.Tests.Recipes;

/// <summary>Every example of docs/rules.md does what it says there.</summary>
public sealed partial class DocumentedExamplesTests
{
    public static TheoryData<string, string, string> Examples()
    {
        var examples = new TheoryData<string, string, string>();
        foreach (Match match in Example().Matches(File.ReadAllText(Document())))
            examples.Add(match.Groups["title"].Value, match.Groups["yaml"].Value, match.Groups["rows"].Value);
        return examples;
    }

    [Fact]
    public void Every_rule_and_check_has_an_example()
    {
        var titles = Examples().Select(row => (string)((object[])row)[0]).ToHashSet();
        foreach (var type in (Type[])[typeof(Qualiz.Engine.Recipes.Rule), typeof(Qualiz.Engine.Recipes.Check)])
        {
            foreach (var variant in type.GetCustomAttributes(typeof(System.Text.Json.Serialization.JsonDerivedTypeAttribute), false).Cast<System.Text.Json.Serialization.JsonDerivedTypeAttribute>())
                titles.ShouldContain((string)variant.TypeDiscriminator!);
        }
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public async Task The_example_is_right(string title, string yaml, string rows)
    {
        using var bench = new RecipeBench();
        var lines = rows.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var header = lines[0].Split(':', StringSplitOptions.TrimEntries);
        var type = header.Length > 1 ? Qualiz.Engine.Types.ColumnType.Parse(header[1]).DuckDb : "VARCHAR";
        var cases = lines[1..].Select(line => line.Split(" => ")).ToList();
        var values = string.Join(", ", cases.Select((entry, i) => $"({i}, CAST({(entry[0] == "∅" ? "NULL" : Sql.Literal(entry[0][1..^1]))} AS {type}))"));
        var query = $"SELECT v AS {Sql.Identifier(header[0])} FROM (VALUES {values}) t(i, v) ORDER BY i";
        var json = Json(yaml);
        var isRule = yaml.StartsWith("{rule:", StringComparison.Ordinal);
        var output = await bench.RunAsync(query, isRule ? $"[{json}]" : "[]", isRule ? "[]" : $"[{json}]");

        output.Rows.ShouldBe(cases.Where(entry => entry[1] is not ("rejected" or "filtered")).Select(entry => entry[1] == "∅" ? "∅" : entry[1][1..^1]), title);
        output.Rejected.Select(row => row.Row).ShouldBe(cases.Select((entry, i) => (entry, i)).Where(entry => entry.entry[1] == "rejected").Select(entry => entry.i + 1L), title);
        output.Result.Filtered.ShouldBe(cases.Count(entry => entry[1] == "filtered"), title);
        output.Result.Fatal.ShouldBeEmpty(title);
    }

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

    [GeneratedRegex(@"^### (?<title>\w+)\n(?:(?!###)[^\n]*\n)*?```yaml\n(?<yaml>[^\n]+)\n```\n(?<rows>(?:    [^\n]+\n?)+)", RegexOptions.Multiline)]
    private static partial Regex Example();
}
