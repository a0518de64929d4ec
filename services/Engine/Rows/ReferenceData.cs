using Qualiz.Contracts.Data;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Rows;

public enum ReferenceFormat
{
    Csv,
    Parquet,
}

/// <summary>
/// Turns an uploaded file into a file of a dataset. CSV stays text, column by column: lists of codes with leading zeros are
/// what reference data mostly is, and whoever wants types runs it through a pipeline.
/// </summary>
public static class ReferenceData
{
    /// <param name="target">Where to write; a staging path.</param>
    /// <param name="scratch">An existing folder of this import alone.</param>
    /// <exception cref="EngineException">The file is not what it claims to be.</exception>
    public static async Task<(DatasetSchema Schema, long Rows)> ImportAsync(ReferenceFormat format, string path, string target, string scratch, CancellationToken ct)
    {
        if (new FileInfo(path).Length == 0)
            throw new EngineException(EngineException.FileUnreadable, "The file is empty.");
        using var session = EngineSession.Open(RowReader.Options(scratch, [path, target]));
        var scan = format == ReferenceFormat.Parquet
            ? $"read_parquet({Sql.Literal(path)})"
            : $"read_csv({Sql.Literal(path)}, header = true, all_varchar = true, strict_mode = true, null_padding = false)";
        var found = await session.QueryAsync($"DESCRIBE SELECT * FROM {scan}", column => (Name: column.GetString(0), Engine: column.GetString(1)), ct).ConfigureAwait(false);
        // A row's identity follows from its place in this file; what another one had is of no use.
        var columns = found.Where(column => !HiddenColumns.IsHidden(column.Name))
            .Select(column => (column.Name, Type: ColumnType.NearestTo(column.Engine) ?? ColumnType.Text))
            .ToList();
        if (columns.Count == 0)
            throw new EngineException(EngineException.FileUnreadable, "The file has no columns.");
        var select = columns.Select(column => $"CAST({Sql.Identifier(column.Name)} AS {column.Type.DuckDb}) AS {Sql.Identifier(column.Name)}");
        var rows = await session.ExecuteAsync(
            $"COPY (SELECT {string.Join(", ", select)} FROM {scan}) TO {Sql.Literal(target)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480)", ct).ConfigureAwait(false);
        var schema = new DatasetSchema
        {
            Columns = [.. columns.Select(column => new DatasetColumn { Name = column.Name, Type = column.Type.ToString() }), .. HiddenColumns.Columns],
        };
        return (schema, rows);
    }
}
