using Qualiz.Contracts.Data;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Tests.Datasets;

public sealed class DatasetFilesTests : IDisposable
{
    private readonly ScratchFolder _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task Rows_of_an_ingested_file_get_their_identity_from_their_place()
    {
        using var session = _scratch.Open();
        // Records 3, 4 and 7 of the source were rejected.
        var dataset = await Write(session, "SELECT i AS id, 'v' || i AS v FROM (VALUES (1), (2), (5), (6), (8)) t(i)",
            new RowOrigin { Source = "crm@1", Gaps = [new RowGap(2, 2), new RowGap(4, 3)], Key = ["id"] });
        var rows = session.Query($"SELECT id, _source, _row, _key FROM {DatasetFiles.Relation(dataset)}",
            row => (Id: row.GetInt32(0), Source: row.GetString(1), Row: row.GetInt64(2), Key: row.GetString(3)));
        rows.ShouldAllBe(row => row.Id == row.Row && row.Source == "crm@1" && row.Key.Length == 16);
        rows.Select(row => row.Key).Distinct().Count().ShouldBe(5);
    }

    [Fact]
    public async Task Many_gaps_are_all_counted()
    {
        using var session = _scratch.Open();
        // Every third record was rejected.
        var gaps = Enumerable.Range(1, 900).Select(i => new RowGap(i * 2, i)).ToList();
        var dataset = await Write(session, "SELECT i FROM range(1, 2701) t(i) WHERE i % 3 <> 0", new RowOrigin { Source = "s@1", Gaps = gaps });
        session.Scalar<long>($"SELECT count(*) FROM {DatasetFiles.Relation(dataset)} WHERE i <> _row").ShouldBe(0);
    }

    [Fact]
    public async Task The_key_of_the_content_is_stable()
    {
        using var session = _scratch.Open();
        var dataset = await Write(session, "SELECT 1::BIGINT AS a, 12.50::DECIMAL(18,2) AS b, NULL::VARCHAR AS c, DATE '1899-12-31' AS d", new RowOrigin { Source = "s@1" });
        // Written down once and never to change: quarantine items and patches are tied to it.
        session.Scalar<string>($"SELECT _key FROM {DatasetFiles.Relation(dataset)}").ShouldBe("515454e6a1ecd87b");
        HiddenColumns.KeyOf("\u001ea\u001f1\u001eb\u001f12.5\u001ed\u001f1899-12-31"u8).ShouldBe("515454e6a1ecd87b");
    }

    [Fact]
    public async Task A_new_column_that_is_empty_changes_no_key()
    {
        using var session = _scratch.Open();
        var narrow = await Write(session, "SELECT 1 AS a, 'x' AS b", new RowOrigin { Source = "s@1" });
        var wide = await Write(session, "SELECT 'x' AS b, NULL::DATE AS z, 1 AS a", new RowOrigin { Source = "s@1" });
        session.Scalar<string>($"SELECT _key FROM {DatasetFiles.Relation(wide)}")
            .ShouldBe(session.Scalar<string>($"SELECT _key FROM {DatasetFiles.Relation(narrow)}"));
    }

    [Fact]
    public async Task Stored_and_derived_files_open_as_one()
    {
        using var session = _scratch.Open();
        var first = await Write(session, "SELECT 'a' AS v", new RowOrigin { Source = "s@1" });
        var second = await Write(session, "SELECT 'b' AS v, 's@2' AS _source, 7::BIGINT AS _row, '00000000000000ff' AS _key", null);
        var both = new LocalDataset(
            first.Dataset with { Files = [.. first.Dataset.Files, .. second.Dataset.Files, .. second.Dataset.Files], Rows = 3 },
            [.. first.Paths, .. second.Paths, .. second.Paths]);
        session.Query($"SELECT v, _source, _row FROM {DatasetFiles.Relation(both)}", row => $"{row.GetString(0)} {row.GetString(1)} {row.GetInt64(2)}")
            .ShouldBe(["a s@1 1", "b s@2 7", "b s@2 7"]);
    }

    [Fact]
    public async Task A_file_with_columns_of_its_own_is_empty_in_those_that_it_lacks_and_keeps_its_keys()
    {
        using var session = _scratch.Open();
        var narrow = await Write(session, "SELECT 'b' AS v", new RowOrigin { Source = "s@1" });
        var wide = await Write(session, "SELECT 5 AS n, 'a' AS v, 's@2' AS _source, 7::BIGINT AS _row, '00000000000000ff' AS _key", null);
        var both = new LocalDataset(
            wide.Dataset with { Files = [.. wide.Dataset.Files, .. narrow.Dataset.Files.Select(file => file with { Schema = narrow.Schema })], Rows = 2 },
            [.. wide.Paths, .. narrow.Paths]);
        session.Query($"SELECT n, v, _row FROM {DatasetFiles.Relation(both)} ORDER BY v", row => $"{(row.IsDBNull(0) ? "-" : row.GetInt32(0))} {row.GetString(1)} {row.GetInt64(2)}")
            .ShouldBe(["5 a 7", "- b 1"]);
        session.Scalar<string>($"SELECT _key FROM {DatasetFiles.Relation(both)} WHERE v = 'b'").ShouldBe(session.Scalar<string>($"SELECT _key FROM {DatasetFiles.Relation(narrow)}"));
    }

    [Fact]
    public void A_dataset_without_files_has_its_columns()
    {
        using var session = _scratch.Open();
        var empty = new LocalDataset(
            new DatasetRef { Files = [], Rows = 0, Bytes = 0, Schema = new DatasetSchema { Columns = [new DatasetColumn { Name = "a", Type = "decimal(10,2)" }] } }, []);
        session.Query($"DESCRIBE SELECT * FROM {DatasetFiles.Relation(empty)}", row => row.GetString(1)).ShouldBe(["DECIMAL(10,2)"]);
    }

    [Fact]
    public void A_schema_speaks_the_words_of_the_pipeline_file()
    {
        using var session = _scratch.Open();
        DatasetFiles.Describe(session, "SELECT 1::BIGINT AS a, {'x': 1::BIGINT} AS b, 'k' AS _key").Columns
            .Select(column => (column.Name, column.Type, column.Hidden)).ShouldBe([("a", "int64", false), ("b", "struct(x int64)", false), ("_key", "text", true)]);
    }

    private async Task<LocalDataset> Write(EngineSession session, string query, RowOrigin? origin)
    {
        var path = _scratch.File($"{Guid.NewGuid():N}.parquet");
        var rows = await DatasetFiles.WriteAsync(session, query, path, CancellationToken.None);
        rows.ShouldBe(session.Scalar<long>($"SELECT count(*) FROM ({query})"));
        var columns = session.Query($"DESCRIBE {query}", row => new DatasetColumn { Name = row.GetString(0), Type = Types.ColumnTypes.Nearest(row.GetString(1)), Hidden = HiddenColumns.IsHidden(row.GetString(0)) });
        return new LocalDataset(
            new DatasetRef
            {
                Files = [new DataFile { Key = Path.GetFileName(path), Rows = rows, Bytes = new FileInfo(path).Length, Sha256 = "", Origin = origin }],
                Schema = new DatasetSchema { Columns = [.. columns.Where(column => !column.Hidden), .. HiddenColumns.Columns] },
                Rows = rows,
                Bytes = 1,
            },
            [path]);
    }
}
