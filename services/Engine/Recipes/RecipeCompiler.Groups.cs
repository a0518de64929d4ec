using System.Globalization;
using Qualiz.Engine.Kernels.Rows;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Recipes;

/// <summary>Rules that look at the other rows of a row's group.</summary>
public sealed partial class RecipeCompiler
{
    // Which groups have a value for cells that lack it is found before the rows go through, and only those are kept in memory; a join would lose the order of the rows.
    private void Apply(MajorityRule rule, string path)
    {
        var column = Find(rule.Column, $"{path}.column");
        var by = rule.By.Select((name, i) => Find(name, $"{path}.by[{Number(i)}]")).Distinct().ToList();
        if (by.Count == 0)
            throw new RecipeException(RecipeException.ValueInvalid, "At least one column is needed that says which rows are a group.", $"{path}.by");
        if (by.Contains(column))
            throw new RecipeException(RecipeException.ValueInvalid, $"\"{column.Name}\" cannot say itself what belongs into it.", $"{path}.by");
        if (by.Append(column).FirstOrDefault(one => one.Type.IsNested) is { } nested)
            throw new RecipeException(RecipeException.ColumnType, $"Column \"{nested.Name}\" is {nested.Type}, of which groups cannot be made.", nested == column ? $"{path}.column" : $"{path}.by");
        if (rule.Rows < 2)
            throw new RecipeException(RecipeException.ValueInvalid, "rows is 2 or more.", $"{path}.rows");
        var values = GroupValues.NextNumber();
        var (key, cell) = (Temporary(), Temporary());
        var texts = by.ConvertAll(one => $"CAST({Filled(one)} AS VARCHAR)");
        Layer(added:
        [
            (key, texts.Count == 1 ? texts[0] : $"CASE WHEN {string.Join(" AND ", texts.Select(text => $"{text} IS NOT NULL"))} THEN CAST(to_json([{string.Join(", ", texts)}]) AS VARCHAR) END"),
            (cell, $"CAST({Filled(column)} AS VARCHAR)"),
        ]);
        // What is rejected or filtered has no voice. No row is left out by a WHERE: the engine would move it down through all projections, and its expression would grow with each rule before.
        var silent = Ended().ConvertAll(happening => Quote(happening.Column));
        var voices = silent.Count == 0 ? "" : $" FILTER (WHERE NOT ({string.Join(" OR ", silent)}))";
        _groups.Add(new GroupStep(values, string.Create(CultureInfo.InvariantCulture, $"""
            {With()},
            cells AS (SELECT {Quote(key)} AS k, {Quote(cell)} AS v, count(*){voices} AS n FROM s{_steps.Count - 1} GROUP BY 1, 2),
            groups AS (
              SELECT k, arg_max(v, n) FILTER (WHERE v IS NOT NULL) AS v, max(n) FILTER (WHERE v IS NOT NULL) AS most, sum(n) FILTER (WHERE v IS NOT NULL) AS filled, sum(n) AS rows FROM cells GROUP BY 1)
            SELECT k, v FROM groups
            WHERE most >= {rule.Rows} AND most >= CAST({rule.Share.Value} AS DECIMAL(18,9)) * filled AND 2 * most > filled AND most < {(rule.Fill ? "rows" : "filled")}
            """)));
        var found = Temporary();
        Layer(added: [(found, $"qz_group_value({Number(values)}, {Quote(key)})")]);
        var number = AddChangingRule(rule.Kind, path);
        var before = column.Current.Wanted();
        var changed = Temporary();
        var changes = $"{Quote(found)} IS NOT NULL AND {Quote(cell)} IS DISTINCT FROM {Quote(found)}{(rule.Fill ? "" : $" AND {Quote(cell)} IS NOT NULL")}";
        Layer(
            new() { [column] = $"CASE WHEN {changes} THEN CAST({Quote(found)} AS {column.Type.DuckDb}) ELSE {Quote(column.Name)} END" },
            [(changed, changes)], [key, cell, found]);
        AddChange(number, changed, column.Name, before, column.Type, column.Current, column.Type);

        // Blank text is no value.
        static string Filled(RecipeColumn one) => one.Type == ColumnType.Text ? $"CASE WHEN NOT coalesce(qz_blank({Quote(one.Name)}), true) THEN {Quote(one.Name)} END" : Quote(one.Name);
    }
}
