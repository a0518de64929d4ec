using System.Globalization;
using System.Text.Json;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Text;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Recipes;
using Qualiz.Engine.Rows;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Enrich;

/// <summary>A dataset to look up in.</summary>
/// <param name="Name">With its version, as people name it: <c>dataset:us-zip@3</c>.</param>
internal sealed record Lookup(string Name, LocalDataset Dataset);

/// <summary>A way in which a row can fail here.</summary>
/// <param name="Rejects">False: the cell is left empty and the row goes on.</param>
internal sealed record EnrichFailure(int Id, string Rule, string Label, string Path, bool Rejects, bool Fatal);

/// <summary>
/// An enrich step as statements. The dataset becomes a table with one row per key (all of them with <c>onMultiple: all</c>), the inputs are
/// joined to it, and the computed columns are projections on top: one pass over the rows. The engine spills what does not fit.
/// </summary>
internal sealed class EnrichPlan
{
    private readonly EngineSession _session;
    private readonly EnrichConfig _config;
    private readonly StackedInputs _inputs;
    private readonly Lookup? _lookup;
    private readonly string _p;
    private readonly List<DatasetColumn> _columns;
    private readonly List<EnrichFailure> _failures = [];
    private readonly List<string> _changes = [];
    private readonly List<string> _steps = [];

    private EnrichPlan(EngineSession session, EnrichConfig config, StackedInputs inputs, Lookup? lookup)
    {
        _session = session;
        _config = config;
        _inputs = inputs;
        _lookup = lookup;
        _p = inputs.Prefix;
        _columns = [.. inputs.Columns];
    }

    public string? LookupTable { get; private set; }
    public string Evaluation { get; private set; } = "";
    public string Table => $"{_p}rows";
    public string InputColumn => _inputs.InputColumn;
    public string First => $"{_p}first";
    public string Matched => $"{_p}matched";
    public string Ids => $"{_p}ids";
    public string Reasons => $"{_p}reasons";
    public string Ingested => $"{_p}ingested";
    public string Rejected => $"{_p}rejected";
    public IReadOnlyList<EnrichFailure> Failures => _failures;

    /// <summary>Counted changes, e.g. <c>filled.city</c>; the column of each is <see cref="Change"/>.</summary>
    public IReadOnlyList<string> Changes => _changes;
    public DatasetSchema Schema { get; private set; } = new() { Columns = [] };

    /// <summary>Keys that the dataset does not know, and how many rows have them.</summary>
    public string Unmatched { get; private set; } = "";
    public DatasetSchema UnmatchedSchema { get; private set; } = new() { Columns = [] };

    public string Change(int index) => $"{_p}c{Number(index)}";

    /// <summary>The names of columns that the step may add.</summary>
    public static IEnumerable<string> Added(EnrichConfig config) => [.. config.Take.Keys, .. config.As.Values, .. config.Derive.Select(column => column.Column)];

    /// <param name="session">Only parses and binds; no data is read.</param>
    /// <exception cref="RecipeException">The configuration does not fit the inputs or the dataset.</exception>
    public static EnrichPlan Make(EngineSession session, EnrichConfig config, StackedInputs inputs, Lookup? lookup)
    {
        var plan = new EnrichPlan(session, config, inputs, lookup);
        plan.Make();
        return plan;
    }

    private void Make()
    {
        var keys = Keys();
        var taken = Taken();
        LookUp(keys, taken);
        foreach (var (column, i) in _config.Derive.Select((column, i) => (column, i)))
            Derive(column, i);
        var original = _inputs.Columns.Select((column, i) => (column.Name, DatasetFiles.TypeOf(column), Original(i)));
        var final = _columns.Select(column => (column.Name, DatasetFiles.TypeOf(column), Quote(column.Name)));
        var kept = _columns.Select(column => Quote(column.Name))
            .Concat(HiddenColumns.Names)
            .Concat([Quote(InputColumn), Quote(First), Quote(Matched), Quote(Ids), Quote(Reasons)])
            .Concat(_changes.Select((_, i) => Quote(Change(i))))
            .Concat(keys.Select((key, i) => $"CASE WHEN {Quote(Matched)} THEN NULL ELSE {Original(key.Index)} END AS {Quote(KeyName(i))}"))
            .Append($"CASE WHEN {Quote(Reasons)} IS NOT NULL THEN {RowJson.Object(original)} END AS {Quote(Ingested)}")
            .Append($"CASE WHEN {Quote(Reasons)} IS NOT NULL THEN {RowJson.Object(final)} END AS {Quote(Rejected)}");
        _steps.Add($"SELECT {string.Join(", ", kept)} FROM {Last}");
        Evaluation = $"WITH {string.Join(",\n", _steps.Select((step, i) => $"s{Number(i)} AS NOT MATERIALIZED ({step})"))}\nSELECT * FROM {Last}";
        Schema = new DatasetSchema { Columns = [.. _columns, .. HiddenColumns.Columns] };

        var count = "rows";
        while (keys.Exists(key => string.Equals(key.Own.Name, count, StringComparison.OrdinalIgnoreCase)))
            count = $"_{count}";
        UnmatchedSchema = new DatasetSchema
        {
            Columns = [.. keys.Select(key => key.Own), new DatasetColumn { Name = count, Type = ColumnType.Int64.ToString(), Nullable = false }],
        };
        Unmatched = keys.Count == 0
            ? $"SELECT CAST(0 AS BIGINT) AS {Quote(count)} WHERE false"
            : $"SELECT {string.Join(", ", keys.Select((key, i) => $"{Quote(KeyName(i))} AS {Quote(key.Own.Name)}"))}, count(*) AS {Quote(count)} FROM {Quote(Table)} "
                + $"WHERE NOT {Quote(Matched)} GROUP BY ALL ORDER BY {Quote(count)} DESC, {string.Join(", ", keys.Select(key => Quote(key.Own.Name)))}";
    }

    private List<Key> Keys()
    {
        var keys = new List<Key>();
        foreach (var (name, theirs) in _config.Keys)
        {
            var path = $"keys.{name}";
            var index = Find(name, path);
            var own = _columns[index];
            var other = Theirs(theirs, path);
            var (type, otherType) = (DatasetFiles.TypeOf(own), DatasetFiles.TypeOf(other));
            if (type.IsNested || otherType.IsNested)
                throw new RecipeException(RecipeException.ColumnType, $"Column \"{(type.IsNested ? name : theirs)}\" is {(type.IsNested ? type : otherType)}, which cannot be a key.", path);
            if (type != otherType && !(type.IsNumeric && otherType.IsNumeric))
                throw new RecipeException(RecipeException.ColumnType, $"Column \"{name}\" is {type}, \"{theirs}\" of {_lookup!.Name} is {otherType}; give them one type first.", path);
            keys.Add(new Key(index, own, other));
        }
        return keys;
    }

    private List<TakenColumn> Taken()
    {
        var taken = new List<TakenColumn>();
        foreach (var (theirs, mode) in _config.Take)
        {
            var path = $"take.{theirs}";
            var other = Theirs(theirs, path);
            var name = _config.As.GetValueOrDefault(theirs, theirs);
            if (mode == TakeMode.Add)
            {
                CheckNew(name, path);
                _columns.Add(new DatasetColumn { Name = name, Type = other.Type, Sensitivity = other.Sensitivity });
                taken.Add(new TakenColumn(mode, _columns.Count - 1, other));
                continue;
            }
            var index = Find(name, path);
            if (taken.Exists(earlier => earlier.Index == index))
                throw new RecipeException(RecipeException.ValueInvalid, $"Column \"{name}\" is taken twice.", path);
            var own = _columns[index];
            if (DatasetFiles.TypeOf(own) != DatasetFiles.TypeOf(other))
                throw new RecipeException(RecipeException.ColumnType, $"Column \"{name}\" is {own.Type}, \"{theirs}\" of {_lookup!.Name} is {other.Type}; give them one type first.", path);
            _columns[index] = own with { Sensitivity = SensitivityTags.Strictest([own, other]) };
            taken.Add(new TakenColumn(mode, index, other));
        }
        return taken;
    }

    private void LookUp(List<Key> keys, List<TakenColumn> taken)
    {
        var originals = _inputs.Columns.Select((column, i) => $"{Quote(column.Name)} AS {Original(i)}");
        var carried = HiddenColumns.Names.Append(Quote(InputColumn));
        if (_lookup is null)
        {
            _steps.Add($"SELECT {string.Join(", ", originals.Concat(_inputs.Columns.Select(column => Quote(column.Name))).Concat(carried))}, "
                + $"true AS {Quote(First)}, true AS {Quote(Matched)}, CAST(NULL AS VARCHAR) AS {Quote(Ids)}, CAST(NULL AS VARCHAR) AS {Quote(Reasons)} FROM {_inputs.Relation()}");
            return;
        }
        LookupTable = MakeLookup(keys, taken);
        var own = keys.Select((key, i) => $"{Comparable(Quote(key.Own.Name), key.Own)} AS {Quote(KeyName(i))}");
        _steps.Add($"SELECT *, {string.Join(", ", own)} FROM {_inputs.Relation()}");
        var on = string.Join(" AND ", keys.Select((_, i) => $"i.{Quote(KeyName(i))} = l.{Quote(KeyName(i))}"));
        _steps.Add($"SELECT {string.Join(", ", _inputs.Columns.Select((column, i) => $"i.{Quote(column.Name)} AS {Original(i)}").Concat(carried.Select(name => $"i.{name}")))}, "
            + $"l.{Quote(Several)}, l.{Quote(First)}{string.Concat(taken.Select((_, i) => $", l.{Quote(ValueName(i))}"))} FROM {Last} i LEFT JOIN {Quote(LookupName)} l ON {on}");

        var several = Quote(Several);
        var hit = _config.OnMultiple is OnMultiple.Fail or OnMultiple.Reject ? $"{several} = 1" : $"{several} IS NOT NULL";
        var values = new string[_columns.Count];
        for (var i = 0; i < _inputs.Columns.Count; i++)
            values[i] = Original(i);
        var changes = new List<string>();
        for (var i = 0; i < taken.Count; i++)
        {
            var found = $"CASE WHEN {hit} THEN {Quote(ValueName(i))} END";
            var column = taken[i];
            var name = _columns[column.Index].Name;
            var before = column.Mode == TakeMode.Add ? "NULL" : Original(column.Index);
            var (value, word, changed) = column.Mode switch
            {
                TakeMode.Fill => ($"coalesce({before}, {found})", "filled", $"({before} IS NULL AND {found} IS NOT NULL)"),
                TakeMode.Override => ($"coalesce({found}, {before})", "overridden", $"({found} IS NOT NULL AND {found} IS DISTINCT FROM {before})"),
                _ => (found, "added", $"({found} IS NOT NULL)"),
            };
            values[column.Index] = value;
            changes.Add($"{changed} AS {Quote(Change(_changes.Count))}");
            _changes.Add($"{word}.{name}");
        }

        var keyText = $"concat_ws(', ', {string.Join(", ", keys.Select(key => RowJson.Text(DatasetFiles.TypeOf(key.Own), Original(key.Index))))})";
        var label = string.Join(", ", _config.Keys.Keys);
        var failed = new List<(EnrichFailure Failure, string Condition, string Reason)>();
        if (_config.OnMissing != OnMissing.Keep)
            Fail("noMatch", "onMissing", $"no match in {_lookup.Name}", _config.OnMissing == OnMissing.Fail, $"{several} IS NULL");
        if (_config.OnMultiple is OnMultiple.Fail or OnMultiple.Reject)
            Fail("severalMatches", "onMultiple", $"several matches in {_lookup.Name}", _config.OnMultiple == OnMultiple.Fail, $"{several} > 1");
        _steps.Add($"SELECT {string.Join(", ", _columns.Select((column, i) => $"{values[i]} AS {Quote(column.Name)}").Concat(_inputs.Columns.Select((_, i) => Original(i))).Concat(carried).Concat(changes))}, "
            + $"coalesce({Quote(First)}, true) AS {Quote(First)}, {several} IS NOT NULL AS {Quote(Matched)}, "
            + $"{Joined(failed.Select(failure => (failure.Condition, $"'{Number(failure.Failure.Id)}'")))} AS {Quote(Ids)}, "
            + $"{Joined(failed.Select(failure => (failure.Condition, failure.Reason)))} AS {Quote(Reasons)} FROM {Last}");

        void Fail(string rule, string path, string message, bool fatal, string condition)
        {
            var failure = new EnrichFailure(_failures.Count, rule, $"{rule}({label})", path, Rejects: true, fatal);
            _failures.Add(failure);
            failed.Add((failure, condition, Reason(failure, keys[0].Own.Name, message, keyText)));
        }
    }

    /// <summary>The dataset by key: whatever it takes, the join sees each key as often as rows may leave for it.</summary>
    private string MakeLookup(List<Key> keys, List<TakenColumn> taken)
    {
        var names = keys.Select((_, i) => Quote(KeyName(i))).ToList();
        var values = taken.Select((_, i) => Quote(ValueName(i))).ToList();
        var order = _config.OrderBy.Select((entry, i) => (Column: Theirs(entry.Column, $"orderBy[{Number(i)}].column"), entry.Direction)).ToList();
        var identity = HiddenColumns.Names.Take(2).Where(name => _lookup!.Dataset.Schema.Find(name) is not null).ToList();
        var needed = keys.Select(key => key.Theirs.Name).Concat(taken.Select(column => column.Theirs.Name)).Concat(order.Select(entry => entry.Column.Name)).Concat(identity)
            .Distinct(StringComparer.Ordinal).ToList();
        var relation = DatasetFiles.Relation(_lookup!.Dataset, needed);
        var select = keys.Select((key, i) => $"{Comparable(Quote(key.Theirs.Name), key.Theirs)} AS {names[i]}")
            .Concat(taken.Select((column, i) => $"{Quote(column.Theirs.Name)} AS {values[i]}"));
        var present = string.Join(" AND ", names.Select(name => $"{name} IS NOT NULL"));
        var key = string.Join(", ", names);
        if (_config.OnMultiple is OnMultiple.Fail or OnMultiple.Reject)
        {
            return $"CREATE TEMP TABLE {Quote(LookupName)} AS SELECT {string.Join(", ", names.Concat(values.Select(value => $"any_value({value}) AS {value}")))}, count(*) AS {Quote(Several)}, true AS {Quote(First)} "
                + $"FROM (SELECT {string.Join(", ", select)} FROM {relation}) WHERE {present} GROUP BY {key}";
        }
        // What the stated order leaves open, the dataset's own order settles, and at last the values: the result must not depend on threads.
        var sort = order.Select((entry, i) => $"{Quote(OrderName(i))} {(entry.Direction == OrderDirection.Asc ? "ASC" : "DESC")} NULLS LAST")
            .Concat(identity).Concat(values).Append("1");
        var inner = select.Concat(order.Select((entry, i) => $"{Quote(entry.Column.Name)} AS {Quote(OrderName(i))}")).Concat(identity);
        var numbered = $"SELECT *, row_number() OVER (PARTITION BY {key} ORDER BY {string.Join(", ", sort)}) AS {Quote($"{_p}n")} FROM (SELECT {string.Join(", ", inner)} FROM {relation}) WHERE {present}";
        var one = _config.OnMultiple == OnMultiple.First ? $" WHERE {Quote($"{_p}n")} = 1" : "";
        return $"CREATE TEMP TABLE {Quote(LookupName)} AS SELECT {string.Join(", ", names.Concat(values))}, CAST(1 AS BIGINT) AS {Quote(Several)}, {Quote($"{_p}n")} = 1 AS {Quote(First)} FROM ({numbered}){one}";
    }

    private void Derive(DerivedColumn derived, int index)
    {
        var path = $"derive[{Number(index)}]";
        var known = _columns.ConvertAll(column => column.Name);
        var (sql, reads) = RowExpression.Check(_session, derived.Expression, known, $"{path}.expression");
        var type = TypeOf(sql, $"{path}.expression");
        if (derived.Type is not null)
        {
            try
            {
                type = ColumnType.Parse(derived.Type);
            }
            catch (FormatException exception)
            {
                throw new RecipeException(RecipeException.ColumnType, exception.Message, $"{path}.type");
            }
        }
        sql = $"CAST({sql} AS {type.DuckDb})";
        TypeOf(sql, $"{path}.type");
        var at = _columns.FindIndex(column => column.Name == derived.Column);
        if (at < 0)
            CheckNew(derived.Column, $"{path}.column");
        var sensitivity = SensitivityTags.Strictest(_columns.Where(column => reads.Contains(column.Name, StringComparer.Ordinal)));

        // A list of one, because the value may be empty itself.
        var result = Quote($"{_p}t{Number(index)}");
        _steps.Add($"SELECT *, TRY([{sql}]) AS {result} FROM {Last}");
        var failure = new EnrichFailure(_failures.Count, "derive", $"derive({derived.Column})", $"{path}.expression", derived.Else != DeriveElse.Null, derived.Else == DeriveElse.Fail);
        _failures.Add(failure);
        // A row that is rejected already has not the values that the expression was meant for.
        var failed = $"({Quote(Reasons)} IS NULL AND {result} IS NULL)";
        var replaced = new List<string> { $"CASE WHEN {failed} THEN concat_ws(',', {Quote(Ids)}, '{Number(failure.Id)}') ELSE {Quote(Ids)} END AS {Quote(Ids)}" };
        if (failure.Rejects)
            replaced.Add($"CASE WHEN {failed} THEN {Reason(failure, derived.Column, "the expression cannot be computed for this row", "NULL")} ELSE {Quote(Reasons)} END AS {Quote(Reasons)}");
        var column = new DatasetColumn { Name = derived.Column, Type = type.ToString(), Sensitivity = sensitivity };
        if (at < 0)
        {
            _columns.Add(column);
            _steps.Add($"SELECT * EXCLUDE ({result}) REPLACE ({string.Join(", ", replaced)}), {result}[1] AS {Quote(derived.Column)} FROM {Last}");
        }
        else
        {
            _columns[at] = column;
            replaced.Add($"{result}[1] AS {Quote(derived.Column)}");
            _steps.Add($"SELECT * EXCLUDE ({result}) REPLACE ({string.Join(", ", replaced)}) FROM {Last}");
        }
    }

    private ColumnType TypeOf(string sql, string path) => RowExpression.TypeOf(_session, sql, _columns.Select(column => (column.Name, DatasetFiles.TypeOf(column))), path);

    private int Find(string name, string path)
    {
        var index = _columns.FindIndex(column => column.Name == name);
        return index >= 0 ? index : throw Unknown(name, _columns.Select(column => column.Name), "", path);
    }

    private DatasetColumn Theirs(string name, string path) =>
        _lookup!.Dataset.Schema.Columns.FirstOrDefault(column => column.Name == name && !column.Hidden)
            ?? throw Unknown(name, _lookup.Dataset.Schema.Columns.Where(column => !column.Hidden).Select(column => column.Name), $" in {_lookup.Name}", path);

    private void CheckNew(string name, string path)
    {
        if (name.Length == 0 || HiddenColumns.IsHidden(name) || name.Contains('\0', StringComparison.Ordinal))
            throw new RecipeException(RecipeException.ValueInvalid, $"\"{name}\" cannot be the name of a column.", path);
        if (_columns.Find(column => string.Equals(column.Name, name, StringComparison.OrdinalIgnoreCase)) is { } there)
            throw new RecipeException(RecipeException.ValueInvalid, $"There is a column \"{there.Name}\" already; take it with fill or override, or give it another name under as.", path);
    }

    private static RecipeException Unknown(string name, IEnumerable<string> known, string where, string path)
    {
        var names = known.ToList();
        var nearest = NearestName.Find(name, names);
        var hint = nearest is not null ? $"did you mean \"{nearest}\"?" : names.Count <= 12 ? $"there are {string.Join(", ", names)}." : $"there are {names.Count} others.";
        return new RecipeException(RecipeException.ColumnUnknown, $"Column \"{name}\" does not exist{where}; {hint}", path) { Suggestion = nearest };
    }

    private string Comparable(string sql, DatasetColumn column) =>
        _config.IgnoreCase && DatasetFiles.TypeOf(column) == ColumnType.Text ? $"lower(trim({sql}))" : sql;

    private static string Joined(IEnumerable<(string Condition, string Value)> parts)
    {
        var list = string.Join(", ", parts.Select(part => $"CASE WHEN {part.Condition} THEN {part.Value} END"));
        return list.Length == 0 ? "CAST(NULL AS VARCHAR)" : $"nullif(concat_ws(',', {list}), '')";
    }

    private static string Reason(EnrichFailure failure, string column, string message, string value)
    {
        static string Text(string text) => JsonSerializer.Serialize(text);
        var head = $"{{\"rule\":{Text(failure.Rule)},\"path\":{Text(failure.Path)},\"column\":{Text(column)},\"message\":{Text(message)},\"value\":";
        return $"{Sql.Literal(head)} || coalesce(CAST(to_json({value}) AS VARCHAR), 'null') || '}}'";
    }

    private string Last => $"s{Number(_steps.Count - 1)}";
    private string LookupName => $"{_p}lookup";
    private string Several => $"{_p}several";
    private string Original(int index) => Quote($"{_p}i{Number(index)}");
    private string KeyName(int index) => $"{_p}k{Number(index)}";
    private string ValueName(int index) => $"{_p}v{Number(index)}";
    private string OrderName(int index) => $"{_p}o{Number(index)}";
    private static string Quote(string name) => Sql.Identifier(name);
    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private sealed record Key(int Index, DatasetColumn Own, DatasetColumn Theirs);

    private sealed record TakenColumn(TakeMode Mode, int Index, DatasetColumn Theirs);
}
