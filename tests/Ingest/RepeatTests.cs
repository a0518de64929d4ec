using Qualiz.Contracts.Data;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;
using Qualiz.Ingest.Conversion;
using Qualiz.Ingest.Repeats;
using Qualiz.Ingest.Typing;

namespace Qualiz.Ingest.Tests;

/// <summary>Rows of the same content are still rows of their own.</summary>
public sealed class RepeatTests : IDisposable
{
    private readonly IngestRun _run = new();

    public void Dispose() => _run.Dispose();

    [Fact]
    public async Task Equal_rows_have_keys_of_their_own_and_the_first_keeps_its_key()
    {
        _run.Write("a.csv", "id,price\n1,1.5\n2,2.0\n");
        var before = (await _run.RunAsync()).Rows("_key");
        _run.State = null;
        _run.Write("a.csv", "id,price\n1,1.5\n2,2.0\n1,1.50\n\"1\",1.5\n");
        var after = await _run.RunAsync();
        after.Rows("_key").Take(2).ShouldBe(before);
        after.Rows("_key").Select(row => row[0]).Distinct().Count().ShouldBe(4);
        after.ShouldBalance();
    }

    [Fact]
    public async Task Ordinals_go_on_over_files_and_formats()
    {
        _run.Write("a.csv", "id,v\n1,x\n2,y\n1,x\n");
        _run.Write("b.jsonl", "{\"id\": 2, \"v\": \"y\"}\n{\"v\": \"x\", \"id\": 1}\n");
        var result = await _run.RunAsync();
        result.Rows("_key").Select(row => row[0]).Distinct().Count().ShouldBe(5);
        result.Out.Files.Select(file => string.Join(" ", file.Origin!.Repeats.Select(repeat => $"{repeat.Row}:{repeat.Ordinal}"))).ShouldBe(["2:2", "0:2 1:3"]);
        var again = _run.State = null;
        again.ShouldBeNull();
        (await _run.RunAsync()).Rows("_key").ShouldBe(result.Rows("_key"));
    }

    [Fact]
    public async Task A_declared_key_has_no_ordinals()
    {
        _run.Write("a.csv", "id,v\n1,x\n1,y\n1,y\n");
        (await _run.RunAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources }, Key = ["id"] })).Rows("_key").Distinct(new FirstCell()).Count().ShouldBe(1);
    }

    [Fact]
    public async Task Very_many_repeats_are_stored()
    {
        const int rows = 200_000;
        _run.Write("a.csv", "id,v\n" + string.Concat(Enumerable.Range(0, rows).Select(i => $"{i % 1000},x\n")));
        _run.Write("b.csv", "id,v\n5,x\nbad\n" + string.Concat(Enumerable.Range(0, 2000).Select(_ => "1\n7,x\n")));
        var result = await _run.RunAsync();
        var keys = result.Rows("_key", "_source", "_row", "id");
        keys.Select(row => row[0]).Distinct().Count().ShouldBe(rows + 2001);
        keys.Count.ShouldBe(rows + 2001);
        keys[rows].ShouldBe([keys[rows][0], keys[rows][1], "1", "5"]);
        keys[1][3].ShouldBe("1");
        result.Rejected("_key").Select(row => row[0]).Distinct().Count().ShouldBe(2001);
        result.Outcome.RowsRejected.ShouldBe(2001);
    }

    [Fact]
    public async Task Without_a_filter_the_engine_groups_the_rows_itself()
    {
        var path = Path.Combine(_run.Sources, "a.parquet");
        using var session = _run.Open(path);
        await session.ExecuteAsync($"COPY (SELECT range % 40_000 AS v FROM range(40_500)) TO {Sql.Literal(path)} (FORMAT parquet)", default);
        var columns = new[] { new TargetColumn("v", new ColumnDecision(ColumnType.Int64, true, null, (byte)'.')) };
        var file = new ConvertedFile(path, 40_500, new RowOrigin { Source = "a@1" });
        var found = (await new RepeatFinder(session, null, columns).ResolveAsync([file], () => throw new InvalidOperationException("It need not be stored."), default))[0];
        found.Origin!.Repeats.ShouldBe(Enumerable.Range(0, 500).Select(i => new RowRepeat(40_000 + i, 2)));
    }

    [Fact]
    public async Task Repeats_are_found_in_columns_of_every_type()
    {
        var path = Path.Combine(_run.Sources, "a.parquet");
        using (var session = _run.Open(path))
        {
            // Each row comes again 3,000 rows later; of those the second and the last third differ in one column.
            await session.ExecuteAsync(
                $$"""
                COPY (
                  SELECT nullif(i % 7 = 0, i % 5 = 0) AS b, i AS n, CAST(i % 99 AS DECIMAL(4,1)) AS d2, CAST(i AS DECIMAL(9,2)) AS d4, CAST(i AS DECIMAL(18,3)) AS d8,
                    CAST(i AS DECIMAL(38,3)) * 1000000000000 AS d16, CASE WHEN i % 3 = 0 THEN CAST('NaN' AS DOUBLE) ELSE i / 3 END AS f, DATE '2000-01-01' + i AS da,
                    TIME '00:00:00' + to_seconds(i) AS ti, TIMESTAMP '2000-01-01' + to_days(i) AS ts, TIMESTAMPTZ '2000-01-01 00:00:00Z' + to_days(i) AS tz,
                    [i, NULL, 1] AS l, {'a': i, 'b': 'x'} AS s, repeat('x', i % 40) || i AS t,
                    CASE WHEN o >= 5000 THEN 'other' WHEN i % 11 > 0 THEN 'z' END AS u,
                    repeat('w', 20 + (i % 30)) || CASE WHEN o BETWEEN 4000 AND 4999 THEN 'V' ELSE 'v' END AS w
                  FROM (SELECT CAST(range % 3000 AS INTEGER) AS i, range AS o FROM range(6000)))
                TO {{Sql.Literal(path)}} (FORMAT parquet)
                """,
                default);
        }
        var result = await _run.RunAsync();
        result.Out.Files.Single().Origin!.Repeats.ShouldBe(Enumerable.Range(3000, 1000).Select(row => new RowRepeat(row, 2)));
        result.Rows("_key").Select(row => row[0]).Distinct().Count().ShouldBe(6000);
    }

    [Fact]
    public void The_filter_takes_no_more_than_a_quarter()
    {
        var columns = new[] { new TargetColumn("v", new ColumnDecision(ColumnType.Int64, true, null, (byte)'.')) };
        using var filter = RepeatFilter.For(5_000_000, 1L << 30, columns);
        filter.ShouldNotBeNull().Bytes.ShouldBeLessThan(32L << 20);
        using var large = RepeatFilter.For(50_000_000, 1L << 30, columns);
        large.ShouldNotBeNull().Bytes.ShouldBeLessThanOrEqualTo(256L << 20);
        RepeatFilter.For(100_000_000, 1L << 30, columns).ShouldBeNull();
    }

    private sealed class FirstCell : IEqualityComparer<string?[]>
    {
        public bool Equals(string?[]? x, string?[]? y) => x?[0] == y?[0];

        public int GetHashCode(string?[] row) => row[0]?.GetHashCode(StringComparison.Ordinal) ?? 0;
    }
}
