using System.Globalization;
using Npgsql;
using Qualiz.Contracts.Values;
using Qualiz.Engine.Types;
using Qualiz.Ingest.Postgres;
using Qualiz.Platform.Operators;
using Qualiz.TestKit;

namespace Qualiz.Ingest.Tests;

public sealed class PostgresTests : IAsyncLifetime
{
    private readonly IngestRun _run = new();
    private NpgsqlDataSource _source = null!;

    public async Task InitializeAsync()
    {
        var address = new NpgsqlConnectionStringBuilder(await (await PostgresServer.SharedAsync()).CreateDatabaseAsync()) { Pooling = false };
        _source = NpgsqlDataSource.Create(address.ConnectionString);
        _run.Settings["Outbound:Allow:0"] = "127.0.0.0/8";
        _run.Add(new Connection("crm-db", "postgres", new Dictionary<string, string>
        {
            ["host"] = address.Host!,
            ["port"] = $"{address.Port}",
            ["database"] = address.Database!,
            ["user"] = address.Username!,
            ["password"] = address.Password ?? "",
            ["sslMode"] = "disable",
        }));
    }

    public async Task DisposeAsync()
    {
        await _source.DisposeAsync();
        _run.Dispose();
    }

    [Fact]
    public async Task Every_type_comes_with_its_extremes()
    {
        await ExecuteAsync("""
            CREATE DOMAIN code AS text;
            CREATE TYPE mood AS ENUM ('sad', 'ok');
            CREATE TABLE t (
              n int, b bool, i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, d numeric(18,2), wide numeric(38,10), small numeric(4,4), free numeric, tx text, vc varchar(10), bp char(4), dom code, en mood,
              u uuid, day date, at time, ts timestamp, tz timestamptz, j json, jb jsonb, ints int[], words text[], ip inet, iv interval, money_like numeric(5,2));
            INSERT INTO t VALUES
              (1, true, -32768, -2147483648, -9223372036854775808, 1.5, 1e308, -9999999999999999.99, 9999999999999999999999999999.9999999999, 0.0001, 12345.678, E'Zo\u00eb \n"x",', 'abc', 'ab', 'c', 'ok',
               '00112233-4455-6677-8899-aabbccddeeff', '0001-01-01', '00:00', '0001-01-01 00:00:00', '1899-12-31 23:59:59.999999+00', '{"a": 1.10}', '{"a": [1, null]}', '{1,null,3}', '{"a,b","",null,"null"}', '10.0.0.1', '1 day', 0),
              (2, false, 32767, 2147483647, 9223372036854775807, -0.25, 'NaN', 0.01, -0.0000000001, -0.9999, -0.5, '', '', '', '', 'sad',
               'ffffffff-ffff-ffff-ffff-ffffffffffff', '9999-12-31', '23:59:59.999999', '9999-12-31 23:59:59.999999', '2024-02-29 02:00:00+02', '[]', '"x"', '{}', '{}', '::1', '-1 month', 999.99);
            INSERT INTO t (n) VALUES (3);
            """);
        var result = await IngestAsync(new IngestSource { Connection = "crm-db", Table = "t" });
        result.ShouldBalance();
        result.Out.Schema.Columns.Where(column => !column.Hidden).Select(column => $"{column.Name} {column.Type}").ShouldBe(
        [
            "n int64", "b bool", "i2 int64", "i4 int64", "i8 int64", "f4 double", "f8 double", "d decimal(18,2)", "wide decimal(38,10)", "small decimal(4,4)", "free decimal(18,3)", "tx text", "vc text", "bp text",
            "dom text", "en text", "u text", "day date", "at time", "ts timestamp", "tz timestamptz", "j json", "jb json", "ints list(int64)", "words list(text)", "ip text", "iv text", "money_like decimal(5,2)",
        ]);
        var rows = result.Rows().OrderBy(row => row[0]).ToList();
        rows[0].ShouldBe(
        [
            "1", "true", "-32768", "-2147483648", "-9223372036854775808", "1.5", "1e+308", "-9999999999999999.99", "9999999999999999999999999999.9999999999", ".0001", "12345.678", "Zoë \n\"x\",", "abc", "ab  ", "c", "ok",
            "00112233-4455-6677-8899-aabbccddeeff", "0001-01-01", "00:00:00", "0001-01-01 00:00:00", "1899-12-31 23:59:59.999999+00", "{\"a\": 1.10}", "{\"a\": [1, null]}", "[1, NULL, 3]", "['a,b', '', NULL, 'null']", "10.0.0.1/32", "1 day", "0.00",
        ]);
        rows[1].ShouldBe(
        [
            "2", "false", "32767", "2147483647", "9223372036854775807", "-0.25", "nan", "0.01", "-0.0000000001", "-.9999", "-0.500", "", "", "    ", "", "sad",
            "ffffffff-ffff-ffff-ffff-ffffffffffff", "9999-12-31", "23:59:59.999999", "9999-12-31 23:59:59.999999", "2024-02-29 00:00:00+00", "[]", "\"x\"", "[]", "[]", "::1/128", "-1 mons", "999.99",
        ]);
        rows[2].Skip(1).ShouldAllBe(value => value == null);
    }

    [Fact]
    public async Task What_a_type_does_not_hold_is_set_aside()
    {
        await ExecuteAsync("CREATE TABLE t (id int, d numeric(10,2), x text, day date); INSERT INTO t VALUES (1, 1.5, '12', '2024-01-01'), (2, 'NaN', '13', 'infinity'), (3, 2, '1x', '-infinity')");
        var result = await IngestAsync(new IngestSource { Connection = "crm-db", Table = "public.t" }, types: new() { ["x"] = "int64" });
        result.ShouldBalance();
        result.Rows("id", "d", "x").ShouldBe([["1", "1.50", "12"]]);
        result.Rejected("ingested").Select(row => row[0]).Order().ShouldBe(["{\"id\":\"2\",\"d\":\"NaN\",\"x\":\"13\",\"day\":\"infinity\"}", "{\"id\":\"3\",\"d\":\"2.00\",\"x\":\"1x\",\"day\":\"-infinity\"}"]);
        result.Rejected("reasons").Select(row => row[0]!).ShouldContain(reason => reason.Contains("the value is no int64", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_large_table_is_read_on_several_lines_at_one_moment()
    {
        await ExecuteAsync("CREATE TABLE big AS SELECT i AS id, repeat('x', 100) || i AS v FROM generate_series(1, 200000) i");
        var result = await IngestAsync(new IngestSource { Connection = "crm-db", Table = "big" });
        result.Outcome.Counts["lines"].ShouldBe(2);
        result.Outcome.RowsOut.ShouldBe(200_000);
        result.Rows("id").Select(row => long.Parse(row[0]!, CultureInfo.InvariantCulture)).Order().ShouldBe(Enumerable.Range(1, 200_000).Select(i => (long)i));
        result.ShouldBalance();
        result.Outcome.Ledger.ShouldHaveSingleItem().Input.ShouldBe("big");
    }

    [Fact]
    public async Task A_query_gives_its_columns()
    {
        await ExecuteAsync("CREATE TABLE t (id int, v text); INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 10) i");
        var result = await IngestAsync(new IngestSource { Connection = "crm-db", Query = "SELECT id, v AS _row, count(*) OVER () AS n FROM t WHERE id > 7 -- the last ones" });
        result.Rows("id", "_row_", "n").OrderBy(row => row[0]).ShouldBe([["10", "v10", "3"], ["8", "v8", "3"], ["9", "v9", "3"]]);
        (await FailAsync(new IngestSource { Connection = "crm-db", Query = "SELECT 1 AS a, 2 AS a" })).Code.ShouldBe("queryInvalid");
        (await FailAsync(new IngestSource { Connection = "crm-db", Query = "SELECT nothing FROM t" })).Message.ShouldContain("nothing");
        (await FailAsync(new IngestSource { Connection = "crm-db", Query = "DELETE FROM t" })).Code.ShouldBe("queryInvalid");
        (await FailAsync(new IngestSource { Connection = "crm-db", Query = "SELECT 1) AS q; DROP TABLE t; SELECT * FROM (SELECT 1" })).Code.ShouldBe("queryInvalid");
        (await FailAsync(new IngestSource { Connection = "crm-db", Query = "SELECT nextval('pg_catalog.none')" })).Code.ShouldBe("tableUnknown");
    }

    [Fact]
    public async Task Mistakes_are_told_in_words()
    {
        await ExecuteAsync("CREATE TABLE t (id int, raw bytea)");
        (await FailAsync(new IngestSource { Connection = "crm-db", Table = "none" })).Code.ShouldBe("tableUnknown");
        (await FailAsync(new IngestSource { Connection = "crm-db", Table = "t; DROP TABLE t" })).Code.ShouldBe("tableUnknown");
        (await FailAsync(new IngestSource { Connection = "crm-db", Table = "t" })).Message.ShouldContain("bytea");
        (await FailAsync(new IngestSource { Connection = "crm-db", Files = "*.csv" })).Code.ShouldBe("connectionInvalid");
        _run.Settings.Clear();
        (await FailAsync(new IngestSource { Connection = "crm-db", Table = "t" })).Message.ShouldContain("Outbound:Allow");
    }

    [Fact]
    public async Task Only_what_changed_comes_the_second_time()
    {
        await ExecuteAsync("""
            CREATE TABLE t (id int, v text, at timestamptz, gone bool);
            INSERT INTO t VALUES (1, 'a', '2026-01-01 10:00+00', false), (2, 'b', '2026-01-01 12:00+00', false), (3, 'c', '2026-01-01 12:00+00', true), (4, 'd', null, null);
            """);
        var source = new IngestSource { Connection = "crm-db", Table = "t" };
        var incremental = new IncrementalSource { Cursor = "at", Lookback = new Duration(TimeSpan.FromHours(1)), Key = ["id"], Deleted = "gone" };
        var first = await IngestAsync(source, incremental);
        first.Rows("id").Select(row => row[0]).Order().ShouldBe(["1", "2", "4"]);
        first.Outcome.Outputs["deleted"].Rows.ShouldBe(1);
        first.Outcome.Ledger[0].ShouldSatisfyAllConditions(line => line.In.ShouldBe(4), line => line.Filtered.ShouldBe(1), line => line.Balances.ShouldBeTrue());
        first.Outcome.Warnings.ShouldContain(warning => warning.Contains("no at", StringComparison.Ordinal));

        // Nothing changed: what lies within reach is known again.
        var nothing = await IngestAsync(source, incremental);
        nothing.Outcome.RowsOut.ShouldBe(0);
        nothing.Outcome.Ledger[0].In.ShouldBe(2);

        // Late, at the same moment, changed, and new.
        await ExecuteAsync("""
            INSERT INTO t VALUES (5, 'late', '2026-01-01 11:30+00', false), (6, 'same moment', '2026-01-01 12:00+00', false), (7, 'new', '2026-01-02 00:00+00', false), (8, 'too late', '2026-01-01 09:00+00', false);
            UPDATE t SET v = 'changed', at = '2026-01-02 00:00+00' WHERE id = 2;
            """);
        var second = await IngestAsync(source, incremental);
        second.Rows("id", "v").OrderBy(row => row[0]).ShouldBe([["2", "changed"], ["5", "late"], ["6", "same moment"], ["7", "new"]]);
        second.Outcome.Ledger[0].Balances.ShouldBeTrue();
        second.Rows("_key").Select(row => row[0]).ShouldContain(first.Rows("id", "_key").Single(row => row[0] == "2")[1]);
    }

    [Fact]
    public async Task A_cursor_goes_on_only_where_it_comes_from()
    {
        await ExecuteAsync("""
            CREATE TABLE a (id int, at timestamptz);
            CREATE TABLE b (id int, at timestamptz, more text);
            INSERT INTO a VALUES (1, '2026-01-02 10:00+00');
            INSERT INTO b VALUES (2, '2026-01-01 10:00+00', 'x'), (3, '2026-01-03 10:00+00', 'y');
            """);
        var incremental = new IncrementalSource { Cursor = "at" };
        await IngestAsync(new IngestSource { Connection = "crm-db", Table = "a" }, incremental);
        var other = await _run.RunAsync(new IngestConfig { From = new IngestSource { Connection = "crm-db", Table = "b" }, Incremental = incremental, OnSchemaChange = OnSchemaChange.Fail });
        other.Rows("id").Select(row => row[0]).Order().ShouldBe(["2", "3"]);
        other.Outcome.Warnings.ShouldContain(warning => warning.Contains("crm-db/public.a, this one reads crm-db/public.b", StringComparison.Ordinal));
        (await IngestAsync(new IngestSource { Connection = "crm-db", Table = "b" }, incremental)).Outcome.ShouldSatisfyAllConditions(again => again.RowsOut.ShouldBe(0), again => again.StateGrows.ShouldBeTrue());

        // A query is known by its text, but for the blanks around it.
        await IngestAsync(new IngestSource { Connection = "crm-db", Query = "SELECT * FROM a" }, incremental);
        (await IngestAsync(new IngestSource { Connection = "crm-db", Query = " SELECT * FROM a;\n" }, incremental)).Outcome.ShouldSatisfyAllConditions(again => again.RowsOut.ShouldBe(0), again => again.StateGrows.ShouldBeFalse());
        (await IngestAsync(new IngestSource { Connection = "crm-db", Query = "SELECT * FROM a WHERE id < 5" }, incremental)).Outcome.RowsOut.ShouldBe(1);
        // Literals are what parameters fill in.
        (await IngestAsync(new IngestSource { Connection = "crm-db", Query = "SELECT * FROM a  WHERE id < 7" }, incremental)).Outcome.RowsOut.ShouldBe(0);
    }

    [Fact]
    public async Task A_state_from_before_its_source_was_written_down_is_taken_as_it_is()
    {
        await ExecuteAsync("CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2), (3)");
        _run.State = System.Text.Json.JsonSerializer.Deserialize<System.Text.Json.JsonElement>("""{"version": 1, "files": [], "columns": [{"name": "id", "type": "int64"}], "cursor": {"column": "id", "value": "2", "seen": []}}""");
        (await IngestAsync(new IngestSource { Connection = "crm-db", Table = "t" }, new IncrementalSource { Cursor = "id" })).Rows("id").Select(row => row[0]).Order().ShouldBe(["2", "3"]);
    }

    [Theory]
    [InlineData("int2")]
    [InlineData("int4")]
    [InlineData("int8")]
    [InlineData("numeric")]
    public async Task A_number_as_cursor_uses_its_index(string type)
    {
        await ExecuteAsync($"CREATE TABLE t (id {type} PRIMARY KEY, v text); INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, 20000) i; ANALYZE t");
        await using var connection = await _source.OpenConnectionAsync();
        var config = new IngestConfig { From = new IngestSource { Connection = "crm-db", Table = "t" }, Incremental = new IncrementalSource { Cursor = "id" } };
        var table = await SourceTable.DescribeAsync(connection, config, "t", "19990", new Dictionary<string, ColumnType>(), new Dictionary<string, ColumnType>(), [], 0, default);
        var copy = table.Ranges(4).ShouldHaveSingleItem();
        await using var command = new NpgsqlCommand($"EXPLAIN {copy["COPY (".Length..copy.LastIndexOf(") TO ", StringComparison.Ordinal)]}", connection);
        await using var reader = await command.ExecuteReaderAsync();
        var plan = new List<string>();
        while (await reader.ReadAsync())
            plan.Add(reader.GetString(0));
        plan.ShouldContain(line => line.Contains("Index Cond", StringComparison.Ordinal), string.Join('\n', plan));
    }

    [Theory]
    [InlineData("timestamptz", "'2026-01-01 09:30+00'", "'2026-01-01 11:00+00'", "'2026-01-01 12:00+00'", true)]
    [InlineData("int8", "1", "9", "10", false)]
    public async Task A_cursor_never_goes_back(string type, string early, string middle, string late, bool lookback)
    {
        await ExecuteAsync($"CREATE TABLE t (id int, at {type}); INSERT INTO t VALUES (1, {early}), (2, {middle}), (3, {late})");
        var source = new IngestSource { Connection = "crm-db", Table = "t" };
        var incremental = new IncrementalSource { Cursor = "at", Lookback = lookback ? new Duration(TimeSpan.FromHours(2)) : null };
        (await IngestAsync(source, incremental)).Outcome.RowsOut.ShouldBe(3);
        await ExecuteAsync("DELETE FROM t WHERE id = 3");
        (await IngestAsync(source, incremental)).Outcome.RowsOut.ShouldBe(0);
        (await IngestAsync(source, incremental)).Outcome.RowsOut.ShouldBe(0);
        await ExecuteAsync($"INSERT INTO t VALUES (4, {late})");
        (await IngestAsync(source, incremental)).Rows("id").ShouldBe([["4"]]);
    }

    [Fact]
    public async Task A_row_that_comes_once_more_with_equal_content_at_the_same_moment_is_a_row_of_its_own()
    {
        await ExecuteAsync("CREATE TABLE clicks (who text, at timestamptz); INSERT INTO clicks VALUES ('ann', '2026-01-01 10:00+00'), ('ben', '2026-01-01 10:00+00')");
        var source = new IngestSource { Connection = "crm-db", Table = "clicks" };
        var incremental = new IncrementalSource { Cursor = "at" };
        (await IngestAsync(source, incremental)).Outcome.RowsOut.ShouldBe(2);
        (await IngestAsync(source, incremental)).Outcome.RowsOut.ShouldBe(0);

        await ExecuteAsync("INSERT INTO clicks VALUES ('ann', '2026-01-01 10:00+00'), ('ann', '2026-01-01 10:00+00')");
        var more = await IngestAsync(source, incremental);
        more.Rows("who").ShouldBe([["ann"], ["ann"]]);
        more.Outcome.Ledger[0].ShouldSatisfyAllConditions(line => line.In.ShouldBe(4), line => line.Filtered.ShouldBe(2), line => line.Balances.ShouldBeTrue());
        (await IngestAsync(source, incremental)).Outcome.RowsOut.ShouldBe(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task However_many_rows_lie_within_reach_each_comes_once(bool lookback)
    {
        await ExecuteAsync("CREATE TABLE t (id int, \"content seen\" text, at timestamptz); INSERT INTO t SELECT i, 'x', '2026-01-01 10:00+00' FROM generate_series(1, 30000) i");
        var source = new IngestSource { Connection = "crm-db", Table = "t" };
        var incremental = new IncrementalSource { Cursor = "at", Lookback = lookback ? new Duration(TimeSpan.FromHours(2)) : null };
        (await IngestAsync(source, incremental)).Outcome.RowsOut.ShouldBe(30_000);
        _run.State!.Value.GetRawText().Length.ShouldBeLessThan(5000);
        var kept = _run.State!.Value.GetRawText();
        var again = await IngestAsync(source, incremental);
        again.Outcome.Ledger[0].ShouldSatisfyAllConditions(line => line.In.ShouldBe(30_000), line => line.Filtered.ShouldBe(30_000), line => line.Balances.ShouldBeTrue());
        again.Outcome.Warnings.ShouldBeEmpty();
        // Nothing is written anew for a run that has found nothing.
        _run.State!.Value.GetRawText().ShouldBe(kept);

        await ExecuteAsync("INSERT INTO t VALUES (7, 'x', '2026-01-01 10:00+00'), (40000, 'y', '2026-01-01 10:00+00')");
        (await IngestAsync(source, incremental)).Rows("id").Select(row => row[0]).Order().ShouldBe(["40000", "7"]);
        (await IngestAsync(source, incremental)).Outcome.RowsOut.ShouldBe(0);

        // Later rows come; what is out of reach is forgotten.
        await ExecuteAsync("INSERT INTO t VALUES (50000, 'z', '2026-01-01 11:00+00')");
        (await IngestAsync(source, incremental)).Rows("id").ShouldBe([["50000"]]);
        _run.State!.Value.GetProperty("cursor").GetProperty("seenRows").ValueKind.ShouldBe(lookback ? System.Text.Json.JsonValueKind.Object : System.Text.Json.JsonValueKind.Null);
        (await IngestAsync(source, incremental)).Outcome.RowsOut.ShouldBe(0);
    }

    [Fact]
    public async Task What_was_seen_and_is_lost_is_told_and_nothing_comes_twice_unawares()
    {
        await ExecuteAsync("CREATE TABLE t (id int, at timestamptz); INSERT INTO t SELECT i, '2026-01-01 10:00+00' FROM generate_series(1, 2000) i");
        var source = new IngestSource { Connection = "crm-db", Table = "t" };
        await IngestAsync(source, new IncrementalSource { Cursor = "at" });
        var key = _run.State!.Value.GetProperty("cursor").GetProperty("seenRows").GetProperty("files")[0].GetProperty("key").GetString()!;
        File.Delete(Path.Combine(_run.Store, key));
        (await FailAsync(source, new IncrementalSource { Cursor = "at" })).ShouldSatisfyAllConditions(error => error.Code.ShouldBe("stateLost"), error => error.Transient.ShouldBeFalse());
    }

    [Fact]
    public async Task Of_several_states_of_a_row_the_latest_stays()
    {
        await ExecuteAsync("CREATE TABLE log (id int, v text, seq bigint); INSERT INTO log VALUES (1, 'a', 1), (1, 'b', 2), (2, 'c', 3), (1, 'd', 4), (NULL, 'x', 5), (NULL, 'y', 6)");
        var result = await IngestAsync(new IngestSource { Connection = "crm-db", Table = "log" }, new IncrementalSource { Cursor = "seq", Key = ["id"] });
        // Rows without a key are nobody's states.
        result.Rows("id", "v").OrderBy(row => row[1]).ShouldBe([["2", "c"], ["1", "d"], [null, "x"], [null, "y"]]);
        result.Outcome.Ledger[0].ShouldSatisfyAllConditions(line => line.Merged.ShouldBe(2), line => line.Balances.ShouldBeTrue());
        (await FailAsync(new IngestSource { Connection = "crm-db", Table = "log" }, new IncrementalSource { Cursor = "v" })).Code.ShouldBe("cursorInvalid");
        (await FailAsync(new IngestSource { Connection = "crm-db", Table = "log" }, new IncrementalSource { Cursor = "seq", Lookback = new Duration(TimeSpan.FromHours(1)) })).Path.ShouldBe("incremental.lookback");
    }

    [Fact]
    public async Task An_empty_table_is_what_the_step_says()
    {
        await ExecuteAsync("CREATE TABLE t (id int, n numeric)");
        var source = new IngestSource { Connection = "crm-db", Table = "t" };
        (await IngestAsync(source)).Outcome.RowsOut.ShouldBe(0);
        (await _run.TryAsync(new IngestConfig { From = source, OnEmpty = OnEmpty.Skip })).ShouldBeOfType<StepResult.Skipped>();
        (await _run.FailAsync(new IngestConfig { From = source, OnEmpty = OnEmpty.Fail })).Code.ShouldBe("empty");
    }

    [Fact]
    public async Task Changed_columns_follow_the_rules()
    {
        await ExecuteAsync("CREATE TABLE t (id int, v int); INSERT INTO t VALUES (1, 5)");
        var source = new IngestSource { Connection = "crm-db", Table = "t" };
        await IngestAsync(source);
        var state = _run.State;
        await ExecuteAsync("ALTER TABLE t ADD w text, ALTER v TYPE text; UPDATE t SET v = 'x', w = 'new'; INSERT INTO t VALUES (2, '7', 'new')");
        (await _run.FailAsync(new IngestConfig { From = source, OnSchemaChange = OnSchemaChange.Fail })).Code.ShouldBe("schemaChanged");
        var ignored = await _run.RunAsync(new IngestConfig { From = source, OnSchemaChange = OnSchemaChange.Ignore });
        ignored.Rows().ShouldBe([["2", "7"]]);
        ignored.Outcome.RowsRejected.ShouldBe(1);
        ignored.ShouldBalance();
        _run.State = state;
        (await IngestAsync(source)).Rows().OrderBy(row => row[0]).ShouldBe([["1", "x", "new"], ["2", "7", "new"]]);
    }

    [Fact]
    public async Task A_cancelled_read_ends_on_the_server_too()
    {
        using var cancel = new CancellationTokenSource();
        var running = _run.RunAsync(new IngestConfig { From = new IngestSource { Connection = "crm-db", Query = "SELECT i, pg_sleep(0.05)::text AS s FROM generate_series(1, 100000) i" } }, cancel.Token);
        await UntilAsync(1);
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => running.WaitAsync(TimeSpan.FromSeconds(20)));
        await UntilAsync(0);

        async Task UntilAsync(long expected)
        {
            for (var i = 0; ; i++)
            {
                await using var command = _source.CreateCommand("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY %pg_sleep%' AND state = 'active' AND datname = current_database()");
                if ((long)(await command.ExecuteScalarAsync())! == expected)
                    return;
                i.ShouldBeLessThan(200, $"not {expected} running statements");
                await Task.Delay(50);
            }
        }
    }

    [Fact]
    public async Task The_head_of_a_table_is_its_columns()
    {
        await ExecuteAsync("CREATE TABLE t (id int, at timestamptz, n numeric, tags text[]); INSERT INTO t VALUES (1, now(), 1.25, '{}')");
        var head = (await _run.HeadAsync(new IngestConfig { From = new IngestSource { Connection = "crm-db", Table = "t" } }))!;
        head.Schema.Columns.Where(column => !column.Hidden).Select(column => $"{column.Name} {column.Type}").ShouldBe(["id int64", "at timestamptz", "n decimal(18,2)", "tags list(text)"]);
    }

    private Task<Ingested> IngestAsync(IngestSource source, IncrementalSource? incremental = null, Dictionary<string, string>? types = null) =>
        _run.RunAsync(new IngestConfig { From = source, Incremental = incremental, Types = types ?? [] });

    private Task<Contracts.Runs.V1.StepError> FailAsync(IngestSource source, IncrementalSource? incremental = null) => _run.FailAsync(new IngestConfig { From = source, Incremental = incremental });

    private async Task ExecuteAsync(string sql)
    {
        await using var command = _source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
