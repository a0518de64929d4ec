using Qualiz.Contracts.Data;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Engine.Recipes;
using Qualiz.Engine.Sessions;
using Qualiz.OperatorKit;
using Qualiz.Platform.Operators;

namespace Qualiz.Cleanse.Tests;

public sealed class PatchTests : IDisposable
{
    private const string Recipe = """{"rules":[{"rule":"trim","columns":"*"}],"checks":[{"check":"notNull","columns":["email"]},{"check":"range","columns":["n"],"min":0}]}""";
    private readonly OperatorBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task A_repair_replaces_the_values_it_was_made_on_before_the_first_rule()
    {
        var input = await _bench.InputAsync("SELECT * FROM (VALUES (1, 'a@b.c'), (2, NULL), (-3, 'x@y.z')) t(n, email)");
        var first = await RunAsync(input, null);
        var rejected = await KeysAsync(first, "rejected");
        rejected.Count.ShouldBe(2);

        // The second row gets an address (with a blank, which the rule takes away), the third a number.
        var patches = await PatchesAsync((7, rejected[0].Key, rejected[0].Hash, """{"email": " new@b.c "}"""), (8, rejected[1].Key, rejected[1].Hash, """{"n": "3"}"""));
        var second = await RunAsync(input, patches);
        (await _bench.RowsAsync(second.Outputs["out"], "n", "email", "_row")).Order().ShouldBe(["1|a@b.c|1", "2|new@b.c|2", "3|x@y.z|3"]);
        second.Outputs["rejected"].Rows.ShouldBe(0);
        second.Counts["patched"].ShouldBe(2);
        second.Ledger.ShouldAllBe(line => line.Balances);
        (await _bench.RowsAsync(second.Outputs["patched"], "patch", "fits", "_row")).Order().ShouldBe(["7|true|2", "8|true|3"]);
        _bench.Log.Lines.ShouldNotContain(line => line.Contains("new@b.c", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_repair_finds_its_row_also_where_a_column_is_masked()
    {
        const string recipe = """{"rules":[{"rule":"mask","columns":["email"]}],"checks":[{"check":"range","columns":["n"],"min":0}]}""";
        var input = await _bench.InputAsync("SELECT * FROM (VALUES (1, 'a@b.c'), (-2, 'x@y.z')) t(n, email)");
        var rejected = (await KeysAsync(await RunAsync(input, null, recipe), "rejected")).ShouldHaveSingleItem();
        var second = await RunAsync(input, await PatchesAsync((7, rejected.Key, rejected.Hash, """{"n": 2, "email": "longer@b.c"}""")), recipe);
        (await _bench.RowsAsync(second.Outputs["out"], "n", "email")).Order().ShouldBe(["1|*****", "2|**********"]);
        (await _bench.RowsAsync(second.Outputs["patched"], "patch", "fits")).ShouldBe(["7|true"]);
    }

    [Fact]
    public async Task Other_values_under_the_same_key_are_left_alone_and_told()
    {
        var input = await _bench.InputAsync("SELECT * FROM (VALUES (1, 'a@b.c', 's@1', 1::BIGINT, 'k1'), (2, NULL, 's@1', 2::BIGINT, 'k2')) t(n, email, _source, _row, _key)");
        var (key, hash) = (await KeysAsync(await RunAsync(input, null), "rejected"))[0];
        var changed = await _bench.InputAsync("SELECT * FROM (VALUES (5, 'a@b.c', 's@2', 1::BIGINT, 'k1'), (6, NULL, 's@2', 2::BIGINT, 'k2')) t(n, email, _source, _row, _key)");
        var outcome = await RunAsync(changed, await PatchesAsync((7, key, hash, """{"email": "new@b.c"}""")));
        outcome.Outputs["rejected"].Rows.ShouldBe(1);
        (await _bench.RowsAsync(outcome.Outputs["patched"], "patch", "fits", "_row")).ShouldBe(["0|false|2"]);
        outcome.Counts["patched"].ShouldBe(0);
    }

    [Fact]
    public async Task A_value_of_the_wrong_type_changes_nothing_of_the_row()
    {
        var input = await _bench.InputAsync("SELECT * FROM (VALUES (1, 'a@b.c'), (-2, NULL)) t(n, email)");
        var (key, hash) = (await KeysAsync(await RunAsync(input, null), "rejected"))[0];
        foreach (var changes in new[] { """{"n": "two", "email": "new@b.c"}""", """{"n": "1.5", "email": "new@b.c"}""", """{"n": 99999999999999999999, "email": "new@b.c"}""", """{"gone": "x", "email": "new@b.c"}""" })
        {
            var outcome = await RunAsync(input, await PatchesAsync((7, key, hash, changes)));
            outcome.Outputs["rejected"].Rows.ShouldBe(1);
            (await _bench.RowsAsync(outcome.Outputs["rejected"], "ingested")).ShouldBe(["""{"n":-2,"email":null}"""]);
            (await _bench.RowsAsync(outcome.Outputs["patched"], "patch", "fits")).ShouldBe(["7|false"]);
        }
    }

    [Fact]
    public async Task A_row_that_is_rejected_in_spite_of_its_repair_is_told_with_its_patch()
    {
        var input = await _bench.InputAsync("SELECT * FROM (VALUES (-2, NULL::VARCHAR)) t(n, email)");
        var (key, hash) = (await KeysAsync(await RunAsync(input, null), "rejected"))[0];
        var outcome = await RunAsync(input, await PatchesAsync((7, key, hash, """{"email": "new@b.c"}""")));
        (await _bench.RowsAsync(outcome.Outputs["rejected"], "ingested", "rejected")).ShouldBe(["""{"n":-2,"email":"new@b.c"}|{"n":-2,"email":"new@b.c"}"""]);
        (await KeysAsync(outcome, "rejected"))[0].Key.ShouldBe(key);
        (await _bench.RowsAsync(outcome.Outputs["patched"], "patch", "fits")).ShouldBe(["7|true"]);
    }

    [Fact]
    public async Task A_repair_of_one_of_the_rows_that_were_exploded_from_one_changes_no_other()
    {
        // As an earlier step has exploded it: the same place and key in every row, and only the values differ.
        var input = await _bench.InputAsync("SELECT v::INT AS n, e::VARCHAR AS email, 's@1' AS _source, 1::BIGINT AS _row, 'k1' AS _key FROM (VALUES (1, 'a@b.c'), (-2, 'b@b.c'), (-3, 'c@b.c'), (4, NULL), (4, NULL)) t(v, e)");
        var rejected = await KeysAsync(await RunAsync(input, null), "rejected");
        rejected.Count.ShouldBe(4);
        using var session = _bench.Open();
        string Hash(string json) => session.Scalar<string>($"SELECT {RowPatches.Hash(Sql.Literal(json))}")!;
        var outcome = await RunAsync(input, await PatchesAsync(
            (7, "k1", Hash("""{"n":-2,"email":"b@b.c"}"""), """{"n": 20}"""), (8, "k1", Hash("""{"n":-3,"email":"c@b.c"}"""), """{"email": "still"}"""),
            (9, "k1", Hash("""{"n":4}"""), """{"email": "x@y.z"}""")));

        (await _bench.RowsAsync(outcome.Outputs["out"], "n", "email")).Order().ShouldBe(["1|a@b.c", "20|b@b.c", "4|x@y.z", "4|x@y.z"]);
        (await _bench.RowsAsync(outcome.Outputs["rejected"], "ingested")).ShouldBe(["""{"n":-3,"email":"still"}"""]);
        outcome.Counts["patched"].ShouldBe(4);
        outcome.Ledger.ShouldAllBe(line => line.Balances && line.In == 5);
        // What became of a patch is told with the values that the row has now: that is how the quarantine knows which row was rejected again.
        (await _bench.RowsAsync(outcome.Outputs["patched"], "patch", "fits", "hash")).Order()
            .ShouldBe([$"0|false|{Hash("""{"n":1,"email":"a@b.c"}""")}", $"7|true|{Hash("""{"n":20,"email":"b@b.c"}""")}", $"8|true|{(await KeysAsync(outcome, "rejected"))[0].Hash}",
                .. Enumerable.Repeat($"9|true|{Hash("""{"n":4,"email":"x@y.z"}""")}", 2)]);
    }

    [Fact]
    public async Task Columns_may_have_the_names_of_what_patches_are_kept_in()
    {
        var input = await _bench.InputAsync("""SELECT 1 AS n, NULL::VARCHAR AS email, 'k' AS key, 'c' AS changes, 'p' AS patches, 'f' AS found, 'h' AS hash, 'x' AS __q_found, 'y' AS fits, 'z' AS patch""");
        var (key, hash) = (await KeysAsync(await RunAsync(input, null), "rejected"))[0];
        var outcome = await RunAsync(input, await PatchesAsync((7, key, hash, """{"email": "e", "key": "K", "found": "F"}""")));
        (await _bench.RowsAsync(outcome.Outputs["out"], "email", "key", "changes", "patches", "found", "hash", "__q_found")).ShouldBe(["e|K|c|p|F|h|x"]);
    }

    [Fact]
    public async Task Equal_rows_are_repaired_together_and_no_row_is_doubled()
    {
        var input = await _bench.InputAsync("SELECT CAST(NULL AS VARCHAR) AS email, 1 AS n FROM range(5) UNION ALL SELECT 'a@b.c', i FROM range(5) t(i)");
        var (key, hash) = (await KeysAsync(await RunAsync(input, null), "rejected"))[0];
        var outcome = await RunAsync(input, await PatchesAsync((7, key, hash, """{"email": "x@b.c"}"""), (9, key, hash, """{"email": "y@b.c"}"""), (8, key, "another", """{"n": 9}""")));
        outcome.Outputs["out"].Rows.ShouldBe(10);
        outcome.Counts["patched"].ShouldBe(5);
        // Of two repairs of the same values the newer one counts.
        (await _bench.RowsAsync(outcome.Outputs["out"], "email")).Count(email => email == "y@b.c").ShouldBe(5);
    }

    [Fact]
    public async Task Every_type_takes_the_value_that_it_is_given()
    {
        var input = await _bench.InputAsync(
            """
            SELECT 1.50::DECIMAL(9,2) AS d, true AS b, DATE '2026-01-02' AS day, TIMESTAMPTZ '2026-01-02 03:04:05+00' AS at, 9007199254740993 AS big,
              '{"a":1}'::JSON AS j, [1, 2] AS l, 'x' AS "odd/na~me", NULL::VARCHAR AS email, -1 AS n
            """);
        var (key, hash) = (await KeysAsync(await RunAsync(input, null), "rejected"))[0];
        var outcome = await RunAsync(input, await PatchesAsync((7, key, hash,
            """{"d": "2.25", "b": false, "day": "2026-02-03", "at": "2026-02-03T04:05:06Z", "big": "9007199254740995", "j": {"b": [2]}, "l": [3], "odd/na~me": "y", "email": "e", "n": 5}""")));
        (await _bench.RowsAsync(outcome.Outputs["out"])).ShouldBe(["""2.25|false|2026-02-03|2026-02-03 04:05:06+00|9007199254740995|{"b":[2]}|[3]|y|e|5"""]);

        // More digits than the type has are no value of it; zeros are none.
        (await RunAsync(input, await PatchesAsync((7, key, hash, """{"d": "2.255", "email": "e", "n": 5}""")))).Counts["patched"].ShouldBe(0);
        (await _bench.RowsAsync((await RunAsync(input, await PatchesAsync((7, key, hash, """{"d": 2.5000, "email": "e", "n": 5.0}""")))).Outputs["out"], "d", "n")).ShouldBe(["2.50|5"]);

        // Null empties.
        var emptied = await RunAsync(input, await PatchesAsync((7, key, hash, """{"d": null, "email": "e", "n": 5}""")));
        (await _bench.RowsAsync(emptied.Outputs["out"], "d", "n")).ShouldBe(["∅|5"]);
    }

    [Fact]
    public async Task The_hash_sees_values_and_not_the_order_of_columns_or_empty_ones()
    {
        using var session = _bench.Open();
        string Of(string json) => session.Scalar<string>($"SELECT {RowPatches.Hash(Sql.Literal(json))}")!;
        Of("""{"a":"1","b":null}""").ShouldBe(Of("""{"b":null,"a":"1"}"""));
        Of("""{"a":"1"}""").ShouldBe(Of("""{"a":"1","b":null}"""));
        Of("""{"a":"1","b":"2"}""").ShouldBe(Of("""{"b":"2","a":"1"}"""));
        Of("""{"a":"1"}""").ShouldNotBe(Of("""{"a":"2"}"""));
        Of("""{"a":"12"}""").ShouldNotBe(Of("""{"a":"1","2":""}"""));
        Of("""{"a":""}""").ShouldNotBe(Of("""{"a":null}"""));
        Of("{}").Length.ShouldBe(16);
        await Task.CompletedTask;
    }

    private async Task<StepOutcome> RunAsync(ResolvedInput input, DatasetRef? patches, string recipe = Recipe) =>
        (await new CleanseOperator().ExecuteAsync(OperatorBench.Config<CleanseConfig>(recipe), _bench.Step(new StepSetup { Inputs = [input], Patches = patches, Fence = Random.Shared.NextInt64(1, long.MaxValue) }), default))
            .ShouldBeOfType<StepResult.Completed>().Outcome;

    private async Task<List<(string Key, string Hash)>> KeysAsync(StepOutcome outcome, string port)
    {
        using var session = _bench.Open();
        var path = await _bench.Store.GetLocalPathAsync(outcome.Outputs[port].Files[0].Key, _bench.Folder, default);
        return [.. session.Query($"SELECT _key, {RowPatches.Hash("ingested")} FROM {Scan.Parquet(path)} ORDER BY _source, _row", row => (row.GetString(0), row.GetString(1)))];
    }

    private async Task<DatasetRef> PatchesAsync(params (long Patch, string Key, string Hash, string Changes)[] patches)
    {
        using var session = _bench.Open();
        var path = Path.Combine(_bench.Folder, $"{Guid.NewGuid():N}.parquet");
        var rows = string.Join(", ", patches.Select(patch => $"({patch.Patch}::BIGINT, {Sql.Literal(patch.Key)}, {Sql.Literal(patch.Hash)}, {Sql.Literal(patch.Changes)})"));
        session.Execute($"COPY (SELECT * FROM (VALUES {rows}) t(patch, key, hash, changes)) TO {Sql.Literal(path)} (FORMAT parquet)");
        var stored = await _bench.Store.PutFileAsync($"patches/{Path.GetFileName(path)}", path, default);
        return new DatasetRef
        {
            Files = [new DataFile { Key = stored.Key, Rows = patches.Length, Bytes = stored.Bytes, Sha256 = "" }],
            Schema = new DatasetSchema { Columns = [] },
            Rows = patches.Length,
            Bytes = stored.Bytes,
        };
    }
}
