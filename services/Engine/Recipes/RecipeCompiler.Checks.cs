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
        if (check.Off)
            return;
        switch (check)
        {
            case NotNullCheck notNull:
                if (notNull.Else == Else.Null)
                    throw new RecipeException(RecipeException.ValueInvalid, "An empty cell cannot be made empty: else is keep, default, reject or fail.", $"{path}.else");
                Test(notNull, path, Columns(notNull.Columns, path, _ => true), notNull.Else, notNull.Default, "is empty", column => $"{Quote(column.Name)} IS NULL");
                break;
            case RangeCheck range:
                Apply(range, path);
                break;
            case PatternCheck pattern:
                CheckPattern(pattern.Pattern, null, $"{path}.pattern");
                Test(pattern, path, TextColumns(pattern.Columns, check.Kind, path), pattern.Else, pattern.Default, "does not match the pattern", column =>
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
                Apply(rowCount, path);
                break;
            case FormatCheck format:
                Test(format, path, TextColumns(format.Columns, check.Kind, path), format.Else, format.Default, $"is no {Camel(format.Is)}", column =>
                    $"NOT coalesce(qz_format('{Camel(format.Is)}', {Quote(column.Name)}), true)");
                break;
            case OrderedCheck ordered:
                Apply(ordered, path);
                break;
            case SchemaCheck schema:
                Apply(schema, path);
                break;
            case SameRowsCheck sameRows:
                Apply(sameRows, path);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(check));
        }
    }

    /// <summary>A check of single cells.</summary>
    /// <param name="failing">True where the cell fails, false everywhere else, never null.</param>
    private void Test(RowLevelCheck check, string path, List<RecipeColumn> columns, Else otherwise, Scalar? byDefault, string message, Func<RecipeColumn, string> failing)
    {
        var when = When(check.When, path);
        if (columns.Count == 0)
            return;
        var results = columns.ConvertAll(column => (Column: column, Flag: Temporary(), Seen: check.Mostly is null ? null : Temporary(), Value: column.Current.Wanted()));
        var flags = results.ConvertAll(result => (result.Flag, when is null ? failing(result.Column) : $"{Quote(when)} AND {failing(result.Column)}"));
        // An empty cell is looked at only by the check that minds it.
        foreach (var (column, _, seen, _) in results)
        {
            if (seen is not null)
                flags.Add((seen, string.Join(" AND ", ((string?[])[when is null ? null : Quote(when), check is NotNullCheck ? "true" : $"{Quote(column.Name)} IS NOT NULL"]).OfType<string>())));
        }
        Layer(added: flags, dropped: when is null ? null : [when]);
        foreach (var (column, flag, seen, value) in results)
        {
            var failure = AddFailure(check.Kind, column.Name, path, otherwise, flag, message, () => Quote(value.Name));
            if (seen is not null)
                AddShare(check, failure, seen, flag, _events);
        }
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
            else if (check is NotNullCheck && otherwise != Else.Keep && check.When is null)
                column.Nullable = false;
        }
    }

    /// <summary>
    /// The column of booleans, never null, that says which rows a check looks at; null for all. A row for which that cannot be computed is looked at:
    /// a condition that breaks must not switch a check off without a word.
    /// </summary>
    private string? When(string? expression, string path)
    {
        if (Condition(expression, path) is not { } sql)
            return null;
        var flag = Temporary();
        Layer(added: [(flag, Holds(sql))]);
        return flag;
    }

    // The expression only once: of what stands twice in a projection the engine computes the common part first, outside of any TRY.
    private static string Holds(string sql) => $"coalesce(TRY(coalesce({sql}, false)), true)";

    private string? Condition(string? expression, string path)
    {
        if (expression is null)
            return null;
        var (sql, _) = RowExpression.Check(_session, expression, Visible(), $"{path}.when");
        return ExpressionType(sql, $"{path}.when") == ColumnType.Bool
            ? sql
            : throw new RecipeException(RecipeException.ExpressionInvalid, "The condition must be true or false.", $"{path}.when");
    }

    /// <summary>The share of what a check looks at that must pass.</summary>
    private void AddShare(RowLevelCheck check, Failure failure, string seen, string failed, List<RecipeEvent> events)
    {
        events.Add(new RecipeEvent(RowEvent.Observe, seen, null, failure.Label));
        events.Add(new RecipeEvent(RowEvent.Observe, failed, null, failure.Label));
        _shares.Add(new PassingShare(failure, check.Mostly!.Value, check.Below, seen, failed));
    }
}
