using System.Data.Common;
using System.Globalization;
using Qualiz.Engine.Matching.Automatic;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Matching;

/// <summary>
/// What comparisons weigh, learnt from the rows: the probabilities m and u of each level of likeness and the share of same pairs, by expectation-maximisation (<see cref="FellegiSunter"/>). u is from random
/// pairs and from how frequent values are, m and the share from the pairs that blocks bring together, with the share one over all pairs. An equal value weighs by its own frequency. The border between the same and
/// the different is the valley in the distribution of scores (<see cref="ScoreThreshold"/>), for which a probability of 0.95 stands.
/// </summary>
internal sealed class LearntScorer : IPairScorer
{
    /// <summary>Pairs that are learnt from; of more it is a part that follows from their content.</summary>
    private const long MostPairs = 2_000_000;
    private const int RandomRows = 40_000;
    private const int RandomSteps = 5;

    /// <summary>A table of so few rows shows all its pairs.</summary>
    private const int FewRows = 600;

    /// <summary>Pairs are put together by how they agree, and by how rare that is: in steps of 1 / so many bits.</summary>
    private const int Steps = 2;

    /// <summary>Scores below say nothing of where the border is.</summary>
    private const double Lowest = -12;
    private const double Usual = 0.95;
    private const string Missing = "7";

    private readonly FellegiSunter _model;
    private readonly IReadOnlyList<Comparer> _by;

    /// <summary>By comparison: the rareness of its values on average.</summary>
    private readonly double[] _rareness;
    private readonly double _prior;

    private LearntScorer(FellegiSunter model, IReadOnlyList<Comparer> by, double[] rareness, double threshold)
    {
        _model = model;
        _by = by;
        _rareness = rareness;
        Threshold = threshold;
        _prior = model.PriorWeight + FellegiSunter.Bits(Usual) - FellegiSunter.Rounded(threshold);
    }

    /// <summary>From which score on two rows are the same, as the model counts it.</summary>
    public double Threshold { get; }

    /// <summary>By comparison, what equal values weigh in general, in bits.</summary>
    public double EqualWeight(int c) => Math.Max(_model.Weights[c][ValueComparer.Equal] + _rareness[c], 0);

    /// <summary>By comparison, what it weighs from unlike to equal, for people; holds no values.</summary>
    public IReadOnlyList<string> Compared(IReadOnlyList<WeighedComparison> compare) =>
    [
        .. compare.Select((comparison, c) => string.Create(CultureInfo.InvariantCulture,
            $"{comparison.Column} by {comparison.By}: {string.Join(" / ", _model.Weights[c].SkipLast(1).Select(weight => weight.ToString("0.0", CultureInfo.InvariantCulture)))}, equal {EqualWeight(c):0.0} bits")),
    ];

    public string Found => string.Create(CultureInfo.InvariantCulture, $"weights learnt from the pairs: prior {_model.PriorWeight:0.0} bits, the same from {Threshold:0.0} bits on");

    /// <param name="rows">A table of the rows: c0, c1, ... as they are compared, and f0, f1, ...: the rareness of each value, in whole numbers of 1/4096 bits.</param>
    /// <param name="pairs">A query of pairs that blocks bring together, each once: x and y with these columns.</param>
    /// <param name="brought">About how many these are.</param>
    public static async Task<LearntScorer> LearnAsync(EngineSession session, IReadOnlyList<Comparer> by, string rows, string pairs, long brought, CancellationToken ct)
    {
        var facts = await FactsAsync(session, by.Count, rows, ct).ConfigureAwait(false);
        var random = await RandomAsync(session, by, rows, facts.Rows, ct).ConfigureAwait(false);
        var allPairs = Math.Max(facts.Rows * (facts.Rows - 1.0) / 2, 1);
        var model = FellegiSunter.Start(PatternCounts.Of(by.Count, random.Levels, random.Counts), (int)Math.Min(facts.Rows, int.MaxValue), allPairs);
        var each = 1 + (brought / MostPairs);
        var seen = await PatternsAsync(session, by, each == 1 ? pairs : $"{pairs} WHERE xor({Hash("x.", by.Count)}, {Hash("y.", by.Count)}) % {each.ToString(CultureInfo.InvariantCulture)} = 0", ct).ConfigureAwait(false);
        var patterns = PatternCounts.Of(by.Count, seen.Levels, Array.ConvertAll(seen.Counts, count => count * each));
        model.Learn(patterns, seen.Rareness, facts.EqualPairs);
        var scores = new List<float>();
        for (var i = 0; i < seen.Counts.Length; i++)
        {
            if (model.Weight(patterns.Pattern(i)) + model.PriorWeight + seen.Rareness[i] is var score && score >= Lowest)
                scores.AddRange(Enumerable.Repeat((float)score, (int)Math.Min(seen.Counts[i], MostPairs)));
        }
        return new LearntScorer(model, by, facts.Rareness, ScoreThreshold.Valley(scores, ScoreThreshold.Even));
    }

    public string Probability(IReadOnlyList<PairField> fields) => $"(1 / (1 + pow(2, -({string.Join(" + ", fields.Select(Weight).Prepend(Number(_prior)))}))))";

    public IReadOnlyList<FieldEvidence> Evidence(IReadOnlyList<PairField> fields) =>
    [
        .. fields.Select((field, c) => new FieldEvidence(
            field.Name, $"CAST({Level(_by[c], field.Similarity, "-1")} AS BIGINT)", field.Similarity, Weight(field, c),
            $"CASE WHEN {field.Similarity} >= 1 THEN {Equal(c, field.Rareness)} - {Number(EqualWeight(c))} END")),
        new FieldEvidence(AutomaticTables.Prior, FieldEvidence.NoLevel, FieldEvidence.None, Number(_prior), FieldEvidence.None),
    ];

    private string Weight(PairField field, int c)
    {
        var weights = _model.Weights[c];
        var levels = Similarities.Levels(_by[c]);
        return $"(CASE WHEN {field.Similarity} IS NULL THEN 0 WHEN {field.Similarity} >= 1 THEN {Equal(c, field.Rareness)} "
            + $"{string.Concat(Enumerable.Range(0, levels.Count).Reverse().Select(i => $"WHEN {field.Similarity} >= {Number(levels[i])} THEN {Number(weights[i + 1])} "))}ELSE {Number(weights[0])} END)";
    }

    /// <summary>Equal values, however common, do not count against.</summary>
    private string Equal(int c, string rareness) => $"greatest({Number(_model.Weights[c][ValueComparer.Equal])} + coalesce({rareness}, {Number(_rareness[c])}), 0)";

    private static string Level(Comparer by, string similarity, string missing)
    {
        var levels = Similarities.Levels(by);
        return $"CASE WHEN {similarity} IS NULL THEN {missing} WHEN {similarity} >= 1 THEN {levels.Count + 1} "
            + $"{string.Concat(Enumerable.Range(0, levels.Count).Reverse().Select(i => $"WHEN {similarity} >= {Number(levels[i])} THEN {i + 1} "))}ELSE 0 END";
    }

    private static async Task<(long Rows, double[] Rareness, double[] EqualPairs)> FactsAsync(EngineSession session, int columns, string rows, CancellationToken ct)
    {
        var (rareness, equal) = (new double[columns], new double[columns]);
        for (var c = 0; c < columns; c++)
        {
            var i = c.ToString(CultureInfo.InvariantCulture);
            (rareness[c], equal[c]) = (await session.QueryAsync(
                $"SELECT coalesce(avg(f), 0), coalesce(sum(n * (n - 1) / 2), 0)::DOUBLE FROM (SELECT any_value(f{i}) AS f, count(*) AS n FROM {rows} WHERE c{i} IS NOT NULL GROUP BY c{i})",
                row => (FellegiSunter.Rounded(row.GetDouble(0)), row.GetDouble(1)), ct).ConfigureAwait(false))[0];
        }
        return (await session.ScalarAsync<long>($"SELECT count(*) FROM {rows}", ct).ConfigureAwait(false), rareness, equal);
    }

    /// <summary>Pairs as chance makes them. Which ones follows from the rows' content, not from their order.</summary>
    private static async Task<Seen> RandomAsync(EngineSession session, IReadOnlyList<Comparer> by, string rows, long count, CancellationToken ct)
    {
        var order = string.Join(", ", Enumerable.Range(0, by.Count).Select(c => $"c{c.ToString(CultureInfo.InvariantCulture)}").Prepend(Hash("", by.Count)));
        var taken = Math.Min(count, RandomRows);
        var numbered = $"(SELECT *, row_number() OVER (ORDER BY {order}) - 1 AS i FROM (SELECT * FROM {rows} ORDER BY {order} LIMIT {RandomRows.ToString(CultureInfo.InvariantCulture)}))";
        // Equal rows lie side by side, so the other one is looked for far away.
        var steps = string.Join(", ", Enumerable.Range(1, RandomSteps).Select(step => $"({(taken * step / ((2 * RandomSteps) + 1)).ToString(CultureInfo.InvariantCulture)})"));
        return await PatternsAsync(session, by, count <= FewRows
            ? $"FROM {numbered} x JOIN {numbered} y ON y.i > x.i"
            : $"FROM {numbered} x, (VALUES {steps}) s(step) JOIN {numbered} y ON y.i = (x.i + s.step) % {taken.ToString(CultureInfo.InvariantCulture)}", ct).ConfigureAwait(false);
    }

    private sealed record Seen(byte[] Levels, double[] Rareness, double[] Counts);

    /// <summary>How pairs agree, and how many agree so.</summary>
    private static async Task<Seen> PatternsAsync(EngineSession session, IReadOnlyList<Comparer> by, string pairs, CancellationToken ct)
    {
        var numbers = Enumerable.Range(0, by.Count).Select(c => c.ToString(CultureInfo.InvariantCulture)).ToList();
        var (levels, rareness, counts) = (new List<byte>(), new List<double>(), new List<double>());
        await foreach (var line in session.StreamAsync(
            $"""
            SELECT {string.Join(", ", numbers.Select((i, c) => $"CAST({Level(by[c], $"s{i}", Missing)} AS INTEGER) AS l{i}"))},
              CAST(round({Steps} * ({string.Join(" + ", numbers.Select(i => $"CASE WHEN s{i} >= 1 THEN coalesce(t{i}, 0) ELSE 0 END"))})) AS INTEGER) AS rareness, count(*)
            FROM (SELECT {string.Join(", ", numbers.Select((i, c) => $"{Similarities.Of(by[c], $"x.c{i}", $"y.c{i}")} AS s{i}, least(x.f{i}, y.f{i}) AS t{i}"))} {pairs})
            GROUP BY ALL ORDER BY ALL
            """, reader => Read(reader, by.Count), ct).ConfigureAwait(false))
        {
            levels.AddRange(line.Levels);
            rareness.Add((double)line.Rareness / Steps);
            counts.Add(line.Count);
        }
        return new Seen([.. levels], [.. rareness], [.. counts]);

        static (byte[] Levels, int Rareness, long Count) Read(DbDataReader reader, int columns) =>
            ([.. Enumerable.Range(0, columns).Select(c => (byte)reader.GetInt32(c))], reader.GetInt32(columns), reader.GetInt64(columns + 1));
    }

    private static string Hash(string of, int columns) => $"hash({string.Join(", ", Enumerable.Range(0, columns).Select(c => $"{of}c{c.ToString(CultureInfo.InvariantCulture)}"))})";

    private static string Number(double value) => Sql.Literal(value);
}
