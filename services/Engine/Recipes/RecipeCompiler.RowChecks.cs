using Qualiz.Engine.Kernels.Rows;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Recipes;

/// <summary>Checks of rows: against conditions, and against each other.</summary>
public sealed partial class RecipeCompiler
{
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
        var when = When(unique.When, path);
        _uniques.Add((_lastEvents.Count, keys, order, when));
        _lastEvents.Add(new RecipeEvent(failure.Rejects ? RowEvent.Reject : RowEvent.Tolerate, flag, failure, failure.Label));
        var value = $"concat_ws(', ', {string.Join(", ", keys.Select(key => $"CAST({key} AS VARCHAR)"))})";
        if (failure.Rejects)
            _lastReasons.Add(() => $"CASE WHEN {Quote(flag)} THEN {Reason(failure, value, "occurs in an earlier row")} END");
        if (unique.Mostly is null)
            return;
        var seen = Temporary();
        Layer(added: [(seen, string.Join(" AND ", keys.Select(key => $"{key} IS NOT NULL").Concat(((string?[])[when is null ? null : Quote(when)]).OfType<string>())))]);
        AddShare(unique, failure, seen, flag, _lastEvents);
    }

    private void Apply(RowCheck check, string path)
    {
        if (check.Else is Else.Null or Else.Default)
            throw new RecipeException(RecipeException.ValueInvalid, "A row can be kept or rejected: else is keep, reject or fail.", $"{path}.else");
        var (sql, _) = RowExpression.Check(_session, check.Where, Visible(), $"{path}.where");
        if (ExpressionType(sql, $"{path}.where") != ColumnType.Bool)
            throw new RecipeException(RecipeException.ExpressionInvalid, "The condition of a row must be true or false.", $"{path}.where");
        var when = When(check.When, path);
        var (result, failed, seen) = (Temporary(), Temporary(), Temporary());
        Layer(added: [(result, $"TRY({sql})")]);
        // Like a constraint of a database: what is not known does not fail, what cannot be computed does.
        var fails = $"coalesce(NOT {Quote(result)}, {Failed(result, sql)})";
        List<(string, string)> flags = [(failed, when is null ? fails : $"{Quote(when)} AND {fails}")];
        if (check.Mostly is not null)
            flags.Add((seen, when is null ? "true" : Quote(when)));
        Layer(added: flags, dropped: when is null ? [result] : [result, when]);
        var failure = new Failure(check.Kind, "", $"{check.Kind}({check.Name ?? check.Where})", path, check.Else);
        AddEvent(failure.Rejects ? RowEvent.Reject : RowEvent.Tolerate, failed, failure, failure.Label);
        if (failure.Rejects)
            _reasons.Add(() => $"CASE WHEN {Quote(failed)} THEN {Reason(failure, "NULL", check.Name ?? $"{check.Where} is not true")} END");
        if (check.Mostly is not null)
            AddShare(check, failure, seen, failed, _events);
    }
}
