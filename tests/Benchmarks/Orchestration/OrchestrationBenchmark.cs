using System.Globalization;

namespace Qualiz.Benchmarks.Orchestration;

/// <summary>What may be asked of the rates on the command line.</summary>
internal sealed class RateOptions
{
    /// <summary>The first rate that <c>maxrate</c> tries.</summary>
    public int From { get; set; } = 1000;

    /// <summary>How long each rate must be held; shorter is for looking, not for figures.</summary>
    public TimeSpan Stretch { get; set; } = TimeSpan.FromSeconds(60);
}

/// <summary>
/// How fast runs go round, with persistence on and the load coming over HTTP from this process. References are published
/// figures of Kestra: 40 sequential tasks in 6.0 s; p95 0.9 s at 1,500 two-step runs a minute on 4 vCPU.
/// </summary>
internal sealed class OrchestrationBenchmark(Deployment deployment, RateOptions rates) : IBenchmark
{
    private const double KestraSequential40 = 6.0;
    private const double KestraRate1500 = 0.9;

    /// <summary>Under this p95 (seconds) a rate counts as held.</summary>
    private const double Held = 0.3;

    private readonly string _suffix = deployment == Deployment.InProcess ? "inprocess" : "rabbitmq";

    private int[] Rates => deployment == Deployment.InProcess ? [3000, 6000] : [1500, 3000];

    public IReadOnlyList<string> Names =>
        [$"orchestration.sequential40.{_suffix}", .. Rates.Select(RateName), .. ForEachSizes.Select(ForEachName), $"orchestration.maxrate.{_suffix}"];

    /// <summary>Elements of one forEach: ten times as many may take ten times as long, not more.</summary>
    public static IReadOnlyList<int> ForEachSizes => [1_000, 10_000];

    public async Task<IReadOnlyList<Figure>> RunAsync(IReadOnlySet<string> wanted, Action<string> say, CancellationToken ct)
    {
        var figures = new List<Figure>();
        await using var instance = await Instance.StartAsync(deployment, ct);
        await instance.SeedAsync(ct);
        if (wanted.Contains(Names[0]))
        {
            await Load.OneByOneAsync(instance, "sequential40", 10, ct);
            var seconds = (await Load.OneByOneAsync(instance, "sequential40", 15, ct)).Order().ToList();
            var median = seconds[seconds.Count / 2];
            say(string.Create(CultureInfo.InvariantCulture, $"40 sequential steps: median {median:0.000} s, fastest {seconds[0]:0.000} s, slowest {seconds[^1]:0.000} s"));
            figures.Add(new Figure(Names[0], median, "s", KestraSequential40, KestraSequential40 / median));
        }

        foreach (var rate in Rates.Where(rate => wanted.Contains(RateName(rate))))
        {
            var result = await AtRateAsync(instance, rate, say, ct);
            var p95 = result.Percentile(0.95);
            figures.Add(new Figure(RateName(rate), p95, "s", KestraRate1500, KestraRate1500 / p95));
            figures.Add(new Figure(RateName(rate).Replace(".p95", ".cpu", StringComparison.Ordinal), result.CpuSeconds * 1000, "ms/run", null, null));
        }

        double? perItem = null;
        foreach (var size in ForEachSizes.Where(size => wanted.Contains(ForEachName(size))))
        {
            // The first is a warm-up too, so it is done twice and the second counts.
            var seconds = (await Load.OneByOneAsync(instance, $"foreach{size}", perItem is null ? 2 : 1, ct))[^1];
            say(string.Create(CultureInfo.InvariantCulture, $"forEach over {size} elements: {seconds:0.00} s, {size / seconds:0} a second"));
            figures.Add(new Figure(ForEachName(size), seconds, "s", perItem * size, perItem * size / seconds));
            perItem ??= seconds / size;
        }

        if (wanted.Contains(Names[^1]))
        {
            // Upwards until it no longer holds: a rate that fails leaves a backlog that the next one would inherit.
            var held = 0;
            for (var rate = rates.From; ; rate += 500)
            {
                var result = await AtRateAsync(instance, rate, say, ct);
                if (result.Percentile(0.95) > Held || result.Failed > 0)
                    break;
                held = rate;
            }

            figures.Add(new Figure(Names[^1], held, "runs/min", 1500, held / 1500.0));
        }

        return figures;
    }

    private async Task<RateResult> AtRateAsync(Instance instance, int rate, Action<string> say, CancellationToken ct)
    {
        var result = await Load.AtRateAsync(instance, "two", rate, rates.Stretch, ct);
        say(string.Create(CultureInfo.InvariantCulture,
            $"{rate} a minute: {result.Runs} runs, {result.Failed} refused, median {result.Percentile(0.5):0.000} s, p95 {result.Percentile(0.95):0.000} s, p99 {result.Percentile(0.99):0.000} s, CPU {result.CpuSeconds * 1000:0.0} ms a run, load generator {result.Behind.TotalSeconds:0.0} s behind"));
        foreach (var (stage, milliseconds) in result.Stages)
            say(string.Create(CultureInfo.InvariantCulture, $"  {stage}: {milliseconds:0.0} ms"));
        return result;
    }

    private string ForEachName(int size) => $"orchestration.foreach{size}.{_suffix}";

    private string RateName(int rate) => $"orchestration.rate{rate}.{_suffix}.p95";
}
