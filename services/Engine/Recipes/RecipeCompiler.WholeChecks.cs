using System.Globalization;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Recipes;

/// <summary>Checks over all clean rows.</summary>
public sealed partial class RecipeCompiler
{
    private void Apply(AggregateCheck check, string path)
    {
        if (check.Min is null && check.Max is null)
            throw new RecipeException(RecipeException.ValueInvalid, "An aggregate needs min or max.", path);
        if (check.Min > check.Max)
            throw new RecipeException(RecipeException.ValueInvalid, "No figure lies there: min is greater than max.", $"{path}.min");
        var column = Find(check.Column, $"{path}.column");
        var name = Quote(column.Name);
        if (check.Function is not (AggregateFunction.Count or AggregateFunction.Distinct or AggregateFunction.EmptyShare) && !column.Type.IsNumeric)
            throw new RecipeException(RecipeException.ColumnType, $"{Camel(check.Function)} works on numbers; column \"{column.Name}\" is {column.Type}.", $"{path}.column");
        var figure = check.Function switch
        {
            AggregateFunction.Count => $"count({name})",
            AggregateFunction.Distinct => $"count(DISTINCT {name})",
            AggregateFunction.EmptyShare => $"count(*) FILTER ({name} IS NULL) / greatest(count(*), 1)",
            AggregateFunction.Mean => $"avg({name})",
            AggregateFunction.Stddev => $"stddev_samp({name})",
            var function => $"{Camel(function)}({name})",
        };
        var tests = new List<string>();
        if (check.Min is { } min)
            tests.Add($"figure >= {Sql.Literal(min)}");
        if (check.Max is { } max)
            tests.Add($"figure <= {Sql.Literal(max)}");
        var limits = check.Min is null ? string.Create(CultureInfo.InvariantCulture, $"at most {check.Max}")
            : check.Max is null ? string.Create(CultureInfo.InvariantCulture, $"at least {check.Min}")
            : string.Create(CultureInfo.InvariantCulture, $"{check.Min} to {check.Max}");
        // The figure itself may be somebody's value, so it is not said. No rows, or only empty cells: there is nothing to be wrong.
        _wholes.Add(new WholeCheck(
            check.Kind, path, check.Else, $"{Camel(check.Function)} of {column.Name} is not {limits}.",
            $"SELECT coalesce({string.Join(" AND ", tests)}, true) FROM (SELECT CAST({figure} AS DOUBLE) AS figure FROM clean)"));
    }

    private void Apply(FreshnessCheck check, string path)
    {
        var column = Find(check.Column, $"{path}.column");
        if (column.Type != ColumnType.Date && column.Type != ColumnType.Timestamp && column.Type != ColumnType.TimestampTz)
            throw new RecipeException(RecipeException.ColumnType, $"freshness works on dates and timestamps; column \"{column.Name}\" is {column.Type}.", $"{path}.column");
        _wholes.Add(new WholeCheck(
            check.Kind, path, check.Else, $"The newest {column.Name} is older than {check.Within}.",
            $"SELECT coalesce(CAST(max({Quote(column.Name)}) AS TIMESTAMP) >= CAST(now AS TIMESTAMP) - to_microseconds({Sql.Literal(check.Within.Value.Ticks / 10)}), false) FROM clean, moment GROUP BY now"));
    }
}
