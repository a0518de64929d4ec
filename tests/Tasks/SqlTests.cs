using Qualiz.Contracts.Operators.V1;
using Qualiz.OperatorKit;
using Qualiz.Platform.Operators;
using Qualiz.Tasks.Queries;

namespace Qualiz.Tasks.Tests;

public sealed class SqlTests : IDisposable
{
    private readonly OperatorBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void A_form_can_be_made_of_the_configuration() => FormCheck.Problems<SqlConfig>().ShouldBeEmpty();

    [Fact]
    public async Task The_documented_examples_are_right()
    {
        foreach (var example in DocumentedExample.Of("sql"))
        {
            var inputs = new List<ResolvedInput>();
            foreach (var table in example.Tables.Values.Where(table => table.Name.StartsWith("in", StringComparison.Ordinal)))
                inputs.Add(await _bench.InputAsync(table.Query(), table.Name));
            var outcome = (await RunAsync(OperatorBench.Config<SqlConfig>(example.Config), [.. inputs])).ShouldBeOfType<StepResult.Completed>().Outcome;
            var expected = example.Tables["out"];
            (await _bench.RowsAsync(outcome.Outputs["out"], expected.Names)).Order(StringComparer.Ordinal).ShouldBe(expected.Lines.Order(StringComparer.Ordinal));
        }
    }

    [Theory]
    [InlineData("SELECT id, name FROM people WHERE id > 1 ORDER BY id DESC LIMIT 5;", "3|Cid,2|Bob")]
    [InlineData("WITH young AS (SELECT * FROM people WHERE id < 3), n AS (SELECT count(*) AS n FROM young) SELECT n FROM n", "2")]
    [InlineData("SELECT name, row_number() OVER (ORDER BY name DESC) AS r FROM people WHERE name LIKE '%d%' ORDER BY r", "Cid|1,Ada|2")]
    [InlineData("SELECT p.name, o.amount FROM people p LEFT JOIN people_orders o USING (id) ORDER BY p.id -- the end", "Ada|5,Bob|∅,Cid|∅")]
    [InlineData("SELECT * EXCLUDE (name, email) FROM people UNION ALL SELECT 9 ORDER BY 1", "1,2,3,9")]
    [InlineData("SELECT count(DISTINCT name) FILTER (id > 1) AS n, string_agg(name, '' ORDER BY id) AS ids FROM (SELECT * FROM people) x", "2|AdaBobCid")]
    [InlineData("FROM people SELECT max(id)::DOUBLE AS m", "3.0")]
    [InlineData("SELECT zip FROM \"us-zip\"", "0001")]
    [InlineData("SELECT 'a); DROP TABLE x; --' AS t, unnest([1, 2]) AS u", "a); DROP TABLE x; --|1,a); DROP TABLE x; --|2")]
    [InlineData("SELECT sum(id) AS s FROM people", "6")]
    public async Task Ordinary_queries_run(string query, string expected)
    {
        var outcome = (await RunAsync(new SqlConfig { Query = query }, await InputsAsync())).ShouldBeOfType<StepResult.Completed>().Outcome;
        (await _bench.RowsAsync(outcome.Outputs["out"])).ShouldBe(expected.Split(','));
        outcome.Ledger.Select(line => (line.Input, line.In, line.Accounted)).ShouldBe([("people", 3, false), ("people.orders", 1, false), ("dataset:us-zip@3", 1, false)]);
        outcome.Outputs["out"].Schema.Columns.Count(column => column.Hidden).ShouldBe(3);
        (await _bench.RowsAsync(outcome.Outputs["out"], "_row"))[0].ShouldBe("1");
    }

    [Fact]
    public async Task Columns_called_like_the_engines_own_are_columns_as_others()
    {
        var first = (await RunAsync(new SqlConfig { Query = "SELECT id * 10 AS file_row_number, 'r' || id AS rowid, 'f' AS filename, 7 AS file_index FROM people ORDER BY id" }, await InputsAsync())).ShouldBeOfType<StepResult.Completed>().Outcome;
        var second = (await RunAsync(new SqlConfig { Query = "SELECT file_row_number, rowid, filename FROM made WHERE file_row_number > 10 ORDER BY rowid" }, new ResolvedInput("made", first.Outputs["out"]))).ShouldBeOfType<StepResult.Completed>().Outcome;
        (await _bench.RowsAsync(second.Outputs["out"], "file_row_number", "rowid", "filename", "_row")).ShouldBe(["20|r2|f|1", "30|r3|f|2"]);
    }

    [Theory]
    [InlineData("SELECT (SELECT max(id) FROM people) AS x")]
    [InlineData("SELECT * FROM people WHERE id IN (SELECT id FROM people)")]
    [InlineData("SELECT * FROM people WHERE EXISTS (SELECT 1)")]
    [InlineData("SELECT * FROM read_csv('/etc/passwd')")]
    [InlineData("SELECT * FROM read_text('/etc/passwd')")]
    [InlineData("SELECT * FROM read_parquet('**/*.parquet')")]
    [InlineData("SELECT * FROM glob('/**')")]
    [InlineData("SELECT * FROM '/etc/passwd'")]
    [InlineData("SELECT * FROM \"in.parquet\"")]
    [InlineData("WITH \"/etc/passwd\" AS (SELECT 1) SELECT * FROM people")]
    [InlineData("SELECT * FROM (WITH inner_one AS (SELECT 1 AS x) SELECT x FROM inner_one) q, inner_one")]
    [InlineData("SELECT read_text('/etc/passwd') AS x")]
    [InlineData("ATTACH '/tmp/x.db' AS x")]
    [InlineData("COPY people TO '/tmp/x.csv'")]
    [InlineData("COPY (SELECT 1) TO '/tmp/x.csv'")]
    [InlineData("PRAGMA database_list")]
    [InlineData("SET memory_limit = '1TB'")]
    [InlineData("INSTALL httpfs")]
    [InlineData("LOAD httpfs")]
    [InlineData("CREATE TABLE x AS SELECT 1")]
    [InlineData("DROP VIEW people")]
    [InlineData("EXPORT DATABASE '/tmp/x'")]
    [InlineData("CALL pragma_version()")]
    [InlineData("SHOW TABLES")]
    [InlineData("DESCRIBE people")]
    [InlineData("SELECT * FROM (DESCRIBE people)")]
    [InlineData("SELECT * FROM (SHOW ALL TABLES)")]
    [InlineData("SELECT * FROM information_schema.tables")]
    [InlineData("SELECT * FROM main.people")]
    [InlineData("SELECT * FROM temp.people")]
    [InlineData("SELECT * FROM system.main.duckdb_settings")]
    [InlineData("SELECT * FROM duckdb_settings()")]
    [InlineData("SELECT * FROM duckdb_tables")]
    [InlineData("SELECT * FROM sqlite_master")]
    [InlineData("SELECT * FROM pragma_database_list")]
    [InlineData("SELECT * FROM query('SELECT 1')")]
    [InlineData("SELECT * FROM query_table('people')")]
    [InlineData("SELECT getenv('HOME') AS x")]
    [InlineData("SELECT current_setting('memory_limit') AS x")]
    [InlineData("SELECT getvariable('x') AS x")]
    [InlineData("SELECT now() AS x")]
    [InlineData("SELECT current_user AS x")]
    [InlineData("SELECT user AS x FROM people")]
    [InlineData("SELECT current_date AS x")]
    [InlineData("SELECT localtimestamp AS x")]
    [InlineData("SELECT current_timestamp AS x")]
    [InlineData("SELECT current_schema AS x")]
    [InlineData("SELECT random() AS x")]
    [InlineData("SELECT nextval('s') AS x")]
    [InlineData("SELECT version() AS x")]
    [InlineData("SELECT list_transform([1], lambda x: getenv('HOME')) AS x")]
    [InlineData("SELECT [getenv(x) FOR x IN ['HOME']] AS x")]
    [InlineData("SELECT * REPLACE (getenv('HOME') AS name) FROM people")]
    [InlineData("SELECT id FROM people ORDER BY getenv('HOME')")]
    [InlineData("SELECT id FROM people LIMIT (SELECT 1)")]
    [InlineData("SELECT id FROM people QUALIFY getenv('HOME') = ''")]
    [InlineData("SELECT sum(id) FILTER (getenv('HOME') = '') AS x FROM people")]
    [InlineData("SELECT sum(id) OVER (PARTITION BY getenv('HOME')) AS x FROM people")]
    [InlineData("SELECT p.id FROM people p JOIN people q ON getenv('HOME') = q.name")]
    [InlineData("SELECT id FROM people GROUP BY id, getenv('HOME')")]
    [InlineData("VALUES (getenv('HOME'))")]
    [InlineData("SELECT * FROM range(length(getenv('HOME')))")]
    [InlineData("WITH w AS (SELECT getenv('HOME') AS h) SELECT h FROM w")]
    [InlineData("WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT n FROM r")]
    [InlineData("SELECT id FROM people TABLESAMPLE 10%")]
    [InlineData("PIVOT people ON name USING count(*)")]
    [InlineData("SELECT 1 AS x; SELECT 2 AS x")]
    [InlineData("SELECT 1) AS q, (SELECT 2 AS y")]
    [InlineData("SELECT 1 AS x) TO '/tmp/x.csv'; --")]
    [InlineData("SELECT ? AS x")]
    [InlineData("SELECT $a AS x")]
    [InlineData("SELECT 1 AS x /*")]
    [InlineData("")]
    [InlineData(";")]
    [InlineData("SELECT * FROM people AT (VERSION => 1)")]
    [InlineData("SELECT x::regclass FROM people")]
    public async Task Hostile_queries_are_refused_before_and_in_a_run(string query)
    {
        var config = new SqlConfig { Query = query };
        var failed = (await RunAsync(config, await InputsAsync())).ShouldBeOfType<StepResult.Failed>();
        failed.Error.Code.ShouldBeOneOf("queryNotAllowed", "tableUnknown");
        failed.Error.Path.ShouldBe("query");
        var problem = (await InferAsync(config)).Problems.ShouldHaveSingleItem();
        (problem.Code, problem.Needs).ShouldBe((failed.Error.Code, null));
    }

    [Fact]
    public void The_engine_itself_reaches_nothing_outside_either()
    {
        using var session = Engine.Sessions.EngineSession.Open(new Engine.Sessions.EngineOptions { MemoryBytes = 256L << 20, Threads = 1, Scratch = _bench.Folder });
        foreach (var query in (string[])["SELECT * FROM read_text('/etc/hostname')", "COPY (SELECT 1) TO '/tmp/qualiz-must-not-be-there.csv'", "ATTACH '/tmp/qualiz-must-not-be-there.db'"])
            Should.Throw<Engine.Sessions.EngineException>(() => session.Execute(query)).Code.ShouldBe("accessRefused", query);
    }

    [Theory]
    [InlineData("SELECT emial FROM people", "columnUnknown 7 email")]
    [InlineData("SELECT id\nFROM people\nWHERE emial = ''", "columnUnknown 28 email")]
    [InlineData("SELECT 'ø', p.emial FROM people p", "columnUnknown 12 email")]
    [InlineData("SELECT id FROM poeple", "tableUnknown 15 people")]
    public async Task Mistakes_are_told_with_place_and_nearest_name(string query, string expected)
    {
        var problem = (await InferAsync(new SqlConfig { Query = query })).Problems.ShouldHaveSingleItem();
        $"{problem.Code} {problem.Position} {problem.Suggestion}".ShouldBe(expected);
        if (query.Contains('\n', StringComparison.Ordinal))
            problem.Message.ShouldEndWith("(line 3 of the query)");
    }

    [Theory]
    [InlineData("SELECT id AS _row FROM people")]
    [InlineData("SELECT id AS \"_Row\" FROM people")]
    [InlineData("SELECT id AS _key, name FROM people")]
    public async Task Names_of_columns_must_be_usable(string query) =>
        (await RunAsync(new SqlConfig { Query = query }, await InputsAsync())).ShouldBeOfType<StepResult.Failed>().Error.Code.ShouldBe("valueInvalid");

    [Theory]
    [InlineData("SELECT id, email FROM people", "id ,email personal")]
    [InlineData("SELECT lower(email) AS e, id FROM people", "e personal,id ")]
    [InlineData("WITH w AS (SELECT email || '' AS x, id AS y FROM people) SELECT upper(x) AS z, y FROM w", "z personal,y ")]
    [InlineData("SELECT lower(email), id FROM people", "lower(email) personal,id ")]
    [InlineData("SELECT id AS e FROM people UNION ALL SELECT length(email) FROM people", "e personal")]
    [InlineData("SELECT a FROM (SELECT email FROM people) t(a)", "a personal")]
    [InlineData("SELECT * FROM people", "id ,name ,email personal")]
    [InlineData("SELECT * REPLACE (email AS name) FROM people", "id ,name personal,email personal")]
    [InlineData("SELECT p.* FROM people p", "id ,name ,email personal")]
    [InlineData("SELECT COLUMNS('^(id|email)$') FROM people", "id ,email personal")]
    [InlineData("SELECT id FROM people ORDER BY ALL", "id ")]
    [InlineData("WITH name AS (SELECT id FROM people) SELECT p.name FROM people p JOIN name USING (id)", "name personal")]
    [InlineData("SELECT people FROM people", "people personal")]
    [InlineData("SELECT main.people AS x FROM people", "x personal")]
    [InlineData("SELECT to_json(p) AS x, id FROM people p", "x personal,id personal")]
    [InlineData("SELECT CAST(t AS VARCHAR) AS x FROM (SELECT email FROM people) t", "x personal")]
    [InlineData("WITH w AS (SELECT email FROM people) SELECT to_json(w) AS x FROM w", "x personal")]
    [InlineData("SELECT COLUMNS('email') AS x FROM people", "x personal")]
    [InlineData("SELECT max(COLUMNS('email')) AS x FROM people", "x personal")]
    [InlineData("SELECT concat(*COLUMNS(*)) AS x FROM people", "x personal")]
    [InlineData("SELECT x.* FROM (SELECT struct_pack(a := email) AS x FROM people)", "a personal")]
    [InlineData("SELECT unnest(struct_pack(a := email)) AS x FROM people", "a personal")]
    [InlineData("SELECT #3 AS x FROM people", "x personal")]
    [InlineData("SELECT p.email, q.email FROM people p JOIN people q USING (id)", "email personal,email_1 personal")]
    [InlineData("SELECT p.*, q.* FROM people p JOIN people q USING (id)", "id ,name ,email personal,id_1 ,name_1 ,email_1 personal")]
    [InlineData("SELECT email_1 FROM (SELECT p.email, q.email FROM people p JOIN people q USING (id))", "email_1 personal")]
    [InlineData("SELECT name AS x, email AS x FROM people", "x personal,x_1 personal")]
    [InlineData("WITH m AS (SELECT id, lower(email) FROM people) SELECT id, \"lower(email)\" FROM m", "id ,lower(email) personal")]
    [InlineData("SELECT \"max(email)\" FROM (SELECT max(email) FROM people)", "max(email) personal")]
    [InlineData("SELECT a.\"lower(email)\" FROM (SELECT lower(email) FROM people) a, (SELECT 1 AS \"lower(email)\") b", "lower(email) personal")]
    [InlineData("SELECT count(*) FROM people", "count_star() ")]
    public async Task Sensitivity_follows_what_a_column_may_hold(string query, string expected)
    {
        var outcome = (await RunAsync(new SqlConfig { Query = query }, await InputsAsync())).ShouldBeOfType<StepResult.Completed>().Outcome;
        outcome.Outputs["out"].Schema.Columns.Where(column => !column.Hidden).Select(column => $"{column.Name} {column.Sensitivity}").ShouldBe(expected.Split(','));
    }

    [Fact]
    public async Task The_columns_are_known_before_a_run()
    {
        var inferred = await InferAsync(new SqlConfig { Query = "SELECT count(*) AS n, avg(id) AS a, max(email) AS m FROM people", Key = ["n"] });
        OperatorBench.Shown(inferred.Outputs["out"]).ShouldBe(["n int64", "a double", "m text"]);
        (await InferAsync(new SqlConfig { Query = "SELECT id FROM people", Key = ["idd"] })).Problems.ShouldHaveSingleItem().Path.ShouldBe("key[0]");
        (await InferAsync(new SqlConfig { Query = "SELECT id FROM p", Names = new Dictionary<string, string> { ["people"] = "p" } })).Problems.ShouldBeEmpty();
        (await InferAsync(new SqlConfig { Query = "SELECT id FROM p", Names = new Dictionary<string, string> { ["poeple"] = "p" } })).Problems.ShouldHaveSingleItem().Suggestion.ShouldBe("people");
    }

    private async Task<ResolvedInput[]> InputsAsync() =>
    [
        await _bench.InputAsync("SELECT * FROM (VALUES (1::BIGINT, 'Ada', 'ada@example.org'), (2, 'Bob', NULL), (3, 'Cid', 'c')) t(id, name, email)", "people", ("email", "personal")),
        await _bench.InputAsync("SELECT 1::BIGINT AS id, 5::BIGINT AS amount", "people.orders"),
        await _bench.InputAsync("SELECT '0001' AS zip", "dataset:us-zip@3"),
    ];

    private Task<OutputInferred> InferAsync(SqlConfig config) => new SqlOperator().InferOutputAsync(
        config,
        _bench.Inference(OperatorBench.Request() with
        {
            Inputs =
            [
                new InferInput("people", OperatorBench.Columns("id int64", "name text", "email text")),
                new InferInput("people.orders", OperatorBench.Columns("id int64", "amount int64")),
                new InferInput("dataset:us-zip@3", OperatorBench.Columns("zip text")),
            ],
        }),
        default);

    private async Task<StepResult> RunAsync(SqlConfig config, params ResolvedInput[] inputs) => await new SqlOperator().ExecuteAsync(config, _bench.Step(inputs), default);
}
