using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Text;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Recipes;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Queries;

/// <summary>A checked SELECT over datasets, and what comes out.</summary>
/// <param name="Query">To be run in the session that it was compiled in: it reads views that are there.</param>
public sealed record CompiledQuery(string Query, DatasetSchema Schema);

/// <summary>
/// A SELECT that a person wrote. It reads the declared inputs as tables and nothing else: the engine's own parser reads the text, every node of
/// its tree must be on a list, and what is not listed is refused. What passes is run inside parentheses, in exactly the form that was checked.
/// </summary>
public static partial class SqlQuery
{
    public const string TableUnknown = "tableUnknown";
    public const string NotAllowed = "queryNotAllowed";
    private const int LongestQuery = 100_000;

    /// <summary>The tables of the inputs: a step is its name, a port <c>step_port</c>, a dataset its name; <paramref name="names"/> gives others.</summary>
    /// <exception cref="RecipeException">Two inputs would have one name, or a name is given to no input.</exception>
    public static IReadOnlyList<(string Table, RecipeInput Input)> Tables(IReadOnlyList<RecipeInput> inputs, IReadOnlyDictionary<string, string> names)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(names);
        foreach (var name in names.Keys.Where(name => !inputs.Any(input => input.Name == name)))
        {
            var nearest = NearestName.Find(name, inputs.Select(input => input.Name));
            throw new RecipeException("inputUnknown", $"\"{name}\" is no input of this step{(nearest is null ? "." : $"; did you mean \"{nearest}\"?")}", $"names.{name}") { Suggestion = nearest };
        }
        var tables = inputs.Select(input => (Table: names.GetValueOrDefault(input.Name) ?? TableOf(input.Name), Input: input)).ToList();
        foreach (var (table, input) in tables)
        {
            if (!TableName().IsMatch(table))
                throw new RecipeException(RecipeException.ValueInvalid, $"\"{table}\" cannot be the name of a table: a letter, then letters, digits, _ and -.", $"names.{input.Name}");
        }
        var twice = tables.GroupBy(table => table.Table, StringComparer.OrdinalIgnoreCase).FirstOrDefault(group => group.Count() > 1);
        return twice is null ? tables
            : throw new RecipeException(RecipeException.ValueInvalid, $"The inputs {string.Join(" and ", twice.Select(table => table.Input.Name))} would both be the table \"{twice.Key}\"; give one of them another name.", "names");
    }

    /// <param name="path">Where the query stands in the configuration.</param>
    /// <exception cref="RecipeException">The query is refused, or does not fit the inputs.</exception>
    public static CompiledQuery Compile(EngineSession session, string query, IReadOnlyList<(string Table, RecipeInput Input)> tables, string path)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(tables);
        var text = query.TrimEnd().TrimEnd(';');
        if (string.IsNullOrWhiteSpace(text))
            throw Refused("it is empty", path);
        if (query.Length > LongestQuery)
            throw Refused($"it has more than {LongestQuery} characters", path);
        if (query.Contains('\0', StringComparison.Ordinal))
            throw Refused("it holds a NUL character", path);
        var bare = Parse(session, $"{text}\n", path);
        // Both forms must be one and the same query: text such as "SELECT 1) x, (SELECT 2" is right in one of them only.
        var wrapped = Parse(session, $"SELECT * FROM (\n{text}\n) AS q", path).GetProperty("from_table");
        if (wrapped.GetProperty("type").GetString() != "SUBQUERY" || !RowExpression.Same(bare, wrapped.GetProperty("subquery").GetProperty("node")))
            throw Refused("it is not one SELECT statement", path);
        var walker = new QueryWalker(
            tables.ToDictionary(table => table.Table, table => table.Input.Dataset.Schema.Columns, StringComparer.OrdinalIgnoreCase),
            query, path);
        walker.Check(bare);
        foreach (var (table, input) in tables)
        {
            var columns = input.Dataset.Schema.Columns.Where(column => !column.Hidden).Select(column => column.Name).ToList();
            session.Execute($"CREATE OR REPLACE TEMP VIEW {Sql.Identifier(table)} AS SELECT * FROM {DatasetFiles.Relation(input.Dataset, columns)}");
        }
        var columnsOut = Describe(session, text, walker, tables, path);
        var select = columnsOut.Select(column => $"CAST({Sql.Identifier(column.Name)} AS {DatasetFiles.TypeOf(column).DuckDb}) AS {Sql.Identifier(column.Name)}");
        return new CompiledQuery(
            $"SELECT {string.Join(", ", select)} FROM (\n{text}\n) AS q",
            new DatasetSchema { Columns = [.. columnsOut, .. HiddenColumns.Columns] });
    }

    private static List<DatasetColumn> Describe(EngineSession session, string text, QueryWalker walker, IReadOnlyList<(string Table, RecipeInput Input)> tables, string path)
    {
        IReadOnlyList<(string Name, string Type)> described;
        try
        {
            described = session.Query($"DESCRIBE SELECT * FROM (\n{text}\n) AS q", row => (row.GetString(0), row.GetString(1)));
        }
        catch (EngineException exception)
        {
            throw Unfit(exception, walker, tables, path);
        }
        var sensitive = new SensitiveColumns(tables.SelectMany(table => table.Input.Dataset.Schema.Columns));
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var columns = new List<DatasetColumn>();
        foreach (var (name, type) in described)
        {
            if (HiddenColumns.IsHidden(name) || name.Length == 0)
                throw new RecipeException(RecipeException.ValueInvalid, $"\"{name}\" cannot be the name of a column; give it another one with AS.", path);
            if (!seen.Add(name))
                throw new RecipeException(RecipeException.ValueInvalid, $"Two columns are named \"{name}\"; give one of them another name with AS.", path);
            columns.Add(new DatasetColumn
            {
                Name = name,
                Type = (ColumnType.NearestTo(type)
                    ?? throw new RecipeException(RecipeException.ColumnType, $"Column \"{name}\" has the type {type}, which Qualiz does not have; cast it.", path)).ToString(),
                Sensitivity = sensitive.TagOf(name, walker),
            });
        }
        return columns;
    }

    private static RecipeException Unfit(EngineException exception, QueryWalker walker, IReadOnlyList<(string Table, RecipeInput Input)> tables, string path)
    {
        var match = UnknownColumn().Match(exception.Message);
        if (!match.Success)
            return new RecipeException(RecipeException.ExpressionInvalid, $"The query is refused: {exception.Message.TrimEnd('.', '!')}.", path);
        var name = match.Groups["name"].Value;
        var known = tables.SelectMany(table => table.Input.Dataset.Schema.Columns).Where(column => !column.Hidden).Select(column => column.Name).Distinct().ToList();
        var error = RecipeErrors.ColumnUnknown(name, known, path, walker.PlaceOf(name));
        return walker.LineOf(error.Position) is { } line
            ? new RecipeException(error.Code, $"{error.Message} (line {line.ToString(CultureInfo.InvariantCulture)} of the query)", path) { Suggestion = error.Suggestion, Position = error.Position }
            : error;
    }

    private static JsonElement Parse(EngineSession session, string statement, string path)
    {
        JsonElement root;
        try
        {
            root = JsonSerializer.Deserialize<JsonElement>(session.Scalar<string>($"SELECT CAST(json_serialize_sql({Sql.Literal(statement)}) AS VARCHAR)")!, RowExpression.Deep);
        }
        catch (EngineException)
        {
            throw Refused("it cannot be read", path);
        }
        catch (JsonException)
        {
            throw Refused("it is nested too deeply", path);
        }
        if (root.GetProperty("error").GetBoolean())
        {
            var message = root.TryGetProperty("error_message", out var reason) ? reason.GetString() : null;
            throw Refused(message is null || message.StartsWith("Only SELECT", StringComparison.Ordinal) ? "only SELECT is possible here" : message.TrimEnd('!', '.'), path);
        }
        var statements = root.GetProperty("statements");
        if (statements.GetArrayLength() != 1)
            throw Refused("it is not one SELECT statement", path);
        if (statements[0].GetProperty("named_param_map").GetArrayLength() != 0)
            throw Refused("it has open parameters", path);
        return statements[0].GetProperty("node");
    }

    internal static RecipeException Refused(string why, string path, int? position = null) =>
        new(NotAllowed, $"The query is refused: {why}.", path) { Position = position };

    private static string TableOf(string input)
    {
        if (input.StartsWith("dataset:", StringComparison.Ordinal))
        {
            var name = input["dataset:".Length..];
            var version = name.IndexOf('@', StringComparison.Ordinal);
            return version < 0 ? name : name[..version];
        }
        return input.EndsWith(".out", StringComparison.Ordinal) ? input[..^4] : input.Replace('.', '_');
    }

    [GeneratedRegex(@"^[\p{L}_][\p{L}\p{N}_-]{0,62}$")]
    private static partial Regex TableName();

    [GeneratedRegex("(?:Referenced column|does not have a column named) \"(?<name>[^\"]+)\"")]
    private static partial Regex UnknownColumn();
}

/// <summary>Which columns hold sensitive values, by name: a query may hand a value on under any name that it gives.</summary>
internal sealed class SensitiveColumns
{
    private readonly Dictionary<string, string> _tags;

    public SensitiveColumns(IEnumerable<DatasetColumn> columns) => _tags = columns.Where(column => column.Sensitivity is not null)
        .GroupBy(column => column.Name, StringComparer.OrdinalIgnoreCase)
        .ToDictionary(group => group.Key, group => SensitivityTags.Strictest(group)!, StringComparer.OrdinalIgnoreCase);

    /// <summary>The strictest tag of what the column may hold. Where names do not tell (positions, renamed tables), that is everything.</summary>
    public string? TagOf(string column, QueryWalker walker)
    {
        if (_tags.Count == 0)
            return null;
        if (walker.NamesAreLost)
            return SensitivityTags.Strictest(_tags.Values);
        // What a name stands for may itself be made of names that were given before.
        var names = new HashSet<string>([column], StringComparer.OrdinalIgnoreCase);
        var open = new Queue<string>(names);
        while (open.TryDequeue(out var name))
        {
            foreach (var read in walker.ReadsOf(name).Where(names.Add))
                open.Enqueue(read);
        }
        return SensitivityTags.Strictest(names.Select(name => _tags.GetValueOrDefault(name)));
    }
}
