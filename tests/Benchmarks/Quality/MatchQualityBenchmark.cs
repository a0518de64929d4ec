using System.Diagnostics;
using System.Globalization;
using Qualiz.Engine.Columns;
using Qualiz.Engine.Matching.Automatic;

namespace Qualiz.Benchmarks.Quality;

/// <summary>
/// How well rows of public sets are matched with no configuration: pairwise F1 of the final output at the threshold that is chosen without labels, against
/// what tf-idf cosine reaches at its best one.
/// </summary>
internal sealed class MatchQualityBenchmark : IBenchmark
{
    // Around the threshold that was chosen, in bits.
    private static readonly double[] Tried = [-8, -6, -4, -3, -2, -1, 1, 2, 3, 4, 6, 8, 11, 15];

    public IReadOnlyList<string> Names { get; } = [.. MatchSets.All.Keys.Select(set => $"match.quality.{set}"), .. MatchSets.Generated.Keys.Select(set => $"match.generated.{set}")];

    public Task<IReadOnlyList<Figure>> RunAsync(IReadOnlySet<string> wanted, Action<string> say, CancellationToken ct)
    {
        var data = Environment.GetEnvironmentVariable("QUALIZ_SHARED") is { Length: > 0 } given ? Path.Combine(given, "data") : null;
        var figures = new List<Figure>();
        var details = Environment.GetEnvironmentVariable("QUALIZ_BENCH_DETAILS") is { Length: > 0 };
        var sets = MatchSets.Generated.Select(set => (Name: $"match.generated.{set.Key}", Read: set.Value, Target: (double?)null)).ToList();
        if (data is not null && Directory.Exists(Path.Combine(data, "b_febrl")))
            sets.AddRange(MatchSets.All.Select(set => (Name: $"match.quality.{set.Key}", Read: (Func<MatchSet>)(() => set.Value.Read(data)), set.Value.Target)));
        else if (wanted.Any(name => name.StartsWith("match.quality.", StringComparison.Ordinal)))
            say("The public match sets are not here: set QUALIZ_SHARED to the folder that holds data/b_febrl and the others. They are not measured.");
        foreach (var (name, read, target) in sets.Where(set => wanted.Contains(set.Name)))
        {
            ct.ThrowIfCancellationRequested();
            var set = read();
            var baseline = TfIdfBaseline.Best(set);
            var watch = Stopwatch.StartNew();
            var matcher = Match(set, ct);
            var score = set.Score(matcher.Matches(matcher.Threshold));
            var seconds = watch.Elapsed.TotalSeconds;
            var best = Tried.Append(0).Select(offset => (set.Score(matcher.Matches(matcher.Threshold + offset)).F1, Threshold: matcher.Threshold + offset)).Max();
            if (details)
            {
                foreach (var line in matcher.Compared().Concat(matcher.Found()))
                    say($"   {line}");
                foreach (var bin in Enumerable.Range(0, matcher.Candidates.Count).GroupBy(i => (int)Math.Floor(matcher.Scores[i] / 2) * 2).Where(bin => bin.Key >= -9).OrderBy(bin => bin.Key))
                    say($"   {bin.Key} bits: {bin.Count()} candidates, {bin.Count(i => set.Truth.Contains(MatchSet.Ordered(matcher.Pair(i))))} of them the same");
            }
            say(string.Create(CultureInfo.InvariantCulture,
                $"{name}: {set.Rows} rows, {set.Truth.Count} true pairs; F1 {score.F1:0.0000} (precision {score.Precision:0.000}, recall {score.Recall:0.000}) at {matcher.Threshold:0.0} bits, {matcher.Form}; "
                + $"at best {best.F1:0.0000} at {best.Threshold:0.0}; {seconds:0.0} s; tf-idf cosine at best {baseline.F1:0.0000} at {baseline.Threshold:0.00}{(target is null ? "" : $"; target {target:0.000}")}"));
            figures.Add(new Figure(name, score.F1, "F1", baseline.F1, score.F1 / baseline.F1));
            figures.Add(new Figure($"{name}.best", best.F1, "F1", null, null));
        }
        return Task.FromResult<IReadOnlyList<Figure>>(figures);
    }

    private static AutoMatcher Match(MatchSet set, CancellationToken ct)
    {
        var names = set.Tables.SelectMany(table => table.Columns).Distinct().ToList();
        var rows = set.Tables.SelectMany(table =>
        {
            var at = names.Select(name => table.Columns.ToList().IndexOf(name)).ToList();
            return table.Rows.Select(row => at.Select(i => i < 0 || row[i].Length == 0 ? null : row[i]).ToArray());
        }).ToList();
        var source = set.Tables.SelectMany((table, i) => Enumerable.Repeat(i, table.Rows.Count)).ToArray();
        return AutoMatcher.Run(CodedTable.Of(names, rows), source, new AutoMatchOptions(Environment.ProcessorCount), ct);
    }
}
