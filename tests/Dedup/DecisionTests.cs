using System.Globalization;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Operators;

namespace Qualiz.Dedup.Tests;

/// <summary>What people decided about rows stands above keys and likeness, in every run.</summary>
public sealed class DecisionTests : IDisposable
{
    private const string Config = """{"decisions": "dataset:decided", "keys": [{"columns": ["email"]}]}""";
    private readonly DedupBench _bench = new();

    public void Dispose() => _bench.Dispose();

    private async Task DecideAsync(params IReadOnlyList<(string Left, string Right, string Decision)> decisions)
    {
        var stored = await _bench.Bench.InputAsync(
            $"SELECT * FROM (VALUES {string.Join(", ", decisions.Select(decision => $"('{Key(decision.Left)}', '{Key(decision.Right)}', '{decision.Decision}')"))}) t(left_key, right_key, decision)", $"decided{decisions.Count}");
        _bench.Bench.Datasets["dataset:decided"] = new ResolvedDataset("decided", 1, stored.Dataset);
    }

    /// <summary>Rows as ingest gives them: known by their name, whatever else they hold.</summary>
    private static string Rows(string version, params IReadOnlyList<string> lines) =>
        $"SELECT t.*, 'people@{version}' AS _source, CAST(row_number() OVER () AS BIGINT) AS _row FROM (VALUES {string.Join(", ", lines.Select(line => $"({string.Join(", ", line.Split('|').Select(cell => $"nullif('{cell}', '')"))}, '{Key(line.Split('|')[0])}')"))}) t(name, email, _key)";

    private static string Key(string name) => Convert.ToHexStringLower(System.Text.Encoding.UTF8.GetBytes(name.PadRight(8, '.')[..8]));

    [Fact]
    public async Task What_a_person_said_is_the_same_is_one_entity_and_says_so()
    {
        await DecideAsync(("Ada", "Countess", "match"), ("Alan", "Nobody", "match"));
        var outcome = await _bench.CompletedAsync(Config, null, await _bench.Bench.InputAsync(Rows("1", "Ada|a@x", "Ada L|a@x", "Countess|", "Alan|b@x")));
        (await _bench.EntitiesAsync(outcome)).ShouldBe("1,2,3 | 4");
        (await _bench.Bench.RowsAsync(outcome.Outputs["members"], "row", "linked_by")).Order().ShouldBe(["1|steward", "2|key", "3|steward", "4|∅"]);
        (await _bench.Bench.RowsAsync(outcome.Outputs["entities"], "name", "state")).Order().ShouldBe(["Ada|confirmed", "Alan|auto"]);
        outcome.Warnings.ShouldBeEmpty();
        _bench.Bench.Log.Lines.ShouldContain("Found: 2 decisions of people, 1 of them about rows that are here");
    }

    [Fact]
    public async Task Rows_with_an_equal_key_are_parted_by_a_person_and_stay_so_in_later_runs_in_any_order()
    {
        await DecideAsync(("Ada", "Ben", "different"), ("Cid", "Dot", "review"));
        var config = Config.Replace("{\"decisions\"", "{\"entities\": \"people\", \"decisions\"", StringComparison.Ordinal);
        var first = await _bench.CompletedAsync(config, null, await _bench.Bench.InputAsync(Rows("1", "Ada|a@x", "Ben|a@x", "Cid|a@x", "Dot|b@x")));
        // Who has the same key as both goes with the first of them.
        (await _bench.EntitiesAsync(first)).ShouldBe("1,3 | 2 | 4");
        var again = await _bench.CompletedAsync(config, first.State, await _bench.Bench.InputAsync(Rows("2", "Eve|a@x", "Dot|b@x", "Cid|a@x", "Ben|a@x", "Ada|a@x")));
        (await _bench.EntitiesAsync(again)).ShouldBe("1,3,5 | 2 | 4");
        (await IdsAsync(again)).Where(entry => entry.Key != "Eve").ShouldBe(await IdsAsync(first), ignoreOrder: true);
    }

    [Fact]
    public async Task Decisions_that_contradict_each_other_are_told_and_the_rows_stay_together()
    {
        await DecideAsync(("Ada", "Ben", "match"), ("Ben", "Cid", "match"), ("Ada", "Cid", "different"));
        var outcome = await _bench.CompletedAsync(Config, null, await _bench.Bench.InputAsync(Rows("1", "Ada|a@x", "Ben|b@x", "Cid|c@x", "Dot|d@x")));
        (await _bench.EntitiesAsync(outcome)).ShouldBe("1,2,3 | 4");
        outcome.Warnings.ShouldHaveSingleItem().ShouldStartWith("1 decisions say \"different\" of rows that others say are the same");
        outcome.Ledger.ShouldAllBe(line => line.Balances);
    }

    [Fact]
    public async Task What_is_said_to_be_the_same_as_one_of_two_different_rows_is_different_from_the_other_one()
    {
        await DecideAsync(("Ada", "Ben", "different"), ("Ben", "Cid", "match"));
        // Dot has the key of Ada, Cid that of Ada too: but Cid is Ben.
        (await _bench.EntitiesAsync(await _bench.CompletedAsync(Config, null, await _bench.Bench.InputAsync(Rows("1", "Ada|a@x", "Ben|b@x", "Cid|a@x", "Dot|a@x"))))).ShouldBe("1,4 | 2,3");
    }

    [Theory]
    [InlineData("""{"auto": true}""")]
    [InlineData("""{"auto": false, "accept": 0.9, "review": 0.5, "compare": [{"column": "name"}, {"column": "born", "by": "levenshtein"}, {"column": "town"}], "blocks": [{"column": "born", "by": "value"}]}""")]
    public async Task Likeness_neither_joins_what_a_person_parted_nor_asks_again(string match)
    {
        var people = new Dictionary<string, string>();
        var random = new Random(4);
        string[] given = ["anna", "bernd", "carla", "dieter", "elena", "frank", "greta", "hannes", "ines", "jakob"];
        string[] last = ["abel", "brandt", "conrad", "dorn", "engel", "fuchs", "graf", "hahn", "iser", "jung", "keller", "lorenz"];
        for (var i = 0; i < 120; i++)
        {
            var (name, born, town) = ($"{given[random.Next(10)]} {last[random.Next(12)]}", $"19{random.Next(30, 99)}-{random.Next(1, 13):00}-{random.Next(1, 29):00}", $"town{random.Next(30)}");
            people[$"p{i:000}a"] = $"{name}|{born}|{town}";
            people[$"p{i:000}b"] = $"{name.Remove(3, 1)}|{born}|{town}";
        }
        var query = $"SELECT t.*, 'people@1' AS _source, CAST(row_number() OVER () AS BIGINT) AS _row FROM (VALUES {string.Join(", ", people.Select(entry => $"({string.Join(", ", entry.Value.Split('|').Select(cell => $"'{cell}'"))}, '{Key(entry.Key)}')"))}) t(name, born, town, _key)";
        var rows = await _bench.Bench.InputAsync(query);
        var config = $$"""{"decisions": "dataset:decided", "match": {{match}}}""";
        await DecideAsync(("p000a", "p000b", "review"));
        var before = await _bench.EntitiesAsync(await _bench.CompletedAsync(config, null, rows));
        before.ShouldContain("1,2 | ");
        before.ShouldContain("3,4 | ");
        before.ShouldContain("11,12 | ");

        await DecideAsync(("p000a", "p000b", "different"), ("p001a", "p002b", "match"));
        var outcome = await _bench.CompletedAsync(config, null, rows);
        var entities = (await _bench.EntitiesAsync(outcome)).Split(" | ");
        entities.ShouldContain("1");
        entities.ShouldContain("2");
        entities.ShouldContain("11,12");
        entities.ShouldContain(entity => entity.Split(',').Contains("3") && entity.Split(',').Contains("6"));
        (await _bench.Bench.RowsAsync(outcome.Outputs["pairs"], "left_row", "right_row", "decision", "decided_by", "left_key", "right_key")).ShouldContain($"1|2|different|steward|{Key("p000a")}|{Key("p000b")}");
        (await _bench.Bench.RowsAsync(outcome.Outputs["entities"], "_row", "state")).ShouldContain("1|auto");
    }

    [Fact]
    public async Task A_decision_that_is_none_and_a_dataset_that_holds_none_are_told()
    {
        await DecideAsync(("Ada", "Ben", "perhaps"));
        var rows = await _bench.Bench.InputAsync(Rows("1", "Ada|a@x", "Ben|b@x"));
        (await Should.ThrowAsync<InvalidOperationException>(_bench.CompletedAsync(Config, null, rows))).Message.ShouldStartWith("decisionUnknown at decisions: 1 of the decisions are none");
        var stored = await _bench.Bench.InputAsync("SELECT 'x' AS left_key, 'match' AS decision", "half");
        _bench.Bench.Datasets["dataset:decided"] = new ResolvedDataset("decided", 2, stored.Dataset);
        (await Should.ThrowAsync<InvalidOperationException>(_bench.CompletedAsync(Config, null, rows))).Message.ShouldContain("no column \"right_key\"");
    }

    private async Task<Dictionary<string, string>> IdsAsync(StepOutcome outcome)
    {
        var members = await _bench.Bench.RowsAsync(outcome.Outputs["members"], "_key", "entity_id");
        return members.Select(line => line.Split('|')).ToDictionary(member => System.Text.Encoding.UTF8.GetString(Convert.FromHexString(member[0])).TrimEnd('.').ToString(CultureInfo.InvariantCulture), member => member[1]);
    }
}
