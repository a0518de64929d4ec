using Qualiz.Engine.Datasets;
using Qualiz.Engine.Kernels.Rows;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Recipes;

/// <summary>Rules over the columns of a row.</summary>
public sealed partial class RecipeCompiler
{
    private void Apply(FillRule rule, string path)
    {
        if ((rule.Value is null ? 0 : 1) + (rule.From is null ? 0 : 1) + (rule.Above ? 1 : 0) != 1)
            throw new RecipeException(RecipeException.ValueInvalid, "Either a value, a column to take it from, or above is needed.", rule.Value is null ? path : $"{path}.{(rule.Above ? "above" : "from")}");
        if (rule.Above)
        {
            Change(rule, path, Columns(rule.Columns, path, _ => true), Above);
            return;
        }
        var from = rule.From is null ? null : Find(rule.From, $"{path}.from");
        var columns = Columns(rule.Columns, path, column => from is null
            ? TryLiteral(rule.Value!, column.Type) is not null
            : column.Type == from.Type && column != from,
            column => from is null
                ? new RecipeException(RecipeException.ValueInvalid, $"\"{rule.Value}\" is no value of column \"{column.Name}\" ({column.Type}).", $"{path}.value")
                : new RecipeException(RecipeException.ColumnType, $"Column \"{column.Name}\" is {column.Type}, \"{from.Name}\" is {from.Type}; the types must be the same.", $"{path}.from"));
        var number = AddChangingRule(rule.Kind, path);
        if (columns.Count > 0)
        {
            var before = columns.ConvertAll(column => column.Current.Wanted());
            var flags = columns.ConvertAll(column => (Name: Temporary(), Expression: from is null ? $"{Quote(column.Name)} IS NULL" : $"{Quote(column.Name)} IS NULL AND {Quote(from.Name)} IS NOT NULL"));
            Layer(columns.ToDictionary(column => column, column => $"coalesce({Quote(column.Name)}, {(from is null ? TryLiteral(rule.Value!, column.Type) : Quote(from.Name))})"), flags);
            for (var i = 0; i < columns.Count; i++)
                AddChange(number, flags[i].Name, columns[i].Name, before[i], columns[i].Type, columns[i].Current, columns[i].Type);
        }
        foreach (var column in columns)
        {
            column.Nullable = from is not null && column.Nullable && from.Nullable;
            column.AlsoHolds(from);
        }
    }

    /// <summary>The cell, or the nearest value above it. Filtered rows are gone and have none to give. Rows made from one another share a number: their own values come first among them, so none has a say in what another gets.</summary>
    private string Above(RecipeColumn column)
    {
        var filters = _events.FindAll(happening => happening.Kind == RowEvent.Filter).ConvertAll(happening => Quote(happening.Column));
        var value = filters.Count == 0 ? Quote(column.Name) : $"CASE WHEN NOT ({string.Join(" OR ", filters)}) THEN {Quote(column.Name)} END";
        var order = $"PARTITION BY {Quote(_names.Input)}, {HiddenColumns.Source} ORDER BY {HiddenColumns.Row}, {Quote(column.Name)} NULLS LAST";
        return $"coalesce({Quote(column.Name)}, last_value({value} IGNORE NULLS) OVER ({order} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW))";
    }

    private void Apply(FilterRule rule, string path)
    {
        var (sql, _) = RowExpression.Check(_session, rule.Where, Visible(), $"{path}.where");
        if (ExpressionType(sql, $"{path}.where") != ColumnType.Bool)
            throw new RecipeException(RecipeException.ExpressionInvalid, "The expression of a filter must be true or false.", $"{path}.where");
        var (result, failed, filtered) = (Temporary(), Temporary(), Temporary());
        Layer(added: [(result, $"TRY({sql})")]);
        Layer(added: [(failed, Failed(result, sql)), (filtered, $"{Quote(result)} IS NOT true")], dropped: [result]);
        var earlier = _events.Where(known => known.Failure is { Rejects: true }).Select(known => Quote(known.Column)).ToList();
        var failure = new Failure(rule.Kind, "", $"{rule.Kind}({path})", path, Else.Reject);
        AddEvent(RowEvent.FilterFailed, failed, failure, failure.Label);
        AddEvent(RowEvent.Filter, filtered, null, $"filter({rule.Where})");
        // A row that is already rejected is not looked at: its values are not what the condition was meant for.
        var first = earlier.Count == 0 ? "" : $" AND NOT ({string.Join(" OR ", earlier)})";
        _reasons.Add(() => $"CASE WHEN {Quote(failed)}{first} THEN {Reason(failure, "NULL", "the condition cannot be computed for this row")} END");
    }

    private void Apply(DeriveRule rule, string path)
    {
        if (HiddenColumns.IsHidden(rule.Column) || rule.Column.Contains('\0', StringComparison.Ordinal))
            throw new RecipeException(RecipeException.ValueInvalid, $"\"{rule.Column}\" cannot be the name of a column.", $"{path}.column");
        var (sql, reads) = RowExpression.Check(_session, rule.Expression, Visible(), $"{path}.expression");
        var own = ExpressionType(sql, $"{path}.expression");
        var type = rule.Type is null ? own : TypeOf(rule.Type, $"{path}.type");
        sql = $"CAST({sql} AS {type.DuckDb})";
        ExpressionType(sql, $"{path}.type");
        var column = _columns.Find(candidate => string.Equals(candidate.Name, rule.Column, StringComparison.OrdinalIgnoreCase));
        if (column is not null && column.Name != rule.Column)
            throw new RecipeException(RecipeException.ValueInvalid, $"There is a column \"{column.Name}\" already; write it the same way to replace it.", $"{path}.column");
        if (rule.Else == Else.Keep && column is not null && column.Type != type)
            throw new RecipeException(RecipeException.ColumnType, $"Column \"{column.Name}\" is {column.Type} and would become {type}: the old value cannot be kept.", $"{path}.else");
        var otherwise = Otherwise(rule.Else, rule.Default, type, path);
        var sources = _columns.FindAll(candidate => reads.Contains(candidate.Name, StringComparer.Ordinal));
        var (result, failed, changed) = (Temporary(), Temporary(), Temporary());
        Layer(added: [(result, $"TRY({sql})")]);
        var instead = rule.Else == Else.Keep && column is not null ? Quote(column.Name) : otherwise;
        // Only where another value stands in has it to be known before whether there is one: every projection costs something.
        List<(string Name, string Expression)> flags = [(failed, Failed(result, sql))];
        if (instead is not null)
        {
            Layer(added: flags);
            flags = [];
        }
        AddFailure(rule.Kind, rule.Column, path, rule.Else, failed, "the expression cannot be computed for this row", () => "NULL");
        var value = instead is null ? Quote(result) : $"CASE WHEN {Quote(failed)} THEN {instead} ELSE {Quote(result)} END";
        if (column is null)
        {
            // A new cell is no changed one.
            column = new RecipeColumn(rule.Column, type);
            column.AlsoHolds(sources);
            Layer(added: [.. flags, (rule.Column, value)], dropped: [result], derived: column);
            return;
        }
        var number = AddChangingRule(rule.Kind, path);
        var (before, typeBefore) = (column.Current.Wanted(), column.Type);
        var difference = typeBefore == type && !type.IsNested
            ? $"({value}) IS DISTINCT FROM {Quote(column.Name)}"
            : $"CAST({value} AS VARCHAR) IS DISTINCT FROM CAST({Quote(column.Name)} AS VARCHAR)";
        Layer(new() { [column] = value }, [.. flags, (changed, difference)], [result]);
        column.Type = type;
        column.Nullable = true;
        column.AlsoHolds(sources);
        AddChange(number, changed, column.Name, before, typeBefore, column.Current, type);
    }

    /// <summary>True where an expression gave no value because it cannot be computed, and not because its value is null.</summary>
    private static string Failed(string result, string sql) => $"CASE WHEN {Quote(result)} IS NULL THEN TRY([{sql}]) IS NULL ELSE false END";
}
