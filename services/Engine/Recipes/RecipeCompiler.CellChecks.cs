using Qualiz.Contracts.Values;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Recipes;

/// <summary>Checks of single cells.</summary>
public sealed partial class RecipeCompiler
{
    private void Apply(RangeCheck range, string path)
    {
        if (range.Min is null && range.Max is null)
            throw new RecipeException(RecipeException.ValueInvalid, "A range needs min or max.", path);
        var columns = Columns(range.Columns, path,
            column => column.Type.IsNumeric || column.Type == ColumnType.Date || column.Type == ColumnType.Time || column.Type == ColumnType.Timestamp || column.Type == ColumnType.TimestampTz,
            column => Unfit(range.Kind, column, "a number, date, time or timestamp; convert it by a rule first", path, range.Columns));
        var message = range.Min is null ? $"greater than {range.Max}" : range.Max is null ? $"less than {range.Min}" : $"not between {range.Min} and {range.Max}";
        Test(range, path, columns, range.Else, range.Default, message, column =>
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
    }

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

    private string Limit(Scalar value, ColumnType type, string path)
    {
        // Whole and decimal columns are compared with the limit as it is written.
        var wide = type is ColumnType.DecimalType || type == ColumnType.Int64 ? ColumnType.Decimal(38, 10) : type;
        return TryLiteral(value, type) ?? TryLiteral(value, wide)
            ?? throw new RecipeException(RecipeException.ValueInvalid, $"\"{value}\" is no {type}.", path);
    }
}
