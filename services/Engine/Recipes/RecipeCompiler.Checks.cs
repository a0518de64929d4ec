using Qualiz.Contracts.Values;
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
}
