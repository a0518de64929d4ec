using Qualiz.Contracts.Schemas;
using Qualiz.Engine.Rows;
using Qualiz.Platform.Operators;

namespace Qualiz.Enrich.Tests;

public sealed class EnrichOperatorTests : IDisposable
{
    private const string People = "SELECT * FROM (VALUES ('Ada', '10001', NULL), ('Bob', '60601', 'Chicgo'), ('Cid', '99999', NULL), ('Dot', NULL, 'Oslo')) t(name, zip, city)";
    private const string Zips = "SELECT * FROM (VALUES ('10001', 'New York', 'NY'), ('60601', 'Chicago', 'IL'), ('73301', 'Austin', 'TX')) t(zip, city, state)";

    private readonly EnrichBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task Cells_are_filled_overridden_and_added_and_the_identity_stays()
    {
        await _bench.DatasetAsync("us-zip", Zips, ("state", "personal"));
        var people = await _bench.Bench.InputAsync(People, "people");
        var filled = await _bench.CompletedAsync("""{"lookup": "dataset:us-zip", "keys": {"zip": "zip"}, "take": {"city": "fill", "state": "add"}}""", people);
        (await _bench.Bench.RowsAsync(filled.Outputs["out"])).Order().ShouldBe(["Ada|10001|New York|NY", "Bob|60601|Chicgo|IL", "Cid|99999|∅|∅", "Dot|∅|Oslo|∅"]);
        (await _bench.Bench.RowsAsync(filled.Outputs["out"], "name", "_source", "_row")).Order().ShouldBe(["Ada|people@1|1", "Bob|people@1|2", "Cid|people@1|3", "Dot|people@1|4"]);
        filled.Outputs["out"].Schema.Find("state")!.Sensitivity.ShouldBe("personal");
        filled.Outputs["out"].Schema.Columns.Where(column => column.Hidden).Select(column => column.Name).ShouldBe(["_source", "_row", "_key"]);
        filled.Counts.ShouldBe(new Dictionary<string, long> { ["matched"] = 2, ["unmatched"] = 2, ["filled.city"] = 1, ["added.state"] = 2 }, ignoreOrder: true);
        filled.Warnings.ShouldBe(["2 rows have no match in dataset:us-zip@3 and were kept as they are."]);
        (await _bench.Bench.RowsAsync(filled.Outputs["unmatched"])).ShouldBe(["99999|1", "∅|1"]);
        var line = filled.Ledger.ShouldHaveSingleItem();
        (line.In, line.Added, line.Out, line.Rejected, line.Balances).ShouldBe((4, 0, 4, 0, true));

        var overridden = await _bench.CompletedAsync("""{"lookup": "dataset:us-zip", "keys": {"zip": "zip"}, "take": {"city": "override"}}""", people);
        (await _bench.Bench.RowsAsync(overridden.Outputs["out"])).Order().ShouldBe(["Ada|10001|New York", "Bob|60601|Chicago", "Cid|99999|∅", "Dot|∅|Oslo"]);
        overridden.Counts["overridden.city"].ShouldBe(2);
    }

    [Fact]
    public async Task Columns_called_like_the_engines_own_are_columns_as_others()
    {
        await _bench.DatasetAsync("numbers", "SELECT * FROM (VALUES ('r1', 100, 'x'), ('r2', 200, 'y')) t(rowid, file_row_number, filename)");
        var rows = await _bench.Bench.InputAsync("SELECT 10 * i AS file_row_number, 'r' || i AS rowid, NULL::VARCHAR AS filename FROM range(1, 4) t(i)");
        var outcome = await _bench.CompletedAsync(
            """{"lookup": "dataset:numbers", "keys": {"rowid": "rowid"}, "take": {"file_row_number": "override", "filename": "fill"}, "derive": [{"column": "file_index", "expression": "file_row_number + 1"}]}""", rows);
        (await _bench.Bench.RowsAsync(outcome.Outputs["out"], "file_row_number", "rowid", "filename", "file_index", "_row")).Order().ShouldBe(["100|r1|x|101|1", "200|r2|y|201|2", "30|r3|∅|31|3"]);
        var again = await _bench.CompletedAsync("""{"derive": [{"column": "rowid", "expression": "rowid || file_row_number"}]}""", new ResolvedInput("in", outcome.Outputs["out"]));
        (await _bench.Bench.RowsAsync(again.Outputs["out"], "rowid", "_row")).Order().ShouldBe(["r1100|1", "r2200|2", "r330|3"]);
    }

    [Fact]
    public async Task A_row_without_a_match_is_rejected_with_its_reason()
    {
        await _bench.DatasetAsync("us-zip", Zips);
        var people = await _bench.Bench.InputAsync(People, "people", ("name", "personal"));
        var outcome = await _bench.CompletedAsync("""{"lookup": "dataset:us-zip", "keys": {"zip": "zip"}, "take": {"state": "add"}, "onMissing": "reject"}""", people);
        (await _bench.Bench.RowsAsync(outcome.Outputs["out"], "name")).ShouldBe(["Ada", "Bob"], ignoreOrder: true);
        (await _bench.Bench.RowsAsync(outcome.Outputs["rejected"], "_row", "ingested", "reasons")).Order().ShouldBe(
        [
            """3|{"name":"Cid","zip":"99999","city":null}|[{"rule":"noMatch","path":"onMissing","column":"zip","message":"no match in dataset:us-zip@3","value":"99999"}]""",
            """4|{"name":"Dot","zip":null,"city":"Oslo"}|[{"rule":"noMatch","path":"onMissing","column":"zip","message":"no match in dataset:us-zip@3","value":""}]""",
        ]);
        outcome.Outputs["rejected"].Schema.Find("ingested")!.Sensitivity.ShouldBe("personal");
        var line = outcome.Ledger.ShouldHaveSingleItem();
        (line.In, line.Out, line.Rejected, line.Balances).ShouldBe((4, 2, 2, true));
        line.Reasons.ShouldHaveSingleItem().ShouldBe(new("rejected", "noMatch(zip)", 2));
        _bench.Bench.Log.Lines.ShouldNotContain(text => text.Contains("99999", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Several_matches_fail_reject_take_the_first_or_make_rows()
    {
        await _bench.DatasetAsync("rates", "SELECT * FROM (VALUES ('a', 1, 10), ('a', 3, 30), ('a', 2, 20), ('b', 1, 5), ('c', 1, 1), ('c', 2, 2)) t(code, since, rate)");
        var rows = await _bench.Bench.InputAsync("SELECT * FROM (VALUES ('a'), ('b'), ('b')) t(code)");
        const string Start = """{"lookup": "dataset:rates", "keys": {"code": "code"}, "take": {"rate": "add"}, "onMultiple": """;

        var failed = (await _bench.RunAsync(Start + "\"fail\"}", rows)).ShouldBeOfType<StepResult.Failed>();
        (failed.Error.Code, failed.Error.Path, failed.Error.Message).ShouldBe(("lookupNotUnique", "onMultiple", "1 rows have several matches in dataset:rates@3; onMultiple: first takes the first."));
        failed.Outcome!.Outputs.Keys.ShouldBe(["rejected", "unmatched"], ignoreOrder: true);
        failed.Outcome.Outputs["rejected"].Rows.ShouldBe(1);

        // A key that no row asks for may occur as often as it likes.
        var onlyB = await _bench.Bench.InputAsync("SELECT 'b' AS code");
        (await _bench.CompletedAsync(Start + "\"fail\"}", onlyB)).RowsOut.ShouldBe(1);

        var rejected = await _bench.CompletedAsync(Start + "\"reject\"}", rows);
        (await _bench.Bench.RowsAsync(rejected.Outputs["out"])).ShouldBe(["b|5", "b|5"]);
        rejected.Ledger[0].Reasons.ShouldHaveSingleItem().Reason.ShouldBe("severalMatches(code)");

        var first = await _bench.CompletedAsync(Start + "\"first\"}", rows);
        (await _bench.Bench.RowsAsync(first.Outputs["out"])).Order().ShouldBe(["a|10", "b|5", "b|5"]);
        var newest = await _bench.CompletedAsync(Start + "\"first\", \"orderBy\": [{\"column\": \"since\", \"direction\": \"desc\"}]}", rows);
        (await _bench.Bench.RowsAsync(newest.Outputs["out"])).Order().ShouldBe(["a|30", "b|5", "b|5"]);

        var all = await _bench.CompletedAsync(Start + "\"all\"}", rows);
        (await _bench.Bench.RowsAsync(all.Outputs["out"])).Order().ShouldBe(["a|10", "a|20", "a|30", "b|5", "b|5"]);
        var line = all.Ledger.ShouldHaveSingleItem();
        (line.In, line.Added, line.Out, line.Balances).ShouldBe((3, 2, 5, true));
        line.Reasons.ShouldHaveSingleItem().ShouldBe(new("added", "severalMatches", 2));
    }

    [Fact]
    public async Task Several_keys_must_all_be_equal_and_the_names_may_differ()
    {
        await _bench.DatasetAsync("towns", "SELECT * FROM (VALUES ('NO', 1, 'Oslo'), ('SE', 1, 'Lund')) t(country, number, postal_town)");
        var rows = await _bench.Bench.InputAsync("SELECT * FROM (VALUES ('NO', 1.0::DECIMAL(5,1)), ('SE', 1), ('SE', 2)) t(land, nr)");
        var outcome = await _bench.CompletedAsync(
            """{"lookup": "dataset:towns", "keys": {"land": "country", "nr": "number"}, "take": {"postal_town": "add"}, "as": {"postal_town": "town"}}""", rows);
        (await _bench.Bench.RowsAsync(outcome.Outputs["out"])).Order().ShouldBe(["NO|1.0|Oslo", "SE|1.0|Lund", "SE|2.0|∅"]);
    }

    [Fact]
    public async Task Text_keys_may_be_compared_without_case()
    {
        await _bench.DatasetAsync("codes", "SELECT * FROM (VALUES (' Gb', 1), ('no ', 2)) t(code, n)");
        var rows = await _bench.Bench.InputAsync("SELECT * FROM (VALUES ('GB'), (' NO')) t(code)");
        var outcome = await _bench.CompletedAsync("""{"lookup": "dataset:codes", "keys": {"code": "code"}, "take": {"n": "add"}, "ignoreCase": true}""", rows);
        (await _bench.Bench.RowsAsync(outcome.Outputs["out"])).Order().ShouldBe([" NO|2", "GB|1"]);
    }

    [Fact]
    public async Task Columns_are_computed_in_order_and_what_fails_is_rejected_or_left_empty()
    {
        var rows = await _bench.Bench.InputAsync("SELECT * FROM (VALUES ('1', 'x'), ('zwei', 'y'), (NULL, 'z')) t(n, s)");
        var outcome = await _bench.CompletedAsync(
            """{"derive": [{"column": "m", "expression": "CAST(n AS BIGINT) + 1"}, {"column": "s", "expression": "s || m"}]}""", rows);
        (await _bench.Bench.RowsAsync(outcome.Outputs["out"])).ShouldBe(["1|x2|2", "∅|∅|∅"]);
        outcome.Ledger[0].Rejected.ShouldBe(1);
        (await _bench.Bench.RowsAsync(outcome.Outputs["rejected"], "ingested", "rejected")).ShouldBe(["""{"n":"zwei","s":"y"}|{"n":"zwei","s":null,"m":null}"""]);

        var emptied = await _bench.CompletedAsync("""{"derive": [{"column": "m", "expression": "CAST(n AS BIGINT)", "type": "decimal(5,2)", "else": "null"}]}""", rows);
        (await _bench.Bench.RowsAsync(emptied.Outputs["out"], "m")).ShouldBe(["1.00", "∅", "∅"]);
        emptied.Counts.ShouldBe(new Dictionary<string, long> { ["emptied.derive(m)"] = 1 });
    }

    [Fact]
    public async Task A_sensitive_value_that_is_replaced_stays_hidden_in_the_rejected_rows()
    {
        var rows = await _bench.Bench.InputAsync("SELECT '123-45-6789' AS ssn, 'x' AS n", "people", ("ssn", "secret"));
        var outcome = await _bench.CompletedAsync("""{"derive": [{"column": "ssn", "expression": "'***'"}, {"column": "m", "expression": "CAST(n AS BIGINT)"}]}""", rows);
        outcome.Outputs["out"].Schema.Find("ssn")!.Sensitivity.ShouldBeNull();
        var ingested = (await _bench.Bench.RowsAsync(outcome.Outputs["rejected"], "ingested")).ShouldHaveSingleItem();
        ingested.ShouldContain("123-45-6789");
        RejectedMask.Of(outcome.Outputs["rejected"].Schema).ShouldNotBeNull().Mask("ingested", ingested).ShouldBe("""{"ssn":"•••","n":"x"}""");
    }

    [Fact]
    public async Task Too_many_rows_without_a_match_fail_the_step()
    {
        await _bench.DatasetAsync("us-zip", Zips);
        var people = await _bench.Bench.InputAsync(People, "people");
        var failed = (await _bench.RunAsync("""{"lookup": "dataset:us-zip", "keys": {"zip": "zip"}, "take": {"state": "add"}, "maxUnmatched": "49%"}""", people)).ShouldBeOfType<StepResult.Failed>();
        (failed.Error.Code, failed.Error.Path, failed.Error.Message).ShouldBe(("tooManyUnmatched", "maxUnmatched", "50 % of rows have no match in dataset:us-zip@3, limit 49 %"));
        failed.Outcome!.Outputs.Keys.ShouldNotContain("out");
        (await _bench.RunAsync("""{"lookup": "dataset:us-zip", "keys": {"zip": "zip"}, "take": {"state": "add"}, "maxUnmatched": "50%"}""", people)).ShouldBeOfType<StepResult.Completed>();
        var missing = (await _bench.RunAsync("""{"lookup": "dataset:us-zip", "keys": {"zip": "zip"}, "take": {"state": "add"}, "onMissing": "fail"}""", people)).ShouldBeOfType<StepResult.Failed>();
        (missing.Error.Code, missing.Error.Message).ShouldBe(("noMatch", "2 rows have no match in dataset:us-zip@3."));
    }

    [Theory]
    [InlineData("""{"lookup": "dataset:us-zip", "keys": {"zipp": "zip"}, "take": {"city": "fill"}}""", "columnUnknown", "keys.zipp", "did you mean \"zip\"?")]
    [InlineData("""{"lookup": "dataset:us-zip", "keys": {"zip": "zipp"}, "take": {"city": "fill"}}""", "columnUnknown", "keys.zip", "does not exist in dataset:us-zip@3; did you mean \"zip\"?")]
    [InlineData("""{"lookup": "dataset:us-zip", "keys": {"zip": "zip"}, "take": {"sate": "add"}}""", "columnUnknown", "take.sate", "did you mean \"state\"?")]
    [InlineData("""{"lookup": "dataset:us-zip", "keys": {"zip": "zip"}, "take": {"city": "add"}}""", "valueInvalid", "take.city", "There is a column \"city\" already")]
    [InlineData("""{"lookup": "dataset:us-zip", "keys": {"zip": "zip"}, "take": {"state": "fill"}}""", "columnUnknown", "take.state", "Column \"state\" does not exist")]
    [InlineData("""{"lookup": "dataset:us-zip", "keys": {"age": "zip"}, "take": {"city": "fill"}}""", "columnType", "keys.age", "Column \"age\" is int64, \"zip\" of dataset:us-zip@3 is text; give them one type first.")]
    [InlineData("""{"lookup": "dataset:us-zip", "keys": {"zip": "zip"}, "take": {"city": "fill"}, "as": {"city": "age"}}""", "columnType", "take.city", "Column \"age\" is int64")]
    [InlineData("""{"lookup": "dataset:us-zip", "keys": {"zip": "zip"}, "take": {"city": "fill"}, "onMultiple": "first", "orderBy": [{"column": "cty"}]}""", "columnUnknown", "orderBy[0].column", "did you mean \"city\"?")]
    [InlineData("""{"derive": [{"column": "x", "expression": "lowr(name)"}]}""", "expressionInvalid", "derive[0].expression", "did you mean lower")]
    [InlineData("""{"derive": [{"column": "x", "expression": "(SELECT 1)"}]}""", "expressionInvalid", "derive[0].expression", "a subquery is not allowed")]
    [InlineData("""{"derive": [{"column": "_row", "expression": "1"}]}""", "valueInvalid", "derive[0].column", "cannot be the name of a column")]
    public async Task A_mistake_is_named_with_its_place(string config, string code, string path, string message)
    {
        await _bench.DatasetAsync("us-zip", Zips);
        var input = await _bench.Bench.InputAsync("SELECT 'secret' AS name, '1' AS zip, 'x' AS city, 7 AS age");
        var failed = (await _bench.RunAsync(config, input)).ShouldBeOfType<StepResult.Failed>();
        (failed.Error.Code, failed.Error.Path).ShouldBe((code, path));
        failed.Error.Message.ShouldContain(message);
        failed.Error.Message.ShouldNotContain("secret");
    }

    [Fact]
    public async Task A_dataset_that_the_project_does_not_have_is_refused()
    {
        await _bench.DatasetAsync("us-zip", Zips);
        var people = await _bench.Bench.InputAsync(People, "people");
        await Should.ThrowAsync<DatasetException>(() => _bench.RunAsync("""{"lookup": "dataset:other/us-zip", "keys": {"zip": "zip"}, "take": {"city": "fill"}}""", people));
    }

    [Fact]
    public async Task Strange_names_and_no_rows_do_no_harm()
    {
        await _bench.DatasetAsync("odd", "SELECT 1 AS \"__q_k0\", 2 AS \"a\"\"b'; drop\" WHERE false");
        var rows = await _bench.Bench.InputAsync("SELECT 1 AS \"__q_input\", 2 AS \"select\"");
        var outcome = await _bench.CompletedAsync("""{"lookup": "dataset:odd", "keys": {"__q_input": "__q_k0"}, "take": {"a\"b'; drop": "add"}}""", rows);
        (await _bench.Bench.RowsAsync(outcome.Outputs["out"])).ShouldBe(["1|2|∅"]);
        outcome.Warnings.ShouldBe(["dataset:odd@3 has no rows."]);
        var none = await _bench.Bench.InputAsync("SELECT 1 AS a WHERE false");
        (await _bench.CompletedAsync("""{"derive": [{"column": "b", "expression": "a + 1"}]}""", none)).RowsOut.ShouldBe(0);
    }

    [Fact]
    public async Task A_missing_lookup_or_key_is_said_before_any_work()
    {
        var errors = OperatorConfigErrors("""{"lookup": "dataset:x"}""");
        errors.ShouldContain("at least one key is needed, our column to the dataset's");
        OperatorConfigErrors("{}").ShouldContain("a dataset to look up in, or a computed column, is needed");
        OperatorConfigErrors("""{"keys": {"a": "b"}, "derive": [{"column": "x", "expression": "1"}]}""").ShouldContain("keys and take need the dataset to look up in");
        await Task.CompletedTask;
    }

    private static IEnumerable<string?> OperatorConfigErrors(string json)
    {
        var config = ConfigJson.Bind<EnrichConfig>(System.Text.Json.JsonSerializer.Deserialize<System.Text.Json.JsonElement>(json));
        return config.Validate(new System.ComponentModel.DataAnnotations.ValidationContext(config)).Select(error => error.ErrorMessage);
    }
}
