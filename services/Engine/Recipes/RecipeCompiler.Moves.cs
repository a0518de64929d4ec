using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Recipes;

/// <summary>Rules that move values between the columns of a row.</summary>
public sealed partial class RecipeCompiler
{
    private void Apply(SwapRule rule, string path)
    {
        var columns = SameType(rule.Columns, rule.Kind, path);
        if (columns.Count != 2)
            throw new RecipeException(RecipeException.ValueInvalid, "A swap is of two different columns.", $"{path}.columns");
        Move(rule, path, columns, rule.When, "", [Quote(columns[1].Name), Quote(columns[0].Name)]);
    }

    private void Apply(ShiftRule rule, string path)
    {
        var columns = SameType(rule.Columns, rule.Kind, path);
        if (columns.Count < 2)
            throw new RecipeException(RecipeException.ValueInvalid, "A shift is over two different columns or more.", $"{path}.columns");
        var isText = columns[0].Type == ColumnType.Text;
        if (rule.Join is not null && rule.To == ShiftTo.Right)
            throw new RecipeException(RecipeException.ValueInvalid, "Values are joined to the left only.", $"{path}.join");
        if (rule.Join is not null && !isText)
            throw new RecipeException(RecipeException.ColumnType, $"Only text can be joined; column \"{columns[0].Name}\" is {columns[0].Type}.", $"{path}.join");
        var names = columns.ConvertAll(column => Quote(column.Name));
        var nothing = $"CAST(NULL AS {columns[0].Type.DuckDb})";
        // What would fall out at the end must be empty.
        var lost = rule.Join is not null ? null : rule.To == ShiftTo.Left ? names[0] : names[^1];
        var values = rule.To == ShiftTo.Right
            ? names.SkipLast(1).Prepend(nothing).ToList()
            : [rule.Join is null ? names[1] : $"CASE WHEN {Empty(names[0])} THEN {names[1]} WHEN {Empty(names[1])} THEN {names[0]} ELSE {names[0]} || {Sql.Literal(rule.Join)} || {names[1]} END", .. names.Skip(2), nothing];
        Move(rule, path, columns, rule.When, lost is null ? "" : $" AND {Empty(lost)}", values);

        string Empty(string cell) => isText ? $"coalesce(qz_blank({cell}), true)" : $"{cell} IS NULL";
    }

    /// <summary>Gives columns each other's values in the rows for which a condition is true.</summary>
    /// <param name="and">A further condition, as SQL.</param>
    /// <param name="values">By column, what it takes.</param>
    private void Move(Rule rule, string path, List<RecipeColumn> columns, string when, string and, List<string> values)
    {
        var condition = Condition(when, path);
        var number = AddChangingRule(rule.Kind, path);
        var moved = Temporary();
        Layer(added: [(moved, $"coalesce(TRY({condition}), false){and}")]);
        var before = columns.ConvertAll(column => column.Current.Wanted());
        var flags = columns.Select((column, i) => (Name: Temporary(), Expression: $"{Quote(moved)} AND {Quote(column.Name)} IS DISTINCT FROM {values[i]}")).ToList();
        Layer(columns.Select((column, i) => (column, i)).ToDictionary(entry => entry.column, entry => $"CASE WHEN {Quote(moved)} THEN {values[entry.i]} ELSE {Quote(entry.column.Name)} END"), flags, [moved]);
        var held = columns.ToArray();
        for (var i = 0; i < columns.Count; i++)
        {
            columns[i].Nullable = true;
            columns[i].AlsoHolds(held);
            AddChange(number, flags[i].Name, columns[i].Name, before[i], columns[i].Type, columns[i].Current, columns[i].Type);
        }
    }

    private List<RecipeColumn> SameType(IReadOnlyList<string> names, string kind, string path)
    {
        var columns = names.Select((name, i) => Find(name, $"{path}.columns[{Number(i)}]")).Distinct().ToList();
        return columns.Find(column => column.Type != columns[0].Type) is { } other
            ? throw new RecipeException(RecipeException.ColumnType, $"{kind} works on columns of one type; \"{columns[0].Name}\" is {columns[0].Type}, \"{other.Name}\" is {other.Type}.", $"{path}.columns")
            : columns;
    }
}
