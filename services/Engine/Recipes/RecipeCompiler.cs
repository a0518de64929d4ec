using System.Globalization;
using System.Text.Json;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Values;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Kernels.Rows;
using Qualiz.Engine.Rows;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Recipes;

/// <summary>
/// Turns a recipe into one query. Each rule is one or two projections on top of the last, so that it sees the result of the ones before it;
/// operations on the text of one column are gathered and done by one kernel. The engine streams all of it in one pass. Beside the data travel columns
/// of our own: one of booleans for each thing that can happen to a row, and one for each rule that changes cells. What comes of them is decided at the
/// end (<see cref="RecipeRun"/>). Nothing has an effect before the whole recipe has been checked.
/// </summary>
public sealed partial class RecipeCompiler
{
    private const int LongestPattern = 2000;

    private readonly EngineSession _session;
    private readonly IReadOnlyList<RecipeInput> _inputs;
    private readonly List<RecipeColumn> _columns = [];
    private readonly List<IngestedColumn> _ingested = [];
    private readonly List<string> _carried = [];
    private readonly List<string> _steps = [];
    private readonly List<RecipeEvent> _events = [];
    private readonly List<RecipeEvent> _lastEvents = [];
    private readonly List<Func<string>> _reasons = [];
    private readonly List<Func<string>> _lastReasons = [];
    private readonly List<ChangingRule> _changingRules = [];
    private readonly List<ChangeColumn> _changes = [];
    private readonly List<Func<string>> _shownChanges = [];
    private readonly List<(int Event, List<string> Keys, List<string> Order, string? When)> _uniques = [];
    private readonly List<(RowCountCheck, string)> _rowCounts = [];
    private readonly List<WholeCheck> _wholes = [];
    private readonly List<GroupStep> _groups = [];
    private readonly List<PassingShare> _shares = [];
    private readonly IReadOnlyDictionary<string, LocalDataset>? _references;
    private readonly InternalNames _names;
    private int _temporaries;

    private RecipeCompiler(
        EngineSession session, IReadOnlyList<RecipeInput> inputs, Recipe recipe, IReadOnlyDictionary<string, LocalDataset>? references, MaskKeys? masks)
    {
        _masks = masks;
        _references = references;
        _session = session;
        _inputs = inputs;
        _names = InternalNames.Avoiding(inputs.SelectMany(input => input.Dataset.Schema.Columns).Select(column => column.Name)
            .Concat(recipe.Rules.SelectMany(rule => rule.NewColumns)));
    }

    /// <param name="session">Only parses and binds; no data is read.</param>
    /// <param name="references">The datasets that the recipe looks into (<see cref="Recipe.References"/>); null where they are not at hand and only the recipe is checked.</param>
    /// <exception cref="RecipeException">The recipe does not fit the inputs.</exception>
    /// <param name="masks">The keys of <see cref="Recipe.Keys"/>, for as long as the recipe runs; null where they are not at hand and only the recipe is checked.</param>
    public static CompiledRecipe Compile(
        EngineSession session, Recipe recipe, IReadOnlyList<RecipeInput> inputs, IReadOnlyDictionary<string, LocalDataset>? references = null, MaskKeys? masks = null)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(inputs);
        return new RecipeCompiler(session, inputs, recipe, references, masks).Compile(recipe);
    }

    private CompiledRecipe Compile(Recipe recipe)
    {
        Stack();
        if (recipe.Suggested is { } suggested)
        {
            // Which cells they empty is known with the rows only, and what is true of the columns may not change with them.
            foreach (var column in _columns)
                column.Nullable = true;
            for (var i = 0; i < suggested.Count; i++)
                Apply(suggested[i], $"auto[{Number(i)}]");
        }
        for (var i = 0; i < recipe.Rules.Count; i++)
            Apply(recipe.Rules[i], $"rules[{Number(i)}]");
        FinishTexts();
        for (var i = 0; i < recipe.Checks.Count; i++)
            Apply(recipe.Checks[i], $"checks[{Number(i)}]");
        var query = $"{With()}\nSELECT * FROM s{Number(_steps.Count - 1)}";
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
            Events = [.. _events, .. _lastEvents],
            ChangingRules = _changingRules,
            Changes = _changes,
            Uniques = [.. _uniques.Select(unique => new UniqueStep(_events.Count + unique.Event, unique.Keys, unique.Order, unique.When))],
            RowCounts = _rowCounts,
            Wholes = _wholes,
            Groups = _groups,
            Shares = _shares,
            IngestedJson = JsonObject(_ingested.Select(column => (column.Name, IsHidden(column.Name) ? "NULL" : JsonValue(Quote(column.Value.Name), column.Type)))),
            Hidden = [.. _ingested.Select(column => column.Name).Where(IsHidden)],
            RejectedJson = JsonObject(_columns.Select(column => (column.Name, AsRejected(column)))),
            ReasonsJson = JsonList(_reasons.Concat(_lastReasons).Select(reason => reason())),
            ChangesJson = JsonList(_shownChanges.Select(change => change())),
        };
    }

    /// <summary>All projections so far.</summary>
    private string With() => $"WITH {string.Join(",\n", _steps.Select((step, i) => $"s{Number(i)} AS NOT MATERIALIZED (\n  {step})"))}";

    /// <summary>The inputs on top of each other, by column name.</summary>
    private void Stack()
    {
        var columns = StackedInputs.Stack([.. _inputs.Select(input => (input.Name, input.Dataset.Schema))]);
        foreach (var column in columns)
        {
            var added = new RecipeColumn(column.Name, DatasetFiles.TypeOf(column)) { Nullable = column.Nullable, Sensitivity = column.Sensitivity };
            _columns.Add(added);
            _ingested.Add(new IngestedColumn(added.Name, added.Type, added.Current.Wanted()));
        }
        _carried.AddRange([_names.Input, HiddenColumns.Source, HiddenColumns.Row, HiddenColumns.Key]);
        _steps.Add(StackedInputs.Query(_inputs, columns, _names.Input));
    }

    private void Apply(Rule rule, string path)
    {
        if (rule.Off)
            return;
        if (TryApplyText(rule, path))
            return;
        FinishTexts();
        switch (rule)
        {
            case RegexRule regex:
                Apply(regex, path);
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
            case MajorityRule majority:
                Apply(majority, path);
                break;
            case SwapRule swap:
                Apply(swap, path);
                break;
            case ShiftRule shift:
                Apply(shift, path);
                break;
            case EmailRule email:
                Apply(email, path);
                break;
            case PhoneRule phone:
                Apply(phone, path);
                break;
            case CountryRule country:
                Apply(country, path);
                break;
            case CurrencyRule currency:
                Apply(currency, path);
                break;
            case CastRule cast:
                Apply(cast, path);
                break;
            case SplitRule split:
                Apply(split, path);
                break;
            case MergeRule merge:
                Apply(merge, path);
                break;
            case FlattenRule flatten:
                Apply(flatten, path);
                break;
            case ExplodeRule explode:
                Apply(explode, path);
                break;
            case UnpivotRule unpivot:
                Apply(unpivot, path);
                break;
            case RenameRule rename:
                Apply(rename, path);
                break;
            case DropRule drop:
                Apply(drop, path);
                break;
            case SelectRule select:
                Apply(select, path);
                break;
            case MaskRule mask:
                Apply(mask, path);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(rule));
        }
    }

    /// <summary>One more projection on top. A value that somebody wants later gets a column of its own when its column gets another value.</summary>
    private void Layer(
        Dictionary<RecipeColumn, string>? replaced = null, IReadOnlyList<(string Name, string Expression)>? added = null, IReadOnlyList<string>? dropped = null,
        RecipeColumn? derived = null)
    {
        var kept = new List<(string Name, string Expression)>(added ?? []);
        foreach (var column in (replaced ?? []).Keys)
        {
            if (column.Current.IsWanted)
            {
                var name = Temporary();
                kept.Add((name, Quote(column.Current.Name)));
                column.Current.Name = name;
            }
            column.Current = new CellVersion(column.Name);
        }
        var expressions = replaced?.ToDictionary(entry => entry.Key.Name, entry => entry.Value);
        var select = _columns.Select(column => column.Name).Concat(_carried)
            .Where(name => dropped is null || !dropped.Contains(name))
            .Select(name => expressions is not null && expressions.TryGetValue(name, out var expression) ? $"{expression} AS {Quote(name)}" : Quote(name))
            .Concat(kept.Select(column => $"{column.Expression} AS {Quote(column.Name)}"));
        _steps.Add($"SELECT {string.Join(", ", select)} FROM s{Number(_steps.Count - 1)}");
        _carried.RemoveAll(name => (dropped ?? Nothing).Contains(name));
        if (derived is not null)
            _columns.Add(derived);
        _carried.AddRange(kept.Select(column => column.Name).Where(name => name != derived?.Name));
    }

    /// <summary>Something that can happen to a row, told by a column of booleans, which are never null.</summary>
    private void AddEvent(RowEvent kind, string column, Failure? failure, string label) => _events.Add(new RecipeEvent(kind, column, failure, label));

    /// <summary>A cell that fails.</summary>
    /// <param name="value">The failing value, as SQL of any type, asked for when all projections are known.</param>
    private Failure AddFailure(string kind, string column, string path, Else otherwise, string flag, string message, Func<string> value)
    {
        var failure = new Failure(kind, column, column.Length == 0 ? $"{kind}({path})" : $"{kind}({column})", path, otherwise);
        AddEvent(failure.Rejects ? RowEvent.Reject : RowEvent.Tolerate, flag, failure, failure.Label);
        if (failure.Rejects)
            _reasons.Add(() => $"CASE WHEN {Quote(flag)} THEN {Reason(failure, IsHidden(column) ? "NULL" : value(), message)} END");
        return failure;
    }

    private int AddChangingRule(string kind, string path)
    {
        _changingRules.Add(new ChangingRule(kind, path));
        return _changingRules.Count - 1;
    }

    /// <summary>A column of booleans that says in which rows a rule changed a cell.</summary>
    private void AddChange(int rule, string flag, string column, CellVersion before, ColumnType typeBefore, CellVersion after, ColumnType typeAfter)
    {
        _changes.Add(new ChangeColumn(flag, new RowChange([rule], Bits: false)));
        after.Wanted();
        var head = JsonHead(("rule", _changingRules[rule].Path), ("column", column));
        _shownChanges.Add(() => IsHidden(column)
            ? HiddenChange(Quote(flag), rule, column)
            : $"CASE WHEN {Quote(flag)} THEN {Sql.Literal($"{head},\"old\":")} || {OrNull(JsonValue(Quote(before.Name), typeBefore))} || ',\"new\":' || {OrNull(JsonValue(Quote(after.Name), typeAfter))} || '}}' END");
    }

    /// <summary>A cell changed, but not from what or to what.</summary>
    private string HiddenChange(string flag, int rule, string column) =>
        $"CASE WHEN {flag} THEN {Sql.Literal($"{JsonHead(("rule", _changingRules[rule].Path), ("column", column))},\"old\":null,\"new\":null}}")} END";

    private static string Reason(Failure failure, string value, string message)
    {
        var head = JsonHead(("rule", failure.Kind), ("path", failure.Path), ("column", failure.Column.Length == 0 ? null : failure.Column), ("message", message));
        return $"{Sql.Literal($"{head},\"value\":")} || {OrNull($"to_json(CAST({value} AS VARCHAR))")} || '}}'";
    }

    private static string JsonHead(params (string Name, string? Value)[] members) =>
        $"{{{string.Join(",", members.Select(member => $"{JsonSerializer.Serialize(member.Name)}:{JsonSerializer.Serialize(member.Value)}"))}";

    private static string OrNull(string json) => $"coalesce(CAST({json} AS VARCHAR), 'null')";

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
        // Any text is one; a list of many values need not be asked about one by one.
        if (type == ColumnType.Text)
            return $"CAST({text} AS VARCHAR)";
        var exact = type is ColumnType.DecimalType || type == ColumnType.Int64
            ? $"TRY_CAST({text} AS {type.DuckDb}) = TRY_CAST({text} AS DECIMAL(38,18)) OR TRY_CAST({text} AS DECIMAL(38,18)) IS NULL"
            : "true";
        return _session.Scalar<bool>($"SELECT TRY_CAST({text} AS {type.DuckDb}) IS NOT NULL AND ({exact})") ? $"CAST({text} AS {type.DuckDb})" : null;
    }

    private ColumnType ExpressionType(string sql, string path) => RowExpression.TypeOf(_session, sql, _columns.Select(column => (column.Name, column.Type)), path);

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

    private List<string> Visible() => _columns.ConvertAll(column => column.Name);

    private List<RecipeColumn> TextColumns(ColumnSelection selection, string kind, string path) =>
        Columns(selection, path, column => column.Type == ColumnType.Text, column => Unfit(kind, column, "text", path, selection));

    private List<RecipeColumn> Columns(ColumnSelection selection, string path, Func<RecipeColumn, bool> fits, Func<RecipeColumn, RecipeException>? unfit = null)
    {
        if (selection.IsAll)
            return _columns.FindAll(column => fits(column));
        var found = new List<RecipeColumn>();
        for (var i = 0; i < selection.Names.Count; i++)
        {
            var column = Find(selection.Names[i], $"{path}.columns[{Number(i)}]");
            if (found.Contains(column))
                continue;
            found.Add(fits(column) ? column : throw unfit!(column));
        }
        return found;
    }

    private static RecipeException Unfit(string kind, RecipeColumn column, string needed, string path, ColumnSelection selection)
    {
        var index = selection.IsAll ? null : (int?)selection.Names.Select((name, i) => (name, i)).First(entry => entry.name == column.Name).i;
        return new RecipeException(RecipeException.ColumnType, $"{kind} works on {needed}; column \"{column.Name}\" is {column.Type}.", index is null ? path : $"{path}.columns[{Number(index.Value)}]");
    }

    private RecipeColumn Find(string name, string path) =>
        _columns.Find(column => column.Name == name) ?? throw RecipeErrors.ColumnUnknown(name, Visible(), path);

    private static readonly string[] Nothing = [];

    private string Temporary() => $"{_names.Prefix}{Number(_temporaries++)}";

    private static string Quote(string name) => Sql.Identifier(name);

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private string AsRejected(RecipeColumn column)
    {
        var value = JsonValue(Quote(column.Name), column.Type);
        if (column.Unread.Count == 0 || IsHidden(column.Name))
            return value;
        var texts = column.Unread.Select(unread => $"WHEN {Quote(unread.Event)} THEN {(unread.Type is { } type ? JsonValue(Quote(unread.Value.Name), type) : $"to_json(CAST({Quote(unread.Value.Name)} AS VARCHAR))")}");
        return $"CASE {string.Join(" ", texts)} ELSE {value} END";
    }

    /// <summary>A row as JSON, as it stands in <c>ingested</c>.</summary>
    internal static string RowAsJson(IEnumerable<(string Name, ColumnType Type)> columns) =>
        JsonObject(columns.Select(column => (column.Name, JsonValue(Quote(column.Name), column.Type))));

    private static string JsonObject(IEnumerable<(string Name, string Value)> members)
    {
        var parts = members.Select(member => $"{Sql.Literal($"{JsonSerializer.Serialize(member.Name)}:")} || {OrNull(member.Value)}");
        return $"'{{' || concat_ws(',', {string.Join(", ", parts.DefaultIfEmpty("NULL"))}) || '}}'";
    }

    private static string JsonList(IEnumerable<string> items) => $"'[' || concat_ws(',', {string.Join(", ", items.DefaultIfEmpty("NULL"))}) || ']'";

    /// <summary>A value as JSON in the form that rows have on the wire, on one line as the spools are read.</summary>
    private static string JsonValue(string name, ColumnType type) => type.IsNested ? RowJson.OnOneLine(RowJson.Value(type, name)) : RowJson.Value(type, name);
}
