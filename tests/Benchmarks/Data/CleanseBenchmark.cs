using System.Globalization;

namespace Qualiz.Benchmarks.Data;

/// <summary>
/// The fixed recipe of cleanse20.json (20 rules, 3 checks) on the Parquet that ingest makes of the 5-million-row CSV, all four outputs on, against the
/// bare engine's copy of that Parquet. Bare and ours take turns, each in a new process with the same memory and threads.
/// </summary>
internal sealed class CleanseBenchmark : IBenchmark
{
    private const string Ratio = "data.cleanse20.ratio";
    private const int Rounds = 5;

    public IReadOnlyList<string> Names => [Ratio];

    public async Task<IReadOnlyList<Figure>> RunAsync(IReadOnlySet<string> wanted, Action<string> say, CancellationToken ct)
    {
        var (bare, ours) = await SideBySide.RunAsync(CleanseChild.Argument, Rounds, run => string.Create(CultureInfo.InvariantCulture, $", {run.Rows:N0} clean, {run.Rejected:N0} rejected"), say, ct);
        return [new Figure(Ratio, bare / ours, "ratio", 0.4, bare / ours / 0.4)];
    }
}
