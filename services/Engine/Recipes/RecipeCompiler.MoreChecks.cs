using System.Globalization;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Kernels.Rows;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Recipes;

/// <summary>Checks against lists, other datasets, conditions and over all rows.</summary>
public sealed partial class RecipeCompiler
{
    private void Apply(LengthCheck check, string path)
    {
        if (check.Min is null && check.Max is null)
            throw new RecipeException(RecipeException.ValueInvalid, "A length needs min or max.", path);
        if (check.Min > check.Max)
            throw new RecipeException(RecipeException.ValueInvalid, "No text is that long and that short at once: min is greater than max.", $"{path}.min");
        var message = check.Min is null ? $"is longer than {check.Max}" : check.Max is null ? $"is shorter than {check.Min}" : $"is not {check.Min} to {check.Max} characters long";
        Test(check, path, TextColumns(check.Columns, check.Kind, path), check.Else, check.Default, message, column =>
        {
            var tests = new List<string>();
            if (check.Min is { } min)
                tests.Add($"length({Quote(column.Name)}) < {Number(min)}");
            if (check.Max is { } max)
                tests.Add($"length({Quote(column.Name)}) > {Number(max)}");
            return $"coalesce({string.Join(" OR ", tests)}, false)";
        });
    }

    private void Apply(AllowedCheck check, string path)
    {
        var columns = Columns(check.Columns, path, column => check.Values.All(value => TryLiteral(value, column.Type) is not null), column =>
        {
            var i = check.Values.ToList().FindIndex(value => TryLiteral(value, column.Type) is null);
            return new RecipeException(RecipeException.ValueInvalid, $"\"{check.Values[i]}\" is no value of column \"{column.Name}\" ({column.Type}).", $"{path}.values[{Number(i)}]");
        });
        Test(check, path, columns, check.Else, check.Default, "is none of the allowed values", column =>
        {
            var folds = check.IgnoreCase && column.Type == ColumnType.Text;
            string Fold(string sql) => folds ? $"lower({sql})" : sql;
            return $"coalesce({Fold(Quote(column.Name))} NOT IN ({string.Join(", ", check.Values.Select(value => Fold(TryLiteral(value, column.Type)!)))}), false)";
        });
    }

    private void Apply(ReferenceCheck check, string path)
    {
        var (dataset, name) = ReferenceCheck.Parse(check.In) ?? throw new RecipeException(RecipeException.ValueInvalid, $"\"{check.In}\" names no column; write it like dataset:countries.iso2.", $"{path}.in");
        var columns = Columns(check.Columns, path, column => !column.Type.IsNested, column => Unfit(check.Kind, column, "simple types", path, check.Columns));
        // Without the datasets (when a file is checked before it runs) only what is known is checked.
        LocalDataset? other = null;
        if (_references is not null && !_references.TryGetValue(dataset, out other))
            throw new RecipeException(RecipeException.ValueInvalid, $"There is no {dataset}.", $"{path}.in");
        if (other is null)
        {
            Test(check, path, columns, check.Else, check.Default, $"does not occur in {check.In}", _ => "false");
            return;
        }
        var known = other.Schema.Columns.Where(column => !column.Hidden).ToList();
        var target = known.Find(column => column.Name == name) ?? throw RecipeErrors.ColumnUnknown(name, known.ConvertAll(column => column.Name), $"{path}.in");
        var type = DatasetFiles.TypeOf(target);
        Test(check, path, columns, check.Else, check.Default, $"does not occur in {check.In}", column =>
        {
            if (column.Type != type && !(column.Type.IsNumeric && type.IsNumeric))
                throw new RecipeException(RecipeException.ColumnType, $"Column \"{column.Name}\" is {column.Type}, {check.In} is {type}; convert one of them.", $"{path}.in");
            // An empty cell passes, also when the dataset is empty: in SQL it is then "not in" it.
            return $"{Quote(column.Name)} IS NOT NULL AND {Quote(column.Name)} NOT IN (SELECT {Quote(name)} FROM {DatasetFiles.Relation(other, [name])} WHERE {Quote(name)} IS NOT NULL)";
        });
    }

    private void Apply(RowCheck check, string path)
    {
        if (check.Else is Else.Null or Else.Default)
            throw new RecipeException(RecipeException.ValueInvalid, "A row can be kept or rejected: else is keep, reject or fail.", $"{path}.else");
        var (sql, _) = RowExpression.Check(_session, check.Where, Visible(), $"{path}.where");
        if (ExpressionType(sql, $"{path}.where") != ColumnType.Bool)
            throw new RecipeException(RecipeException.ExpressionInvalid, "The condition of a row must be true or false.", $"{path}.where");
        var (result, failed) = (Temporary(), Temporary());
        Layer(added: [(result, $"TRY({sql})")]);
        // Like a constraint of a database: what is not known does not fail, what cannot be computed does.
        Layer(added: [(failed, $"coalesce(NOT {Quote(result)}, {Failed(result, sql)})")], dropped: [result]);
        var failure = new Failure(check.Kind, "", $"{check.Kind}({check.Name ?? check.Where})", path, check.Else);
        AddEvent(failure.Rejects ? RowEvent.Reject : RowEvent.Tolerate, failed, failure, failure.Label);
        if (failure.Rejects)
            _reasons.Add(() => $"CASE WHEN {Quote(failed)} THEN {Reason(failure, "NULL", check.Name ?? $"{check.Where} is not true")} END");
    }

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
