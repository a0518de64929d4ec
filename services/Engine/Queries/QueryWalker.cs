using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Text;
using Qualiz.Engine.Recipes;

namespace Qualiz.Engine.Queries;

/// <summary>Goes through the whole tree of a SELECT: what is not on a list is refused. On its way it notes which columns go into which names.</summary>
/// <param name="inputs">The columns of each table.</param>
internal sealed class QueryWalker(IReadOnlyDictionary<string, IReadOnlyList<DatasetColumn>> inputs, string query, string path)
{
    private readonly HashSet<string> _columns = Names(inputs.Values.SelectMany(columns => columns).Select(column => column.Name));
    private readonly HashSet<string> _structs = Names(inputs.Values.SelectMany(columns => columns).Where(column => column.Type.StartsWith("struct", StringComparison.Ordinal)).Select(column => column.Name));

    // A table that has a column of its own name stands for that column wherever a value is meant.
    private readonly HashSet<string> _rows = Names(inputs.Where(table => !table.Value.Any(column => column.Name.Equals(table.Key, StringComparison.OrdinalIgnoreCase))).Select(table => table.Key));
    private readonly HashSet<string> _sources = Names(inputs.Keys);
    private readonly HashSet<string> _values = Names([]);
    private readonly HashSet<string> _wholes = Names([]);
    private readonly Dictionary<string, HashSet<string>> _reads = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _unnamed = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, int> _places = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>True when names do not tell what columns hold: they got them by their place, by a pattern or from a struct, whose fields a whole row can be too.</summary>
    public bool NamesAreLost { get; private set; }

    public void Check(JsonElement node)
    {
        Visit(node, ImmutableHashSet<string>.Empty.WithComparer(StringComparer.OrdinalIgnoreCase), 0);
        // An alias may stand behind where it is used, so that only now all are known.
        NamesAreLost |= _values.Overlaps(_rows) || _wholes.Any(name => !_sources.Contains(name) || _structs.Contains(name) || _reads.ContainsKey(name));
    }

    /// <summary>
    /// The columns that may be in a column of this name. One that no input has was put under that name, or under none, which the engine calls
    /// after its expression, or is the second of its name, which the engine calls <c>email_1</c>.
    /// </summary>
    public IEnumerable<string> ReadsOf(string name)
    {
        IEnumerable<string> put = _reads.GetValueOrDefault(name) ?? [];
        if (_columns.Contains(name))
            return put;
        var underscore = name.LastIndexOf('_');
        var isNumbered = underscore > 0 && underscore < name.Length - 1 && !name.AsSpan(underscore + 1).ContainsAnyExceptInRange('0', '9');
        return isNumbered ? put.Concat(_unnamed).Append(name[..underscore]) : put.Concat(_unnamed);
    }

    /// <summary>Where a column is first read, in characters; null: nowhere.</summary>
    public int? PlaceOf(string column) => _places.TryGetValue(column, out var at) ? Character(at) : null;

    /// <summary>The line of a character, from 1; null when the query has one line only.</summary>
    public int? LineOf(int? character) =>
        character is { } at && query.Contains('\n', StringComparison.Ordinal) ? query.AsSpan(0, Math.Min(at, query.Length)).Count('\n') + 1 : null;

    private void Visit(JsonElement element, ImmutableHashSet<string> scope, int depth)
    {
        // The engine's own limit is higher; this one keeps our stack.
        if (depth > 400)
            throw SqlQuery.Refused("it is nested too deeply", path);
        switch (element.ValueKind)
        {
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                    Visit(item, scope, depth + 1);
                break;
            case JsonValueKind.Object:
                if (Text(element, "class") is { } kind)
                    Expression(kind, element);
                else if (Text(element, "type") is { } type)
                    Node(type, element, scope);
                scope = WithCommonTables(element, scope, depth);
                foreach (var member in element.EnumerateObject())
                {
                    // Constants and types are values; common tables were looked at.
                    if (member.Name is not ("cte_map" or "cast_type") && !(member.Name == "value" && Text(element, "class") == "CONSTANT"))
                        Visit(member.Value, scope, depth + 1);
                }
                break;
        }
    }

    /// <summary>Each sees those before it, and the node sees all.</summary>
    private ImmutableHashSet<string> WithCommonTables(JsonElement node, ImmutableHashSet<string> scope, int depth)
    {
        if (!node.TryGetProperty("cte_map", out var common) || !common.TryGetProperty("map", out var map))
            return scope;
        foreach (var entry in map.EnumerateArray())
        {
            var name = entry.GetProperty("key").GetString()!;
            if (name.Length == 0 || !name.All(letter => char.IsLetterOrDigit(letter) || letter is '_' or '-'))
                throw SqlQuery.Refused($"\"{Short(name)}\" cannot be the name of a table in WITH", path);
            if (entry.GetProperty("value").GetProperty("aliases").GetArrayLength() > 0)
                NamesAreLost = true;
            Visit(entry.GetProperty("value").GetProperty("query"), scope, depth + 1);
            IsRow(name);
            scope = scope.Add(name);
        }
        return scope;
    }

    private void Node(string type, JsonElement node, ImmutableHashSet<string> scope)
    {
        if (!Nodes.Contains(type))
            throw SqlQuery.Refused(type == "RECURSIVE_CTE_NODE" ? "a recursive WITH is not allowed" : $"{Words(type)} is not allowed", path, Place(node));
        if (node.TryGetProperty("sample", out var sample) && sample.ValueKind == JsonValueKind.Object)
            throw SqlQuery.Refused("a sample is not allowed; the operation sample of transform gives the same rows each time", path, Place(node));
        if (node.TryGetProperty("column_name_alias", out var renamed) && renamed.GetArrayLength() > 0)
            NamesAreLost = true;
        if (Text(node, "alias") is { Length: > 0 } alias)
            IsRow(alias);
        switch (type)
        {
            case "BASE_TABLE":
                Table(node, scope);
                break;
            case "TABLE_FUNCTION":
                var name = Text(node.GetProperty("function"), "function_name");
                if (name is null || !TableFunctions.Contains(name.ToLowerInvariant()))
                    throw SqlQuery.Refused($"the table function {Short(name ?? "")} is not allowed", path, Place(node));
                NamesAreLost = true;
                break;
            case "SET_OPERATION_NODE" or "EXPRESSION_LIST":
                NamesAreLost = true;
                break;
            case "SELECT_NODE":
                foreach (var item in node.GetProperty("select_list").EnumerateArray())
                    Note(item);
                break;
        }
    }

    private void Table(JsonElement node, ImmutableHashSet<string> scope)
    {
        var name = Text(node, "table_name") ?? "";
        if (!string.IsNullOrEmpty(Text(node, "schema_name")) || !string.IsNullOrEmpty(Text(node, "catalog_name"))
            || (node.TryGetProperty("at_clause", out var at) && at.ValueKind == JsonValueKind.Object))
        {
            throw SqlQuery.Refused($"only inputs of this step can be read, by their plain names ({string.Join(", ", inputs.Keys)})", path, Place(node));
        }
        if (inputs.ContainsKey(name) || scope.Contains(name))
            return;
        var nearest = NearestName.Find(name, inputs.Keys.Concat(scope));
        throw new RecipeException(SqlQuery.TableUnknown, $"\"{Short(name)}\" is no input of this step; {(nearest is null ? $"there is {string.Join(", ", inputs.Keys)}." : $"did you mean \"{nearest}\"?")}", path)
        {
            Suggestion = nearest,
            Position = Place(node),
        };
    }

    private void Expression(string kind, JsonElement node)
    {
        switch (kind)
        {
            case "COLUMN_REF":
                var names = node.GetProperty("column_names");
                var name = names[names.GetArrayLength() - 1].GetString()!;
                // Where no column has such a name, the engine takes it for a function.
                if (names.GetArrayLength() == 1 && ValueWords.Contains(name.ToLowerInvariant()) && !_columns.Contains(name))
                    throw SqlQuery.Refused($"{name} is not allowed", path, Place(node));
                if (Location(node) is { } at)
                    _places.TryAdd(name, at);
                _values.Add(name);
                break;
            case "POSITIONAL_REFERENCE":
                NamesAreLost = true;
                break;
            case "CONSTANT" or "COMPARISON" or "CONJUNCTION" or "CASE" or "BETWEEN":
                break;
            case "STAR":
                if (Text(node, "relation_name") is { Length: > 0 } whole)
                    _wholes.Add(whole);
                if (node.TryGetProperty("rename_list", out var renamed) && renamed.ValueKind == JsonValueKind.Array && renamed.GetArrayLength() > 0)
                    NamesAreLost = true;
                if (node.TryGetProperty("replace_list", out var replaced) && replaced.ValueKind == JsonValueKind.Array)
                {
                    foreach (var entry in replaced.EnumerateArray())
                        Put(entry.GetProperty("key").GetString()!, Columns(entry.GetProperty("value")));
                }
                break;
            case "OPERATOR" when RowExpression.Operators.Contains(Text(node, "type")!) || Text(node, "type") is "GROUPING_FUNCTION" or "OPERATOR_UNPACK":
                break;
            case "CAST":
                var type = node.GetProperty("cast_type").GetProperty("id").GetString()!;
                if (!RowExpression.CastTypes.Contains(type))
                    throw SqlQuery.Refused($"a cast to {Short(type)} is not allowed", path, Place(node));
                break;
            case "FUNCTION":
                Function(node, Aggregates.Contains, allowed: name => RowExpression.Functions.Contains(name) || TableFunctions.Contains(name));
                break;
            case "WINDOW":
                Function(node, Aggregates.Contains, allowed: Windows.Contains);
                break;
            case "SUBQUERY":
                throw SqlQuery.Refused("a subquery in an expression is not allowed; write it as a join or in WITH", path, Place(node));
            default:
                throw SqlQuery.Refused($"{Words(kind)} is not allowed", path, Place(node));
        }
    }

    private void Function(JsonElement node, Func<string, bool> isAggregate, Func<string, bool> allowed)
    {
        var name = (Text(node, "function_name") ?? "").ToLowerInvariant();
        var home = string.IsNullOrEmpty(Text(node, "catalog")) && Text(node, "schema") is null or "" or "main";
        var exports = node.TryGetProperty("export_state", out var state) && state.ValueKind == JsonValueKind.True;
        if (home && !exports && (isAggregate(name) || allowed(name)))
            return;
        var nearest = NearestName.Find(name, RowExpression.Functions.Concat(Aggregates));
        throw SqlQuery.Refused($"the function {Short(name)} is not allowed{(nearest is null ? "" : $"; did you mean {nearest}")}", path, Place(node));
    }

    /// <summary>An entry of a select list: which columns are in it, and under which name.</summary>
    private void Note(JsonElement item)
    {
        var alias = Text(item, "alias");
        switch (Text(item, "class"))
        {
            // What matches keeps its name, unless COLUMNS(...) has an alias.
            case "STAR":
                NamesAreLost |= !string.IsNullOrEmpty(alias);
                break;
            case "COLUMN_REF":
                var names = item.GetProperty("column_names");
                Put(string.IsNullOrEmpty(alias) ? names[names.GetArrayLength() - 1].GetString()! : alias, Columns(item));
                break;
            default:
                NamesAreLost |= HasHidden(item);
                if (string.IsNullOrEmpty(alias))
                    _unnamed.UnionWith(Columns(item));
                else
                    Put(alias, Columns(item));
                break;
        }
    }

    private void Put(string name, IEnumerable<string> columns)
    {
        if (!_reads.TryGetValue(name, out var reads))
            _reads[name] = reads = new(StringComparer.OrdinalIgnoreCase);
        reads.UnionWith(columns);
    }

    /// <summary>Every name in a reference: <c>address.city</c> may be a table and its column, or a column and a field of it.</summary>
    private static IEnumerable<string> Columns(JsonElement node) => node.ValueKind switch
    {
        JsonValueKind.Array => node.EnumerateArray().SelectMany(Columns),
        JsonValueKind.Object when Text(node, "class") == "COLUMN_REF" => node.GetProperty("column_names").EnumerateArray().Select(name => name.GetString()!),
        JsonValueKind.Object => node.EnumerateObject().SelectMany(member => Columns(member.Value)),
        _ => [],
    };

    /// <summary>Reads columns that are not written there, or makes columns of a struct's fields.</summary>
    private static bool HasHidden(JsonElement node) => node.ValueKind switch
    {
        JsonValueKind.Array => node.EnumerateArray().Any(HasHidden),
        JsonValueKind.Object => Text(node, "class") == "STAR"
            || (Text(node, "class") == "FUNCTION" && string.Equals(Text(node, "function_name"), "unnest", StringComparison.OrdinalIgnoreCase))
            || node.EnumerateObject().Any(member => HasHidden(member.Value)),
        _ => false,
    };

    private void IsRow(string name)
    {
        _rows.Add(name);
        _sources.Add(name);
    }

    private static HashSet<string> Names(IEnumerable<string> names) => new(names, StringComparer.OrdinalIgnoreCase);

    private int? Place(JsonElement node) => Location(node) is { } at ? Character(at) : null;

    private static int? Location(JsonElement node) =>
        node.TryGetProperty("query_location", out var location) && location.TryGetInt64(out var at) && at is >= 0 and < int.MaxValue ? (int)at : null;

    /// <summary>The parser counts bytes.</summary>
    private int? Character(int at)
    {
        var bytes = Encoding.UTF8.GetBytes(query);
        return at < bytes.Length ? Encoding.UTF8.GetCharCount(bytes, 0, at) : null;
    }

    private static string? Text(JsonElement node, string name) =>
        node.ValueKind == JsonValueKind.Object && node.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string Words(string kind) => Short(kind).ToLowerInvariant().Replace('_', ' ');

    private static string Short(string text) => text.Length <= 60 ? text : string.Concat(text.AsSpan(0, 57), "...");

    private static readonly FrozenSet<string> Nodes = new[]
    {
        "SELECT_NODE", "SET_OPERATION_NODE", "BASE_TABLE", "SUBQUERY", "JOIN", "EMPTY", "EXPRESSION_LIST", "TABLE_FUNCTION",
        "ORDER_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "DISTINCT_MODIFIER", "ORDER_DEFAULT", "ASCENDING", "DESCENDING",
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenSet<string> ValueWords = new[]
    {
        "current_catalog", "current_database", "current_date", "current_role", "current_schema", "current_time", "current_timestamp", "current_user",
        "get_current_time", "localtime", "localtimestamp", "session_user", "transaction_timestamp", "user",
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenSet<string> TableFunctions = new[] { "unnest", "range", "generate_series" }.ToFrozenSet(StringComparer.Ordinal);

    // Of their arguments only; none whose result is a file, a setting or the clock.
    private static readonly FrozenSet<string> Aggregates = new[]
    {
        "count", "count_star", "sum", "fsum", "avg", "mean", "min", "max", "median", "mode", "first", "last", "any_value", "arbitrary", "arg_min", "arg_max", "min_by", "max_by",
        "stddev", "stddev_samp", "stddev_pop", "variance", "var_samp", "var_pop", "covar_samp", "covar_pop", "corr", "regr_slope", "regr_intercept", "regr_r2", "skewness", "kurtosis", "entropy",
        "quantile", "quantile_cont", "quantile_disc", "approx_count_distinct", "approx_quantile", "bool_and", "bool_or", "bit_and", "bit_or", "bit_xor", "product", "geomean",
        "list", "array_agg", "string_agg", "group_concat", "listagg", "histogram",
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenSet<string> Windows = new[]
    {
        "row_number", "rank", "dense_rank", "rank_dense", "percent_rank", "cume_dist", "ntile", "lag", "lead", "first_value", "last_value", "nth_value", "first", "last", "fill",
    }.ToFrozenSet(StringComparer.Ordinal);
}
