using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Dedup;
using Qualiz.Engine.Sessions;
using Qualiz.OperatorKit;
using Qualiz.Platform.Operators;

namespace Qualiz.Benchmarks.Data;

/// <summary>
/// An entity set that grows: ten batches of a tenth of <see cref="GeneratedPeople"/> each, all but the first partial, against one batch with all of them; automatic matching. How well both find who is who, how many of the entities
/// whose members a batch did not change keep their id, and how long a batch takes.
/// </summary>
internal sealed class MatchBatchesBenchmark : IBenchmark
{
    private const int Records = 20_000;
    private const int Batches = 10;
    private const string Config = """{"entities": "people", "match": {"auto": true}}""";

    public IReadOnlyList<string> Names => ["match.batches.f1", "match.batches.ids", "match.batches.seconds"];

    public async Task<IReadOnlyList<Figure>> RunAsync(IReadOnlySet<string> wanted, Action<string> say, CancellationToken ct)
    {
        var people = new GeneratedPeople(Records);
        using var bench = new OperatorBench();
        var (before, state) = (new Dictionary<string, string>(), (JsonElement?)null);
        var (kept, unchanged) = (0L, 0L);
        var seconds = new List<double>();
        for (var batch = 0; batch < Batches; batch++)
        {
            var input = await InputAsync(bench, people, batch * Records / Batches, (batch + 1) * Records / Batches);
            var (outcome, took) = await MatchAsync(bench, state, input with { Dataset = input.Dataset with { Partial = batch > 0 } }, ct);
            seconds.Add(took);
            state = outcome.State;
            var now = await EntitiesAsync(bench, outcome);
            foreach (var (members, id) in before.Where(entity => now.ContainsKey(entity.Key)))
            {
                unchanged++;
                kept += now[members] == id ? 1 : 0;
            }
            before = now;
        }
        var (once, alone) = await MatchAsync(bench, null, await InputAsync(bench, people, 0, Records), ct);
        var all = await EntitiesAsync(bench, once);
        var (batches, one) = (F1(people, before.Keys), F1(people, all.Keys));
        say(string.Create(CultureInfo.InvariantCulture,
            $"{before.Keys.Count(all.ContainsKey):N0} of {all.Count:N0} entities of one batch are those of ten; of {unchanged:N0} entities without a change {kept:N0} kept their id; batches took {string.Join(", ", seconds.Select(one => one.ToString("0.0", CultureInfo.InvariantCulture)))} s, all at once {alone:0.0} s"));
        return
        [
            new Figure(Names[0], batches, "F1", one, one == 0 ? null : batches / one),
            new Figure(Names[1], unchanged == 0 ? 1 : (double)kept / unchanged, "of the unchanged", 1, unchanged == 0 ? 1 : (double)kept / unchanged),
            new Figure(Names[2], seconds[^1], "s for the last batch", alone, alone / seconds[^1]),
        ];
    }

    private static async Task<(StepOutcome Outcome, double Seconds)> MatchAsync(OperatorBench bench, JsonElement? state, ResolvedInput input, CancellationToken ct)
    {
        var watch = Stopwatch.StartNew();
        var result = await new DedupOperator().ExecuteAsync(OperatorBench.Config<DedupConfig>(Config), bench.Step(new StepSetup { Inputs = [input], State = state, Grant = new ResourceGrant(2L << 30, 2) }), ct);
        return result is StepResult.Completed completed ? (completed.Outcome, watch.Elapsed.TotalSeconds) : throw new InvalidOperationException($"{result}");
    }

    /// <summary>Records of the one source that all batches come from.</summary>
    private static async Task<ResolvedInput> InputAsync(OperatorBench bench, GeneratedPeople people, int from, int to)
    {
        var path = Path.Combine(bench.Folder, string.Create(CultureInfo.InvariantCulture, $"people-{from}-{to}.csv"));
        people.WriteCsv(path, from, to);
        return await bench.InputAsync(
            string.Create(CultureInfo.InvariantCulture, $"SELECT *, 'crm@1' AS _source, row_number() OVER () + {from} AS _row, CAST(row_number() OVER () + {from} - 1 AS VARCHAR) AS _key FROM read_csv({Sql.Literal(path)}, header = true, all_varchar = true)"), "crm");
    }

    /// <summary>By its members, the id of each entity.</summary>
    private static async Task<Dictionary<string, string>> EntitiesAsync(OperatorBench bench, StepOutcome outcome) =>
        (await bench.RowsAsync(outcome.State!.Value.Deserialize<EntitySetState>(EntitySetState.Options)!.Ids, "entity_id", "key")).Select(line => line.Split('|')).GroupBy(member => member[0], member => member[1])
            .ToDictionary(entity => string.Join(' ', entity.Order(StringComparer.Ordinal)), entity => entity.Key);

    private static double F1(GeneratedPeople people, IEnumerable<string> entities)
    {
        static long Pairs(long n) => n * (n - 1) / 2;
        var groups = entities.Select(entity => entity.Split(' ').Select(key => people.PersonOf(int.Parse(key, CultureInfo.InvariantCulture))).ToList()).ToList();
        var truth = groups.SelectMany(group => group).CountBy(person => person).Sum(person => Pairs(person.Value));
        return 2.0 * groups.Sum(group => group.CountBy(person => person).Sum(person => Pairs(person.Value))) / (groups.Sum(group => Pairs(group.Count)) + truth);
    }
}
