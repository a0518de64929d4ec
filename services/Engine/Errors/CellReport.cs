using System.Globalization;
using Qualiz.Contracts.Data;
using Qualiz.Engine.Columns;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Recipes;
using Qualiz.Engine.Rows;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Errors;

/// <param name="Columns">Those that are looked at; all when there are none.</param>
/// <param name="Confidence">Cells are reported from this confidence on.</param>
/// <param name="Repair">Suggestions are written into the rows from this confidence on; null: never.</param>
public sealed record CellReportOptions(IReadOnlyList<string> Columns, double Confidence, double? Repair);

/// <param name="Inputs">By input: its rows.</param>
/// <param name="Cells">Cells by kind.</param>
/// <param name="Repaired">Cells that have their suggestion in the rows now.</param>
/// <param name="Parts">Into how many parts the rows were divided, because all would not have fitted into memory.</param>
public sealed record CellReportResult(IReadOnlyList<long> Inputs, IReadOnlyDictionary<CellKind, long> Cells, long Repaired, int Parts);

/// <summary>Finds wrong cells in the rows of several inputs, reports them as a port of their own, and writes the rows, repaired where that is wanted.</summary>
public static class CellReport
{
    public const string Port = "cells";

    /// <summary>Cells that are looked at together. A cell takes 8 bytes and its share of the values.</summary>
    private const long MostCells = 40_000_000;

    private const string Table = "cell_findings";

    /// <param name="columns">The visible ones of the rows.</param>
    public static DatasetSchema Schema(IEnumerable<DatasetColumn> columns)
    {
        var tag = SensitivityTags.Strictest(columns);
        return new DatasetSchema
        {
            Columns =
            [
                .. HiddenColumns.Columns,
                new() { Name = "source", Type = "text", Nullable = false },
                new() { Name = "row", Type = "int64", Nullable = false },
                new() { Name = "column", Type = "text", Nullable = false },
                new() { Name = "value", Type = "text", Sensitivity = tag },
                new() { Name = "suggested", Type = "text", Sensitivity = tag },
                new() { Name = "kind", Type = "text", Nullable = false },
                new() { Name = "reason", Type = "text", Nullable = false, Sensitivity = tag },
                new() { Name = "confidence", Type = "double", Nullable = false },
                new() { Name = "repaired", Type = "bool", Nullable = false },
            ],
        };
    }

    /// <summary>The schema of the rows: they keep their columns; what is repaired may become empty.</summary>
    public static DatasetSchema RowSchema(IReadOnlyList<DatasetColumn> columns, double? repair) =>
        new() { Columns = [.. columns.Select(column => repair is null ? column : column with { Nullable = true }), .. HiddenColumns.Columns] };

    /// <exception cref="RecipeException">Code <c>columnUnknown</c>.</exception>
    public static IReadOnlyList<DatasetColumn> Looked(IReadOnlyList<DatasetColumn> columns, CellReportOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        foreach (var (name, at) in options.Columns.Select((name, at) => (name, at)))
        {
            if (columns.All(column => column.Name != name))
                throw new RecipeException(RecipeException.ColumnUnknown, $"There is no column \"{name}\".", string.Create(CultureInfo.InvariantCulture, $"columns[{at}]"));
        }
        // What is nested has no value to compare.
        return [.. columns.Where(column => (options.Columns.Count == 0 || options.Columns.Contains(column.Name)) && DatasetFiles.TypeOf(column) is var type && type != ColumnType.Json && type is not (ColumnType.ListType or ColumnType.StructType))];
    }

    public static async Task<CellReportResult> WriteAsync(EngineSession session, IReadOnlyList<RecipeInput> inputs, CellReportOptions options, string rowsPath, string cellsPath, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(options);
        var stacked = new StackedInputs(inputs);
        var looked = Looked(stacked.Columns, options);
        var counted = (await session.QueryAsync(
            $"SELECT {Sql.Identifier(stacked.InputColumn)}, count(*) FROM {stacked.Relation([])} GROUP BY 1", row => (Input: row.GetInt32(0), Rows: row.GetInt64(1)), ct).ConfigureAwait(false))
            .ToDictionary(input => input.Input, input => input.Rows);
        await session.ExecuteAsync(
            $"CREATE OR REPLACE TEMP TABLE {Table} (place BIGINT, \"column\" VARCHAR, value VARCHAR, suggested VARCHAR, kind VARCHAR, reason VARCHAR, confidence DOUBLE)", ct).ConfigureAwait(false);
        // Parts are drawn by the rows' keys, so that each is like the whole, whatever the order of the rows.
        var parts = (int)((counted.Values.Sum() * Math.Max(1, looked.Count) / MostCells) + 1);
        var kinds = new Dictionary<CellKind, long>();
        for (var part = 0; part < parts && looked.Count > 0; part++)
            await DetectAsync(session, stacked, looked, options, parts, part, kinds, ct).ConfigureAwait(false);

        var repair = options.Repair is { } least ? $"suggested IS NOT NULL AND confidence >= {Sql.Literal(least)}" : "false";
        var castable = $"CASE \"column\" {string.Concat(looked.Select(column => $"WHEN {Sql.Literal(column.Name)} THEN suggested = '' OR TRY_CAST(suggested AS {DatasetFiles.TypeOf(column).DuckDb}) IS NOT NULL "))}ELSE false END";
        await session.ExecuteAsync($"CREATE OR REPLACE TEMP TABLE {Table}_done AS SELECT *, coalesce({repair} AND {castable}, false) AS repaired FROM {Table}", ct).ConfigureAwait(false);
        await DatasetFiles.WriteAsync(
            session,
            $"""
            SELECT {string.Join(", ", HiddenColumns.Names)}, _source AS source, _row AS "row", f."column", nullif(f.value, '') AS value, f.suggested, f.kind, f.reason, f.confidence, f.repaired
            FROM {Table}_done f JOIN {Placed(stacked, [])} r ON f.place = r.{Place(stacked)}
            ORDER BY _source, _row, f.place, f."column"
            """,
            cellsPath, ct).ConfigureAwait(false);
        await DatasetFiles.WriteAsync(session, await RowsAsync(session, stacked, looked, ct).ConfigureAwait(false), rowsPath, ct).ConfigureAwait(false);
        var repaired = await session.ScalarAsync<long>($"SELECT count(*) FROM {Table}_done WHERE repaired", ct).ConfigureAwait(false);
        return new CellReportResult([.. inputs.Select((_, i) => counted.GetValueOrDefault(i))], kinds, repaired, parts);
    }

    private static async Task DetectAsync(
        EngineSession session, StackedInputs stacked, IReadOnlyList<DatasetColumn> looked, CellReportOptions options, int parts, int part, Dictionary<CellKind, long> kinds, CancellationToken ct)
    {
        var where = parts == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $" WHERE hash(_key) % {parts} = {part}");
        var names = looked.Select(column => column.Name).ToList();
        var texts = looked.Select(column => $"CAST(({WireExpression.Of(DatasetFiles.TypeOf(column), Sql.Identifier(column.Name)).Sql}) AS VARCHAR)");
        var places = new List<long>();
        var table = await CodedTable.ReadAsync(
            session, $"SELECT {string.Join(", ", texts.Append(Place(stacked)))} FROM {Placed(stacked, names)}{where}", names, row => places.Add(row.GetInt64(names.Count)), ct).ConfigureAwait(false);
        using var appender = session.Connection.CreateAppender(Table);
        foreach (var finding in ErrorDetector.Find(table, ct).Where(finding => finding.Confidence >= options.Confidence))
        {
            kinds[finding.Kind] = kinds.GetValueOrDefault(finding.Kind) + 1;
            appender.CreateRow().AppendValue(places[finding.Row]).AppendValue(names[finding.Column]).AppendValue(finding.Value).AppendValue(finding.Suggested)
                .AppendValue(finding.Kind switch { CellKind.Error => "error", CellKind.Normalise => "normalise", _ => "missing" }).AppendValue(finding.Reason).AppendValue(finding.Confidence).EndRow();
        }
    }

    /// <summary>The rows in their order, with suggestions in the place of what they are for.</summary>
    private static async Task<string> RowsAsync(EngineSession session, StackedInputs stacked, IReadOnlyList<DatasetColumn> looked, CancellationToken ct)
    {
        var repaired = (await session.QueryAsync($"SELECT DISTINCT \"column\" FROM {Table}_done WHERE repaired", row => row.GetString(0), ct).ConfigureAwait(false)).ToHashSet(StringComparer.Ordinal);
        if (repaired.Count == 0)
            return $"SELECT {Sql.Identifiers(stacked.Columns.Select(column => column.Name).Concat(HiddenColumns.Names))} FROM {stacked.Relation()}";
        var patches = looked.Where(column => repaired.Contains(column.Name)).Select((column, i) => (Column: column, Name: string.Create(CultureInfo.InvariantCulture, $"{stacked.Prefix}s{i}"))).ToList();
        var byRow = string.Concat(patches.Select(patch => $", max(suggested) FILTER (WHERE \"column\" = {Sql.Literal(patch.Column.Name)}) AS {patch.Name}"));
        var columns = stacked.Columns.Select(column => patches.Find(patch => patch.Column == column) is { Name: { } name }
            ? $"CASE WHEN {name} IS NULL THEN {Sql.Identifier(column.Name)} ELSE TRY_CAST(nullif({name}, '') AS {DatasetFiles.TypeOf(column).DuckDb}) END AS {Sql.Identifier(column.Name)}"
            : Sql.Identifier(column.Name));
        // A join does not keep the order.
        return $"""
            SELECT {string.Join(", ", columns.Concat(HiddenColumns.Names))}
            FROM {Placed(stacked, [.. stacked.Columns.Select(column => column.Name)])} LEFT JOIN (SELECT place AS {stacked.Prefix}patched{byRow} FROM {Table}_done WHERE repaired GROUP BY 1) ON {Place(stacked)} = {stacked.Prefix}patched
            ORDER BY {Place(stacked)}
            """;
    }

    /// <summary>Numbers the rows: what an operator made of one record may be several rows of the same source and number.</summary>
    private static string Place(StackedInputs stacked) => $"{stacked.Prefix}place";

    private static string Placed(StackedInputs stacked, IReadOnlyList<string> columns) => $"(SELECT *, row_number() OVER () AS {Place(stacked)} FROM {stacked.Relation(columns)})";
}
