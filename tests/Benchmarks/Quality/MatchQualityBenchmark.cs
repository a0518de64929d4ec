using System.Globalization;

namespace Qualiz.Benchmarks.Quality;

/// <summary>
/// How well rows of public sets are matched with no configuration, as pairwise F1: what tf-idf cosine reaches at its best threshold.
/// </summary>
internal sealed class MatchQualityBenchmark : IBenchmark
{
    public IReadOnlyList<string> Names { get; } = [.. MatchSets.All.Keys.Select(set => $"match.quality.{set}.baseline")];

    public Task<IReadOnlyList<Figure>> RunAsync(IReadOnlySet<string> wanted, Action<string> say, CancellationToken ct)
    {
        var data = Environment.GetEnvironmentVariable("QUALIZ_SHARED") is { Length: > 0 } given ? Path.Combine(given, "data") : null;
        var figures = new List<Figure>();
        if (data is null || !Directory.Exists(Path.Combine(data, "b_febrl")))
        {
            say("The match sets are not here: set QUALIZ_SHARED to the folder that holds data/b_febrl and the others. Nothing is measured.");
            return Task.FromResult<IReadOnlyList<Figure>>(figures);
        }
        foreach (var (name, (read, target)) in MatchSets.All.Where(set => wanted.Contains($"match.quality.{set.Key}.baseline")))
        {
            ct.ThrowIfCancellationRequested();
            var set = read(data);
            var baseline = TfIdfBaseline.Best(set);
            say(string.Create(CultureInfo.InvariantCulture, $"{name}: {set.Rows} rows, {set.Truth.Count} true pairs; tf-idf cosine {baseline.F1:0.000} at {baseline.Threshold:0.00}{(target is null ? "" : $"; target {target:0.000}")}"));
            figures.Add(new Figure($"match.quality.{name}.baseline", baseline.F1, "F1", null, null));
        }
        return Task.FromResult<IReadOnlyList<Figure>>(figures);
    }
}
