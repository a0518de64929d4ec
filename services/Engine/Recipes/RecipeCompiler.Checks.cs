using Qualiz.Contracts.Values;
using Qualiz.Engine.Kernels.Rows;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Recipes;

/// <summary>Checks.</summary>
public sealed partial class RecipeCompiler
{
    private void Apply(Check check, string path)
    {
        switch (check)
        {
            case NotNullCheck notNull:
                if (notNull.Else == Else.Null)
                    throw new RecipeException(RecipeException.ValueInvalid, "An empty cell cannot be made empty: else is keep, default, reject or fail.", $"{path}.else");
                Test(check, path, Columns(notNull.Columns, path, _ => true), notNull.Else, notNull.Default, "is empty", column => $"{Quote(column.Name)} IS NULL");
                break;
            case RangeCheck range:
                Apply(range, path);
                break;
            case PatternCheck pattern:
                CheckPattern(pattern.Pattern, null, $"{path}.pattern");
                Test(check, path, TextColumns(pattern.Columns, check.Kind, path), pattern.Else, pattern.Default, "does not match the pattern", column =>
                    $"NOT coalesce(regexp_full_match({Quote(column.Name)}, {Sql.Literal(pattern.Pattern)}), true)");
                break;
            case UniqueCheck unique:
                Apply(unique, path);
                break;
            case LengthCheck length:
                Apply(length, path);
                break;
            case AllowedCheck allowed:
                Apply(allowed, path);
                break;
            case EmailCheck email:
                Apply(email, path);
                break;
            case PhoneCheck phone:
                Apply(phone, path);
                break;
            case CountryCheck country:
                Apply(country, path);
                break;
            case CurrencyCheck currency:
                Apply(currency, path);
                break;
            case ReferenceCheck reference:
                Apply(reference, path);
                break;
            case RowCheck row:
                Apply(row, path);
                break;
            case AggregateCheck aggregate:
                Apply(aggregate, path);
                break;
            case FreshnessCheck freshness:
                Apply(freshness, path);
                break;
            case RowCountCheck rowCount:
                if (rowCount.Min is null && rowCount.Max is null)
                    throw new RecipeException(RecipeException.ValueInvalid, "A row count needs min or max.", path);
                _rowCounts.Add((rowCount, path));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(check));
        }
    }

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

    private void Apply(UniqueCheck unique, string path)
    {
        if (unique.Else is Else.Null or Else.Default)
            throw new RecipeException(RecipeException.ValueInvalid, "A row that occurs again can be kept or rejected: else is keep, reject or fail.", $"{path}.else");
        var columns = unique.Columns.Select((name, i) => Find(name, $"{path}.columns[{Number(i)}]")).ToList();
        var order = unique.OrderBy.Select((key, i) =>
            $"{Quote(Find(key.Column, $"{path}.orderBy[{Number(i)}].column").Name)} {(key.Direction == SortDirection.Asc ? "ASC" : "DESC")} NULLS LAST").ToList();
        var failure = new Failure(unique.Kind, string.Join(", ", unique.Columns), $"{unique.Kind}({string.Join(", ", unique.Columns)})", path, unique.Else);
        var keys = columns.ConvertAll(column => Quote(column.Name));
        var flag = Temporary();
        _uniques.Add((_lastEvents.Count, keys, order));
        _lastEvents.Add(new RecipeEvent(failure.Rejects ? RowEvent.Reject : RowEvent.Tolerate, flag, failure, failure.Label));
        var value = $"concat_ws(', ', {string.Join(", ", keys.Select(key => $"CAST({key} AS VARCHAR)"))})";
        if (failure.Rejects)
            _lastReasons.Add(() => $"CASE WHEN {Quote(flag)} THEN {Reason(failure, value, "occurs in an earlier row")} END");
    }

    /// <summary>A check of single cells.</summary>
    /// <param name="failing">True where the cell fails, false everywhere else, never null.</param>
    private void Test(Check check, string path, List<RecipeColumn> columns, Else otherwise, Scalar? byDefault, string message, Func<RecipeColumn, string> failing)
    {
        if (columns.Count == 0)
            return;
        var results = columns.ConvertAll(column => (Column: column, Flag: Temporary(), Value: column.Current.Wanted()));
        Layer(added: [.. results.Select(result => (result.Flag, failing(result.Column)))]);
        foreach (var (column, flag, value) in results)
            AddFailure(check.Kind, column.Name, path, otherwise, flag, message, () => Quote(value.Name));
        if (otherwise is Else.Null or Else.Default)
        {
            Layer(results.ToDictionary(
                result => result.Column,
                result => $"CASE WHEN {Quote(result.Flag)} THEN {Otherwise(otherwise, byDefault, result.Column.Type, path) ?? "NULL"} ELSE {Quote(result.Column.Name)} END"));
        }
        else
        {
            Otherwise(otherwise, byDefault, ColumnType.Text, path);
        }
        foreach (var column in columns)
        {
            if (otherwise == Else.Null)
                column.Nullable = true;
            else if (check is NotNullCheck && otherwise != Else.Keep)
                column.Nullable = false;
        }
    }

    private string Limit(Scalar value, ColumnType type, string path)
    {
        // Whole and decimal columns are compared with the limit as it is written.
        var wide = type is ColumnType.DecimalType || type == ColumnType.Int64 ? ColumnType.Decimal(38, 10) : type;
        return TryLiteral(value, type) ?? TryLiteral(value, wide)
            ?? throw new RecipeException(RecipeException.ValueInvalid, $"\"{value}\" is no {type}.", path);
    }
}
