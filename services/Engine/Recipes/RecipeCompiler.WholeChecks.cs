using System.Globalization;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Values;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Recipes;

/// <summary>Checks over all clean rows.</summary>
public sealed partial class RecipeCompiler
{
    private void Apply(RowCountCheck check, string path)
    {
        if (check.Min is null && check.Max is null && check.As is null)
            throw new RecipeException(RecipeException.ValueInvalid, "A row count needs min, max or as.", path);
        if (check.Min > check.Max)
            throw new RecipeException(RecipeException.ValueInvalid, "No number lies there: min is greater than max.", $"{path}.min");
        // Of all clean rows the number is known already.
        if (check.When is null && (check.Min ?? check.Max) is not null)
            _rowCounts.Add((check, path));
        var rows = CleanRows(check, path);
        if (check.When is not null && (check.Min ?? check.Max) is not null)
        {
            var tests = Between("figure", check.Min is { } min ? Sql.Literal(min) : null, check.Max is { } max ? Sql.Literal(max) : null);
            _wholes.Add(new WholeCheck(
                check.Kind, path, check.Else, $"The number of rows with {check.When} is not {Limits(check.Min, check.Max)}.", $"SELECT {tests} FROM (SELECT count(*) AS figure FROM {rows})"));
        }
        if (check.As is null)
            return;
        if (Other(check.As, $"{path}.as") is { } other)
            AddComparison(check, path, check.Within, $"The number of rows is not that of {check.As}.", $"SELECT count(*) AS figure FROM {rows}", $"SELECT count(*) AS figure FROM {Relation(other)}");
    }

    private void Apply(AggregateCheck check, string path)
    {
        if (check.Min is null && check.Max is null && check.As is null)
            throw new RecipeException(RecipeException.ValueInvalid, "An aggregate needs min, max or as.", path);
        if (check.Min > check.Max)
            throw new RecipeException(RecipeException.ValueInvalid, "No figure lies there: min is greater than max.", $"{path}.min");
        if (check.Function == AggregateFunction.Quantile != check.Quantile is not null)
            throw new RecipeException(RecipeException.ValueInvalid, check.Quantile is null ? "Which quantile?" : "Only a quantile has one.", check.Quantile is null ? path : $"{path}.quantile");
        if (check.Function == AggregateFunction.Correlation != check.With is not null)
            throw new RecipeException(RecipeException.ValueInvalid, check.With is null ? "Correlated with which column?" : "Only a correlation has another column.", check.With is null ? path : $"{path}.with");
        var column = Find(check.Column, $"{path}.column");
        var with = check.With is null ? null : Find(check.With, $"{path}.with");
        foreach (var (number, place) in ((RecipeColumn?, string)[])[(column, "column"), (with, "with")])
        {
            if (NeedsNumber(check.Function) && number is { Type.IsNumeric: false })
                throw new RecipeException(RecipeException.ColumnType, $"{Camel(check.Function)} works on numbers; column \"{number.Name}\" is {number.Type}.", $"{path}.{place}");
        }
        var rows = CleanRows(check, path);
        var figure = Figure(check, rows, Quote(column.Name), with is null ? null : Quote(with.Name));
        // The figure itself may be somebody's value, so it is not said. No rows, or only empty cells: there is nothing to be wrong.
        if ((check.Min ?? check.Max) is not null)
        {
            var tests = Between("CAST(figure AS DOUBLE)", check.Min is { } min ? Sql.Literal(min) : null, check.Max is { } max ? Sql.Literal(max) : null);
            _wholes.Add(new WholeCheck(check.Kind, path, check.Else, $"{Camel(check.Function)} of {column.Name} is not {Limits(check.Min, check.Max)}.", $"SELECT coalesce({tests}, true) FROM ({figure})"));
        }
        if (check.As is null)
            return;
        if (check.Function == AggregateFunction.Correlation)
            throw new RecipeException(RecipeException.ValueInvalid, "A correlation cannot be compared with another dataset's.", $"{path}.as");
        var (dataset, name) = ReferenceCheck.Parse(check.As) ?? throw new RecipeException(RecipeException.ValueInvalid, $"\"{check.As}\" names no column; write it like dataset:orders.amount.", $"{path}.as");
        if (Other(dataset, $"{path}.as") is not { } other)
            return;
        var target = OtherColumn(other, name, $"{path}.as");
        var type = DatasetFiles.TypeOf(target);
        if (NeedsNumber(check.Function) && !type.IsNumeric)
            throw new RecipeException(RecipeException.ColumnType, $"{Camel(check.Function)} works on numbers; {check.As} is {type}.", $"{path}.as");
        AddComparison(check, path, check.Within, $"{Camel(check.Function)} of {column.Name} is not that of {check.As}.", figure, Figure(check, Relation(other, target.Name), Quote(target.Name), null));
    }

    private void Apply(FreshnessCheck check, string path)
    {
        var column = Find(check.Column, $"{path}.column");
        if (column.Type != ColumnType.Date && column.Type != ColumnType.Timestamp && column.Type != ColumnType.TimestampTz)
            throw new RecipeException(RecipeException.ColumnType, $"freshness works on dates and timestamps; column \"{column.Name}\" is {column.Type}.", $"{path}.column");
        _wholes.Add(new WholeCheck(
            check.Kind, path, check.Else, $"The newest {column.Name} is older than {check.Within}.",
            $"SELECT coalesce(CAST(max({Quote(column.Name)}) AS TIMESTAMP) >= CAST(now AS TIMESTAMP) - to_microseconds({Sql.Literal(check.Within.Value.Ticks / 10)}), false) FROM {CleanRows(check, path)}, moment GROUP BY now"));
    }

    private void Apply(OrderedCheck check, string path)
    {
        var column = Find(check.Column, $"{path}.column");
        if (column.Type.IsNested || column.Type == ColumnType.Bool)
            throw new RecipeException(RecipeException.ColumnType, $"ordered works on text, numbers, dates and times; column \"{column.Name}\" is {column.Type}.", $"{path}.column");
        var name = Quote(column.Name);
        var up = check.Direction == SortDirection.Asc;
        // Rows made from one another share a number; among them any order is as good.
        _wholes.Add(new WholeCheck(
            check.Kind, path, check.Else, $"{column.Name} does not always {(up ? "rise" : "fall")}{(check.Strictly ? "" : " or stay")} from row to row.",
            $"""
            SELECT coalesce(bool_and(figure {(up ? ">" : "<")}{(check.Strictly ? "" : "=")} earlier), true) FROM (
              SELECT {name} AS figure, lag({name}) OVER (PARTITION BY {HiddenColumns.Source} ORDER BY {HiddenColumns.Row}, {name} {(up ? "ASC" : "DESC")}) AS earlier
              FROM {CleanRows(check, path)} WHERE {name} IS NOT NULL)
            """));
    }

    // What columns there are is known before any row is read; that they are wrong is told where other checks are told.
    private void Apply(SchemaCheck check, string path)
    {
        var wrong = new List<string>();
        var places = new List<int>();
        for (var i = 0; i < check.Columns.Count; i++)
        {
            var (expected, at) = (check.Columns[i], $"{path}.columns[{Number(i)}]");
            if (check.Columns.Take(i).Any(earlier => earlier.Name == expected.Name))
                throw new RecipeException(RecipeException.ValueInvalid, $"\"{expected.Name}\" is expected twice.", $"{at}.name");
            var type = expected.Type is null ? null : TypeOf(expected.Type, $"{at}.type");
            var found = _columns.FindIndex(column => column.Name == expected.Name);
            if (found < 0)
                wrong.Add($"{expected.Name} is missing");
            else if (type is not null && _columns[found].Type != type)
                wrong.Add($"{expected.Name} is {_columns[found].Type}, not {type}");
            if (found >= 0)
                places.Add(found);
        }
        if (!check.Others)
            wrong.AddRange(_columns.Where(column => check.Columns.All(expected => expected.Name != column.Name)).Select(column => $"{column.Name} is not expected"));
        if (check.InOrder && places.Zip(places.Skip(1)).Any(pair => pair.First > pair.Second))
            wrong.Add("the columns stand in another order");
        if (wrong.Count > 0)
            _wholes.Add(new WholeCheck(check.Kind, path, check.Else, $"The columns are not those expected: {string.Join("; ", wrong)}.", "SELECT false"));
    }

    // As bags of rows: one that is there twice must be there twice on the other side.
    private void Apply(SameRowsCheck check, string path)
    {
        var columns = check.Columns.Select((name, i) => Find(name, $"{path}.columns[{Number(i)}]")).ToList();
        var rows = CleanRows(check, path);
        if (Other(check.As, $"{path}.as") is not { } other)
            return;
        for (var i = 0; i < columns.Count; i++)
        {
            var (column, place) = (columns[i], $"{path}.columns[{Number(i)}]");
            var type = DatasetFiles.TypeOf(OtherColumn(other, column.Name, place));
            if (column.Type != type && !(column.Type.IsNumeric && type.IsNumeric))
                throw new RecipeException(RecipeException.ColumnType, $"Column \"{column.Name}\" is {column.Type} here and {type} in {check.As}; convert one of them.", place);
        }
        var names = Sql.Identifiers(columns.Select(column => column.Name));
        _wholes.Add(new WholeCheck(
            check.Kind, path, check.Else, $"Less than {check.Min} of the rows are those of {check.As}.",
            $"""
            SELECT coalesce(sum(least(here, there)) >= {Sql.Literal(check.Min.Value)} * greatest(sum(here), sum(there)), true) FROM (
              SELECT count(*) FILTER (side = 0) AS here, count(*) FILTER (side = 1) AS there
              FROM (SELECT {names}, 0 AS side FROM {rows} UNION ALL SELECT {names}, 1 FROM {DatasetFiles.Relation(other, [.. columns.Select(column => column.Name)])})
              GROUP BY {names})
            """));
    }

    /// <summary>The clean rows that a check looks at.</summary>
    private string CleanRows(CleanRowsCheck check, string path) => Condition(check.When, path) is { } sql ? $"(SELECT * FROM clean WHERE {Holds(sql)})" : "clean";

    /// <summary>Another dataset; null where datasets are not at hand (when a file is checked before it runs), and only what is known is checked.</summary>
    private LocalDataset? Other(string dataset, string path)
    {
        if (!dataset.StartsWith("dataset:", StringComparison.Ordinal))
            throw new RecipeException(RecipeException.ValueInvalid, $"\"{dataset}\" is no dataset; write it like dataset:orders.", path);
        if (_references is null)
            return null;
        return _references.TryGetValue(dataset, out var other) ? other : throw new RecipeException(RecipeException.ValueInvalid, $"There is no {dataset}.", path);
    }

    private static DatasetColumn OtherColumn(LocalDataset other, string name, string path)
    {
        var known = other.Schema.Columns.Where(column => !column.Hidden).ToList();
        return known.Find(column => column.Name == name) ?? throw RecipeErrors.ColumnUnknown(name, known.ConvertAll(column => column.Name), path);
    }

    /// <summary>All rows of another dataset, read as narrow as can be: the rows of no column cannot be counted.</summary>
    private static string Relation(LocalDataset other, string? column = null) => DatasetFiles.Relation(other, [column ?? HiddenColumns.Row]);

    private static bool NeedsNumber(AggregateFunction function) =>
        function is AggregateFunction.Sum or AggregateFunction.Mean or AggregateFunction.Min or AggregateFunction.Max or AggregateFunction.Stddev or AggregateFunction.Median
            or AggregateFunction.Quantile or AggregateFunction.Correlation;

    /// <summary>A query of one row with the column <c>figure</c>, which is null where there are no values.</summary>
    private static string Figure(AggregateCheck check, string rows, string name, string? with)
    {
        var each = $"(SELECT CAST(count(*) AS DOUBLE) AS n FROM {rows} WHERE {name} IS NOT NULL GROUP BY {name})";
        return check.Function switch
        {
            AggregateFunction.Count => $"SELECT count({name}) AS figure FROM {rows}",
            AggregateFunction.Distinct => $"SELECT count(DISTINCT {name}) AS figure FROM {rows}",
            AggregateFunction.EmptyShare => $"SELECT count(*) FILTER ({name} IS NULL) / greatest(count(*), 1) AS figure FROM {rows}",
            AggregateFunction.Mean => $"SELECT avg({name}) AS figure FROM {rows}",
            AggregateFunction.Stddev => $"SELECT stddev_samp({name}) AS figure FROM {rows}",
            AggregateFunction.Quantile => $"SELECT quantile_cont(CAST({name} AS DOUBLE), {Sql.Literal(check.Quantile!.Value)}) AS figure FROM {rows}",
            AggregateFunction.DistinctShare => $"SELECT count(*) / sum(n) AS figure FROM {each}",
            AggregateFunction.UniqueShare => $"SELECT count(*) FILTER (n = 1) / sum(n) AS figure FROM {each}",
            // Of p = n / N the sum of -p log p, in a form that needs each count once.
            AggregateFunction.Entropy => $"SELECT greatest(log2(sum(n)) - sum(n * log2(n)) / sum(n), 0) AS figure FROM {each}",
            AggregateFunction.Correlation => $"SELECT corr({name}, {with}) AS figure FROM {rows}",
            var function => $"SELECT {Camel(function)}({name}) AS figure FROM {rows}",
        };
    }

    /// <summary>Whole numbers and decimals are compared as they are: a sum beyond 2^53 differs by one, too.</summary>
    private void AddComparison(DatasetCheck check, string path, Share within, string message, string here, string there)
    {
        var near = within.Value == 0 ? ""
            : $" OR abs(CAST(a.figure AS DOUBLE) - CAST(b.figure AS DOUBLE)) <= {Sql.Literal(within.Value)} * greatest(abs(CAST(a.figure AS DOUBLE)), abs(CAST(b.figure AS DOUBLE)))";
        _wholes.Add(new WholeCheck(check.Kind, path, check.Else, message, $"SELECT coalesce(a.figure = b.figure{near}, a.figure IS NULL AND b.figure IS NULL) FROM ({here}) a, ({there}) b"));
    }

    private static string Between(string figure, string? min, string? max) =>
        string.Join(" AND ", ((string?[])[min is null ? null : $"{figure} >= {min}", max is null ? null : $"{figure} <= {max}"]).OfType<string>());

    private static string Limits<T>(T? min, T? max) where T : struct, IFormattable
    {
        var (least, most) = (min?.ToString(null, CultureInfo.InvariantCulture), max?.ToString(null, CultureInfo.InvariantCulture));
        return least is null ? $"at most {most}" : most is null ? $"at least {least}" : $"{least} to {most}";
    }
}
