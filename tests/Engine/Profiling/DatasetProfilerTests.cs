using Qualiz.Contracts.Data;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Profiling;

namespace Qualiz.Engine.Tests.Profiling;

public sealed class DatasetProfilerTests : IDisposable
{
    private readonly ScratchFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Forms_are_counted_even_where_there_are_more_of_them_than_are_kept()
    {
        // Hardly two hashes have one form: more forms than fit, fewer values than are counted.
        var column = (await _folder.ProfileAsync("SELECT CASE WHEN range < 7 THEN 'A-' || range ELSE md5(range::VARCHAR) END AS x FROM range(20000)")).Columns[0];

        (column.Distinct, column.DistinctEstimated, column.PatternsEstimated).ShouldBe((20_000, false, false));
        column.Patterns[0].ShouldBe(new ValueCount("A-9", 7));
    }

    [Fact]
    public async Task Texts_have_lengths_frequent_values_and_patterns()
    {
        var column = await ColumnAsync("text", "VALUES ('Åse 12'), ('Bob 34'), ('BOB 34'), (''), ('  '), (NULL), ('Bob 34')");

        (column.Nulls, column.Blank, column.Distinct, column.MinLength, column.MaxLength).ShouldBe((1, 2, 5, 0, 6));
        (column.Min, column.Max).ShouldBe(("", "Åse 12"));
        column.Top[0].ShouldBe(new ValueCount("Bob 34", 2));
        column.Patterns[0].ShouldBe(new ValueCount("Aa 99", 3));
        column.Patterns.ShouldContain(new ValueCount("A 99", 1));
    }

    [Theory]
    [InlineData("int64", "VALUES (1::BIGINT), (3), (3), (9007199254740993), (NULL)", "1", "9007199254740993", 3)]
    [InlineData("decimal(10,2)", "VALUES (1.50::DECIMAL(10,2)), (-2), (NULL)", "-2.00", "1.50", 2)]
    [InlineData("date", "VALUES (DATE '2026-11-20'), (DATE '1999-01-02')", "1999-01-02", "2026-11-20", 2)]
    [InlineData("timestamptz", "VALUES (TIMESTAMPTZ '2026-11-20 08:09:10+02'), (NULL)", "2026-11-20T06:09:10Z", "2026-11-20T06:09:10Z", 1)]
    [InlineData("bool", "VALUES (true), (false), (true)", "false", "true", 2)]
    [InlineData("list(int64)", "VALUES ([1::BIGINT]), ([1]), ([2]), (NULL)", null, null, 2)]
    [InlineData("struct(a int64, b text)", "VALUES ({'a': 1::BIGINT, 'b': 'x'}), (NULL)", null, null, 1)]
    [InlineData("json", "VALUES ('{\"a\": 1}'::JSON), (NULL)", null, null, 1)]
    public async Task Every_type_has_its_ends_and_its_number_of_values(string type, string values, string? min, string? max, long distinct)
    {
        var column = await ColumnAsync(type, values);

        (column.Min, column.Max, column.Distinct).ShouldBe((min, max, distinct));
        column.Top.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task A_column_without_values_has_no_ends()
    {
        var column = await ColumnAsync("text", "SELECT NULL::VARCHAR FROM range(3)");

        (column.Nulls, column.Distinct, column.Min, column.Max, column.Top.Count).ShouldBe((3, 0, null, null, 0));
    }

    [Fact]
    public async Task Of_a_sensitive_column_there_are_only_counts()
    {
        var column = await ColumnAsync("text", "VALUES ('a@b.org'), ('a@b.org'), (NULL)", "personal");

        column.Masked.ShouldBeTrue();
        (column.Nulls, column.Distinct).ShouldBe((1, 1));
        (column.Min, column.Max, column.Top.Count, column.Patterns.Count).ShouldBe((null, null, 0, 0));
    }

    private async Task<ColumnProfile> ColumnAsync(string type, string values, string? sensitivity = null)
    {
        var path = _folder.File("t.parquet");
        long rows;
        using (var session = _folder.Open(paths: path))
        {
            rows = await DatasetFiles.WriteAsync(session, $"SELECT * FROM ({values}) t(c)", path, CancellationToken.None);
        }
        var file = new DataFile { Key = "t", Rows = rows, Bytes = 1, Sha256 = "", Origin = new RowOrigin { Source = "t@1" } };
        var dataset = new DatasetRef
        {
            Files = [file],
            Schema = new DatasetSchema { Columns = [new DatasetColumn { Name = "c", Type = type, Sensitivity = sensitivity }, .. HiddenColumns.Columns] },
            Rows = rows,
            Bytes = 1,
        };
        var profile = await DatasetProfiler.ProfileAsync(new LocalDataset(dataset, [path]), _folder.Path, dependencies: false, CancellationToken.None);
        profile.Rows.ShouldBe(rows);
        return profile.Columns.ShouldHaveSingleItem();
    }
}
