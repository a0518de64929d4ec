using System.Globalization;
using System.Text.Json;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Values;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Recipes;

/// <summary>
/// Turns a recipe into one query. Each rule is one or two projections on top of the last, so that it sees the result of the ones before it;
/// the engine streams all of them in one pass. Beside the data travel a few columns of our own: why a row failed, what took it out,
/// how many cells each rule changed. Nothing has an effect before the whole recipe has been checked.
/// </summary>
public sealed class RecipeCompiler
{
    // Blank, tab, line ends, no-break and other spaces of Unicode, zero-width space, byte order mark.
    private const string WhiteSpace =
        " \t\n\u000b\u000c\r\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u2028\u2029\u202f\u205f\u3000\ufeff";
    private const string WhiteSpaceClass = @"[\s\x{0B}\x{85}\p{Z}\x{200B}\x{FEFF}]+";
    private const int LongestPattern = 2000;

    private readonly EngineSession _session;
    private readonly IReadOnlyList<RecipeInput> _inputs;
    private readonly List<Column> _columns = [];
    private readonly List<string> _carried = [];
    private readonly List<string> _steps = [];
    private readonly List<Failure> _failures = [];
    private readonly List<FilterStep> _filters = [];
    private readonly List<ChangeCount> _changes = [];
    private readonly List<UniqueStep> _uniques = [];
    private readonly List<(RowCountCheck, string)> _rowCounts = [];
    private readonly InternalNames _names;
    private int _temporaries;

    private RecipeCompiler(EngineSession session, IReadOnlyList<RecipeInput> inputs, Recipe recipe)
    {
        _session = session;
        _inputs = inputs;
        _names = InternalNames.Avoiding(inputs.SelectMany(input => input.Dataset.Schema.Columns).Select(column => column.Name)
            .Concat(recipe.Rules.OfType<DeriveRule>().Select(rule => rule.Column)));
    }

    /// <param name="session">Only parses and binds; no data is read.</param>
    /// <exception cref="RecipeException">The recipe does not fit the inputs.</exception>
    public static CompiledRecipe Compile(EngineSession session, Recipe recipe, IReadOnlyList<RecipeInput> inputs)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(inputs);
        return new RecipeCompiler(session, inputs, recipe).Compile(recipe);
    }

    private CompiledRecipe Compile(Recipe recipe)
    {
        Stack();
        for (var i = 0; i < recipe.Rules.Count; i++)
            Apply(recipe.Rules[i], $"rules[{Number(i)}]");
        for (var i = 0; i < recipe.Checks.Count; i++)
            Apply(recipe.Checks[i], $"checks[{Number(i)}]");
        var query = $"WITH {string.Join(",\n", _steps.Select((step, i) => $"s{Number(i)} AS NOT MATERIALIZED (\n  {step})"))}\nSELECT * FROM s{Number(_steps.Count - 1)}";
        return new CompiledRecipe
        {
            Query = query,
            Schema = new DatasetSchema
            {
                Columns =
                [
                    .. _columns.Select(column => new DatasetColumn
                    {
                        Name = column.Name,
                        Type = column.Type.ToString(),
                        Nullable = column.Nullable,
                        Sensitivity = column.Sensitivity,
                    }),
                    .. HiddenColumns.Columns,
                ],
            },
            Inputs = [.. _inputs.Select(input => input.Name)],
            Names = _names,
            Failures = _failures,
            Filters = _filters,
            Changes = _changes,
            Uniques = _uniques,
            RowCounts = _rowCounts,
            IngestedJson = JsonObject(_columns.Where(column => column.IngestedType is not null)
                .Select(column => (column.Name, JsonValue(Quote(column.Original ?? column.Name), column.IngestedType!)))),
            RejectedJson = JsonObject(_columns.Select(column => (column.Name, AsRejected(column)))),
        };
    }

    /// <summary>The inputs on top of each other, by column name.</summary>
    private void Stack()
    {
        var seen = new Dictionary<string, (Column Column, string Input)>(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < _inputs.Count; i++)
        {
            foreach (var column in _inputs[i].Dataset.Schema.Columns.Where(column => !column.Hidden))
            {
                var type = DatasetFiles.TypeOf(column);
                if (!seen.TryGetValue(column.Name, out var other))
                {
                    var added = new Column(column.Name, type)
                    {
                        // A column that an earlier input lacks is empty there.
                        Nullable = column.Nullable || i > 0,
                        Sensitivity = column.Sensitivity,
                        IngestedType = type,
                    };
                    _columns.Add(added);
                    seen.Add(column.Name, (added, _inputs[i].Name));
                    continue;
                }
                if (other.Column.Name != column.Name)
                    throw new RecipeException(RecipeException.TypeConflict, $"The column \"{other.Column.Name}\" of {other.Input} is written \"{column.Name}\" in {_inputs[i].Name}; rename one of them.", "");
                if (other.Column.Type != type)
                    throw new RecipeException(RecipeException.TypeConflict, $"Column \"{column.Name}\" is {other.Column.Type} in {other.Input} and {type} in {_inputs[i].Name}; give it one type where it is read.", "");
                other.Column.Nullable |= column.Nullable;
                other.Column.Sensitivity ??= column.Sensitivity;
            }
        }
        foreach (var column in _columns)
            column.Nullable |= _inputs.Any(input => input.Dataset.Schema.Find(column.Name) is null);

        _carried.AddRange([_names.Input, HiddenColumns.Source, HiddenColumns.Row, HiddenColumns.Key, _names.Filtered, _names.Reasons, _names.Ids]);
        var parts = _inputs.Select((input, i) =>
        {
            var schema = input.Dataset.Schema;
            var select = _columns
                .Select(column => schema.Find(column.Name) is null ? $"CAST(NULL AS {column.Type.DuckDb}) AS {Quote(column.Name)}" : Quote(column.Name))
                .Append($"CAST({Number(i)} AS USMALLINT) AS {Quote(_names.Input)}")
                .Concat(HiddenColumns.Columns.Select(hidden =>
                    schema.Find(hidden.Name) is null ? $"CAST(NULL AS {DatasetFiles.TypeOf(hidden).DuckDb}) AS {Quote(hidden.Name)}" : Quote(hidden.Name)))
                .Append($"CAST(NULL AS USMALLINT) AS {Quote(_names.Filtered)}")
                .Append($"CAST(NULL AS VARCHAR) AS {Quote(_names.Reasons)}")
                .Append($"CAST(NULL AS VARCHAR) AS {Quote(_names.Ids)}");
            return $"SELECT {string.Join(", ", select)} FROM {DatasetFiles.Relation(input.Dataset)}";
        });
        _steps.Add(string.Join("\n  UNION ALL ", parts));
    }

    private void Apply(Rule rule, string path)
    {
        switch (rule)
        {
            case TrimRule trim:
                var set = Sql.Literal(WhiteSpace);
                ChangeText(rule, path, TextColumns(trim.Columns, rule.Kind, path), name =>
                    trim.Inner ? $"regexp_replace(trim({name}, {set}), {Sql.Literal(WhiteSpaceClass)}, ' ', 'g')" : $"trim({name}, {set})");
                break;
            case NullsRule nulls:
                var words = nulls.Empty ? nulls.Values.Append("") : nulls.Values;
                var list = string.Join(", ", words.Distinct(StringComparer.Ordinal).Select(word => nulls.IgnoreCase ? $"lower({Sql.Literal(word)})" : Sql.Literal(word)));
                if (list.Length == 0)
                    throw new RecipeException(RecipeException.ValueInvalid, "The rule has no values to make empty.", $"{path}.values");
                ChangeText(rule, path, TextColumns(nulls.Columns, rule.Kind, path), name =>
                    $"CASE WHEN {(nulls.IgnoreCase ? $"lower({name})" : name)} IN ({list}) THEN NULL ELSE {name} END", nullable: true);
                break;
            case CaseRule letters:
                ChangeText(rule, path, TextColumns(letters.Columns, rule.Kind, path), name => letters.To switch
                {
                    LetterCase.Upper => $"upper({name})",
                    LetterCase.Lower => $"lower({name})",
                    _ => $"array_to_string(list_transform(regexp_extract_all(lower({name}), '[^\\s\\p{{Pd}}/]+|[\\s\\p{{Pd}}/]+'), lambda w: upper(w[1]) || w[2:]), '')",
                });
                break;
            case ReplaceRule replace:
                ChangeText(rule, path, TextColumns(replace.Columns, rule.Kind, path), name => Replace(replace, name));
                break;
            case RegexRule regex:
                CheckPattern(regex.Pattern, regex.Replacement, $"{path}.pattern");
                ChangeText(rule, path, TextColumns(regex.Columns, rule.Kind, path), name =>
                    $"regexp_replace({name}, {Sql.Literal(regex.Pattern)}, {Sql.Literal(regex.Replacement)}, 'g')");
                break;
            case NumberRule number:
                Apply(number, path);
                break;
            case DateRule date:
                Apply(date, path);
                break;
            case BooleanRule boolean:
                Apply(boolean, path);
                break;
            case FillRule fill:
                Apply(fill, path);
                break;
            case FilterRule filter:
                Apply(filter, path);
                break;
            case DeriveRule derive:
                Apply(derive, path);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(rule));
        }
    }

    private static string Replace(ReplaceRule replace, string name)
    {
        if (replace.Match == ReplaceMatch.Value)
        {
            var branches = replace.Map.Select(entry => replace.IgnoreCase
                ? $"WHEN lower({Sql.Literal(entry.Key)}) THEN {Sql.Literal(entry.Value)}"
                : $"WHEN {Sql.Literal(entry.Key)} THEN {Sql.Literal(entry.Value)}");
            return $"CASE {(replace.IgnoreCase ? $"lower({name})" : name)} {string.Join(" ", branches)} ELSE {name} END";
        }
        return replace.Map.Aggregate(name, (text, entry) => replace.IgnoreCase
            ? $"regexp_replace({text}, {Sql.Literal(Escape(entry.Key))}, {Sql.Literal(entry.Value.Replace(@"\", @"\\", StringComparison.Ordinal))}, 'gi')"
            : $"replace({text}, {Sql.Literal(entry.Key)}, {Sql.Literal(entry.Value)})");
    }

    private void Apply(NumberRule rule, string path)
    {
        var type = TypeOf(rule.Type, $"{path}.type");
        if (!type.IsNumeric)
            throw new RecipeException(RecipeException.ColumnType, $"The type of a number is int64, decimal(p,s) or double, not {type}.", $"{path}.type");
        if (rule.Decimal.Length != 1 || char.IsAsciiDigit(rule.Decimal[0]) || rule.Decimal[0] is '+' or '-')
            throw new RecipeException(RecipeException.FormatInvalid, "The decimal separator is one character, usually . or ,", $"{path}.decimal");
        if (rule.Thousands is { Length: not 1 } || rule.Thousands == rule.Decimal)
            throw new RecipeException(RecipeException.FormatInvalid, "The thousands separator is one character other than the decimal separator.", $"{path}.thousands");
        var decimalClass = CharacterClass(rule.Decimal);
        // A space as separator stands for the no-break spaces, too, an apostrophe for the typographic one.
        var thousandsClass = rule.Thousands switch
        {
            null => null,
            " " => @"[ \x{A0}\x{202F}\x{2009}]",
            "'" => @"['\x{2019}]",
            { } other => CharacterClass(other),
        };
        var whole = thousandsClass is null ? @"\d+" : $@"(?:\d+|\d{{1,3}}(?:{thousandsClass}\d{{3}})+)";
        // Digits that the type could not hold are a failure, not something to round away; zeros behind the last digit say nothing.
        var fraction = type switch
        {
            ColumnType.DecimalType { Scale: var scale } => $@"\d{{0,{Number(scale)}}}0*",
            _ when type == ColumnType.Int64 => "0*",
            _ => @"\d*",
        };
        var exponent = type == ColumnType.Double ? @"(?:[eE][+-]?\d{1,3})?" : "";
        var pattern = $"[+-]?(?:{whole}(?:{decimalClass}{fraction})?|{decimalClass}{(type == ColumnType.Int64 ? "0+" : fraction)}){exponent}";
        Convert(rule, path, rule.Columns, type, rule.Else, rule.Default, $"not a number of type {type}", column =>
        {
            if (column.Type != ColumnType.Text)
                return column.Type.IsNumeric ? ([], Exact(column, type)) : null;
            var name = Quote(column.Name);
            var cleaned = rule.Remove.Aggregate(name, (text, word) => $"replace({text}, {Sql.Literal(word)}, '')");
            cleaned = $"trim({cleaned}, {Sql.Literal(WhiteSpace)})";
            var temporary = Temporary();
            var plain = Quote(temporary);
            if (thousandsClass is not null)
                plain = thousandsClass.StartsWith('[') ? $"regexp_replace({plain}, {Sql.Literal(thousandsClass)}, '', 'g')" : $"replace({plain}, {Sql.Literal(rule.Thousands)}, '')";
            if (rule.Decimal != ".")
                plain = $"replace({plain}, {Sql.Literal(rule.Decimal)}, '.')";
            // "." alone matches the pattern and is refused by the cast.
            return ([(temporary, cleaned)], $"CASE WHEN regexp_full_match({Quote(temporary)}, {Sql.Literal(pattern)}) THEN TRY_CAST({plain} AS {type.DuckDb}) END");
        });
    }

    private void Apply(DateRule rule, string path)
    {
        var type = rule.To switch
        {
            DateTarget.Date => ColumnType.Date,
            DateTarget.Timestamp => ColumnType.Timestamp,
            _ => ColumnType.TimestampTz,
        };
        var formats = rule.Formats.Select((format, i) =>
        {
            var translated = DateFormat.Translate(format)
                ?? throw new RecipeException(RecipeException.FormatInvalid, $"\"{format}\" is no date format; it is made of yyyy, MM, MMM, dd, HH, mm, ss, zzz and the signs between them.", $"{path}.formats[{Number(i)}]");
            try
            {
                _session.Scalar<bool>($"SELECT try_strptime('', {Sql.Literal(translated)}) IS NULL");
            }
            catch (EngineException)
            {
                throw new RecipeException(RecipeException.FormatInvalid, $"\"{format}\" is no date format.", $"{path}.formats[{Number(i)}]");
            }
            return (Engine: translated, FullYear: DateFormat.HasFullYear(format), Zoned: format.Contains("zzz", StringComparison.Ordinal) || format.Contains("XXX", StringComparison.Ordinal));
        }).ToList();
        Convert(rule, path, rule.Columns, type, rule.Else, rule.Default, $"not a {type} as {string.Join(" or ", rule.Formats)}", column =>
        {
            if (column.Type != ColumnType.Text)
                return column.Type == ColumnType.Date || column.Type == ColumnType.Timestamp || column.Type == ColumnType.TimestampTz ? ([], Exact(column, type)) : null;
            var name = Quote(column.Name);
            var temporaries = formats.Select(format => (Name: Temporary(), Expression: $"try_strptime({name}, {Sql.Literal(format.Engine)})")).ToList();
            // "01.02.20" would be the year 20 of yyyy: four digits were asked for.
            var parsed = temporaries.Select((temporary, i) => formats[i].FullYear
                ? $"CASE WHEN year({Quote(temporary.Name)}) BETWEEN 1000 AND 9999 THEN CAST({Quote(temporary.Name)} AS {type.DuckDb}) END"
                : $"CAST({Quote(temporary.Name)} AS {type.DuckDb})");
            return (temporaries, $"coalesce({string.Join(", ", parsed)})");
        });
    }

    private void Apply(BooleanRule rule, string path)
    {
        var both = rule.True.Intersect(rule.False, StringComparer.OrdinalIgnoreCase).FirstOrDefault();
        if (both is not null)
            throw new RecipeException(RecipeException.ValueInvalid, $"\"{both}\" is a word for true and for false.", $"{path}.false");
        Convert(rule, path, rule.Columns, ColumnType.Bool, rule.Else, rule.Default, "not a word for true or false", column =>
        {
            if (column.Type == ColumnType.Bool)
                return ([], Quote(column.Name));
            if (column.Type != ColumnType.Text && column.Type != ColumnType.Int64)
                return null;
            var temporary = Temporary();
            string Words(IEnumerable<string> words) => string.Join(", ", words.Select(word => $"lower({Sql.Literal(word)})"));
            return ([(temporary, $"lower(trim(CAST({Quote(column.Name)} AS VARCHAR), {Sql.Literal(WhiteSpace)}))")],
                $"CASE WHEN {Quote(temporary)} IN ({Words(rule.True)}) THEN true WHEN {Quote(temporary)} IN ({Words(rule.False)}) THEN false END");
        });
    }

    private void Apply(FillRule rule, string path)
    {
        if (rule.Value is null == rule.From is null)
            throw new RecipeException(RecipeException.ValueInvalid, "Either a value or a column to take it from is needed.", rule.Value is null ? path : $"{path}.from");
        var from = rule.From is null ? null : Find(rule.From, $"{path}.from");
        var columns = Columns(rule.Columns, path, column => from is null
            ? TryLiteral(rule.Value!, column.Type) is not null
            : column.Type == from.Type && column != from,
            column => from is null
                ? new RecipeException(RecipeException.ValueInvalid, $"\"{rule.Value}\" is no value of column \"{column.Name}\" ({column.Type}).", $"{path}.value")
                : new RecipeException(RecipeException.ColumnType, $"Column \"{column.Name}\" is {column.Type}, \"{from.Name}\" is {from.Type}; the types must be the same.", $"{path}.from"));
        Change(rule, path, columns, column => $"coalesce({Quote(column.Name)}, {(from is null ? TryLiteral(rule.Value!, column.Type) : Quote(from.Name))})");
        foreach (var column in columns)
        {
            column.Nullable = from is not null && column.Nullable && from.Nullable;
            if (from is not null)
                column.Sensitivity ??= from.Sensitivity;
        }
    }

    private void Apply(FilterRule rule, string path)
    {
        var (sql, _) = RowExpression.Check(_session, rule.Where, Visible(), $"{path}.where");
        if (ExpressionType(sql, $"{path}.where") != ColumnType.Bool)
            throw new RecipeException(RecipeException.ExpressionInvalid, "The expression of a filter must be true or false.", $"{path}.where");
        var id = _filters.Count;
        _filters.Add(new FilterStep(id, $"filter({rule.Where})"));
        var result = Temporary();
        Layer(added: [(result, Attempt(sql))]);
        var failure = AddFailure(rule.Kind, "", path, Else.Reject);
        // A row that is already rejected stays so: its values are not what the condition was meant for.
        var alive = $"{Quote(_names.Filtered)} IS NULL AND {Quote(_names.Reasons)} IS NULL";
        var failed = $"{alive} AND {Quote(result)} IS NULL";
        Layer(
            replaced: new()
            {
                [_names.Filtered] = $"CASE WHEN {alive} AND {Quote(result)} IS NOT NULL AND {Quote(result)}[1] IS NOT true THEN CAST({Number(id)} AS USMALLINT) ELSE {Quote(_names.Filtered)} END",
                [_names.Reasons] = Reasons([(failure, failed, Reason(failure, "NULL", "the condition cannot be computed for this row"))]),
                [_names.Ids] = Ids([(failure, failed)]),
            },
            dropped: [result]);
    }

    private void Apply(DeriveRule rule, string path)
    {
        if (HiddenColumns.IsHidden(rule.Column) || rule.Column.Contains('\0', StringComparison.Ordinal))
            throw new RecipeException(RecipeException.ValueInvalid, $"\"{rule.Column}\" cannot be the name of a column.", $"{path}.column");
        var (sql, reads) = RowExpression.Check(_session, rule.Expression, Visible(), $"{path}.expression");
        var own = ExpressionType(sql, $"{path}.expression");
        var type = rule.Type is null ? own : TypeOf(rule.Type, $"{path}.type");
        if (rule.Type is not null)
            sql = $"CAST({sql} AS {type.DuckDb})";
        else
            sql = $"CAST({sql} AS {own.DuckDb})";
        ExpressionType(sql, $"{path}.type");
        var column = _columns.Find(candidate => string.Equals(candidate.Name, rule.Column, StringComparison.OrdinalIgnoreCase));
        if (column is not null && column.Name != rule.Column)
            throw new RecipeException(RecipeException.ValueInvalid, $"There is a column \"{column.Name}\" already; write it the same way to replace it.", $"{path}.column");
        var result = Temporary();
        Layer(added: [(result, Attempt(sql))]);
        var sensitivity = _columns.Where(candidate => reads.Contains(candidate.Name, StringComparer.Ordinal)).Select(candidate => candidate.Sensitivity).FirstOrDefault(tag => tag is not null);
        var otherwise = Otherwise(rule.Else, rule.Default, type, path);
        if (rule.Else == Else.Keep && column is not null && column.Type != type)
            throw new RecipeException(RecipeException.ColumnType, $"Column \"{column.Name}\" is {column.Type} and would become {type}: the old value cannot be kept.", $"{path}.else");
        var failure = AddFailure(rule.Kind, rule.Column, path, rule.Else);
        var failed = $"{Alive()}{Quote(result)} IS NULL";
        var replaced = new Dictionary<string, string>
        {
            [_names.Reasons] = Reasons([(failure, failed, Reason(failure, "NULL", "the expression cannot be computed for this row"))]),
            [_names.Ids] = Ids([(failure, failed)]),
        };
        var instead = rule.Else == Else.Keep && column is not null ? Quote(column.Name) : otherwise ?? "NULL";
        var value = $"CASE WHEN {Quote(result)} IS NULL THEN {instead} ELSE {Quote(result)}[1] END";
        var change = AddChange(rule.Kind, path);
        if (column is null)
        {
            column = new Column(rule.Column, type) { Sensitivity = sensitivity };
            Layer(replaced: replaced, added: [(rule.Column, value), (change, "CAST(1 AS INTEGER)")], dropped: [result], derived: column);
        }
        else
        {
            var original = KeepOriginal(column);
            replaced[column.Name] = value;
            var before = column.Type.IsNested ? $"CAST({Quote(column.Name)} AS VARCHAR)" : Quote(column.Name);
            Layer(replaced, [.. original, (change, $"CAST((CAST({value} AS VARCHAR) IS DISTINCT FROM CAST({before} AS VARCHAR)) AS INTEGER)")], dropped: [result]);
            column.Type = type;
            column.Nullable = true;
            column.Sensitivity ??= sensitivity;
        }
    }

    private void Apply(Check check, string path)
    {
        switch (check)
        {
            case NotNullCheck notNull:
                if (notNull.Else == Else.Null)
                    throw new RecipeException(RecipeException.ValueInvalid, "An empty cell cannot be made empty: else is keep, default, reject or fail.", $"{path}.else");
                TestText(check, path, Columns(notNull.Columns, path, _ => true), notNull.Else, notNull.Default, "is empty", name => $"{name} IS NULL");
                break;
            case RangeCheck range:
                if (range.Min is null && range.Max is null)
                    throw new RecipeException(RecipeException.ValueInvalid, "A range needs min or max.", path);
                var columns = Columns(range.Columns, path,
                    column => column.Type.IsNumeric || column.Type == ColumnType.Date || column.Type == ColumnType.Time || column.Type == ColumnType.Timestamp || column.Type == ColumnType.TimestampTz,
                    column => Unfit(check.Kind, column, "a number, date, time or timestamp; convert it by a rule first", path, range.Columns));
                var message = range.Min is null ? $"greater than {range.Max}" : range.Max is null ? $"less than {range.Min}" : $"not between {range.Min} and {range.Max}";
                Test(check, path, columns, range.Else, range.Default, message, column =>
                {
                    var tests = new List<string>();
                    // Compared as wide as the limit is written: "1.5" must not become 2 because the column has no decimals.
                    if (range.Min is not null)
                        tests.Add($"{Quote(column.Name)} < {Limit(range.Min, column.Type, $"{path}.min")}");
                    if (range.Max is not null)
                        tests.Add($"{Quote(column.Name)} > {Limit(range.Max, column.Type, $"{path}.max")}");
                    // Not-a-number sorts above everything and lies in no range.
                    if (column.Type == ColumnType.Double)
                        tests.Add($"isnan({Quote(column.Name)})");
                    return $"coalesce({string.Join(" OR ", tests)}, false)";
                });
                break;
            case PatternCheck pattern:
                CheckPattern(pattern.Pattern, null, $"{path}.pattern");
                TestText(check, path, TextColumns(pattern.Columns, check.Kind, path), pattern.Else, pattern.Default, "does not match the pattern", name =>
                    $"NOT coalesce(regexp_full_match({name}, {Sql.Literal(pattern.Pattern)}), true)");
                break;
            case UniqueCheck unique:
                Apply(unique, path);
                break;
            case RowCountCheck rowCount:
                if (rowCount.Min is null && rowCount.Max is null)
                    throw new RecipeException(RecipeException.ValueInvalid, "A row count needs min or max.", path);
                _rowCounts.Add((rowCount, path));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(check));
        }
    }

    private void Apply(UniqueCheck unique, string path)
    {
        if (unique.Else is Else.Null or Else.Default)
            throw new RecipeException(RecipeException.ValueInvalid, "A row that occurs again can be kept or rejected: else is keep, reject or fail.", $"{path}.else");
        var columns = unique.Columns.Select((name, i) => Find(name, $"{path}.columns[{Number(i)}]")).ToList();
        var order = unique.OrderBy.Select((key, i) =>
            $"{Quote(Find(key.Column, $"{path}.orderBy[{Number(i)}].column").Name)} {(key.Direction == SortDirection.Asc ? "ASC" : "DESC")} NULLS LAST").ToList();
        var failure = AddFailure(unique.Kind, string.Join(", ", unique.Columns), path, unique.Else);
        var keys = columns.ConvertAll(column => Quote(column.Name));
        var value = $"concat_ws(', ', {string.Join(", ", keys.Select(key => $"CAST({key} AS VARCHAR)"))})";
        _uniques.Add(new UniqueStep(
            failure,
            $"{Quote(_names.Filtered)} IS NULL AND {string.Join(" AND ", keys.Select(key => $"{key} IS NOT NULL"))}",
            keys,
            order,
            Reason(failure, value, "occurs in an earlier row")));
    }

    private static readonly string[] Nothing = [];

    /// <summary>A rule that gives cells of its columns a new value of the same type.</summary>
    private void Change(Rule rule, string path, List<Column> columns, Func<Column, string> expression, bool nullable = false)
    {
        var change = AddChange(rule.Kind, path);
        if (columns.Count == 0)
        {
            Layer(added: [(change, "CAST(0 AS INTEGER)")]);
            return;
        }
        // First the new values beside the old ones, then both compared: an expression is computed once.
        var results = columns.ConvertAll(column => (Column: column, Name: Temporary()));
        Layer(added: [.. results.Select(result => (result.Name, expression(result.Column)))]);
        var originals = columns.SelectMany(KeepOriginal).ToList();
        var replaced = results.ToDictionary(result => result.Column.Name, result => Quote(result.Name));
        var changed = results.Select(result => $"CAST(({Quote(result.Name)} IS DISTINCT FROM {Quote(result.Column.Name)}) AS INTEGER)");
        Layer(replaced, [.. originals, (change, string.Join(" + ", changed))], [.. results.Select(result => result.Name)]);
        if (nullable)
            columns.ForEach(column => column.Nullable = true);
    }

    private void ChangeText(Rule rule, string path, List<Column> columns, Func<string, string> expression, bool nullable = false) =>
        Change(rule, path, columns, column => expression(Quote(column.Name)), nullable);

    /// <summary>A rule that reads cells as another type, and what becomes of those that cannot be read.</summary>
    /// <param name="reader">What to compute first and the converted value, which is null where it failed; null for a column of a wrong type.</param>
    private void Convert(
        Rule rule, string path, ColumnSelection selection, ColumnType type, Else otherwise, Scalar? byDefault, string message,
        Func<Column, (IReadOnlyList<(string Name, string Expression)> First, string Value)?> reader)
    {
        var instead = Otherwise(otherwise, byDefault, type, path);
        var columns = Columns(selection, path, column => column.Type == ColumnType.Text || (!selection.IsAll && reader(column) is not null),
            column => Unfit(rule.Kind, column, "text", path, selection));
        var change = AddChange(rule.Kind, path);
        if (columns.Count == 0)
        {
            Layer(added: [(change, "CAST(0 AS INTEGER)")]);
            return;
        }
        var reads = columns.ConvertAll(column => (Column: column, Read: reader(column)!.Value, Name: Temporary()));
        var first = reads.SelectMany(read => read.Read.First).ToList();
        if (first.Count > 0)
            Layer(added: first);
        Layer(added: [.. reads.Select(read => (read.Name, read.Read.Value))], dropped: [.. first.Select(temporary => temporary.Name)]);

        var replaced = new Dictionary<string, string>();
        var added = new List<(string, string)>();
        var failures = new List<(Failure Failure, string Failed, string Reason)>();
        var changes = new List<string>();
        foreach (var (column, _, name) in reads)
        {
            added.AddRange(KeepOriginal(column));
            var before = Quote(column.Name);
            var converted = Quote(name);
            // Blank text is an empty cell of the new type.
            var failed = $"{Alive()}{converted} IS NULL AND {before} IS NOT NULL{(column.Type == ColumnType.Text ? $" AND trim({before}, {Sql.Literal(WhiteSpace)}) <> ''" : "")}";
            var failure = AddFailure(rule.Kind, column.Name, path, otherwise);
            failures.Add((failure, failed, Reason(failure, $"CAST({before} AS VARCHAR)", message)));
            var keepsText = otherwise == Else.Keep && column.Type == ColumnType.Text;
            if (otherwise == Else.Keep && !keepsText && column.Type != type)
                throw new RecipeException(RecipeException.ColumnType, $"Column \"{column.Name}\" is {column.Type} and would become {type}: a value that fails cannot be kept.", $"{path}.else");
            replaced[column.Name] = otherwise switch
            {
                // A column has one type: when what fails is kept, all of it stays text, and what was read is written in one form.
                Else.Keep when keepsText => $"CASE WHEN {converted} IS NOT NULL THEN CAST({converted} AS VARCHAR) ELSE {before} END",
                Else.Keep => before,
                Else.Default => $"CASE WHEN {failed} THEN {instead} ELSE {converted} END",
                _ => converted,
            };
            changes.Add($"CAST((CAST({replaced[column.Name]} AS VARCHAR) IS DISTINCT FROM CAST({before} AS VARCHAR)) AS INTEGER)");
            if (failure.Rejects && column.Type != type)
            {
                var raw = Temporary();
                added.Add((raw, $"CASE WHEN {failed} THEN CAST({before} AS VARCHAR) END"));
                column.Raw.Add(raw);
            }
        }
        replaced[_names.Reasons] = Reasons(failures);
        replaced[_names.Ids] = Ids(failures.Select(failure => (failure.Failure, failure.Failed)));
        added.Add((change, string.Join(" + ", changes)));
        Layer(replaced, added, [.. reads.Select(read => read.Name)]);
        foreach (var column in columns)
        {
            if (otherwise != Else.Keep || column.Type != ColumnType.Text)
                column.Type = type;
            column.Nullable = true;
        }
    }

    /// <summary>A check of single cells.</summary>
    private void Test(Check check, string path, List<Column> columns, Else otherwise, Scalar? byDefault, string message, Func<Column, string> failing)
    {
        if (columns.Count == 0)
            return;
        var replaced = new Dictionary<string, string>();
        var added = new List<(string, string)>();
        var failures = new List<(Failure Failure, string Failed, string Reason)>();
        var results = columns.ConvertAll(column => (Column: column, Name: Temporary()));
        Layer(added: [.. results.Select(result => (result.Name, failing(result.Column)))]);
        foreach (var (column, name) in results)
        {
            var failed = $"{Alive()}{Quote(name)}";
            var failure = AddFailure(check.Kind, column.Name, path, otherwise);
            failures.Add((failure, failed, Reason(failure, $"CAST({Quote(column.Name)} AS VARCHAR)", message)));
            if (otherwise is Else.Null or Else.Default)
            {
                added.AddRange(KeepOriginal(column));
                replaced[column.Name] = $"CASE WHEN {failed} THEN {Otherwise(otherwise, byDefault, column.Type, path) ?? "NULL"} ELSE {Quote(column.Name)} END";
            }
        }
        replaced[_names.Reasons] = Reasons(failures);
        replaced[_names.Ids] = Ids(failures.Select(failure => (failure.Failure, failure.Failed)));
        Layer(replaced, added, [.. results.Select(result => result.Name)]);
        foreach (var column in columns)
        {
            if (otherwise == Else.Null)
                column.Nullable = true;
            else if (check is NotNullCheck && otherwise != Else.Keep)
                column.Nullable = false;
        }
    }

    private void TestText(Check check, string path, List<Column> columns, Else otherwise, Scalar? byDefault, string message, Func<string, string> failing) =>
        Test(check, path, columns, otherwise, byDefault, message, column => failing(Quote(column.Name)));

    /// <summary>One more projection on top.</summary>
    private void Layer(
        Dictionary<string, string>? replaced = null, IReadOnlyList<(string Name, string Expression)>? added = null, IReadOnlyList<string>? dropped = null, Column? derived = null)
    {
        var select = _columns.Select(column => column.Name).Concat(_carried)
            .Where(name => dropped is null || !dropped.Contains(name))
            .Select(name => replaced is not null && replaced.TryGetValue(name, out var expression) ? $"{expression} AS {Quote(name)}" : Quote(name))
            .Concat((added ?? []).Select(column => $"{column.Expression} AS {Quote(column.Name)}"));
        _steps.Add($"SELECT {string.Join(", ", select)} FROM s{Number(_steps.Count - 1)}");
        _carried.RemoveAll(name => (dropped ?? Nothing).Contains(name));
        if (derived is not null)
            _columns.Add(derived);
        _carried.AddRange((added ?? []).Select(column => column.Name).Where(name => name != derived?.Name));
    }

    /// <summary>Lets the value as ingested travel along from the first change on.</summary>
    private List<(string, string)> KeepOriginal(Column column)
    {
        if (column.Original is not null || column.IngestedType is null)
            return [];
        column.Original = Temporary();
        return [(column.Original, Quote(column.Name))];
    }

    private string Alive() => _filters.Count == 0 ? "" : $"{Quote(_names.Filtered)} IS NULL AND ";

    private Failure AddFailure(string kind, string column, string path, Else otherwise)
    {
        var failure = new Failure(_failures.Count, kind, column, column.Length == 0 ? $"{kind}({path})" : $"{kind}({column})", path, otherwise);
        _failures.Add(failure);
        return failure;
    }

    private string AddChange(string kind, string path)
    {
        var change = new ChangeCount(Temporary(), kind, path);
        _changes.Add(change);
        return change.Column;
    }

    private string Reasons(IReadOnlyList<(Failure Failure, string Failed, string Reason)> failures)
    {
        var rejecting = failures.Where(failure => failure.Failure.Rejects).ToList();
        var name = Quote(_names.Reasons);
        if (rejecting.Count == 0)
            return name;
        var any = string.Join(" OR ", rejecting.Select(failure => $"({failure.Failed})"));
        var all = string.Join(", ", rejecting.Select(failure => $"CASE WHEN {failure.Failed} THEN {failure.Reason} END"));
        return $"CASE WHEN {any} THEN concat_ws(',', {name}, {all}) ELSE {name} END";
    }

    private string Ids(IEnumerable<(Failure Failure, string Failed)> failures)
    {
        var list = failures.ToList();
        var name = Quote(_names.Ids);
        var any = string.Join(" OR ", list.Select(failure => $"({failure.Failed})"));
        var all = string.Join(", ", list.Select(failure => $"CASE WHEN {failure.Failed} THEN '{Number(failure.Failure.Id)}' END"));
        return $"CASE WHEN {any} THEN concat_ws(',', {name}, {all}) ELSE {name} END";
    }

    private static string Reason(Failure failure, string value, string message)
    {
        static string Text(string text) => JsonSerializer.Serialize(text);
        var head = $"{{\"rule\":{Text(failure.Kind)},\"path\":{Text(failure.Path)},\"column\":{(failure.Column.Length == 0 ? "null" : Text(failure.Column))},\"message\":{Text(message)},\"value\":";
        return $"{Sql.Literal(head)} || coalesce(CAST(to_json({value}) AS VARCHAR), 'null') || '}}'";
    }

    /// <summary>The value for <c>else: default</c>, checked; null for every other else.</summary>
    private string? Otherwise(Else otherwise, Scalar? byDefault, ColumnType type, string path)
    {
        if (otherwise != Else.Default)
        {
            return byDefault is null ? null
                : throw new RecipeException(RecipeException.ValueInvalid, "A default is only used with else: default.", $"{path}.default");
        }
        if (byDefault is null)
            throw new RecipeException(RecipeException.ValueInvalid, "else: default needs a default.", path);
        return TryLiteral(byDefault, type)
            ?? throw new RecipeException(RecipeException.ValueInvalid, $"\"{byDefault}\" is no value of type {type}.", $"{path}.default");
    }

    private string? TryLiteral(Scalar value, ColumnType type)
    {
        if (type is ColumnType.ListType or ColumnType.StructType)
            return null;
        var text = Sql.Literal(value.Text);
        var exact = type is ColumnType.DecimalType || type == ColumnType.Int64
            ? $"TRY_CAST({text} AS {type.DuckDb}) = TRY_CAST({text} AS DECIMAL(38,18)) OR TRY_CAST({text} AS DECIMAL(38,18)) IS NULL"
            : "true";
        return _session.Scalar<bool>($"SELECT TRY_CAST({text} AS {type.DuckDb}) IS NOT NULL AND ({exact})") ? $"CAST({text} AS {type.DuckDb})" : null;
    }

    private string Limit(Scalar value, ColumnType type, string path)
    {
        // Whole and decimal columns are compared with the limit as it is written.
        var wide = type is ColumnType.DecimalType || type == ColumnType.Int64 ? ColumnType.Decimal(38, 10) : type;
        return TryLiteral(value, type) ?? TryLiteral(value, wide)
            ?? throw new RecipeException(RecipeException.ValueInvalid, $"\"{value}\" is no {type}.", path);
    }

    private void CheckPattern(string pattern, string? replacement, string path)
    {
        if (pattern.Length is 0 or > LongestPattern)
            throw new RecipeException(RecipeException.PatternInvalid, $"A pattern has 1 to {LongestPattern} characters.", path);
        try
        {
            _session.Scalar<bool>($"SELECT regexp_replace('', {Sql.Literal(pattern)}, {Sql.Literal(replacement ?? "")}) IS NULL");
        }
        catch (EngineException)
        {
            throw new RecipeException(RecipeException.PatternInvalid, "The regular expression is not right. It follows RE2: no look-around, no back references.", path);
        }
    }

    /// <summary>The value, or null where the expression cannot be computed: a list of one, because the value may be null itself.</summary>
    private static string Attempt(string sql) => $"TRY([{sql}])";

    private ColumnType ExpressionType(string sql, string path)
    {
        var row = string.Join(", ", _columns.Select(column => $"CAST(NULL AS {column.Type.DuckDb}) AS {Quote(column.Name)}"));
        string type;
        try
        {
            type = _session.Query($"DESCRIBE SELECT {sql} FROM (SELECT {row})", reader => reader.GetString(1))[0];
        }
        catch (EngineException exception)
        {
            throw new RecipeException(RecipeException.ExpressionInvalid, $"The row expression is refused: {exception.Message.TrimEnd('.')}.", path);
        }
        return ColumnType.NearestTo(type)
            ?? throw new RecipeException(RecipeException.ExpressionInvalid, $"The row expression has the type {type}, which Qualiz does not have; cast it.", path);
    }

    private static ColumnType TypeOf(string text, string path)
    {
        try
        {
            return ColumnType.Parse(text);
        }
        catch (FormatException exception)
        {
            throw new RecipeException(RecipeException.ColumnType, exception.Message, path);
        }
    }

    /// <summary>A numeric or temporal column in another such type, null where that would lose something.</summary>
    private static string Exact(Column column, ColumnType type)
    {
        var name = Quote(column.Name);
        return column.Type == type ? name
            : $"CASE WHEN TRY_CAST(TRY_CAST({name} AS {type.DuckDb}) AS {column.Type.DuckDb}) = {name} THEN TRY_CAST({name} AS {type.DuckDb}) END";
    }

    private List<string> Visible() => _columns.ConvertAll(column => column.Name);

    private List<Column> TextColumns(ColumnSelection selection, string kind, string path) =>
        Columns(selection, path, column => column.Type == ColumnType.Text, column => Unfit(kind, column, "text", path, selection));

    private List<Column> Columns(ColumnSelection selection, string path, Func<Column, bool> fits, Func<Column, RecipeException>? unfit = null)
    {
        if (selection.IsAll)
            return _columns.FindAll(column => fits(column));
        var found = new List<Column>();
        for (var i = 0; i < selection.Names.Count; i++)
        {
            var column = Find(selection.Names[i], $"{path}.columns[{Number(i)}]");
            if (found.Contains(column))
                continue;
            found.Add(fits(column) ? column : throw unfit!(column));
        }
        return found;
    }

    private static RecipeException Unfit(string kind, Column column, string needed, string path, ColumnSelection selection)
    {
        var index = selection.IsAll ? null : (int?)selection.Names.Select((name, i) => (name, i)).First(entry => entry.name == column.Name).i;
        return new RecipeException(RecipeException.ColumnType, $"{kind} works on {needed}; column \"{column.Name}\" is {column.Type}.", index is null ? path : $"{path}.columns[{Number(index.Value)}]");
    }

    private Column Find(string name, string path) =>
        _columns.Find(column => column.Name == name) ?? throw RecipeErrors.ColumnUnknown(name, Visible(), path);

    private string Temporary() => $"{_names.Prefix}{Number(_temporaries++)}";

    private static string Quote(string name) => Sql.Identifier(name);

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string CharacterClass(string character) => $@"\x{{{(int)character[0]:X}}}";

    private static string Escape(string text) =>
        string.Concat(text.EnumerateRunes().Select(rune => rune.IsAscii && !char.IsAsciiLetterOrDigit((char)rune.Value) ? $@"\x{{{rune.Value:X}}}" : rune.ToString()));

    private static string AsRejected(Column column)
    {
        var value = JsonValue(Quote(column.Name), column.Type);
        if (column.Raw.Count == 0)
            return value;
        return $"coalesce({string.Join(", ", column.Raw.Select(raw => $"to_json({Quote(raw)})"))}, {value})";
    }

    private static string JsonObject(IEnumerable<(string Name, string Value)> members)
    {
        var parts = members.Select(member => $"{Sql.Literal($"{JsonSerializer.Serialize(member.Name)}:")} || coalesce(CAST({member.Value} AS VARCHAR), 'null')");
        return $"'{{' || concat_ws(',', {string.Join(", ", parts.DefaultIfEmpty("NULL"))}) || '}}'";
    }

    /// <summary>A value as JSON in the form that rows have on the wire: what a double cannot hold exactly is text.</summary>
    private static string JsonValue(string name, ColumnType type) => type switch
    {
        _ when type == ColumnType.Text || type == ColumnType.Bool || type.IsNested => $"to_json({name})",
        _ when type == ColumnType.Int64 => $"CASE WHEN {name} BETWEEN -9007199254740991 AND 9007199254740991 THEN to_json({name}) ELSE to_json(CAST({name} AS VARCHAR)) END",
        _ when type == ColumnType.Double => $"CASE WHEN isfinite({name}) THEN to_json({name}) ELSE to_json(CAST({name} AS VARCHAR)) END",
        _ when type == ColumnType.Timestamp => $"to_json(replace(CAST({name} AS VARCHAR), ' ', 'T'))",
        _ when type == ColumnType.TimestampTz => $"to_json(replace(replace(CAST({name} AS VARCHAR), ' ', 'T'), '+00', 'Z'))",
        _ => $"to_json(CAST({name} AS VARCHAR))",
    };

    private sealed class Column(string name, ColumnType type)
    {
        public string Name { get; } = name;
        public ColumnType Type { get; set; } = type;
        public bool Nullable { get; set; } = true;
        public string? Sensitivity { get; set; }

        /// <summary>The type as ingested; null for a derived column.</summary>
        public ColumnType? IngestedType { get; init; }

        /// <summary>The internal column with the value as ingested, once a rule has changed it.</summary>
        public string? Original { get; set; }

        /// <summary>Internal columns with the text that could not be converted.</summary>
        public List<string> Raw { get; } = [];
    }
}
