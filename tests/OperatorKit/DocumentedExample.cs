using System.Text.RegularExpressions;
using Qualiz.Contracts.Files;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.OperatorKit;

/// <summary>
/// An example of docs/operators.md: the <c>with:</c> block of a step, then tables. A table's first line names it and its columns
/// (<c>in: name, zip, age:int64</c>), the lines below are its rows; ∅ is an empty cell.
/// </summary>
public sealed partial record DocumentedExample(string Config, IReadOnlyDictionary<string, DocumentedTable> Tables)
{
    /// <summary>All examples under the heading <c>### operator</c>.</summary>
    public static IReadOnlyList<DocumentedExample> Of(string op)
    {
        var section = Section().Matches(File.ReadAllText(Document())).FirstOrDefault(match => match.Groups["name"].Value == op)
            ?? throw new InvalidOperationException($"docs/operators.md has no section \"{op}\".");
        return
        [
            .. Example().Matches(section.Groups["text"].Value).Select(match => new DocumentedExample(
                Json(match.Groups["yaml"].Value),
                ReadTables(match.Groups["tables"].Value).ToDictionary(table => table.Name))),
        ];
    }

    private static IEnumerable<DocumentedTable> ReadTables(string text)
    {
        var lines = text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        for (var i = 0; i < lines.Length;)
        {
            var head = Head().Match(lines[i++]);
            if (!head.Success)
                throw new InvalidOperationException($"\"{lines[i - 1]}\" is no head of a table.");
            var rows = new List<IReadOnlyList<string>>();
            while (i < lines.Length && !Head().IsMatch(lines[i]))
                rows.Add(lines[i++].Split(" | ", StringSplitOptions.TrimEntries));
            yield return new DocumentedTable(head.Groups["name"].Value, head.Groups["columns"].Value.Split(" | ", StringSplitOptions.TrimEntries), rows);
        }
    }

    private static string Json(string yaml)
    {
        var indented = string.Join("\n", yaml.TrimEnd().Split('\n').Select(line => $"  {line}"));
        var problems = new List<FileProblem>();
        var read = DocumentReader.Read($"with:\n{indented}\n", "operators.md", problems);
        return problems.Count == 0 && read is ObjectNode root
            ? root.Find("with")!.Value.ToJson().GetRawText()
            : throw new InvalidOperationException(string.Join(" ", problems.Select(problem => problem.Message)));
    }

    private static string Document()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "docs", "operators.md")))
            folder = folder.Parent;
        return Path.Combine(folder.FullName, "docs", "operators.md");
    }

    [GeneratedRegex(@"^### (?<name>\w+)\n(?<text>(?:(?!^#).*\n?)*)", RegexOptions.Multiline)]
    private static partial Regex Section();

    [GeneratedRegex(@"^```yaml\n(?<yaml>(?:(?!```).*\n)+)```\n\n?(?<tables>(?:    .*\n?)+)", RegexOptions.Multiline)]
    private static partial Regex Example();

    [GeneratedRegex(@"^(?<name>in\d?|dataset:[\w-]+|[a-z]+): (?<columns>.+)$")]
    private static partial Regex Head();
}

/// <param name="Columns">Names, each with a type after a colon when it is not text.</param>
public sealed record DocumentedTable(string Name, IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows)
{
    public IReadOnlyList<string> Names => [.. Columns.Select(column => column.Split(':')[0])];

    /// <summary>The rows as a query, in this order.</summary>
    public string Query()
    {
        var rows = Rows.Select(row => $"({string.Join(", ", row.Select(cell => cell == "∅" ? "NULL" : Sql.Literal(cell)))})");
        var columns = Columns.Select(column =>
        {
            var parts = column.Split(':');
            return $"CAST({Sql.Identifier(parts[0])} AS {(parts.Length == 1 ? ColumnType.Text : ColumnType.Parse(parts[1])).DuckDb}) AS {Sql.Identifier(parts[0])}";
        });
        return $"SELECT {string.Join(", ", columns)} FROM (VALUES {string.Join(", ", rows)}) t({Sql.Identifiers(Names)})";
    }

    /// <summary>The rows as <see cref="OperatorBench.RowsAsync"/> gives them.</summary>
    public IReadOnlyList<string> Lines => [.. Rows.Select(row => string.Join("|", row))];
}
