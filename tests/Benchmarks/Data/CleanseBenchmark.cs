using System.Globalization;

namespace Qualiz.Benchmarks.Data;

/// <summary>
/// The fixed recipes of cleanse20.json (20 rules, 3 checks) and clean30.json (the same rules, 10 checks) on the Parquet that ingest makes of the 5-million-row CSV, all four outputs on, against the
/// bare engine's copy of that Parquet. Bare and ours take turns, each in a new process with the same memory and threads.
/// </summary>
internal sealed class CleanseBenchmark : IBenchmark
{
    private const string Ratio = "data.cleanse20.ratio";
    private const string WithChecks = "clean.ratio";
    private const int Rounds = 5;

    public IReadOnlyList<string> Names => [Ratio, WithChecks];

    public async Task<IReadOnlyList<Figure>> RunAsync(IReadOnlySet<string> wanted, Action<string> say, CancellationToken ct)
    {
        var figures = new List<Figure>();
        foreach (var (name, argument, target) in new[] { (Ratio, CleanseChild.Argument, 0.4), (WithChecks, CleanseChild.WithChecks, 0.5) })
        {
            if (!wanted.Contains(name))
                continue;
            var (bare, ours) = await SideBySide.RunAsync(argument, Rounds, run => string.Create(CultureInfo.InvariantCulture, $", {run.Rows:N0} clean, {run.Rejected:N0} rejected"), say, ct);
            figures.Add(new Figure(name, bare / ours, "ratio", target, bare / ours / target));
        }
        return figures;
    }
}
