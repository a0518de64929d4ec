using System.Globalization;
using System.Text.Json;
using Qualiz.Benchmarks;
using Qualiz.Benchmarks.Data;
using Qualiz.Benchmarks.Orchestration;
using Qualiz.Benchmarks.Quality;
using Qualiz.Contracts.Text;

// One measured run of the child kind, in a process of its own, so that its peak memory is its own.
if (args is [IngestChild.Argument, .. var child])
    return await IngestChild.RunAsync(child);
if (args is [CleanseChild.Argument, .. var cleanse])
    return await CleanseChild.RunAsync(cleanse, "cleanse20.json");
if (args is [CleanseChild.WithChecks, .. var clean])
    return await CleanseChild.RunAsync(clean, "clean30.json");
if (args is [ProfileChild.Argument, .. var profile])
    return await ProfileChild.RunAsync(profile);
if (args is [MatchPeopleChild.Argument, .. var people])
    return await MatchPeopleChild.RunAsync(people);

var rates = new RateOptions();
var errors = new ErrorsOptions();
IReadOnlyList<IBenchmark> benchmarks =
[
    new IngestCsvBenchmark(), new PollockBenchmark(), new CleanseBenchmark(), new ProfileBenchmark(), new DependencyBenchmark(), new PostgresBenchmark(), new DemoMemoryBenchmark(), new MatchQualityBenchmark(), new ClusterBenchmark(),
    new MatchPeopleBenchmark(), new MatchBatchesBenchmark(), new SimilarityBenchmark(),
    new OrchestrationBenchmark(Deployment.InProcess, rates), new OrchestrationBenchmark(Deployment.RabbitMq, rates),
    new ErrorsBenchmark(errors), new SemanticBenchmark(), new SuggestionBenchmark(),
];
var all = benchmarks.SelectMany(benchmark => benchmark.Names).ToList();
string? json = null;
var wanted = new HashSet<string>();
for (var i = 0; i < args.Length; i++)
{
    if (args[i] == "--json" && i + 1 < args.Length)
        json = args[++i];
    else if (args[i] == "--curves" && i + 1 < args.Length)
        errors.Curves = args[++i];
    else if (args[i] == "--from" && i + 1 < args.Length && int.TryParse(args[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var from) && from > 0)
        (rates.From, i) = (from, i + 1);
    else if (args[i] == "--seconds" && i + 1 < args.Length && int.TryParse(args[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds > 0)
        (rates.Stretch, i) = (TimeSpan.FromSeconds(seconds), i + 1);
    else if (all.Where(name => name == args[i] || name.StartsWith($"{args[i]}.", StringComparison.Ordinal)).ToList() is { Count: > 0 } meant)
        wanted.UnionWith(meant);
    else
    {
        var nearest = NearestName.Find(args[i], all);
        await Console.Error.WriteLineAsync(
            $"There is no benchmark {args[i]}{(nearest is null ? "" : $"; did you mean {nearest}?")} There are {string.Join(", ", all)}; a beginning (data.ingest) means all that begin so.");
        return 2;
    }
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, press) =>
{
    press.Cancel = true;
    stop.Cancel();
};
try
{
    var figures = new List<Figure>();
    foreach (var benchmark in benchmarks)
    {
        var names = benchmark.Names.Where(name => wanted.Count == 0 || wanted.Contains(name)).ToHashSet();
        if (names.Count == 0)
            continue;
        foreach (var figure in await benchmark.RunAsync(names, text => Console.Error.WriteLine($"  {text}"), stop.Token))
        {
            figures.Add(figure);
            var reference = figure.Reference is { } value ? string.Create(CultureInfo.InvariantCulture, $"  reference {value:0.###} {figure.Unit}, ratio {figure.Ratio:0.00}") : "";
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{figure.Name,-36} {figure.Value,12:0.###} {figure.Unit}{reference}"));
        }
    }
    if (json is not null)
        await File.WriteAllTextAsync(json, JsonSerializer.Serialize(figures, BenchmarkJson.Options), stop.Token);
    return 0;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    return 130;
}

internal static class BenchmarkJson
{
    public static readonly JsonSerializerOptions Options = new() { WriteIndented = true };
}
