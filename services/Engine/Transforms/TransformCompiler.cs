using System.Globalization;
using System.Text;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Text;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Recipes;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Transforms;

/// <summary>
/// Turns operations into one query: each is one or two projections on top of the last. As long as rows are accounted, none is dropped:
/// an internal column says what took it out, and everything behind passes it by. The first input is what the operations work on; the
/// others come in where an operation names them.
/// </summary>
public sealed class TransformCompiler
{
    public const string InputUnused = "inputUnused";
    private const string InputUnknown = "inputUnknown";
    private const string ColumnExists = "columnExists";
    private const string TooManyColumns = "tooManyColumns";
    private const int MostPivotNames = 200;

    private readonly EngineSession _session;
    private readonly IReadOnlyList<RecipeInput> _inputs;
    private readonly bool _mayRead;
    private readonly string _prefix;
    private readonly List<string> _steps = [];
    private readonly List<string> _carried = [];
    private readonly List<(string Column, SortDirection Direction)> _order = [];
    private readonly List<string> _reasons = [];
    private readonly List<string> _adding = [];
    private readonly HashSet<int> _used = [0];
    private readonly List<int> _flowing = [0];
    private readonly List<int> _merged = [];
    private List<Column> _columns = [];
    private IReadOnlyList<string>? _key;
    private bool _accounted = true;
    private bool _joined;
    private int _temporaries;

    private TransformCompiler(EngineSession session, IReadOnlyList<Operation> operations, IReadOnlyList<RecipeInput> inputs, bool mayRead)
    {
        _session = session;
        _inputs = inputs;
        _mayRead = mayRead;
        _prefix = FreePrefix(operations, inputs);
    }

    /// <exception cref="RecipeException">The operations do not fit the inputs.</exception>
    public static TransformPlan Compile(EngineSession session, IReadOnlyList<Operation> operations, IReadOnlyList<RecipeInput> inputs)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(operations);
        ArgumentNullException.ThrowIfNull(inputs);
        var compiler = new TransformCompiler(session, operations, inputs, mayRead: true);
        compiler.Begin();
        for (var i = 0; i < operations.Count; i++)
            compiler.Apply(operations[i], $"operations[{Number(i)}]");
        compiler.CheckUnused();
        return compiler.End();
    }

    /// <summary>The same on inputs without rows; goes on behind a mistake where that changes nothing for what comes after.</summary>
    public static TransformCheck Check(EngineSession session, IReadOnlyList<Operation> operations, IReadOnlyList<RecipeInput> inputs)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(operations);
        ArgumentNullException.ThrowIfNull(inputs);
        var problems = new List<RecipeException>();
        var compiler = new TransformCompiler(session, operations, inputs, mayRead: false);
        compiler.Begin();
        for (var i = 0; i < operations.Count; i++)
        {
            try
            {
                if (operations[i] is PivotOperation { Names.Count: 0 } open)
                {
                    compiler.Spread(open, $"operations[{Number(i)}]");
                    return new TransformCheck(null, problems, true);
                }
                compiler.Apply(operations[i], $"operations[{Number(i)}]");
            }
            catch (RecipeException exception)
            {
                problems.Add(exception);
                if (operations[i] is not (FilterOperation or SortOperation or SampleOperation))
                    return new TransformCheck(null, problems, false);
            }
        }

        try
        {
            compiler.CheckUnused();
        }
        catch (RecipeException exception)
        {
            problems.Add(exception);
        }

        return new TransformCheck(compiler.End(), problems, false);
    }

    private void Begin()
    {
        _columns = [.. _inputs[0].Dataset.Schema.Columns.Where(column => !column.Hidden).Select(Column.Of)];
        _carried.AddRange([.. HiddenColumns.Names, Input, Gone]);
        _steps.Add(Rows(0, _columns));
    }

    private TransformPlan End()
    {
        var ties = _order.Count == 0 ? [] : Ties();
        return new TransformPlan
        {
            Query = _accounted ? Text() : $"{Text()}{OrderBy([.. Order(), .. ties])}",
            Schema = new DatasetSchema { Columns = [.. _columns.Select(column => column.ToSchema()), .. HiddenColumns.Columns] },
            Accounted = _accounted,
            Key = _key,
            Inputs = _inputs,
            Flowing = _flowing,
            Merged = _merged,
            Reasons = _reasons,
            Adding = _adding,
            Order = [.. Order(), .. ties],
            Prefix = _prefix,
        };
    }

    private void CheckUnused()
    {
        for (var i = 0; i < _inputs.Count; i++)
        {
            if (!_used.Contains(i))
                throw new RecipeException(InputUnused, $"The input \"{_inputs[i].Name}\" is used by no operation; join it, put it below with union, or take it away.", "operations");
        }
    }

    private void Apply(Operation operation, string path)
    {
        switch (operation)
        {
            case SelectOperation select:
                Select(select, path);
                break;
            case FilterOperation filter:
                Filter(filter, path);
                break;
            case JoinOperation join:
                Join(join, path);
                break;
            case UnionOperation union:
                Union(union, path);
                break;
            case AggregateOperation aggregate:
                Aggregate(aggregate, path);
                break;
            case SortOperation sort:
                Sort(sort, path);
                break;
            case SampleOperation sample:
                Sample(sample, path);
                break;
            case PivotOperation pivot:
                Pivot(pivot, path);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(operation));
        }
    }

    private void Select(SelectOperation select, string path)
    {
        var kept = select.Columns.IsAll ? _columns.ToList() : select.Columns.Names.Select((name, i) => Find(name, $"{path}.columns[{Number(i)}]")).Distinct().ToList();
        for (var i = 0; i < select.Except.Count; i++)
            kept.Remove(Find(select.Except[i], $"{path}.except[{Number(i)}]"));
        foreach (var old in select.Rename.Keys)
        {
            if (!kept.Exists(column => column.Name == old))
                throw RecipeErrors.ColumnUnknown(old, [.. kept.Select(column => column.Name)], $"{path}.rename.{old}");
        }
        if (kept.Count == 0)
            throw new RecipeException(RecipeException.ValueInvalid, "No column is left.", path);
        var renamed = kept.ConvertAll(column => select.Rename.TryGetValue(column.Name, out var name) ? column with { Name = NewName(name, $"{path}.rename.{column.Name}") } : column);
        // Of two with one name, the one that was renamed is to blame.
        Distinct(renamed, i => kept.Where((old, at) => select.Rename.ContainsKey(old.Name) && renamed[at].Name.Equals(renamed[i].Name, StringComparison.OrdinalIgnoreCase)).FirstOrDefault() is { } blamed
            ? $"{path}.rename.{blamed.Name}" : path);
        Layer([.. kept.Zip(renamed, (old, now) => As(Quote(old.Name), now.Name))]);
        _key = _key is null ? null : [.. _key.Where(name => kept.Exists(column => column.Name == name)).Select(name => select.Rename.GetValueOrDefault(name, name))];
        _columns = renamed;
    }

    private void Filter(FilterOperation filter, string path)
    {
        var (sql, _) = RowExpression.Check(_session, filter.Where, [.. _columns.Select(column => column.Name)], $"{path}.where");
        if (TypeOf(sql, $"{path}.where") != ColumnType.Bool)
            throw new RecipeException(RecipeException.ExpressionInvalid, "The expression of a filter must be true or false.", $"{path}.where");
        if (!_accounted)
        {
            Layer(where: sql);
            return;
        }
        var result = Temporary();
        Layer(added: [(result, $"TRY([{sql}])")]);
        var untrue = Reason($"filter({filter.Where})");
        var failed = Reason($"filter({filter.Where}) cannot be computed");
        TakeOut($"CASE WHEN {Quote(result)} IS NULL THEN {failed} WHEN {Quote(result)}[1] IS NOT true THEN {untrue} END", [result]);
    }

    private void Join(JoinOperation join, string path)
    {
        var other = InputOf(join.With, $"{path}.with");
        _used.Add(other);
        var schema = _inputs[other].Dataset.Schema;
        var theirs = schema.Columns.Where(column => !column.Hidden).Select(Column.Of).ToList();
        if (join.Keys.Count == 0)
            throw new RecipeException(RecipeException.ValueInvalid, "A join needs at least one key.", $"{path}.keys");
        var keys = join.Keys.Select(key => (Ours: Find(key.Key, $"{path}.keys.{key.Key}"), Theirs: Find(key.Value, theirs, $"{path}.keys.{key.Key}"))).ToList();
        foreach (var (ours, their) in keys)
        {
            var fits = ours.Type == their.Type || (ours.Type.IsNumeric && their.Type.IsNumeric && join.How != JoinKind.Full);
            if (!fits || ours.Type.IsNested)
                throw new RecipeException(RecipeException.ColumnType, $"Column \"{ours.Name}\" is {ours.Type} and \"{their.Name}\" of {join.With} is {their.Type}: they cannot be compared.", $"{path}.keys.{ours.Name}");
        }
        var lookup = join.How is JoinKind.Semi or JoinKind.Anti;
        if (lookup && (!join.Columns.IsAll || join.Prefix.Length > 0))
            throw new RecipeException(RecipeException.ValueInvalid, $"{Word(join.How)} takes no columns.", path);
        var taken = Taken(join, theirs, keys, lookup, path);
        var names = taken.ConvertAll(column => column with { Name = $"{join.Prefix}{column.Name}", Nullable = column.Nullable || join.How != JoinKind.Inner });
        Distinct([.. _columns, .. names], i => i < _columns.Count ? path
            : join.Columns.IsAll ? $"{path}.with" : $"{path}.columns[{Number(i - _columns.Count)}]", "it is there already; take it with a prefix or leave it out");

        // A row that is out already meets nobody: its keys are empty here.
        var ourKeys = keys.ConvertAll(key => (Name: Temporary(), key.Ours));
        Layer(added: [.. ourKeys.Select(key => (key.Name, _accounted ? $"CASE WHEN {Quote(Gone)} IS NULL THEN {Quote(key.Ours.Name)} END" : Quote(key.Ours.Name)))]);
        var theirKeys = keys.ConvertAll(_ => Temporary());
        var marker = Temporary();
        var full = join.How == JoinKind.Full;
        var theirHidden = HiddenColumns.Names.Select(name => (Name: name, Internal: Temporary())).ToList();
        var values = taken.ConvertAll(_ => Temporary());
        var right = keys.Select((key, i) => As(Quote(key.Theirs.Name), theirKeys[i])).Append(As("true", marker))
            .Concat(taken.Select((column, i) => As(Quote(column.Name), values[i])));
        if (full && _accounted)
            right = right.Concat(theirHidden.Select(hidden => As(Hidden(schema, hidden.Name), hidden.Internal)));
        var relation = $"(SELECT {(lookup ? "DISTINCT " : "")}{string.Join(", ", right)} FROM {DatasetFiles.Relation(_inputs[other].Dataset)})";
        var on = string.Join(" AND ", ourKeys.Select((key, i) => $"l.{Quote(key.Name)} = r.{Quote(theirKeys[i])}"));
        var kind = full ? "FULL" : _accounted || join.How == JoinKind.Left || lookup ? "LEFT" : "INNER";
        var previous = Last;
        var onlyTheirs = $"l.{Quote(ourKeys[0].Name)} IS NULL AND r.{Quote(marker)} IS NOT NULL";

        // A row of the other side alone has its keys in our columns, its own identity, and counts for its own input.
        string Ours(string name)
        {
            var column = $"l.{Quote(name)}";
            if (!full)
                return column;
            if (keys.FindIndex(key => key.Ours.Name == name) is >= 0 and var at)
                return $"CASE WHEN {onlyTheirs} THEN r.{Quote(theirKeys[at])} ELSE {column} END";
            if (!_accounted)
                return column;
            if (HiddenColumns.IsHidden(name))
                return $"CASE WHEN {onlyTheirs} THEN r.{Quote(theirHidden.First(hidden => hidden.Name == name).Internal)} ELSE {column} END";
            return name == Input ? $"CASE WHEN {onlyTheirs} THEN CAST({Number(other)} AS USMALLINT) ELSE {column} END" : column;
        }

        var ownKeys = ourKeys.ConvertAll(key => key.Name);
        var select = _columns.Select(column => column.Name).Concat(_carried.Where(name => !ownKeys.Contains(name))).Select(name => As(Ours(name), name))
            .Append(As($"r.{Quote(marker)}", marker))
            .Concat(names.Select((column, i) => As($"r.{Quote(values[i])}", column.Name)));
        _steps.Add($"SELECT {string.Join(", ", select)} FROM {previous} l {kind} JOIN {relation} r ON {on}");
        _carried.RemoveAll(ownKeys.Contains);
        _carried.Add(marker);
        if (full && _accounted)
        {
            if (_flowing.Contains(other) && !_merged.Contains(other))
                throw new RecipeException(RecipeException.ValueInvalid, $"The rows of \"{join.With}\" are here already; a full join would bring them again.", $"{path}.with");
            if (!_flowing.Contains(other))
                _flowing.Add(other);
            if (!_merged.Contains(other))
                _merged.Add(other);
        }
        if (full)
        {
            _columns = _columns.ConvertAll(column => column with
            {
                Nullable = true,
                // Of a row of the other side alone it holds their key.
                Sensitivity = SensitivityTags.Strictest(keys.Where(key => key.Ours == column).Select(key => key.Theirs.Sensitivity).Prepend(column.Sensitivity)),
            });
        }
        _columns = [.. _columns, .. names];
        if (!lookup)
        {
            _joined = true;
            _adding.Add($"join({join.With})");
        }
        switch (join.How)
        {
            case JoinKind.Inner or JoinKind.Semi when _accounted:
                TakeOut($"CASE WHEN {Quote(marker)} IS NULL THEN {Reason($"join({join.With}): no match")} END", [marker]);
                break;
            case JoinKind.Anti when _accounted:
                TakeOut($"CASE WHEN {Quote(marker)} IS NOT NULL THEN {Reason($"join({join.With}): match")} END", [marker]);
                break;
            case JoinKind.Semi:
                Layer(dropped: [marker], where: $"{Quote(marker)} IS NOT NULL");
                break;
            case JoinKind.Anti:
                Layer(dropped: [marker], where: $"{Quote(marker)} IS NULL");
                break;
            default:
                Layer(dropped: [marker]);
                break;
        }
    }

    private static List<Column> Taken(JoinOperation join, List<Column> theirs, List<(Column Ours, Column Theirs)> keys, bool lookup, string path) =>
        lookup ? []
        : join.Columns.IsAll ? [.. theirs.Where(column => !keys.Exists(key => key.Theirs == column))]
        : [.. join.Columns.Names.Select((name, i) => Find(name, theirs, $"{path}.columns[{Number(i)}]")).Distinct()];

    private void Union(UnionOperation union, string path)
    {
        var parts = new List<int>();
        for (var i = 0; i < union.With.Count; i++)
        {
            var other = InputOf(union.With[i], $"{path}.with[{Number(i)}]");
            if (_flowing.Contains(other) || parts.Contains(other))
                throw new RecipeException(RecipeException.ValueInvalid, $"The rows of \"{union.With[i]}\" are here already.", $"{path}.with[{Number(i)}]");
            parts.Add(other);
        }
        var schemas = parts.Select(part => (_inputs[part].Name, _inputs[part].Dataset.Schema)).Prepend(("the rows before it", new DatasetSchema { Columns = [.. _columns.Select(column => column.ToSchema())] })).ToList();
        IReadOnlyList<DatasetColumn> stacked;
        try
        {
            stacked = StackedInputs.Stack(schemas);
        }
        catch (RecipeException exception)
        {
            throw new RecipeException(exception.Code, exception.Message, $"{path}.with");
        }
        var columns = stacked.Select(Column.Of).ToList();
        // Rows from elsewhere have no place in an order made before.
        foreach (var (column, _) in _order)
            _carried.Remove(column);
        _order.Clear();
        var own = columns.Select(column => _columns.Exists(mine => mine.Name == column.Name) ? Quote(column.Name) : As($"CAST(NULL AS {column.Type.DuckDb})", column.Name)).Concat(_carried.Select(Quote));
        var text = new StringBuilder($"SELECT {string.Join(", ", own)} FROM {Last}");
        foreach (var part in parts)
            text.Append("\n  UNION ALL ").Append(Rows(part, columns));
        _steps.Add(text.ToString());
        _used.UnionWith(parts);
        if (_accounted)
            _flowing.AddRange(parts);
        _columns = columns;
    }

    private void Aggregate(AggregateOperation aggregate, string path)
    {
        var by = aggregate.By.Select((name, i) => Find(name, $"{path}.by[{Number(i)}]")).Distinct().ToList();
        if (by.Count == 0 && aggregate.Values.Count == 0)
            throw new RecipeException(RecipeException.ValueInvalid, "Name columns to group by, or values to compute.", path);
        var values = aggregate.Values.Select((value, i) => Value(value.Function, value.Of, $"{path}.values[{Number(i)}]", NewName(value.Column, $"{path}.values[{Number(i)}].column"))).ToList();
        Group(by, values, (_, i) => $"{path}.values[{Number(i)}].column", path);
    }

    private void Pivot(PivotOperation pivot, string path)
    {
        var by = pivot.By.Select((name, i) => Find(name, $"{path}.by[{Number(i)}]")).Distinct().ToList();
        var spread = Spread(pivot, path);
        var text = $"CAST({Quote(spread.Name)} AS VARCHAR)";
        var names = pivot.Names.Count > 0 ? pivot.Names : Occurring(text, path);
        var values = names.Select((name, i) =>
            Value(pivot.Function, pivot.Of, path, NewName($"{pivot.Prefix}{name}", pivot.Names.Count > 0 ? $"{path}.names[{Number(i)}]" : path), $"{text} = {Sql.Literal(name)}")).ToList();
        Group(by, values, (_, i) => pivot.Names.Count > 0 ? $"{path}.names[{Number(i)}]" : path, path);
    }

    /// <summary>The column whose values become names.</summary>
    private Column Spread(PivotOperation pivot, string path)
    {
        var spread = Find(pivot.Column, $"{path}.column");
        if (spread.Type.IsNested)
            throw new RecipeException(RecipeException.ColumnType, $"Column \"{spread.Name}\" is {spread.Type}; its values cannot be names.", $"{path}.column");
        // A name is seen by everybody, also where values are masked.
        return pivot.Names.Count > 0 || spread.Sensitivity is null ? spread
            : throw new RecipeException(RecipeException.ValueInvalid, $"The values of column \"{spread.Name}\" are {spread.Sensitivity} and would become names of columns; name those that may be seen.", $"{path}.column");
    }

    private IReadOnlyList<string> Occurring(string text, string path)
    {
        if (!_mayRead)
            throw new InvalidOperationException("The names are only known in a run.");
        var alive = _accounted ? $" AND {Quote(Gone)} IS NULL" : "";
        var names = _session.Query($"{With()}\nSELECT DISTINCT {text} FROM {Last} WHERE {text} IS NOT NULL{alive} ORDER BY 1 LIMIT {Number(MostPivotNames + 1)}", row => row.GetString(0));
        return names.Count <= MostPivotNames ? names
            : throw new RecipeException(TooManyColumns, $"The column has more than {MostPivotNames} values; name those that should become columns.", $"{path}.column");
    }

    /// <summary>From here on rows are others than those that came in.</summary>
    private void Group(List<Column> by, List<(Column Column, string Sql)> values, Func<string, int, string> place, string path)
    {
        var columns = by.Concat(values.Select(value => value.Column)).ToList();
        Distinct(columns, i => i < by.Count ? path : place(columns[i].Name, i - by.Count));
        var select = by.Select(column => Quote(column.Name)).Concat(values.Select(value => As(value.Sql, value.Column.Name)));
        var where = _accounted ? $" WHERE {Quote(Gone)} IS NULL" : "";
        var group = by.Count == 0 ? "" : $" GROUP BY {string.Join(", ", by.Select(column => Quote(column.Name)))}";
        _steps.Add($"SELECT {string.Join(", ", select)} FROM {Last}{where}{group}");
        _columns = columns;
        _accounted = false;
        _carried.Clear();
        _order.Clear();
        _key = [.. by.Select(column => column.Name)];
    }

    private (Column Column, string Sql) Value(AggregateFunction function, string? of, string path, string name, string? when = null)
    {
        var filter = when is null ? "" : $" FILTER ({when})";
        if (of is null)
        {
            return function == AggregateFunction.Count
                ? (new Column(name, ColumnType.Int64) { Nullable = false }, $"count(*){filter}")
                : throw new RecipeException(RecipeException.ValueInvalid, $"{Word(function)} needs the column to take it of.", $"{path}.function");
        }
        var column = Find(of, $"{path}.of");
        var type = column.Type;
        var fits = function switch
        {
            AggregateFunction.Sum or AggregateFunction.Average or AggregateFunction.StandardDeviation => type.IsNumeric,
            AggregateFunction.Median => type.IsNumeric || type == ColumnType.Date || type == ColumnType.Timestamp || type == ColumnType.TimestampTz,
            AggregateFunction.Min or AggregateFunction.Max => !type.IsNested,
            _ => true,
        };
        if (!fits)
            throw new RecipeException(RecipeException.ColumnType, $"{Word(function)} does not work on {type}, which column \"{column.Name}\" is.", $"{path}.of");
        var quoted = Quote(column.Name);
        var order = OrderBy([.. Order(), .. Ties()]);
        var present = when is null ? $" FILTER ({quoted} IS NOT NULL)" : $" FILTER ({when} AND {quoted} IS NOT NULL)";
        var sql = function switch
        {
            AggregateFunction.Count => $"count({quoted}){filter}",
            AggregateFunction.CountDistinct => $"count(DISTINCT {quoted}){filter}",
            AggregateFunction.Sum => $"sum({quoted}){filter}",
            AggregateFunction.Average => $"avg({quoted}){filter}",
            AggregateFunction.Min => $"min({quoted}){filter}",
            AggregateFunction.Max => $"max({quoted}){filter}",
            AggregateFunction.Median => $"median({quoted}){filter}",
            AggregateFunction.StandardDeviation => $"stddev_samp({quoted}){filter}",
            AggregateFunction.First => $"first({quoted}{order}){present}",
            _ => $"last({quoted}{order}){present}",
        };
        var counts = function is AggregateFunction.Count or AggregateFunction.CountDistinct;
        // Only the type is of interest: internal columns are not there when the engine is asked for it.
        var result = counts ? ColumnType.Int64
            : function is AggregateFunction.First or AggregateFunction.Last or AggregateFunction.Min or AggregateFunction.Max ? type
            : TypeOf(sql, $"{path}.of", ofRows: true);
        return (new Column(name, result) { Nullable = !counts, Sensitivity = counts ? null : column.Sensitivity }, counts ? sql : $"CAST({sql} AS {result.DuckDb})");
    }

    private void Sort(SortOperation sort, string path)
    {
        var keys = sort.By.Select((key, i) => (Column: Find(key.Column, $"{path}.by[{Number(i)}].column"), key.Direction, Name: Temporary())).ToList();
        Layer(added: [.. keys.Select(key => (key.Name, Quote(key.Column.Name)))]);
        _order.InsertRange(0, keys.Select(key => (key.Name, key.Direction)));
    }

    private void Sample(SampleOperation sample, string path)
    {
        if (sample.Rows is null == sample.Share is null)
            throw new RecipeException(RecipeException.ValueInvalid, "Give either rows or share.", path);
        if (sample.Which == SampleMode.First && sample.Seed != 0)
            throw new RecipeException(RecipeException.ValueInvalid, "A seed is only used by chance.", $"{path}.seed");
        var chance = Temporary();
        var identity = _accounted
            ? $"concat_ws(chr(31), {Quote(HiddenColumns.Source)}, {Quote(HiddenColumns.Row)}, '{Number(sample.Seed)}')"
            : $"concat_ws(chr(31), {HiddenColumns.KeyExpression(_columns.Select(column => (column.Name, column.Type)))}, '{Number(sample.Seed)}')";
        // Sixty bits of a hash that is the same everywhere.
        Layer(added: sample.Which == SampleMode.Random ? [(chance, $"CAST(CAST('0x' || left(md5({identity}), 15) AS BIGINT) AS DOUBLE) / 1152921504606846976.0")] : [(chance, "0.0")]);
        string kept;
        List<string> dropped = [chance];
        if (sample is { Which: SampleMode.Random, Share: { } share })
        {
            kept = $"{Quote(chance)} < {Sql.Literal(share.Value)}";
        }
        else
        {
            var place = Temporary();
            var count = Temporary();
            var alive = _accounted ? $"PARTITION BY {Quote(Gone)} IS NULL " : "";
            var order = sample.Which == SampleMode.Random ? [Quote(chance), .. Ties()] : (List<string>)[.. Order(), .. Ties()];
            Layer(added: [(place, $"row_number() OVER ({alive}{OrderBy(order).TrimStart()})"), (count, $"count(*) OVER ({alive.TrimEnd()})")]);
            dropped.AddRange([place, count]);
            kept = sample.Rows is { } rows ? $"{Quote(place)} <= {Number(rows)}" : $"{Quote(place)} <= ceil({Quote(count)} * {Sql.Literal(sample.Share!.Value.Value)})";
        }
        if (_accounted)
            TakeOut($"CASE WHEN NOT ({kept}) THEN {Reason($"sample({path})")} END", dropped);
        else
            Layer(dropped: dropped, where: kept);
    }

    private string Reason(string label)
    {
        _reasons.Add(label);
        return $"CAST({Number(_reasons.Count - 1)} AS USMALLINT)";
    }

    /// <param name="reason">An SQL expression that is null for rows that stay.</param>
    private void TakeOut(string reason, IReadOnlyList<string> dropped)
    {
        var select = _columns.Select(column => Quote(column.Name))
            .Concat(_carried.Where(name => !dropped.Contains(name)).Select(name => name == Gone ? As($"CASE WHEN {Quote(Gone)} IS NULL THEN {reason} ELSE {Quote(Gone)} END", Gone) : Quote(name)));
        _steps.Add($"SELECT {string.Join(", ", select)} FROM {Last}");
        _carried.RemoveAll(dropped.Contains);
    }

    /// <summary>One more projection on top.</summary>
    /// <param name="visible">Instead of the visible columns as they are.</param>
    private void Layer(
        IReadOnlyList<string>? visible = null, IReadOnlyList<(string Name, string Expression)>? added = null, IReadOnlyList<string>? dropped = null, string? where = null)
    {
        _carried.RemoveAll(name => dropped?.Contains(name) == true);
        var select = (visible ?? [.. _columns.Select(column => Quote(column.Name))])
            .Concat(_carried.Select(Quote))
            .Concat((added ?? []).Select(column => As(column.Expression, column.Name)));
        _steps.Add($"SELECT {string.Join(", ", select)} FROM {Last}{(where is null ? "" : $" WHERE {where}")}");
        _carried.AddRange((added ?? []).Select(column => column.Name));
    }

    /// <summary>The rows of an input with these visible columns and, as long as rows are accounted, their identity and input.</summary>
    private string Rows(int input, List<Column> columns)
    {
        var dataset = _inputs[input].Dataset;
        var select = columns.Select(column => dataset.Schema.Find(column.Name) is null ? As($"CAST(NULL AS {column.Type.DuckDb})", column.Name) : Quote(column.Name));
        if (_accounted)
        {
            select = select.Concat(HiddenColumns.Names.Select(name => As(Hidden(dataset.Schema, name), name)))
                .Append(As($"CAST({Number(input)} AS USMALLINT)", Input))
                .Append(As("CAST(NULL AS USMALLINT)", Gone));
        }
        return $"SELECT {string.Join(", ", select)} FROM {DatasetFiles.Relation(dataset)}";
    }

    private static string Hidden(DatasetSchema schema, string name) =>
        schema.Find(name) is null ? $"CAST(NULL AS {DatasetFiles.TypeOf(HiddenColumns.Columns.First(column => column.Name == name)).DuckDb})" : Quote(name);

    private List<string> Order() => _order.ConvertAll(key => $"{Quote(key.Column)} {(key.Direction == SortDirection.Desc ? "DESC" : "ASC")} NULLS LAST");

    /// <summary>What settles the order of rows that are equal otherwise, so that it does not depend on threads.</summary>
    private List<string> Ties()
    {
        var identity = _accounted ? [Quote(Input), Quote(HiddenColumns.Source), Quote(HiddenColumns.Row)] : new List<string>();
        // A join makes several rows with one identity; an aggregate takes it away.
        return _accounted && !_joined ? identity : [.. identity, .. _columns.Where(column => !column.Type.IsNested).Select(column => Quote(column.Name))];
    }

    private static string OrderBy(List<string> keys) => keys.Count == 0 ? "" : $" ORDER BY {string.Join(", ", keys)}";

    private string Text() => $"{With()}\nSELECT {string.Join(", ", _columns.Select(column => Quote(column.Name)).Concat(_accounted ? _carried.Select(Quote) : []))} FROM {Last}";

    private string With() => $"WITH {string.Join(",\n", _steps.Select((step, i) => $"{_prefix}s{Number(i)} AS NOT MATERIALIZED (\n  {step})"))}";

    private string Last => $"{_prefix}s{Number(_steps.Count - 1)}";

    private string Input => $"{_prefix}input";

    private string Gone => $"{_prefix}gone";

    private int InputOf(string name, string path)
    {
        var at = _inputs.ToList().FindIndex(input => input.Name == name);
        if (at > 0)
            return at;
        if (at == 0)
            throw new RecipeException(InputUnknown, $"\"{name}\" is the first input, on which the operations work; name another one.", path);
        var nearest = NearestName.Find(name, _inputs.Skip(1).Select(input => input.Name));
        var help = nearest is not null ? $"did you mean \"{nearest}\"?" : _inputs.Count > 1 ? $"there is {string.Join(", ", _inputs.Skip(1).Select(input => input.Name))}." : "the step has one input only.";
        throw new RecipeException(InputUnknown, $"\"{name}\" is no other input of this step; {help}", path) { Suggestion = nearest };
    }

    private Column Find(string name, string path) => Find(name, _columns, path);

    private static Column Find(string name, List<Column> columns, string path) =>
        columns.Find(column => column.Name == name) ?? throw RecipeErrors.ColumnUnknown(name, [.. columns.Select(column => column.Name)], path);

    private static string NewName(string name, string path) =>
        name.Length is 0 or > 200 || HiddenColumns.IsHidden(name) || name.Contains('\0', StringComparison.Ordinal)
            ? throw new RecipeException(RecipeException.ValueInvalid, $"\"{name}\" cannot be the name of a column.", path)
            : name;

    private static void Distinct(List<Column> columns, Func<int, string> place, string why = "two columns would have this name")
    {
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < columns.Count; i++)
        {
            if (!seen.Add(columns[i].Name))
                throw new RecipeException(ColumnExists, $"Column \"{columns[i].Name}\": {why}.", place(i));
        }
    }

    private ColumnType TypeOf(string sql, string path, bool ofRows = false) => RowExpression.TypeOf(_session, sql, _columns.Select(column => (column.Name, column.Type)), path, ofRows);

    private static string FreePrefix(IReadOnlyList<Operation> operations, IReadOnlyList<RecipeInput> inputs)
    {
        var added = operations.SelectMany(operation => operation switch
        {
            SelectOperation select => select.Rename.Values,
            AggregateOperation aggregate => aggregate.Values.Select(value => value.Column),
            JoinOperation join => [join.Prefix],
            PivotOperation pivot => pivot.Names.Select(name => pivot.Prefix + name).Append(pivot.Prefix),
            _ => Array.Empty<string>(),
        });
        var taken = inputs.SelectMany(input => input.Dataset.Schema.Columns).Select(column => column.Name).Concat(added).ToList();
        var prefix = "__q_";
        while (taken.Exists(name => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)))
            prefix = $"_{prefix}";
        return prefix;
    }

    private string Temporary() => $"{_prefix}{Number(_temporaries++)}";

    private static string As(string sql, string name) => $"{sql} AS {Quote(name)}";

    private static string Quote(string name) => Sql.Identifier(name);

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Word<T>(T value) where T : struct, Enum
    {
        var name = value.ToString();
        return char.ToLowerInvariant(name[0]) + name[1..];
    }

    private sealed record Column(string Name, ColumnType Type)
    {
        public bool Nullable { get; init; } = true;
        public string? Sensitivity { get; init; }

        public static Column Of(DatasetColumn column) => new(column.Name, DatasetFiles.TypeOf(column)) { Nullable = column.Nullable, Sensitivity = column.Sensitivity };

        public DatasetColumn ToSchema() => new() { Name = Name, Type = Type.ToString(), Nullable = Nullable, Sensitivity = Sensitivity };
    }
}
