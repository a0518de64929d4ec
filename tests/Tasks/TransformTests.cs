using Qualiz.Contracts.Operators.V1;
using Qualiz.OperatorKit;
using Qualiz.Platform.Operators;
using Qualiz.Tasks.Transform;

namespace Qualiz.Tasks.Tests;

public sealed class TransformTests : IDisposable
{
    private readonly OperatorBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void A_form_can_be_made_of_the_configuration() => FormCheck.Problems<TransformConfig>().ShouldBeEmpty();

    [Fact]
    public async Task The_documented_examples_are_right()
    {
        var examples = DocumentedExample.Of("transform");
        examples.Count.ShouldBe(6);
        foreach (var example in examples)
        {
            var inputs = new List<ResolvedInput>();
            foreach (var table in example.Tables.Values.Where(table => table.Name.StartsWith("in", StringComparison.Ordinal)))
                inputs.Add(await _bench.InputAsync(table.Query(), table.Name));
            var outcome = await CompletedAsync(example.Config, [.. inputs]);
            var expected = example.Tables["out"];
            (await _bench.RowsAsync(outcome.Outputs["out"], expected.Names)).Order(StringComparer.Ordinal).ShouldBe(expected.Lines.Order(StringComparer.Ordinal), example.Config);
            outcome.Outputs["out"].Schema.Columns.Where(column => !column.Hidden).Select(column => column.Name).ShouldBe(expected.Names);
        }
    }

    [Fact]
    public async Task What_a_filter_takes_out_is_counted_with_its_reason_and_rows_keep_their_identity()
    {
        var outcome = await CompletedAsync(
            """{"operations": [{"operation": "filter", "where": "CAST(v AS INTEGER) > 1"}, {"operation": "sample", "rows": 1, "which": "first"}]}""",
            await _bench.InputAsync("SELECT * FROM (VALUES ('1'), ('x'), ('3'), (NULL), ('5')) t(v)"));
        var line = outcome.Ledger.ShouldHaveSingleItem();
        (line.In, line.Out, line.Filtered, line.Balances).ShouldBe((5, 1, 4, true));
        line.Reasons.Select(reason => $"{reason.Kind} {reason.Reason} {reason.Rows}").ShouldBe(
            ["filtered filter(CAST(v AS INTEGER) > 1) 2", "filtered filter(CAST(v AS INTEGER) > 1) cannot be computed 1", "filtered sample(operations[1]) 1"], ignoreOrder: true);
        outcome.Warnings.ShouldHaveSingleItem().ShouldContain("cannot be computed for 1 rows");
        (await _bench.RowsAsync(outcome.Outputs["out"], "v", "_source", "_row")).ShouldBe(["3|in@1|3"]);
    }

    [Theory]
    [InlineData("""{"operation": "filter", "where": "file_row_number > 10 AND rowid <> 'x'"}""", "20|r2|f2|2,30|r3|f3|3")]
    [InlineData("""{"operation": "sort", "by": [{"column": "file_row_number", "direction": "desc"}]}""", "30|r3|f3|3,20|r2|f2|2,10|r1|f1|1")]
    [InlineData("""{"operation": "sample", "rows": 2, "which": "first"}""", "10|r1|f1|1,20|r2|f2|2")]
    [InlineData("""{"operation": "join", "with": "other", "keys": {"rowid": "rowid"}, "how": "semi"}""", "20|r2|f2|2")]
    public async Task Columns_called_like_the_engines_own_are_columns_as_others(string operation, string expected)
    {
        var rows = await _bench.InputAsync("SELECT 10 * i AS file_row_number, 'r' || i AS rowid, 'f' || i AS filename, 7 AS file_index FROM range(1, 4) t(i)");
        var other = await _bench.InputAsync("SELECT 'r2' AS rowid, 1 AS file_row_number", "other");
        var outcome = await CompletedAsync($$"""{"operations": [{{operation}}]}""", operation.Contains("join", StringComparison.Ordinal) ? [rows, other] : [rows]);
        (await _bench.RowsAsync(outcome.Outputs["out"], "file_row_number", "rowid", "filename", "_row")).ShouldBe(expected.Split(','));
        // And the next step reads what this one has made.
        var next = await CompletedAsync("""{"operations": [{"operation": "select", "columns": ["rowid", "file_row_number"]}]}""", new ResolvedInput("in", outcome.Outputs["out"]));
        (await _bench.RowsAsync(next.Outputs["out"], "file_row_number", "rowid", "_row")).ShouldBe(expected.Split(',').Select(row => string.Join('|', row.Split('|').Where((_, i) => i != 2))));
    }

    [Fact]
    public async Task New_rows_may_have_columns_called_like_the_engines_own()
    {
        var made = await CompletedAsync(
            """{"operations": [{"operation": "aggregate", "by": ["k"], "values": [{"column": "file_row_number", "function": "count"}, {"column": "rowid", "function": "max", "of": "v"}]}, {"operation": "sort", "by": [{"column": "k"}]}]}""",
            await _bench.InputAsync("SELECT * FROM (VALUES ('a', 5), ('a', 6), ('b', 7)) t(k, v)"));
        var next = await CompletedAsync("""{"operations": [{"operation": "filter", "where": "file_row_number > 0"}]}""", new ResolvedInput("in", made.Outputs["out"]));
        (await _bench.RowsAsync(next.Outputs["out"], "k", "file_row_number", "rowid", "_row")).ShouldBe(["a|2|6|1", "b|1|7|2"]);
    }

    [Theory]
    [InlineData("inner", 3, 1, 1, "a|1|1,a|2|1,b|3|2")]
    [InlineData("left", 4, 1, 0, "a|1|1,a|2|1,b|3|2,z|∅|3")]
    [InlineData("semi", 2, 0, 1, "a|1,b|2")]
    [InlineData("anti", 1, 0, 2, "z|3")]
    public async Task A_join_takes_the_left_rows_identity(string how, long rows, long added, long filtered, string expected)
    {
        var outcome = await CompletedAsync(
            $$"""{"operations": [{"operation": "join", "with": "other", "keys": {"k": "k"}, "how": "{{how}}"}]}""",
            await _bench.InputAsync("SELECT * FROM (VALUES ('a'), ('b'), ('z')) t(k)"),
            await _bench.InputAsync("SELECT * FROM (VALUES ('a', 1), ('a', 2), ('b', 3), ('c', 4)) t(k, v)", "other"));
        var line = outcome.Ledger.ShouldHaveSingleItem();
        (line.Input, line.In, line.Added, line.Out, line.Filtered, line.Balances).ShouldBe(("in", 3, added, rows, filtered, true));
        string[] columns = how is "semi" or "anti" ? ["k", "_row"] : ["k", "v", "_row"];
        (await _bench.RowsAsync(outcome.Outputs["out"], columns)).Order(StringComparer.Ordinal).ShouldBe(expected.Split(',').Order(StringComparer.Ordinal));
        (await _bench.RowsAsync(outcome.Outputs["out"], "_source")).Distinct().ShouldBe(["in@1"]);
    }

    [Fact]
    public async Task A_full_join_lets_the_other_side_pass_with_its_own_identity_and_line()
    {
        var outcome = await CompletedAsync(
            """{"operations": [{"operation": "filter", "where": "k <> 'b'"}, {"operation": "join", "with": "other", "keys": {"k": "k"}, "how": "full"}]}""",
            await _bench.InputAsync("SELECT * FROM (VALUES ('a'), ('b'), (NULL)) t(k)"),
            await _bench.InputAsync("SELECT * FROM (VALUES ('a', 1), ('b', 2), ('c', 3), (NULL, 4)) t(k, v)", "other"));
        outcome.Ledger.Select(line => (line.Input, line.In, line.Added, line.Out, line.Merged, line.Filtered, line.Balances)).ShouldBe(
            [("in", 3, 0, 1, 0, 2, true), ("other", 4, 0, 3, 1, 0, true)]);
        (await _bench.RowsAsync(outcome.Outputs["out"], "k", "v", "_source", "_row")).Order(StringComparer.Ordinal).ShouldBe(["a|1|in@1|1", "b|2|other@1|2", "c|3|other@1|3", "∅|4|other@1|4"]);
    }

    [Fact]
    public async Task Rows_of_an_aggregate_are_not_accounted_and_known_by_what_they_are_grouped_by()
    {
        var config = """{"operations": [{"operation": "aggregate", "by": ["k"], "values": [{"column": "n", "function": "count"}]}, {"operation": "filter", "where": "n > 0"}, {"operation": "sort", "by": [{"column": "k"}]}]}""";
        var first = await CompletedAsync(config, await _bench.InputAsync("SELECT * FROM (VALUES ('a'), ('a'), ('b')) t(k)"));
        var line = first.Ledger.ShouldHaveSingleItem();
        (line.Accounted, line.In, line.Out).ShouldBe((false, 3, 0));
        (first.RowsIn, first.RowsOut).ShouldBe((3, 2));
        var second = await CompletedAsync(config, await _bench.InputAsync("SELECT * FROM (VALUES ('b'), ('b'), ('a')) t(k)"));
        var keys = await _bench.RowsAsync(first.Outputs["out"], "k", "_row", "_key");
        (await _bench.RowsAsync(second.Outputs["out"], "k", "_row", "_key")).ShouldBe(keys);
        keys.Select(row => row.Split('|')[1]).ShouldBe(["1", "2"]);
        (await _bench.RowsAsync(first.Outputs["out"], "_source"))[0].ShouldStartWith("p.step@");
    }

    [Fact]
    public async Task A_pivot_without_names_makes_columns_of_what_occurs()
    {
        var outcome = await CompletedAsync(
            """{"operations": [{"operation": "pivot", "by": ["id"], "column": "month", "prefix": "m_"}]}""",
            await _bench.InputAsync("SELECT * FROM (VALUES ('a', 'jan'), ('a', 'jan'), ('b', 'o''x'), ('b', NULL)) t(id, month)"));
        OperatorBench.Shown(outcome.Outputs["out"].Schema).ShouldBe(["id text", "m_jan int64", "m_o'x int64"]);
        (await _bench.RowsAsync(outcome.Outputs["out"])).Order(StringComparer.Ordinal).ShouldBe(["a|2|0", "b|0|1"]);
    }

    [Fact]
    public async Task A_sample_by_chance_is_the_same_for_the_same_seed_and_another_for_another()
    {
        var input = await _bench.InputAsync("SELECT range AS id FROM range(1000)");
        async Task<IReadOnlyList<string>> Ids(string sample) => await _bench.RowsAsync((await CompletedAsync($$"""{"operations": [{"operation": "sample", {{sample}} }]}""", input)).Outputs["out"]);
        var ten = await Ids("\"rows\": 10");
        ten.Count.ShouldBe(10);
        (await Ids("\"rows\": 10")).ShouldBe(ten);
        (await Ids("\"rows\": 10, \"seed\": 7")).ShouldNotBe(ten);
        (await Ids("\"share\": \"10%\"")).Count.ShouldBeInRange(60, 140);
        (await Ids("\"share\": \"10%\", \"which\": \"first\"")).ShouldBe(Enumerable.Range(0, 100).Select(id => $"{id}"));
        (await Ids("\"share\": \"100%\"")).Count.ShouldBe(1000);
    }

    [Fact]
    public async Task Sensitivity_follows_the_columns()
    {
        var outcome = await CompletedAsync(
            """
            {"operations": [{"operation": "select", "rename": {"email": "mail"}}, {"operation": "join", "with": "other", "keys": {"k": "k"}},
              {"operation": "aggregate", "by": ["mail"], "values": [{"column": "n", "function": "count", "of": "pin"}, {"column": "last", "function": "max", "of": "pin"}]}]}
            """,
            await _bench.InputAsync("SELECT 'a' AS k, 'x' AS email", "in", ("email", "personal")),
            await _bench.InputAsync("SELECT 'a' AS k, '1234' AS pin", "other", ("pin", "secret")));
        outcome.Outputs["out"].Schema.Columns.Where(column => !column.Hidden).Select(column => $"{column.Name} {column.Sensitivity}").ShouldBe(["mail personal", "n ", "last secret"]);
    }

    [Fact]
    public async Task Where_a_column_takes_the_keys_of_the_other_side_it_takes_their_tag()
    {
        var outcome = await CompletedAsync(
            """{"operations": [{"operation": "join", "how": "full", "with": "other", "keys": {"k": "pin"}}]}""",
            await _bench.InputAsync("SELECT 'a' AS k, 1 AS n", "in", ("k", "personal")),
            await _bench.InputAsync("SELECT '1234' AS pin", "other", ("pin", "secret")));
        outcome.Outputs["out"].Schema.Columns.Where(column => !column.Hidden).Select(column => $"{column.Name} {column.Sensitivity}").ShouldBe(["k secret", "n "]);
    }

    [Fact]
    public async Task Sensitive_values_do_not_become_names_of_columns()
    {
        var input = await _bench.InputAsync("SELECT 'a' AS k, '1234' AS pin", "in", ("pin", "secret"));
        const string Pivot = """{"operation": "pivot", "by": ["k"], "column": "pin", "function": "count" """;
        var failed = (await RunAsync($$"""{"operations": [{{Pivot}}}]}""", input)).ShouldBeOfType<StepResult.Failed>();
        (failed.Error.Code, failed.Error.Path).ShouldBe(("valueInvalid", "operations[0].column"));
        failed.Error.Message.ShouldNotContain("1234");
        var named = await CompletedAsync($$"""{"operations": [{{Pivot}}, "names": ["0000"]}]}""", input);
        named.Outputs["out"].Schema.Columns.Where(column => !column.Hidden).Select(column => column.Name).ShouldBe(["k", "0000"]);
    }

    [Theory]
    [InlineData("""[{"operation": "filter", "where": "emial > ''"}]""", "columnUnknown operations[0].where@0 email")]
    [InlineData("""[{"operation": "filter", "where": "id"}]""", "expressionInvalid operations[0].where@ ")]
    [InlineData("""[{"operation": "filter", "where": "id > (SELECT 1)"}]""", "expressionInvalid operations[0].where@ ")]
    [InlineData("""[{"operation": "select", "columns": ["id", "emial"]}]""", "columnUnknown operations[0].columns[1]@ email")]
    [InlineData("""[{"operation": "select", "rename": {"emial": "x"}}]""", "columnUnknown operations[0].rename.emial@ email")]
    [InlineData("""[{"operation": "select", "rename": {"id": "Email"}}]""", "columnExists operations[0].rename.id@ ")]
    [InlineData("""[{"operation": "join", "with": "othr", "keys": {"id": "id"}}]""", "inputUnknown operations[0].with@ other")]
    [InlineData("""[{"operation": "join", "with": "in", "keys": {"id": "id"}}]""", "inputUnknown operations[0].with@ ")]
    [InlineData("""[{"operation": "join", "with": "other", "keys": {"id": "name"}}]""", "columnType operations[0].keys.id@ ")]
    [InlineData("""[{"operation": "join", "with": "other", "keys": {"id": "id"}, "columns": ["nme"]}]""", "columnUnknown operations[0].columns[0]@ name")]
    [InlineData("""[{"operation": "union", "with": ["other"]}, {"operation": "union", "with": ["other"]}]""", "valueInvalid operations[1].with[0]@ ")]
    [InlineData("""[{"operation": "aggregate", "by": ["id"], "values": [{"column": "n", "function": "sum", "of": "email"}]}]""", "columnType operations[0].values[0].of@ ")]
    [InlineData("""[{"operation": "aggregate", "by": ["id"], "values": [{"column": "_row", "function": "count"}]}]""", "valueInvalid operations[0].values[0].column@ ")]
    [InlineData("""[{"operation": "sort", "by": [{"column": "idd"}]}]""", "columnUnknown operations[0].by[0].column@ id")]
    [InlineData("""[{"operation": "sample"}]""", "valueInvalid operations[0]@ ")]
    [InlineData("""[{"operation": "sort", "by": [{"column": "id"}]}]""", "inputUnused operations@ ")]
    public async Task A_mistake_is_told_with_its_place_before_and_in_a_run(string operations, string expected)
    {
        var config = $$"""{"operations": {{operations}} }""";
        var inferred = await InferAsync(config, ["id int64", "email text"], ["id int64", "name text"]);
        var problem = inferred.Problems[0];
        $"{problem.Code} {problem.Path}@{problem.Position} {problem.Suggestion}".ShouldBe(expected);
        var failed = (await RunAsync(
            config,
            await _bench.InputAsync("SELECT 1::BIGINT AS id, 'x' AS email"),
            await _bench.InputAsync("SELECT 1::BIGINT AS id, 'x' AS name", "other"))).ShouldBeOfType<StepResult.Failed>();
        (failed.Error.Code, failed.Error.Path).ShouldBe((problem.Code, problem.Path));
        failed.Error.Message.ShouldBe(problem.Message);
    }

    [Fact]
    public async Task The_columns_are_known_before_a_run_and_all_mistakes_are_told_that_can_be()
    {
        var inferred = await InferAsync(
            """
            {"operations": [{"operation": "filter", "where": "emial > ''"}, {"operation": "sort", "by": [{"column": "idd"}]},
              {"operation": "join", "with": "other", "keys": {"id": "id"}, "prefix": "o_"},
              {"operation": "aggregate", "by": ["o_name"], "values": [{"column": "n", "function": "sum", "of": "id"}, {"column": "a", "function": "average", "of": "id"}]}]}
            """, ["id int64", "email text"], ["id int64", "name text"]);
        inferred.Problems.Select(problem => problem.Path).ShouldBe(["operations[0].where", "operations[1].by[0].column"]);
        OperatorBench.Shown(inferred.Outputs["out"]).ShouldBe(["o_name text", "n decimal(38,0)", "a double"]);
        (await InferAsync("""{"operations": [{"operation": "pivot", "by": ["id"], "column": "email"}]}""", ["id int64", "email text"])).NotChecked.ShouldNotBeNull();
        (await InferAsync("""{"operations": [{"operation": "sort", "by": [{"column": "idd"}]}]}""", [null])).NotChecked.ShouldBe("the columns of in are not known");
    }

    private Task<OutputInferred> InferAsync(string config, params string[]?[] inputs)
    {
        var context = _bench.Inference(OperatorBench.Request() with
        {
            Inputs = [.. inputs.Select((columns, i) => new InferInput(i == 0 ? "in" : "other", columns is null ? null : OperatorBench.Columns(columns)))],
        });
        return new TransformOperator().InferOutputAsync(OperatorBench.Config<TransformConfig>(config), context, default);
    }

    private async Task<StepResult> RunAsync(string config, params ResolvedInput[] inputs) =>
        await new TransformOperator().ExecuteAsync(OperatorBench.Config<TransformConfig>(config), _bench.Step(inputs), default);

    private async Task<Contracts.Runs.V1.StepOutcome> CompletedAsync(string config, params ResolvedInput[] inputs) =>
        (await RunAsync(config, inputs)) switch
        {
            StepResult.Completed completed => completed.Outcome,
            StepResult.Failed failed => throw new InvalidOperationException($"{failed.Error.Code} {failed.Error.Path}: {failed.Error.Message}"),
            _ => throw new InvalidOperationException(),
        };
}
