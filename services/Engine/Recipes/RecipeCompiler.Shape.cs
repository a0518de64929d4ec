using Qualiz.Engine.Datasets;
using Qualiz.Engine.Kernels.Rows;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Recipes;

/// <summary>Rules that change which columns and rows there are.</summary>
public sealed partial class RecipeCompiler
{
    private void Apply(SplitRule rule, string path)
    {
        var column = Find(rule.Column, $"{path}.column");
        if (column.Type != ColumnType.Text)
            throw new RecipeException(RecipeException.ColumnType, $"split works on text; column \"{column.Name}\" is {column.Type}.", $"{path}.column");
        CheckNew(rule.Into, rule.Keep ? [] : [column], i => $"{path}.into[{Number(i)}]");
        var parts = Temporary();
        Layer(added: [(parts, $"string_split({Quote(column.Name)}, {Sql.Literal(rule.Separator)})")]);
        var list = Quote(parts);
        var values = rule.Into.Select((name, i) => (
            Name: name,
            // The last one takes what is left; a part that is not there, or blank, is an empty cell.
            Expression: i == rule.Into.Count - 1
                ? $"nullif(trim(array_to_string({list}[{Number(i + 1)}:], {Sql.Literal(rule.Separator)})), '')"
                : $"nullif(trim({list}[{Number(i + 1)}]), '')")).ToList();
        Reshape(values.ConvertAll(value => (value.Name, value.Expression, ColumnType.Text)), [column], rule.Keep ? [] : [column], column);
        Layer(dropped: [parts]);
    }

    private void Apply(MergeRule rule, string path)
    {
        var columns = rule.Columns.Select((name, i) => Find(name, $"{path}.columns[{Number(i)}]")).Distinct().ToList();
        if (columns.Find(column => column.Type.IsNested) is { } nested)
            throw new RecipeException(RecipeException.ColumnType, $"Column \"{nested.Name}\" is {nested.Type} and cannot be joined as text.", $"{path}.columns");
        CheckNew([rule.Into], rule.Keep ? [] : columns, _ => $"{path}.into");
        var parts = string.Join(", ", columns.Select(column => column.Type == ColumnType.Text ? $"nullif({Quote(column.Name)}, '')" : $"CAST({Quote(column.Name)} AS VARCHAR)"));
        Reshape(
            [(rule.Into, $"nullif(concat_ws({Sql.Literal(rule.Separator)}, {parts}), '')", ColumnType.Text)],
            columns, rule.Keep ? [] : columns, columns[0]);
    }

    private void Apply(FlattenRule rule, string path)
    {
        var column = Find(rule.Column, $"{path}.column");
        if (column.Type is not ColumnType.StructType { Fields: var fields })
            throw new RecipeException(RecipeException.ColumnType, $"flatten works on a struct; column \"{column.Name}\" is {column.Type}.", $"{path}.column");
        var prefix = rule.Prefix ?? $"{column.Name}_";
        CheckNew([.. fields.Select(field => prefix + field.Name)], [column], _ => $"{path}.prefix");
        Reshape([.. fields.Select(field => (prefix + field.Name, $"struct_extract({Quote(column.Name)}, {Sql.Literal(field.Name)})", field.Type))], [column], [column], column);
    }

    private void Apply(ExplodeRule rule, string path)
    {
        var column = Find(rule.Column, $"{path}.column");
        string list;
        ColumnType type;
        if (column.Type is ColumnType.ListType { Of: var of } && rule.Separator is null)
            (list, type) = (Quote(column.Name), of);
        else if (column.Type == ColumnType.Text && rule.Separator is not null)
            (list, type) = ($"string_split({Quote(column.Name)}, {Sql.Literal(rule.Separator)})", ColumnType.Text);
        else
            throw new RecipeException(RecipeException.ColumnType, $"explode works on a list, or on text with a separator; column \"{column.Name}\" is {column.Type}.", $"{path}.column");
        var ended = Ended();
        if (ended.Exists(happening => happening.Kind != RowEvent.Filter))
        {
            var whole = column.Current.Wanted();
            column.Unread.AddRange(ended.Where(happening => happening.Kind != RowEvent.Filter).Select(happening => (happening.Column, whole, (ColumnType?)column.Type)));
        }
        var element = Unnest(list, type.DuckDb);
        Layer(new() { [column] = type == ColumnType.Text && rule.Separator is not null ? $"nullif(trim({Quote(element)}), '')" : Quote(element) }, dropped: [element]);
        column.Type = type;
        column.Nullable = true;
    }

    private void Apply(UnpivotRule rule, string path)
    {
        var columns = rule.Columns.Select((name, i) => Find(name, $"{path}.columns[{Number(i)}]")).Distinct().ToList();
        var type = columns[0].Type;
        if (columns.Find(column => column.Type != type) is { } other)
        {
            throw new RecipeException(
                RecipeException.ColumnType, $"Column \"{other.Name}\" is {other.Type}, \"{columns[0].Name}\" is {type}: the values of one column have one type.",
                $"{path}.columns[{Number(rule.Columns.ToList().IndexOf(other.Name))}]");
        }
        CheckNew([rule.Name, rule.Value], columns, i => i == 0 ? $"{path}.name" : $"{path}.value");
        var list = $"[{string.Join(", ", columns.Select(column => $"{{'n': {Sql.Literal(column.Name)}, 'v': {Quote(column.Name)}}}"))}]";
        var element = Unnest(rule.Empty ? list : $"list_filter({list}, lambda e: e.v IS NOT NULL)", $"STRUCT(n VARCHAR, v {type.DuckDb})");
        Reshape([(rule.Name, $"{Quote(element)}.n", ColumnType.Text), (rule.Value, $"{Quote(element)}.v", type)], columns, columns, columns.MinBy(_columns.IndexOf));
        Layer(dropped: [element]);
    }

    /// <summary>What ends a row's way so far.</summary>
    private List<RecipeEvent> Ended() => _events.FindAll(happening => happening.EndsRow);

    /// <summary>
    /// Makes a row of each element of a list. A row whose list is empty stays, with an empty element. Of one that is rejected or filtered already nothing more is made: it stays one row, with its first element.
    /// </summary>
    /// <returns>The column of the elements, which the caller takes away again.</returns>
    private string Unnest(string list, string elementType)
    {
        var (elements, element, place) = (Temporary(), Temporary(), Temporary());
        var ended = Ended();
        var taken = ended.Count == 0 ? list : $"CASE WHEN {string.Join(" OR ", ended.Select(happening => Quote(happening.Column)))} THEN {list}[1:1] ELSE {list} END";
        Layer(added: [(elements, $"CASE WHEN len({list}) > 0 THEN {taken} ELSE [CAST(NULL AS {elementType})] END")]);
        Layer(added: [(element, $"unnest({Quote(elements)})"), (place, $"generate_subscripts({Quote(elements)}, 1)")], dropped: [elements]);
        if (_carried.Contains(_names.Added))
        {
            Layer(added: [(_names.Added, $"{Quote(place)} > 1 OR {Quote(_names.Added)}")], dropped: [place, _names.Added]);
        }
        else
        {
            Layer(added: [(_names.Added, $"{Quote(place)} > 1")], dropped: [place]);
            _events.Insert(0, new RecipeEvent(RowEvent.Added, _names.Added, null, "added"));
        }
        return element;
    }

    private void Apply(RenameRule rule, string path)
    {
        var renamed = rule.Columns.Select(entry => (Column: Find(entry.Key, $"{path}.columns"), entry.Value)).ToList();
        CheckNew([.. renamed.Select(entry => entry.Value)], [.. renamed.Select(entry => entry.Column)], _ => $"{path}.columns");
        var select = _columns.Select(column => column.Name).Concat(_carried).Select(name =>
            renamed.Find(entry => entry.Column.Name == name) is { Column: not null } entry ? $"{Quote(name)} AS {Quote(entry.Value)}" : Quote(name));
        _steps.Add($"SELECT {string.Join(", ", select)} FROM s{Number(_steps.Count - 1)}");
        foreach (var (column, name) in renamed)
        {
            column.Current.Name = name;
            column.Name = name;
            column.Origins.Add(name);
        }
    }

    private void Apply(DropRule rule, string path) =>
        Reshape([], [], [.. rule.Columns.Select((name, i) => Find(name, $"{path}.columns[{Number(i)}]")).Distinct()], null, path);

    private void Apply(SelectRule rule, string path)
    {
        var kept = rule.Columns.Select((name, i) => Find(name, $"{path}.columns[{Number(i)}]")).Distinct().ToList();
        Reshape([], [], _columns.FindAll(column => !kept.Contains(column)), null, path);
        _columns.Clear();
        _columns.AddRange(kept);
    }

    /// <summary>Puts new columns behind <paramref name="behind"/> and takes others away; values of these that somebody wants later travel on.</summary>
    private void Reshape(
        List<(string Name, string Expression, ColumnType Type)> made, List<RecipeColumn> sources, List<RecipeColumn> dropped, RecipeColumn? behind, string path = "")
    {
        if (made.Count == 0 && dropped.Count == _columns.Count)
            throw new RecipeException(RecipeException.ValueInvalid, "No column would be left.", path);
        // Under names of ours first: a new column may have the name of one that goes.
        var temporaries = made.Select(_ => Temporary()).ToList();
        var kept = new List<(string, string)>();
        foreach (var column in dropped.Where(column => column.Current.IsWanted))
        {
            var name = Temporary();
            kept.Add((name, Quote(column.Current.Name)));
            column.Current.Name = name;
        }
        Layer(added: [.. made.Select((column, i) => (temporaries[i], column.Expression)), .. kept], dropped: [.. dropped.Select(column => column.Name)]);
        var at = behind is null ? _columns.Count : _columns.IndexOf(behind) + 1;
        var columns = made.ConvertAll(column => new RecipeColumn(column.Name, column.Type));
        foreach (var column in columns)
            column.AlsoHolds(sources);
        _columns.InsertRange(at, columns);
        _columns.RemoveAll(dropped.Contains);
        if (made.Count == 0)
            return;
        var select = _columns.Select(column => columns.IndexOf(column) is >= 0 and var i ? $"{Quote(temporaries[i])} AS {Quote(column.Name)}" : Quote(column.Name))
            .Concat(_carried.Where(name => !temporaries.Contains(name)).Select(Quote));
        _steps.Add($"SELECT {string.Join(", ", select)} FROM s{Number(_steps.Count - 1)}");
        _carried.RemoveAll(temporaries.Contains);
    }

    /// <summary>New columns have names that no other column has.</summary>
    private void CheckNew(IReadOnlyList<string> names, List<RecipeColumn> going, Func<int, string> path)
    {
        for (var i = 0; i < names.Count; i++)
        {
            var name = names[i];
            if (name.Length == 0 || HiddenColumns.IsHidden(name) || name.Contains('\0', StringComparison.Ordinal))
                throw new RecipeException(RecipeException.ValueInvalid, $"\"{name}\" cannot be the name of a column.", path(i));
            if (_columns.Exists(column => !going.Contains(column) && string.Equals(column.Name, name, StringComparison.OrdinalIgnoreCase))
                || names.Take(i).Contains(name, StringComparer.OrdinalIgnoreCase))
                throw new RecipeException(RecipeException.ValueInvalid, $"There is a column \"{name}\" already.", path(i));
        }
    }
}
