using System.Diagnostics;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Tests.Sessions;

public sealed class EngineSessionTests : IDisposable
{
    private readonly ScratchFolder _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void The_time_zone_is_utc()
    {
        using var session = _scratch.Open();
        session.Scalar<string>("SELECT current_setting('TimeZone')").ShouldBe("UTC");
        session.Scalar<string>("SELECT CAST(TIMESTAMPTZ '2026-01-01 00:00:00+00' AS VARCHAR)").ShouldBe("2026-01-01 00:00:00+00");
    }

    [Fact]
    public void Tables_on_disk_take_no_memory_and_go_with_their_session()
    {
        using (var session = EngineSession.Open(new EngineOptions { MemoryBytes = 256L << 20, Threads = 2, Scratch = _scratch.Path, TablesOnDisk = true }))
        {
            session.Execute("CREATE TABLE numbers AS SELECT hash(range) AS n FROM range(4_000_000)");
            new FileInfo(Directory.GetFiles(_scratch.Path).ShouldHaveSingleItem()).Length.ShouldBeGreaterThan(24_000_000);
            session.Scalar<long>("SELECT CAST(coalesce(sum(memory_usage_bytes), 0) AS BIGINT) FROM duckdb_memory() WHERE tag = 'IN_MEMORY_TABLE'").ShouldBeLessThan(4_000_000);
            session.Scalar<long>("SELECT count(DISTINCT n) FROM numbers").ShouldBe(4_000_000);
        }
        Directory.GetFiles(_scratch.Path).ShouldBeEmpty();
    }

    [Fact]
    public void Parameters_are_values_and_never_sql()
    {
        using var session = _scratch.Open();
        session.Scalar<string>("SELECT ?", "'; DROP TABLE x; --").ShouldBe("'; DROP TABLE x; --");
        session.Scalar<long>("SELECT CAST(? AS BIGINT) + ?", 40L, 2L).ShouldBe(42);
        session.Scalar<bool>("SELECT CAST(? AS VARCHAR) IS NULL", [null]).ShouldBeTrue();
    }

    [Theory]
    [InlineData("it's")]
    [InlineData("a\0b")]
    [InlineData("\0")]
    [InlineData("line\r\nbreak \\ \" 🐤")]
    [InlineData("")]
    public void A_literal_is_what_it_was(string text)
    {
        using var session = _scratch.Open();
        session.Scalar<string>($"SELECT {Sql.Literal(text)}").ShouldBe(text);
    }

    [Fact]
    public void An_identifier_may_hold_anything_but_nul()
    {
        using var session = _scratch.Open();
        session.Query($"SELECT 1 AS {Sql.Identifier("a\"; DROP")}", row => row.GetName(0)).ShouldBe(["a\"; DROP"]);
        Should.Throw<ArgumentException>(() => Sql.Identifier("a\0"));
    }

    [Theory]
    [InlineData("SELECT * FROM read_csv('/etc/passwd')")]
    [InlineData("SELECT * FROM read_text('/etc/hostname')")]
    [InlineData("SELECT * FROM glob('/etc/*')")]
    [InlineData("COPY (SELECT 1) TO '/tmp/qualiz-outside.csv'")]
    [InlineData("ATTACH '/tmp/qualiz-outside.db'")]
    [InlineData("INSTALL httpfs")]
    [InlineData("LOAD '/tmp/x.duckdb_extension'")]
    [InlineData("SET enable_external_access = true")]
    [InlineData("SET memory_limit = '100GB'")]
    [InlineData("SET allowed_directories = ['/']")]
    [InlineData("SELECT * FROM read_csv('http://127.0.0.1/x.csv')")]
    public void What_lies_outside_is_refused(string sql)
    {
        using var session = _scratch.Open();
        Should.Throw<EngineException>(() => session.Execute(sql));
        File.Exists("/tmp/qualiz-outside.csv").ShouldBeFalse();
    }

    [Fact]
    public void A_file_beside_the_scratch_is_refused_by_dots_and_by_symlink()
    {
        using var outside = new ScratchFolder();
        File.WriteAllText(outside.File("secret.csv"), "a\n1\n");
        File.CreateSymbolicLink(_scratch.File("link.csv"), outside.File("secret.csv"));
        using var session = _scratch.Open();
        var dots = Path.Combine(_scratch.Path, "..", Path.GetFileName(outside.Path), "secret.csv");
        Should.Throw<EngineException>(() => session.Query($"SELECT * FROM read_csv({Sql.Literal(dots)})", row => row.GetValue(0)));
    }

    [Fact]
    public void A_listed_file_is_readable()
    {
        using var outside = new ScratchFolder();
        File.WriteAllText(outside.File("in.csv"), "a\n1\n");
        using var session = _scratch.Open(paths: outside.File("in.csv"));
        session.Scalar<long>($"SELECT a FROM read_csv({Sql.Literal(outside.File("in.csv"))})").ShouldBe(1);
    }

    [Fact]
    public async Task A_cancelled_query_stops_soon()
    {
        using var session = _scratch.Open();
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        var watch = Stopwatch.StartNew();
        await Should.ThrowAsync<OperationCanceledException>(
            () => session.ScalarAsync<long>("SELECT count(*) FROM range(100000000000) t(i) WHERE sqrt(i) < 0", cancel.Token));
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(5));
        session.Scalar<int>("SELECT 1").ShouldBe(1);
    }

    [Fact]
    public async Task A_cancelled_kernel_stops_in_the_middle_of_a_vector()
    {
        using var session = _scratch.Open();
        // One vector whose rows share two long texts: a single call of the kernel, which would take a minute.
        session.Execute("CREATE TEMP TABLE texts AS SELECT repeat('aé ', 1000000) AS a, repeat('bø ', 1000000) AS b");
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
        var watch = Stopwatch.StartNew();
        await Should.ThrowAsync<OperationCanceledException>(() => session.ScalarAsync<long>(
            """SELECT sum(qz_text_mask('[{"op":"title"}]', CASE WHEN i % 2 = 0 THEN a ELSE b END)) FROM texts, range(2048) t(i)""", cancel.Token));
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(10));
        // The session is as good as before.
        session.Scalar<string>("""SELECT qz_text('[{"op":"title"}]', 'anna')""").ShouldBe("Anna");
    }

    [Fact]
    public async Task A_cancelled_stream_stops()
    {
        using var session = _scratch.Open();
        using var cancel = new CancellationTokenSource();
        var seen = 0L;
        await Should.ThrowAsync<OperationCanceledException>(async () =>
        {
            await foreach (var value in session.StreamAsync("SELECT i FROM range(100000000) t(i)", row => row.GetInt64(0), cancel.Token))
            {
                seen = value;
                if (value == 10_000)
                    await cancel.CancelAsync();
            }
        });
        seen.ShouldBeLessThan(100_000_000);
    }

    [Fact]
    public void Too_little_memory_is_said_so()
    {
        using var session = EngineSession.Open(new EngineOptions { MemoryBytes = 64 << 20, Threads = 2, Scratch = _scratch.Path, ScratchBytes = 1 << 20 });
        var error = Should.Throw<EngineException>(
            () => session.Scalar<long>("SELECT count(*) FROM (SELECT i, list(i) AS l FROM range(50000000) t(i) GROUP BY i) WHERE len(l) > 1"));
        error.Code.ShouldBeOneOf(EngineException.OutOfMemory, EngineException.ScratchExceeded);
    }

    [Fact]
    public void An_error_quotes_no_value()
    {
        using var session = _scratch.Open();
        var error = Should.Throw<EngineException>(() => session.Scalar<long>("SELECT CAST(x AS BIGINT) FROM (VALUES ('secret-value')) t(x)"));
        error.Code.ShouldBe(EngineException.CastFailed);
        error.ToString().ShouldNotContain("secret-value");
    }

    [Fact]
    public void A_damaged_file_is_said_so()
    {
        File.WriteAllText(_scratch.File("bad.parquet"), "this is no parquet file at all, but it is long enough to look at");
        using var session = _scratch.Open();
        Should.Throw<EngineException>(() => session.Execute($"SELECT * FROM read_parquet({Sql.Literal(_scratch.File("bad.parquet"))})"))
            .Code.ShouldBe(EngineException.FileUnreadable);
    }

    [Fact]
    public void Wrong_sql_says_what_is_wrong()
    {
        using var session = _scratch.Open();
        var error = Should.Throw<EngineException>(() => session.Execute("SELECT nosuch FROM (SELECT 1 AS a)"));
        error.Code.ShouldBe(EngineException.InvalidSql);
        error.Message.ShouldContain("nosuch");
    }
}
