using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Dedup;
using Qualiz.Engine.Sessions;
using Qualiz.Ingest;
using Qualiz.OperatorKit;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Outbound;

namespace Qualiz.Benchmarks.Data;

/// <summary>
/// Records of people with realistic errors (<see cref="GeneratedPeople"/>) to golden records: the dedup operator with nothing but <c>match: {auto: true}</c>, from ingest's Parquet to all its ports written, in a process
/// of its own. How well it found who is who is told too.
/// </summary>
internal sealed class MatchPeopleBenchmark : IBenchmark
{
    private static readonly IReadOnlyList<(string Name, int Records, double? Seconds)> Sizes = [("tenth", 100_000, null), ("million", 1_000_000, 60), ("fivemillion", 5_000_000, null)];
    private const double Limit = 4;

    public IReadOnlyList<string> Names => [.. Sizes.SelectMany(size => Kinds(size.Name))];

    private static string[] Kinds(string size) => [$"match.{size}.seconds", $"match.{size}.memory", $"match.{size}.f1"];

    public async Task<IReadOnlyList<Figure>> RunAsync(IReadOnlySet<string> wanted, Action<string> say, CancellationToken ct)
    {
        var figures = new List<Figure>();
        foreach (var (name, records, target) in Sizes.Where(size => Kinds(size.Name).Any(wanted.Contains)))
        {
            var folder = Directory.CreateTempSubdirectory("qualiz-bench-").FullName;
            try
            {
                var size = records.ToString(CultureInfo.InvariantCulture);
                await WorkerChild.RunAsync([MatchPeopleChild.Argument, "prepare", folder, size], ct);
                var run = await WorkerChild.RunAsync([MatchPeopleChild.Argument, "match", folder, size], ct);
                var score = JsonSerializer.Deserialize<PeopleScore>(await File.ReadAllTextAsync(Path.Combine(folder, MatchPeopleChild.ScoreFile), ct))!;
                foreach (var line in score.Said)
                    say(line);
                say(string.Create(CultureInfo.InvariantCulture,
                    $"{run.Rows:N0} records are {score.Entities:N0} golden records in {run.Seconds:0.0} s (processor {run.CpuSeconds:0.0} s), peak {run.PeakBytes / 1e9:0.00} GB; precision {score.Precision:0.0000}, recall {score.Recall:0.0000}"));
                figures.Add(new Figure(Kinds(name)[0], run.Seconds, "s", target, target / run.Seconds));
                figures.Add(new Figure(Kinds(name)[1], run.PeakBytes / 1e9, "GB", Limit, Limit * 1e9 / run.PeakBytes));
                figures.Add(new Figure(Kinds(name)[2], score.F1, "F1", null, null));
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }
        return figures;
    }
}

/// <summary>How the entities compare with the people, by pairs of records.</summary>
internal sealed record PeopleScore(long Entities, double Precision, double Recall, IReadOnlyList<string> Said)
{
    public double F1 => Precision + Recall == 0 ? 0 : 2 * Precision * Recall / (Precision + Recall);
}

/// <summary>One run in a process of its own.</summary>
internal static class MatchPeopleChild
{
    public const string Argument = "match-people-child";
    public const string ScoreFile = "score.json";

    /// <summary>What the step is granted: what it takes beside that has to fit below 4 GB too. The columns of five million records do not all fit into as much as those of a million.</summary>
    private static long MemoryBytes(int records) => records > 1_000_000 ? 15L << 28 : 3L << 30;
    private const int Threads = 2;
    private const string People = "people.csv";

    /// <summary>Arguments: prepare|match, a folder, the number of records.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        var (kind, folder, records) = (args[0], args[1], int.Parse(args[2], CultureInfo.InvariantCulture));
        if (kind == "prepare")
        {
            await PrepareAsync(folder, records);
            Console.WriteLine("{}");
            return 0;
        }
        // A worker is used again and again, so it is not measured on loading code.
        var small = Directory.CreateDirectory(Path.Combine(folder, "small")).FullName;
        await PrepareAsync(small, 20_000);
        await MatchAsync(small);
        var before = Environment.CpuUsage.TotalTime;
        var watch = Stopwatch.StartNew();
        var (bench, outcome, said) = await MatchAsync(folder);
        var seconds = watch.Elapsed.TotalSeconds;
        var result = new ChildResult(seconds, (Environment.CpuUsage.TotalTime - before).TotalSeconds, records, 0, IngestChild.PeakBytes());
        await File.WriteAllTextAsync(Path.Combine(folder, ScoreFile), JsonSerializer.Serialize(Score(bench, outcome, folder, said)));
        Console.WriteLine(JsonSerializer.Serialize(result));
        return 0;
    }

    private static string Truth(string folder) => Path.Combine(folder, "truth.csv");

    private static async Task PrepareAsync(string folder, int records)
    {
        var people = new GeneratedPeople(records);
        var csv = Path.Combine(folder, People);
        people.WriteCsv(csv, 0, records);
        await File.WriteAllLinesAsync(Truth(folder), Enumerable.Range(0, records).Select(record => string.Create(CultureInfo.InvariantCulture, $"{record + 1},{people.PersonOf(record)}")));
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Folders:Roots:0"] = folder }).Build();
        // The folder stays, so the bench is not disposed of.
        var bench = new OperatorBench(Directory.CreateDirectory(Path.Combine(folder, "bench")).FullName);
        var result = await new IngestOperator(configuration, new OutboundGuard(configuration)).ExecuteAsync(
            new IngestConfig { From = new IngestSource { Folder = csv } },
            bench.Step(new StepSetup { Grant = new ResourceGrant(IngestChild.MemoryBytes, Threads), Log = NullLogger.Instance }), CancellationToken.None);
        var dataset = ((StepResult.Completed)result).Outcome.Outputs["out"];
        await File.WriteAllTextAsync(Path.Combine(folder, "dataset.json"), JsonSerializer.Serialize(dataset));
        File.Delete(csv);
    }

    private static async Task<(OperatorBench Bench, StepOutcome Outcome, IReadOnlyList<string> Said)> MatchAsync(string folder)
    {
        var bench = new OperatorBench(Path.Combine(folder, "bench"));
        var dataset = JsonSerializer.Deserialize<DatasetRef>(await File.ReadAllTextAsync(Path.Combine(folder, "dataset.json")))!;
        var result = await new DedupOperator().ExecuteAsync(
            OperatorBench.Config<DedupConfig>("""{"match": {"auto": true}}"""),
            bench.Step(new StepSetup { Inputs = [new ResolvedInput("people", dataset)], Grant = new ResourceGrant(MemoryBytes((int)dataset.Rows), Threads) }), CancellationToken.None);
        return result switch
        {
            StepResult.Completed { Outcome: var outcome } => (bench, outcome, [.. bench.Log.Lines]),
            StepResult.Failed failed => throw new InvalidOperationException($"{failed.Error.Code}: {failed.Error.Message}"),
            var other => throw new InvalidOperationException($"{other}"),
        };
    }

    private static PeopleScore Score(OperatorBench bench, StepOutcome outcome, string folder, IReadOnlyList<string> said)
    {
        using var session = EngineSession.Open(new EngineOptions { MemoryBytes = IngestChild.MemoryBytes, Threads = Threads, Scratch = folder, Directories = [folder] });
        var members = Path.Combine(bench.StoreFolder, outcome.Outputs["members"].Files[0].Key);
        var pairs = session.Query(
            $"""
            WITH shared AS (
              SELECT m.entity_id, t.person, count(*) AS n FROM read_parquet({Sql.Literal(members)}) m JOIN read_csv({Sql.Literal(Truth(folder))}, header = false, names = ['record', 'person']) t ON t.record = m.row GROUP BY 1, 2)
            SELECT (SELECT sum(n * (n - 1) / 2) FROM shared)::DOUBLE, (SELECT sum(n * (n - 1) / 2) FROM (SELECT sum(n) AS n FROM shared GROUP BY entity_id))::DOUBLE,
              (SELECT sum(n * (n - 1) / 2) FROM (SELECT sum(n) AS n FROM shared GROUP BY person))::DOUBLE
            """, row => (Right: row.GetDouble(0), Found: row.GetDouble(1), True: row.GetDouble(2)))[0];
        return new PeopleScore(outcome.Outputs["entities"].Rows, pairs.Found == 0 ? 0 : pairs.Right / pairs.Found, pairs.Right / pairs.True, said);
    }
}
