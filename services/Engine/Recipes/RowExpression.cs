using System.Collections.Frozen;
using System.Text;
using System.Text.Json;
using Qualiz.Contracts.Text;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Recipes;

/// <summary>
/// Row expressions: scalar expressions in the engine's SQL over the columns of one row. The text is read by the engine's own parser and
/// every node of its tree must be on a list; whatever is not listed (subqueries, windows, aggregates, unknown functions, casts to foreign
/// types) is refused. What passes is spliced into statements only inside parentheses, in exactly the form that was checked.
/// </summary>
public static class RowExpression
{
    private const int LongestExpression = 10_000;

    /// <summary>Checks an expression.</summary>
    /// <returns>The text to splice in, and which of <paramref name="columns"/> it reads.</returns>
    /// <exception cref="RecipeException">Code <c>expressionInvalid</c> or <c>columnUnknown</c>, at <paramref name="path"/>.</exception>
    public static (string Sql, IReadOnlyList<string> Reads) Check(EngineSession session, string expression, IReadOnlyCollection<string> columns, string path)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(expression);
        if (string.IsNullOrWhiteSpace(expression))
            throw Invalid("the expression is empty", path);
        if (expression.Length > LongestExpression)
            throw Invalid($"the expression is longer than {LongestExpression} characters", path);
        if (expression.Contains('\0', StringComparison.Ordinal))
            throw Invalid("the expression holds a NUL character", path);
        // Both forms must be one and the same expression: text such as "a) + (b" or "a, b" is right in one of them only.
        var bare = Parse(session, $"SELECT {expression}\n", path);
        var wrapped = Parse(session, $"SELECT (\n{expression}\n)", path);
        if (!Same(bare, wrapped))
            throw Invalid("it is not one expression", path);
        var walker = new Walker(columns.ToDictionary(name => name, StringComparer.OrdinalIgnoreCase), expression, path);
        walker.Visit(bare, 0);
        return ($"(\n{expression}\n)", [.. walker.Reads]);
    }

    /// <summary>The type that a checked expression has over columns of these types.</summary>
    /// <param name="ofRows">It is an aggregate, over many rows.</param>
    /// <exception cref="RecipeException">Code <c>expressionInvalid</c>: it does not fit the types, or has one that Qualiz does not have.</exception>
    public static ColumnType TypeOf(EngineSession session, string sql, IEnumerable<(string Name, ColumnType Type)> columns, string path, bool ofRows = false)
    {
        var row = string.Join(", ", columns.Select(column => $"CAST(NULL AS {column.Type.DuckDb}) AS {Sql.Identifier(column.Name)}"));
        string type;
        try
        {
            type = session.Query($"DESCRIBE SELECT {sql} FROM (SELECT {row})", reader => reader.GetString(1))[0];
            // What can be computed of it without any row is computed when it is planned, and fails there whatever the rows are: CAST('x' AS INTEGER).
            if (!ofRows)
                session.Query($"SELECT TRY({sql}) FROM (SELECT {row} FROM range(0))", reader => 0);
        }
        catch (EngineException exception)
        {
            throw new RecipeException(RecipeException.ExpressionInvalid, $"The row expression is refused: {exception.Message.TrimEnd('.')}.", path);
        }
        return ColumnType.NearestTo(type)
            ?? throw new RecipeException(RecipeException.ExpressionInvalid, $"The row expression has the type {type}, which Qualiz does not have; cast it.", path);
    }

    private static JsonElement Parse(EngineSession session, string statement, string path)
    {
        string? text;
        try
        {
            text = session.Scalar<string>($"SELECT CAST(json_serialize_sql({Sql.Literal(statement)}) AS VARCHAR)");
        }
        catch (EngineException)
        {
            throw Invalid("it cannot be read", path);
        }
        JsonElement root;
        try
        {
            root = JsonSerializer.Deserialize<JsonElement>(text!, Deep);
        }
        catch (JsonException)
        {
            throw Invalid("it is nested too deeply", path);
        }
        if (root.GetProperty("error").GetBoolean())
        {
            var message = root.TryGetProperty("error_message", out var reason) ? reason.GetString() : null;
            throw Invalid(message is null ? "it is no expression" : message.TrimEnd('!', '.'), path);
        }
        var statements = root.GetProperty("statements");
        if (statements.GetArrayLength() != 1 || statements[0].GetProperty("named_param_map").GetArrayLength() != 0)
            throw Invalid("it is not one expression", path);
        var node = statements[0].GetProperty("node");
        var expected = node.GetProperty("type").GetString() == "SELECT_NODE"
            && node.GetProperty("modifiers").GetArrayLength() == 0
            && node.GetProperty("cte_map").GetProperty("map").GetArrayLength() == 0
            && node.GetProperty("select_list").GetArrayLength() == 1
            && node.GetProperty("from_table").GetProperty("type").GetString() == "EMPTY"
            && IsNull(node, "where_clause") && IsNull(node, "having") && IsNull(node, "sample") && IsNull(node, "qualify")
            && node.GetProperty("group_expressions").GetArrayLength() == 0
            && node.GetProperty("group_sets").GetArrayLength() == 0;
        if (!expected || node.GetProperty("select_list")[0].GetProperty("alias").GetString() != "")
            throw Invalid("it is not one expression over the columns of a row", path);
        return node.GetProperty("select_list")[0];
    }

    internal static readonly JsonSerializerOptions Deep = new() { MaxDepth = 512 };

    private static bool IsNull(JsonElement node, string name) => node.GetProperty(name).ValueKind == JsonValueKind.Null;

    internal static bool Same(JsonElement a, JsonElement b)
    {
        if (a.ValueKind != b.ValueKind)
            return false;
        switch (a.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in a.EnumerateObject())
                {
                    if (member.Name != "query_location" && (!b.TryGetProperty(member.Name, out var other) || !Same(member.Value, other)))
                        return false;
                }
                return true;
            case JsonValueKind.Array:
                if (a.GetArrayLength() != b.GetArrayLength())
                    return false;
                for (var i = 0; i < a.GetArrayLength(); i++)
                {
                    if (!Same(a[i], b[i]))
                        return false;
                }
                return true;
            default:
                return a.GetRawText() == b.GetRawText();
        }
    }

    private static RecipeException Invalid(string why, string path) => new(RecipeException.ExpressionInvalid, $"The row expression is refused: {why}.", path);

    private sealed class Walker(Dictionary<string, string> columns, string expression, string path)
    {
        public HashSet<string> Reads { get; } = new(StringComparer.Ordinal);

        public void Visit(JsonElement node, int depth)
        {
            // The engine's own limit is higher; this one keeps our stack.
            if (depth > 200)
                throw Invalid("it is nested too deeply", path);
            depth++;
            var kind = node.GetProperty("class").GetString();
            switch (kind)
            {
                case "CONSTANT":
                    break;
                case "COLUMN_REF":
                    Column(node);
                    break;
                case "COMPARISON":
                    Visit(node.GetProperty("left"), depth);
                    Visit(node.GetProperty("right"), depth);
                    break;
                case "CONJUNCTION":
                    VisitAll(node.GetProperty("children"), depth);
                    break;
                case "OPERATOR" when Operators.Contains(node.GetProperty("type").GetString()!):
                    VisitAll(node.GetProperty("children"), depth);
                    break;
                case "FUNCTION":
                    Function(node, depth);
                    break;
                case "CASE":
                    foreach (var branch in node.GetProperty("case_checks").EnumerateArray())
                    {
                        Visit(branch.GetProperty("when_expr"), depth);
                        Visit(branch.GetProperty("then_expr"), depth);
                    }
                    Visit(node.GetProperty("else_expr"), depth);
                    break;
                case "CAST":
                    var type = node.GetProperty("cast_type").GetProperty("id").GetString()!;
                    if (!CastTypes.Contains(type))
                        throw Invalid($"a cast to {Short(type)} is not allowed", path);
                    Visit(node.GetProperty("child"), depth);
                    break;
                case "BETWEEN":
                    Visit(node.GetProperty("input"), depth);
                    Visit(node.GetProperty("lower"), depth);
                    Visit(node.GetProperty("upper"), depth);
                    break;
                case "SUBQUERY":
                    throw Invalid("a subquery is not allowed", path);
                case "WINDOW":
                    throw Invalid("a window function is not allowed", path);
                default:
                    throw Invalid($"{Short(kind ?? "it").ToLowerInvariant().Replace('_', ' ')} is not allowed", path);
            }
        }

        private void VisitAll(JsonElement nodes, int depth)
        {
            foreach (var node in nodes.EnumerateArray())
                Visit(node, depth);
        }

        // "address.city" is a column and a field of it; a table's name has no meaning here.
        private void Column(JsonElement node)
        {
            var name = node.GetProperty("column_names")[0].GetString()!;
            if (!columns.TryGetValue(name, out var column))
                throw RecipeErrors.ColumnUnknown(name, columns.Values, path, Position(node));
            Reads.Add(column);
        }

        /// <summary>The parser counts bytes from the start of its statement.</summary>
        private int? Position(JsonElement node)
        {
            if (!node.TryGetProperty("query_location", out var location) || !location.TryGetInt64(out var at))
                return null;
            var bytes = Encoding.UTF8.GetBytes(expression);
            at -= "SELECT ".Length;
            return at >= 0 && at < bytes.Length ? Encoding.UTF8.GetCharCount(bytes, 0, (int)at) : null;
        }

        private void Function(JsonElement node, int depth)
        {
            var name = node.GetProperty("function_name").GetString()!;
            var schema = node.GetProperty("schema").GetString();
            if (node.GetProperty("catalog").GetString() != "" || schema is not ("" or "main") || !Functions.Contains(name.ToLowerInvariant()))
            {
                var nearest = NearestName.Find(name, Functions);
                throw Invalid($"the function {Short(name)} is not allowed{(nearest is null ? "" : $"; did you mean {nearest}")}", path);
            }
            if (node.GetProperty("filter").ValueKind != JsonValueKind.Null || node.GetProperty("distinct").GetBoolean()
                || node.GetProperty("order_bys").GetProperty("orders").GetArrayLength() != 0)
                throw Invalid("an aggregate is not allowed", path);
            VisitAll(node.GetProperty("children"), depth);
        }

        private static string Short(string text) => text.Length <= 60 ? text : string.Concat(text.AsSpan(0, 57), "...");
    }

    internal static readonly FrozenSet<string> Operators = new[]
    {
        "COMPARE_IN", "COMPARE_NOT_IN", "OPERATOR_NOT", "OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL", "OPERATOR_COALESCE", "OPERATOR_NULLIF",
        "OPERATOR_TRY", "ARRAY_EXTRACT", "ARRAY_SLICE", "STRUCT_EXTRACT",
    }.ToFrozenSet(StringComparer.Ordinal);

    internal static readonly FrozenSet<string> CastTypes = new[]
    {
        "VARCHAR", "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "FLOAT", "DOUBLE",
        "DECIMAL", "DATE", "TIME", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "INTERVAL",
    }.ToFrozenSet(StringComparer.Ordinal);

    // Pure functions of their arguments only: nothing that reads files, settings, clocks, sequences or random numbers, and none whose
    // result can be far larger than its arguments.
    internal static readonly FrozenSet<string> Functions = new[]
    {
        "+", "-", "*", "/", "//", "%", "**", "^", "||", "~~", "!~~", "~~*", "!~~*", "like_escape", "not_like_escape", "ilike_escape", "not_ilike_escape",
        "~~~", "^@", "->", "->>", "&", "|", "<<", ">>", "~", "regexp_full_match", "regexp_matches", "regexp_replace", "regexp_extract",
        "abs", "ceil", "ceiling", "floor", "round", "trunc", "sign", "sqrt", "power", "pow", "exp", "ln", "log", "log2", "log10", "mod", "add", "subtract",
        "multiply", "divide", "greatest", "least", "isnan", "isfinite", "isinf", "even", "factorial", "gcd", "lcm",
        "lower", "lcase", "upper", "ucase", "length", "len", "char_length", "character_length", "strlen", "trim", "ltrim", "rtrim", "concat", "concat_ws",
        "substring", "substr", "left", "right", "replace", "translate", "reverse", "strip_accents", "contains", "prefix", "suffix", "starts_with",
        "ends_with", "position", "strpos", "instr", "split_part", "string_split", "str_split", "ascii", "unicode", "ord", "chr", "md5", "sha256", "hash",
        "levenshtein", "damerau_levenshtein", "jaro_similarity", "jaro_winkler_similarity", "jaccard", "hamming", "nfc_normalize",
        "coalesce", "ifnull", "nullif", "if",
        "year", "month", "day", "hour", "minute", "second", "millisecond", "microsecond", "quarter", "week", "weekofyear", "yearweek", "dayofweek", "isodow",
        "dayofmonth", "dayofyear", "dayname", "monthname", "decade", "century", "era", "isoyear", "epoch", "epoch_ms", "date_part", "datepart", "date_trunc",
        "datetrunc", "date_diff", "datediff", "date_sub", "datesub", "date_add", "last_day", "make_date", "make_time", "make_timestamp", "strftime",
        "strptime", "try_strptime", "to_timestamp", "to_years", "to_months", "to_weeks", "to_days", "to_hours", "to_minutes", "to_seconds", "to_quarters",
        "timezone",
        "list_value", "list_contains", "list_has", "array_contains", "list_extract", "list_element", "array_extract", "array_length", "list_count",
        "list_position", "list_distinct", "list_sort", "list_reverse", "list_min", "list_max", "list_sum", "list_avg", "array_to_string", "list_concat",
        "struct_extract", "struct_pack", "row",
        "json_extract", "json_extract_string", "json_value", "json_array_length", "json_type", "json_valid", "json_exists", "to_json",
    }.ToFrozenSet(StringComparer.Ordinal);
}

internal static class RecipeErrors
{
    public static RecipeException ColumnUnknown(string name, IReadOnlyCollection<string> known, string path, int? position = null)
    {
        var shown = name.Length <= 60 ? name : string.Concat(name.AsSpan(0, 57), "...");
        var nearest = NearestName.Find(name, known);
        var hint = nearest is not null ? $"did you mean \"{nearest}\"?"
            : known.Count <= 12 ? $"there are {string.Join(", ", known)}."
            : $"there are {known.Count} others.";
        return new RecipeException(RecipeException.ColumnUnknown, $"Column \"{shown}\" does not exist; {hint}", path) { Suggestion = nearest, Position = position };
    }
}
