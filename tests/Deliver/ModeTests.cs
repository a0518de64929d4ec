using System.Net;
using System.Net.Sockets;
using Npgsql;
using Qualiz.Platform.Operators;

namespace Qualiz.Deliver.Tests;

public sealed class ModeTests(PostgresBench postgres) : IClassFixture<PostgresBench>
{
    [Fact]
    public async Task Append_makes_the_table_and_adds_rows_and_a_record()
    {
        var input = await postgres.Bench.InputAsync("SELECT i AS id, 'n' || i AS name FROM range(1000) t(i)");
        const string config = """{"to":{"connection":"dwh","table":"marts.appended"}}""";
        var run = Guid.CreateVersion7();
        var outcome = await postgres.DeliverAsync(config, input, run: run);
        outcome.Counts.ShouldBe(new Dictionary<string, long> { ["added"] = 1000 });
        outcome.Ledger.ShouldHaveSingleItem().ShouldSatisfyAllConditions(line => line.Out.ShouldBe(1000), line => line.Balances.ShouldBeTrue());
        (await postgres.OneAsync("SELECT count(*), sum(id), min(name) FROM marts.appended")).ShouldBe("1000|499500|n0");
        (await postgres.OneAsync($"SELECT step, target, mode, fence, rows FROM marts.qualiz_delivery WHERE run_id = '{run}'")).ShouldBe("step|\"marts\".\"appended\"|append|1|1000");
        postgres.Bench.Log.Lines.ShouldContain(line => line.StartsWith("CREATE TABLE \"marts\".\"appended\"", StringComparison.Ordinal));

        // Again, by a later execution of the same step: nothing is added.
        (await postgres.DeliverAsync(config, input, 2, run)).Counts["added"].ShouldBe(1000);
        (await postgres.OneAsync("SELECT count(*) FROM marts.appended")).ShouldBe("1000");
        // By another run: all are added.
        await postgres.DeliverAsync(config, input, 3);
        (await postgres.OneAsync("SELECT count(*) FROM marts.appended")).ShouldBe("2000");
    }

    [Fact]
    public async Task Replace_keeps_grants_views_and_indexes()
    {
        await postgres.ExecuteAsync(
            """
            CREATE ROLE reader_r; CREATE TABLE replaced (id bigint, name text); CREATE INDEX replaced_name ON replaced (name);
            CREATE VIEW seen AS SELECT * FROM replaced; GRANT SELECT ON replaced TO reader_r; INSERT INTO replaced VALUES (1, 'old'), (2, 'old'), (3, 'old')
            """);
        var input = await postgres.Bench.InputAsync("SELECT * FROM (VALUES (7, 'new'), (8, 'new')) t(id, name)");
        var outcome = await postgres.DeliverAsync("""{"to":{"connection":"dwh","table":"replaced"},"mode":"replace"}""", input);
        outcome.Counts.ShouldBe(new Dictionary<string, long> { ["removed"] = 3, ["added"] = 2 });
        (await postgres.QueryAsync("SELECT * FROM seen ORDER BY id")).ShouldBe(["7|new", "8|new"]);
        (await postgres.OneAsync("SELECT has_table_privilege('reader_r', 'replaced', 'SELECT'), to_regclass('replaced_name')::text")).ShouldBe("True|replaced_name");
    }

    [Fact]
    public async Task Replace_refuses_to_shrink_a_table_too_far()
    {
        await postgres.ExecuteAsync("CREATE TABLE shrunk AS SELECT i::bigint AS id FROM generate_series(1, 1000) i");
        var small = await postgres.Bench.InputAsync("SELECT i AS id FROM range(499) t(i)");
        var error = await postgres.FailAsync("""{"to":{"connection":"dwh","table":"shrunk"},"mode":"replace"}""", small);
        error.Code.ShouldBe("shrinkRefused");
        error.Message.ShouldBe("public.shrunk would fall from 1,000 to 499 rows (50.1 % fewer), limit 50 %; it was left as it is.");
        (await postgres.OneAsync("SELECT count(*) FROM shrunk")).ShouldBe("1000");
        await postgres.DeliverAsync("""{"to":{"connection":"dwh","table":"shrunk"},"mode":"replace","maxShrink":"60%"}""", small);
        (await postgres.OneAsync("SELECT count(*) FROM shrunk")).ShouldBe("499");
    }

    [Fact]
    public async Task Upsert_reports_new_changed_and_same()
    {
        const string config = """{"to":{"connection":"dwh","table":"marts.upserted"},"mode":"upsert","key":["id"]}""";
        var first = await postgres.Bench.InputAsync("SELECT i AS id, 'n' || i AS name, [i] AS tags, NULL::DOUBLE AS x FROM range(10) t(i)");
        (await postgres.DeliverAsync(config, first, 1)).Counts.ShouldBe(new Dictionary<string, long> { ["new"] = 10, ["changed"] = 0, ["same"] = 0 });
        var second = await postgres.Bench.InputAsync("SELECT i AS id, CASE WHEN i % 2 = 0 THEN 'm' ELSE 'n' || i END AS name, [i] AS tags, NULL::DOUBLE AS x FROM range(5, 13) t(i)");
        (await postgres.DeliverAsync(config, second, 2)).Counts.ShouldBe(new Dictionary<string, long> { ["new"] = 3, ["changed"] = 2, ["same"] = 3 });
        (await postgres.OneAsync("SELECT count(*), count(*) FILTER (WHERE name = 'm') FROM marts.upserted")).ShouldBe("13|4");
    }

    [Fact]
    public async Task Upsert_of_key_columns_only()
    {
        const string config = """{"to":{"connection":"dwh","table":"keys_only"},"mode":"upsert","key":["a","b"]}""";
        var input = await postgres.Bench.InputAsync("SELECT i AS a, i AS b FROM range(4) t(i)");
        await postgres.DeliverAsync(config, input, 1);
        (await postgres.DeliverAsync(config, input, 2)).Counts.ShouldBe(new Dictionary<string, long> { ["new"] = 0, ["changed"] = 0, ["same"] = 4 });
    }

    [Theory]
    [InlineData("SELECT * FROM (VALUES (1, 'secret'), (1, 'secret2'), (2, 'x')) t(id, v)", "keyRepeated", "1 keys (id) occur in more than one row")]
    [InlineData("SELECT * FROM (VALUES (NULL, 'secret'), (2, 'x')) t(id, v)", "keyEmpty", "1 rows have no value in the key (id)")]
    public async Task Upsert_refuses_keys_that_identify_nothing(string query, string code, string message)
    {
        var error = await postgres.FailAsync("""{"to":{"connection":"dwh","table":"bad_keys"},"mode":"upsert","key":["id"]}""", await postgres.Bench.InputAsync(query));
        error.Code.ShouldBe(code);
        error.Message.ShouldContain(message);
        error.Message.ShouldNotContain("secret");
        (await postgres.OneAsync("SELECT to_regclass('bad_keys')::text")).ShouldBe("∅");
    }

    [Fact]
    public async Task Upsert_needs_a_unique_key_on_the_table()
    {
        await postgres.ExecuteAsync("CREATE TABLE no_key (id bigint, v text); CREATE UNIQUE INDEX ON no_key (id) WHERE v IS NOT NULL; CREATE UNIQUE INDEX ON no_key (id, v)");
        var input = await postgres.Bench.InputAsync("SELECT 1 AS id, 'x' AS v");
        (await postgres.FailAsync("""{"to":{"connection":"dwh","table":"no_key"},"mode":"upsert","key":["id"]}""", input)).Code.ShouldBe("keyMissing");
        await postgres.DeliverAsync("""{"to":{"connection":"dwh","table":"no_key"},"mode":"upsert","key":["v","id"]}""", input);
    }

    [Fact]
    public async Task A_new_column_is_added_left_out_or_refused()
    {
        await postgres.ExecuteAsync("CREATE TABLE widened (id bigint)");
        var input = await postgres.Bench.InputAsync("SELECT 1 AS id, 'x' AS extra");
        var error = await postgres.FailAsync("""{"to":{"connection":"dwh","table":"widened"}}""", input);
        error.Code.ShouldBe("schemaChanged");
        error.Message.ShouldContain("\"extra\"");
        var outcome = await postgres.DeliverAsync("""{"to":{"connection":"dwh","table":"widened"},"onSchemaChange":"ignore"}""", input);
        outcome.Warnings.ShouldHaveSingleItem().ShouldContain("extra");
        await postgres.DeliverAsync("""{"to":{"connection":"dwh","table":"widened"},"onSchemaChange":"add"}""", input);
        (await postgres.QueryAsync("SELECT id, extra FROM widened ORDER BY extra NULLS FIRST")).ShouldBe(["1|∅", "1|x"]);
    }

    [Fact]
    public async Task Hidden_columns_are_delivered_only_when_asked_for()
    {
        var input = await postgres.Bench.InputAsync("SELECT 1 AS id");
        await postgres.DeliverAsync("""{"to":{"connection":"dwh","table":"plain"}}""", input);
        await postgres.DeliverAsync("""{"to":{"connection":"dwh","table":"with_identity"},"hidden":true}""", input);
        (await postgres.OneAsync("SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'plain'::regclass AND attnum > 0")).ShouldBe("id");
        (await postgres.OneAsync("SELECT _source, _row FROM with_identity")).ShouldBe("in@1|1");
    }

    [Theory]
    [InlineData("replace", 5, "SELECT 1 AS id, 'old' AS v")]
    // Executed again, after its worker died: a higher fence makes it no younger.
    [InlineData("replace", 12, "SELECT 1 AS id, 'old' AS v")]
    [InlineData("upsert", 12, "SELECT * FROM (VALUES (1, 'old'), (2, 'old')) t(id, v)")]
    public async Task A_run_that_was_started_before_the_one_that_delivered_changes_nothing(string mode, long fence, string older)
    {
        var table = $"late_{mode}_{fence}";
        var config = $$"""{"to":{"connection":"dwh","table":"{{table}}"},"mode":"{{mode}}"{{(mode == "upsert" ? ",\"key\":[\"id\"]" : "")}}}""";
        var run = Guid.CreateVersion7(DateTimeOffset.UtcNow.AddMinutes(-1));
        await postgres.DeliverAsync(config, await postgres.Bench.InputAsync("SELECT 1 AS id, 'new' AS v"), fence: 9);
        var error = await postgres.FailAsync(config, await postgres.Bench.InputAsync(older), fence, run);
        error.Code.ShouldBe("superseded");
        error.Message.ShouldContain("rerun");
        (await postgres.QueryAsync($"SELECT id, v FROM {table}")).ShouldBe(["1|new"]);
        // Done again on purpose, as a run of its own.
        await postgres.DeliverAsync(config, await postgres.Bench.InputAsync(older), fence: 13);
        (await postgres.OneAsync($"SELECT count(*) FROM {table} WHERE v = 'new'")).ShouldBe("0");
    }

    [Fact]
    public async Task An_older_run_adds_the_rows_that_no_later_one_has_to_do_with()
    {
        var older = Guid.CreateVersion7(DateTimeOffset.UtcNow.AddMinutes(-1));
        const string upsert = """{"to":{"connection":"dwh","table":"days"},"mode":"upsert","key":["day"]}""";
        await postgres.DeliverAsync(upsert, await postgres.Bench.InputAsync("SELECT 2 AS day, 'x' AS v"), fence: 2);
        (await postgres.DeliverAsync(upsert, await postgres.Bench.InputAsync("SELECT 1 AS day, 'x' AS v"), fence: 3, run: older)).Counts["new"].ShouldBe(1);
        const string append = """{"to":{"connection":"dwh","table":"log_lines"},"mode":"append"}""";
        await postgres.DeliverAsync(append, await postgres.Bench.InputAsync("SELECT 2 AS day"), fence: 2);
        await postgres.DeliverAsync(append, await postgres.Bench.InputAsync("SELECT 1 AS day"), fence: 3, run: older);
        (await postgres.OneAsync("SELECT count(*) FROM log_lines")).ShouldBe("2");
    }

    [Fact]
    public async Task Where_records_are_refused_append_is_labelled_at_least_once()
    {
        await postgres.ExecuteAsync("CREATE ROLE writer_w LOGIN; CREATE SCHEMA narrow; CREATE TABLE narrow.t (id bigint); GRANT USAGE ON SCHEMA narrow TO writer_w; GRANT INSERT, SELECT ON narrow.t TO writer_w");
        postgres.Bench.Connections["narrow"] = postgres.Connection("writer_w", null);
        var input = await postgres.Bench.InputAsync("SELECT 1 AS id");
        var outcome = await postgres.DeliverAsync("""{"to":{"connection":"narrow","table":"narrow.t"}}""", input);
        outcome.Warnings.ShouldHaveSingleItem().ShouldStartWith("At least once");
        (await postgres.OneAsync("SELECT count(*) FROM narrow.t")).ShouldBe("1");
        await postgres.ExecuteAsync("CREATE SCHEMA records; GRANT USAGE, CREATE ON SCHEMA records TO writer_w");
        outcome = await postgres.DeliverAsync("""{"to":{"connection":"narrow","table":"narrow.t"},"deliverySchema":"records"}""", input, 2);
        outcome.Warnings.ShouldBeEmpty();
        (await postgres.FailAsync("""{"to":{"connection":"narrow","table":"narrow.other"}}""", input, 3)).Code.ShouldBe("accessRefused");
    }

    [Fact]
    public async Task A_held_table_ends_as_a_transient_failure()
    {
        await postgres.ExecuteAsync("CREATE TABLE held (id bigint)");
        await using var holder = await postgres.Source.OpenConnectionAsync();
        await using var transaction = await holder.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand("LOCK TABLE held", holder))
            await command.ExecuteNonQueryAsync();
        var input = await postgres.Bench.InputAsync("SELECT 1 AS id");
        var error = await postgres.FailAsync("""{"to":{"connection":"dwh","table":"held"},"lockTimeout":"200ms"}""", input);
        error.Code.ShouldBe("targetBusy");
        error.Transient.ShouldBeTrue();
    }

    [Fact]
    public async Task A_stuck_statement_ends_as_a_transient_failure()
    {
        await postgres.ExecuteAsync(
            """
            CREATE TABLE slow (id bigint);
            CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NEW; END';
            CREATE TRIGGER nap BEFORE INSERT ON slow FOR EACH ROW EXECUTE FUNCTION nap()
            """);
        var input = await postgres.Bench.InputAsync("SELECT 1 AS id");
        var error = await postgres.FailAsync("""{"to":{"connection":"dwh","table":"slow"},"statementTimeout":"500ms"}""", input);
        error.ShouldSatisfyAllConditions(e => e.Code.ShouldBe("targetBusy"), e => e.Transient.ShouldBeTrue());
        // And a cancel gets through at once.
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
        await Should.ThrowAsync<OperationCanceledException>(() => postgres.RunAsync("""{"to":{"connection":"dwh","table":"slow"}}""", input, 2, ct: cancel.Token));
    }

    [Theory]
    [InlineData("CREATE TABLE refusing (v varchar(3))", "SELECT 'secret' AS v", "valueRefused")]
    [InlineData("CREATE TABLE refusing (v int2)", "SELECT 40000 AS v", "valueRefused")]
    [InlineData("CREATE TABLE refusing (v uuid)", "SELECT 'secret' AS v", "valueRefused")]
    [InlineData("CREATE TABLE refusing (v text CHECK (v <> 'secret'))", "SELECT 'secret' AS v", "constraintViolated")]
    [InlineData("CREATE TABLE refusing (v text UNIQUE)", "SELECT 'secret' AS v UNION ALL SELECT 'secret'", "constraintViolated")]
    [InlineData("CREATE TABLE refusing (v text NOT NULL)", "SELECT NULL::VARCHAR AS v", "constraintViolated")]
    [InlineData("CREATE TABLE refusing (v text, w text NOT NULL)", "SELECT 'secret' AS v", "constraintViolated")]
    [InlineData("CREATE TABLE refusing (v text)", "SELECT 'secret' || chr(0) AS v", "valueRefused")]
    [InlineData("CREATE TABLE refusing (v numeric(10,1))", "SELECT 1.25::DECIMAL(10,2) AS v", "typeMismatch")]
    [InlineData("CREATE TABLE refusing (v int)", "SELECT 'secret' AS v", "typeMismatch")]
    [InlineData("CREATE TABLE refusing (v float4)", "SELECT 0.1::DOUBLE AS v", "typeMismatch")]
    [InlineData("CREATE TABLE refusing (v timestamp)", "SELECT TIMESTAMPTZ '2020-01-01 00:00:00+00' AS v", "typeMismatch")]
    [InlineData("CREATE TABLE refusing (v bigint GENERATED ALWAYS AS IDENTITY)", "SELECT 1 AS v", "typeMismatch")]
    [InlineData("CREATE VIEW refusing AS SELECT 1::bigint AS v", "SELECT 1 AS v", "notATable")]
    public async Task What_the_table_cannot_take_fails_without_showing_the_value(string ddl, string query, string code)
    {
        await postgres.ExecuteAsync($"DROP SCHEMA IF EXISTS r CASCADE; CREATE SCHEMA r; {ddl.Replace("refusing", "r.refusing", StringComparison.Ordinal)}");
        var error = await postgres.FailAsync("""{"to":{"connection":"dwh","table":"r.refusing"}}""", await postgres.Bench.InputAsync(query));
        error.Code.ShouldBe(code);
        error.Transient.ShouldBeFalse();
        error.Message.ShouldNotContain("secret");
        postgres.Bench.Log.Lines.ShouldNotContain(line => line.Contains("secret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Existing_columns_of_other_exact_types_are_filled()
    {
        await postgres.ExecuteAsync("CREATE TYPE mood AS ENUM ('glad'); CREATE DOMAIN tiny AS int2; CREATE TABLE wide (a uuid, b mood, c varchar(20), d int4, e numeric, f json, g text, h tiny, i timestamp)");
        var input = await postgres.Bench.InputAsync(
            "SELECT '0190f3a0-0000-7000-8000-000000000000' AS a, 'glad' AS b, 'x' AS c, 2147483647 AS d, 1.50::DECIMAL(18,2) AS e, '{\"a\":1}'::JSON AS f, 12 AS g, 7 AS h, DATE '2020-01-02' AS i");
        await postgres.DeliverAsync("""{"to":{"connection":"dwh","table":"wide"}}""", input);
        (await postgres.OneAsync("SELECT a::text, b::text, c, d, e::text, f::text, g, h, i::text FROM wide")).ShouldBe("0190f3a0-0000-7000-8000-000000000000|glad|x|2147483647|1.50|{\"a\": 1}|12|7|2020-01-02 00:00:00");
    }

    [Fact]
    public async Task Hostile_names_are_only_names()
    {
        var names = new[] { "'\"; drop table --", "ünïcode ☃ 列", "a\"b\\n", "select", new string('x', 63) };
        var query = $"SELECT {string.Join(", ", names.Select((name, i) => $"{i} AS {Qualiz.Engine.Sessions.Sql.Identifier(name)}"))}";
        await postgres.DeliverAsync("""{"to":{"connection":"dwh","table":"\"we.ird\"\"; --\".\"t'); drop schema public; --\""},"mode":"upsert","key":["'\"; drop table --"]}""", await postgres.Bench.InputAsync(query));
        (await postgres.OneAsync("""SELECT * FROM "we.ird""; --"."t'); drop schema public; --" """)).ShouldBe("0|1|2|3|4");
        var tooLong = await postgres.FailAsync("""{"to":{"connection":"dwh","table":"long_names"}}""", await postgres.Bench.InputAsync($"SELECT 1 AS {new string('y', 64)}"));
        tooLong.Code.ShouldBe("nameTooLong");
        (await postgres.FailAsync("""{"to":{"connection":"dwh","table":"a.b.c"}}""", await postgres.Bench.InputAsync("SELECT 1 AS v"))).Code.ShouldBe("tableName");
        (await postgres.FailAsync("""{"to":{"connection":"dwh","table":"x; drop table y"}}""", await postgres.Bench.InputAsync("SELECT 1 AS v"))).Code.ShouldBe("tableName");
    }

    [Fact]
    public async Task Connection_mistakes_are_named()
    {
        var input = await postgres.Bench.InputAsync("SELECT 1 AS id");
        (await postgres.FailAsync("""{"to":{"connection":"nowhere","table":"t"}}""", input)).Code.ShouldBe("connectionRefused");
        postgres.Bench.Connections["stranger"] = postgres.Connection("nobody_here", "x");
        (await postgres.FailAsync("""{"to":{"connection":"stranger","table":"t"}}""", input)).ShouldSatisfyAllConditions(e => e.Code.ShouldBe("signInRefused"), e => e.Transient.ShouldBeFalse());
        using var closed = new TcpListener(IPAddress.Loopback, 0);
        closed.Start();
        var port = ((IPEndPoint)closed.LocalEndpoint).Port;
        closed.Stop();
        postgres.Bench.Connections["down"] = postgres.Connection("x", "x", port);
        (await postgres.FailAsync("""{"to":{"connection":"down","table":"t"}}""", input)).ShouldSatisfyAllConditions(e => e.Code.ShouldBe("targetUnavailable"), e => e.Transient.ShouldBeTrue());
        postgres.Bench.Connections["private"] = new Connection("private", "postgres", new Dictionary<string, string> { ["host"] = "10.1.2.3", ["database"] = "d", ["user"] = "u" });
        (await postgres.FailAsync("""{"to":{"connection":"private","table":"t"}}""", input)).Code.ShouldBe("addressRefused");
        (await postgres.FailAsync("""{"to":{"connection":"dwh","table":"t"},"mode":"upsert","key":["idd"]}""", input)).Path.ShouldBe("key[0]");
    }
}
