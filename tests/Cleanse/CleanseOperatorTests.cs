using Qualiz.Contracts.Schemas;
using Qualiz.Engine.Rows;
using Qualiz.OperatorKit;
using Qualiz.Platform.Operators;

namespace Qualiz.Cleanse.Tests;

public sealed class CleanseOperatorTests : IDisposable
{
    private readonly OperatorBench _bench = new();

    public void Dispose() => _bench.Dispose();

    private Task<StepResult> RunAsync(string config, params IReadOnlyList<ResolvedInput> inputs) =>
        new CleanseOperator().ExecuteAsync(OperatorBench.Config<CleanseConfig>(config), _bench.Step(1, null, inputs), default);

    [Fact]
    public async Task Columns_called_like_the_engines_own_are_columns_as_others()
    {
        var rows = await _bench.InputAsync("SELECT 10 * i AS file_row_number, ' r' || i AS rowid, 'f' || i AS filename, 7 AS file_index FROM range(1, 4) t(i)");
        const string config = """{"rules": [{"rule": "trim", "columns": ["rowid"]}, {"rule": "derive", "column": "place", "expression": "file_row_number + 1"}, {"rule": "filter", "where": "file_row_number < 30"}], "checks": [{"check": "unique", "columns": ["rowid"], "else": "reject"}, {"check": "range", "columns": ["file_row_number"], "max": 10, "else": "reject"}]}""";
        var first = (await RunAsync(config, rows)).ShouldBeOfType<StepResult.Completed>().Outcome;
        (await _bench.RowsAsync(first.Outputs["out"], "file_row_number", "rowid", "filename", "place", "_row")).ShouldBe(["10|r1|f1|11|1"]);
        first.Ledger[0].ShouldSatisfyAllConditions(line => line.Rejected.ShouldBe(1), line => line.Filtered.ShouldBe(1), line => line.Balances.ShouldBeTrue());
        var second = (await RunAsync(config, new ResolvedInput("in", first.Outputs["out"]))).ShouldBeOfType<StepResult.Completed>().Outcome;
        (await _bench.RowsAsync(second.Outputs["out"], "file_row_number", "rowid", "_row")).ShouldBe(["10|r1|1"]);
    }

    [Theory]
    [InlineData("""{"rules": [{"rule": "trim", "columns": "*"}], "checks": [{"check": "notNull", "columns": ["a"]}]}""", false)]
    [InlineData("""{"checks": [{"check": "notNull", "columns": ["a"]}, {"check": "unique", "columns": ["a"]}]}""", true)]
    [InlineData("""{"checks": [{"check": "notNull", "columns": ["a"], "mostly": "90%"}]}""", true)]
    [InlineData("""{"auto": "90%"}""", true)]
    [InlineData("""{"rules": [{"rule": "trim", "columns": "*"}, {"rule": "fill", "columns": ["a"], "above": true}]}""", true)]
    [InlineData("""{"rules": [{"rule": "fill", "columns": ["a"], "above": false, "value": "x"}]}""", false)]
    public void What_all_rows_decide_is_not_decided_by_some(string config, bool whole) =>
        CleanseModule.Description.Whole.Any(setting => ConfigSettings.Has(System.Text.Json.JsonDocument.Parse(config).RootElement, setting)).ShouldBe(whole);

    [Fact]
    public async Task Clean_and_rejected_rows_leave_by_their_ports_and_the_ledger_balances()
    {
        var crm = await _bench.InputAsync("SELECT * FROM (VALUES (' 1 ', 'a@b.c'), ('2', NULL), ('x', NULL)) t(id, email)", "crm", ("email", "personal"));
        var shop = await _bench.InputAsync("SELECT * FROM (VALUES ('3', 'd@e.f'), ('4', 'test')) t(id, email)", "shop");
        var result = await RunAsync(
            """
            {"rules": [{"rule":"trim","columns":"*"},{"rule":"number","columns":["id"],"type":"int64"},{"rule":"filter","where":"email is null or email <> 'test'"}],
             "checks": [{"check":"notNull","columns":["email"]}]}
            """, crm, shop);
        var outcome = result.ShouldBeOfType<StepResult.Completed>().Outcome;
        (await _bench.RowsAsync(outcome.Outputs["out"])).ShouldBe(["1|a@b.c", "3|d@e.f"]);
        (await _bench.RowsAsync(outcome.Outputs["out"], "_source", "_row")).ShouldBe(["crm@1|1", "shop@1|1"]);
        outcome.Outputs["out"].Rows.ShouldBe(2);
        outcome.Outputs["out"].Schema.Find("id")!.Type.ShouldBe("int64");
        outcome.Outputs["out"].Schema.Find("email")!.Sensitivity.ShouldBe("personal");
        outcome.Outputs["out"].Schema.Find("_key")!.Hidden.ShouldBeTrue();
        outcome.Ledger.ShouldAllBe(line => line.Balances);
        outcome.Ledger.Select(line => $"{line.Input} {line.In} {line.Out} {line.Rejected} {line.Filtered}").ShouldBe(["crm 3 1 2 0", "shop 2 1 0 1"]);
        outcome.Ledger[0].Reasons.Select(reason => $"{reason.Kind} {reason.Reason} {reason.Rows}").ShouldBe(["rejected notNull(email) 2", "rejected number(id) 1"]);
        outcome.Counts["changed.trim"].ShouldBe(1);
        var rejected = outcome.Outputs["rejected"];
        rejected.Schema.Find("ingested")!.Sensitivity.ShouldBe("personal");
        (await _bench.RowsAsync(rejected, "_source", "_row", "ingested", "rejected")).ShouldBe(
            ["""crm@1|2|{"id":"2","email":null}|{"id":2,"email":null}""", """crm@1|3|{"id":"x","email":null}|{"id":"x","email":null}"""]);
        _bench.Log.Lines.ShouldNotContain(line => line.Contains("a@b.c", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_sensitive_value_stays_hidden_in_the_rejected_rows_whatever_the_rules_make_of_its_column()
    {
        var input = await _bench.InputAsync("SELECT * FROM (VALUES ('123-45-6789', 'Ann Lee', NULL, 'x')) t(ssn, name, email, note)", "in", ("ssn", "secret"), ("email", "personal"));
        var outcome = (await RunAsync(
            """
            {"rules": [{"rule":"rename","columns":{"ssn":"social"}}, {"rule":"trim","columns":["social"]}], "checks": [{"check":"notNull","columns":["email"]}]}
            """, input)).ShouldBeOfType<StepResult.Completed>().Outcome;
        var mask = RejectedMask.Of(outcome.Outputs["rejected"].Schema).ShouldNotBeNull();
        var row = (await _bench.RowsAsync(outcome.Outputs["rejected"], "ingested", "rejected")).ShouldHaveSingleItem().Split('|');
        row[0].ShouldContain("123-45-6789");
        mask.Mask("ingested", row[0]).ShouldBe("""{"ssn":"•••","name":"Ann Lee","email":null,"note":"x"}""");
        mask.Mask("rejected", row[1]).ShouldNotContain("123-45-6789");
        mask.Mask("rejected", """{"between":"123-45-6789"}""").ShouldBe("""{"between":"•••"}""");
    }

    [Fact]
    public async Task Rejected_rows_and_the_change_log_keep_nested_values_as_they_came()
    {
        const string doc = """{"id": 12345678901234567890123, "p": 1.10}""";
        var input = await _bench.InputAsync($"SELECT ' x ' AS a, E'{doc.Replace(", ", ",\n", StringComparison.Ordinal)}'::JSON AS doc, {{'d': 1234567890123456789012345678.0123456789::DECIMAL(38,10)}} AS of, '-Infinity'::DOUBLE AS f, NULL AS email");
        var outcome = (await RunAsync("""{"rules": [{"rule":"trim","columns":["a"]}], "checks": [{"check":"notNull","columns":["email"]}]}""", input)).ShouldBeOfType<StepResult.Completed>().Outcome;
        const string rest = "\"of\":{\"d\":\"1234567890123456789012345678.0123456789\"},\"f\":\"-Infinity\",\"email\":null";
        (await _bench.RowsAsync(outcome.Outputs["rejected"], "ingested", "rejected")).ShouldBe(
            [$$"""{"a":" x ","doc":{{doc}},{{rest}}}|{"a":"x","doc":{{doc}},{{rest}}}"""]);
    }

    [Fact]
    public async Task Over_the_limit_the_step_fails_and_keeps_the_rejected_rows()
    {
        var input = await _bench.InputAsync("SELECT CASE WHEN i % 14 = 0 THEN NULL ELSE 'x' END AS email FROM range(1000) t(i)");
        var failed = (await RunAsync("""{"checks":[{"check":"notNull","columns":["email"]}],"maxRejected":"5%"}""", input)).ShouldBeOfType<StepResult.Failed>();
        failed.Error.Code.ShouldBe("tooManyRejected");
        failed.Error.Message.ShouldBe("7.2 % of rows rejected, limit 5 %");
        failed.Error.Path.ShouldBe("maxRejected");
        failed.Error.Transient.ShouldBeFalse();
        failed.Outcome!.Outputs.Keys.ShouldBe(["rejected", "changes"]);
        failed.Outcome.Outputs["rejected"].Rows.ShouldBe(72);
        failed.Outcome.Ledger.ShouldHaveSingleItem().Rejected.ShouldBe(72);
        (await RunAsync("""{"checks":[{"check":"notNull","columns":["email"]}],"maxRejected":"7.2%"}""", input)).ShouldBeOfType<StepResult.Completed>();
    }

    [Fact]
    public async Task The_limit_is_a_share_of_all_rows_those_made_by_explode_too()
    {
        // Ten rows of two, of which three are empty: 30 %, not 150 %.
        var input = await _bench.InputAsync("SELECT * FROM (VALUES ('a;b;;c;d'), (';;e;f;g')) t(tags)");
        const string recipe = """{"rules":[{"rule":"explode","column":"tags","separator":";"}],"checks":[{"check":"notNull","columns":["tags"]}],"maxRejected":"LIMIT"}""";
        (await RunAsync(recipe.Replace("LIMIT", "30%", StringComparison.Ordinal), input)).ShouldBeOfType<StepResult.Completed>().Outcome.RowsRejected.ShouldBe(3);
        (await RunAsync(recipe.Replace("LIMIT", "29%", StringComparison.Ordinal), input)).ShouldBeOfType<StepResult.Failed>().Error.Message.ShouldBe("30 % of rows rejected, limit 29 %");
    }

    [Fact]
    public async Task A_check_that_must_not_fail_fails_the_step()
    {
        var input = await _bench.InputAsync("SELECT NULL::VARCHAR AS email");
        var failed = (await RunAsync("""{"checks":[{"check":"notNull","columns":["email"],"else":"fail"},{"check":"rowCount","min":1000}]}""", input)).ShouldBeOfType<StepResult.Failed>();
        failed.Error.Code.ShouldBe("checkFailed");
        failed.Error.Message.ShouldBe("1 rows fail notNull(email). 0 clean rows, at least 1,000 expected.");
        failed.Outcome!.Outputs["rejected"].Rows.ShouldBe(1);
    }

    [Theory]
    [InlineData("""{"rules":[{"rule":"trim","columns":["emial"]}]}""", "columnUnknown", "rules[0].columns[0]", "Column \"emial\" does not exist; did you mean \"email\"?")]
    [InlineData("""{"checks":[{"check":"notNull","columns":["email"]},{"check":"unique","columns":["email","ID"]}]}""", "columnUnknown", "checks[1].columns[1]", "did you mean \"id\"?")]
    [InlineData("""{"rules":[{"rule":"filter","where":"emial = 'x'"}]}""", "columnUnknown", "rules[0].where", "did you mean \"email\"?")]
    [InlineData("""{"rules":[{"rule":"derive","column":"x","expression":"lowr(email)"}]}""", "expressionInvalid", "rules[0].expression", "did you mean lower")]
    [InlineData("""{"rules":[{"rule":"derive","column":"x","expression":"email + 1"}]}""", "expressionInvalid", "rules[0].expression", "refused")]
    [InlineData("""{"rules":[{"rule":"regex","columns":["email"],"pattern":"("}]}""", "patternInvalid", "rules[0].pattern", "RE2")]
    [InlineData("""{"rules":[{"rule":"regex","columns":["email"],"pattern":"(?=x)"}]}""", "patternInvalid", "rules[0].pattern", "RE2")]
    [InlineData("""{"rules":[{"rule":"date","columns":["email"],"formats":["yyyy-MM-dd","qq"]}]}""", "formatInvalid", "rules[0].formats[1]", "qq")]
    [InlineData("""{"rules":[{"rule":"trim","columns":["id"]}]}""", "columnType", "rules[0].columns[0]", "trim works on text; column \"id\" is int64.")]
    [InlineData("""{"checks":[{"check":"range","columns":["email"],"min":1}]}""", "columnType", "checks[0].columns[0]", "convert it by a rule first")]
    [InlineData("""{"checks":[{"check":"range","columns":["id"],"min":"many"}]}""", "valueInvalid", "checks[0].min", "many")]
    [InlineData("""{"rules":[{"rule":"number","columns":["email"],"else":"default","default":"x"}]}""", "valueInvalid", "rules[0].default", "no value of type")]
    [InlineData("""{"rules":[{"rule":"number","columns":["email"],"else":"default"}]}""", "valueInvalid", "rules[0]", "needs a default")]
    public async Task A_mistake_in_the_recipe_is_named_with_its_place(string config, string code, string path, string message)
    {
        var input = await _bench.InputAsync("SELECT 1 AS id, 'secret' AS email");
        var failed = (await RunAsync(config, input)).ShouldBeOfType<StepResult.Failed>();
        failed.Error.Code.ShouldBe(code);
        failed.Error.Path.ShouldBe(path);
        failed.Error.Message.ShouldContain(message);
        failed.Error.Message.ShouldNotContain("secret");
        failed.Outcome.ShouldBeNull();
    }

    [Fact]
    public async Task Inputs_that_do_not_fit_on_each_other_are_both_named()
    {
        var crm = await _bench.InputAsync("SELECT 1.5::DECIMAL(18,2) AS balance", "crm");
        var shop = await _bench.InputAsync("SELECT '1.5' AS balance", "shop");
        var failed = (await RunAsync("""{"rules":[{"rule":"trim","columns":"*"}]}""", crm, shop)).ShouldBeOfType<StepResult.Failed>();
        failed.Error.Code.ShouldBe("typeConflict");
        failed.Error.Message.ShouldBe("Column \"balance\" is decimal(18,2) in crm and text in shop; give it one type where it is read.");
    }

    [Fact]
    public async Task An_input_with_fewer_rows_than_recorded_fails_the_step()
    {
        var input = await _bench.InputAsync("SELECT 1 AS id");
        var failed = (await RunAsync("""{"checks":[{"check":"notNull","columns":["id"]}]}""", input with { Dataset = input.Dataset with { Rows = 2 } })).ShouldBeOfType<StepResult.Failed>();
        failed.Error.Code.ShouldBe("inputDamaged");
    }

    [Fact]
    public async Task A_cancelled_step_stops()
    {
        var input = await _bench.InputAsync("SELECT i AS id FROM range(10) t(i)");
        using var cancel = new CancellationTokenSource();
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => new CleanseOperator().ExecuteAsync(
            OperatorBench.Config<CleanseConfig>("""{"checks":[{"check":"notNull","columns":["id"]}]}"""), _bench.Step(1, null, input), cancel.Token));
    }

    [Fact]
    public void The_configuration_has_a_schema_with_every_rule_and_check()
    {
        var schema = ConfigSchema.For<CleanseConfig>().GetRawText();
        foreach (var word in (string[])["trim", "nulls", "case", "replace", "regex", "number", "date", "boolean", "fill", "filter", "derive", "notNull", "unique", "range", "pattern", "rowCount"])
            schema.ShouldContain($"{{\"const\":\"{word}\"}}");
    }

    [Fact]
    public async Task Values_that_come_together_are_as_sensitive_as_the_most_sensitive_of_them()
    {
        var outcome = (await RunAsync(
            """
            {"rules": [{"rule":"fill","columns":["b"],"from":"s"}, {"rule":"derive","column":"d","expression":"P || S"}, {"rule":"derive","column":"c","expression":"c || s"},
              {"rule":"phone","columns":["tel"],"countryFrom":"s"}]}
            """,
            await _bench.InputAsync("SELECT 'x' AS p, 'NO' AS s, 'x' AS b, 'x' AS c, 'x' AS e, '22123456' AS tel", "one", ("p", "personal"), ("s", "secret"), ("b", "personal"), ("c", "personal"), ("e", "personal"), ("tel", "personal")),
            await _bench.InputAsync("SELECT 'x' AS p, 'NO' AS s, 'x' AS e", "two", ("e", "secret")))).ShouldBeOfType<StepResult.Completed>().Outcome;
        var rejected = outcome.Outputs["rejected"].Schema;
        outcome.Outputs["out"].Schema.Columns.Where(column => !column.Hidden).Select(column => $"{column.Name} {column.Sensitivity}")
            .ShouldBe(["p personal", "s secret", "b secret", "c secret", "e secret", "tel secret", "d secret"]);
        rejected.Find("ingested")!.Sensitivity.ShouldBe("secret");
    }

    [Fact]
    public async Task Masking_takes_its_key_from_a_connection_and_leaves_it_nowhere()
    {
        const string secret = "0123456789-key-of-this-test-0123456789";
        _bench.Add(new Connection("masking", "key", new Dictionary<string, string> { ["key"] = secret }));
        var input = await _bench.InputAsync("SELECT * FROM (VALUES ('123-45-6789', 'a'), ('123-45-6789', NULL)) t(ssn, w)", "in", ("ssn", "secret"));
        const string config = """{"rules": [{"rule":"mask","columns":["ssn"],"by":"token","key":"masking"}], "checks": [{"check":"notNull","columns":["w"]}], "changes": "full"}""";
        var outcome = (await RunAsync(config, input)).ShouldBeOfType<StepResult.Completed>().Outcome;
        var masked = (await _bench.RowsAsync(outcome.Outputs["out"], "ssn")).ShouldHaveSingleItem();
        masked.Length.ShouldBe(26);
        outcome.Outputs["out"].Schema.Find("ssn")!.Sensitivity.ShouldBe("secret");
        (await _bench.RowsAsync(outcome.Outputs["rejected"], "ingested", "rejected")).ShouldBe([$$"""{"ssn":null,"w":null}|{"ssn":"{{masked}}","w":null}"""]);
        (await _bench.RowsAsync(outcome.Outputs["changes"], "rule", "column", "old", "new")).ShouldHaveSingleItem().ShouldStartWith("rules[0]|ssn|");
        _bench.Log.Lines.ShouldNotContain(line => line.Contains(secret, StringComparison.Ordinal) || line.Contains("6789", StringComparison.Ordinal));
        foreach (var file in Directory.EnumerateFiles(_bench.StoreFolder, "*", SearchOption.AllDirectories).Where(file => !file.Contains("/inputs/", StringComparison.Ordinal)))
            System.Text.Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file)).ShouldNotContain("123-45-6789");

        // A whole redaction is nothing personal any more, nor is what its author says is none.
        foreach (var (rule, tag) in new[] { ("", (string?)null), (""","keepLast":4""", "secret"), (""","by":"hash","key":"masking","untag":true""", null) })
        {
            (await RunAsync($$"""{"rules": [{"rule":"mask","columns":["ssn"]{{rule}}}]}""", input)).ShouldBeOfType<StepResult.Completed>()
                .Outcome.Outputs["out"].Schema.Find("ssn")!.Sensitivity.ShouldBe(tag);
        }
    }

    [Theory]
    [InlineData("gone", "gone")]
    [InlineData("dwh", "\"dwh\" is a postgres connection; masking needs one of type key.")]
    public async Task Without_its_key_a_mask_fails_the_step(string key, string message)
    {
        _bench.Add(new Connection("dwh", "postgres", new Dictionary<string, string> { ["key"] = "x", ["password"] = "secret" }));
        var failed = (await RunAsync(
            $$"""{"rules": [{"rule":"trim","columns":"*"},{"rule":"mask","columns":["ssn"],"by":"hash","key":"{{key}}"}]}""", await _bench.InputAsync("SELECT 'x' AS ssn"))).ShouldBeOfType<StepResult.Failed>();
        failed.Error.Code.ShouldBe("connectionRefused");
        failed.Error.Path.ShouldBe("rules[1].key");
        failed.Error.Message.ShouldContain(message);
    }
}
