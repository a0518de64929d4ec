using System.Globalization;

namespace Qualiz.Engine.Matching.Automatic;

/// <summary>How rows are put together.</summary>
internal enum MatchForm
{
    /// <summary>Clusters of any size.</summary>
    Clusters,

    /// <summary>Two sources without duplicates of their own: a row has at most one partner.</summary>
    OneToOne,

    /// <summary>Two sources, of which one or both have duplicates: its rows may share a partner.</summary>
    ManyToOne,
}

/// <summary>What a column contributes to a pair.</summary>
/// <param name="Level">-1: a side is empty; 0 unlike to 4 equal.</param>
/// <param name="Similarity">Null when a side is empty.</param>
/// <param name="Weight">log2 of how much likelier this is for the same thing than for two, <paramref name="Rareness"/> included.</param>
/// <param name="Rareness">Of an equal value: what it weighs more or less than equal values of the column do in general.</param>
internal sealed record FieldWeight(string Name, int Level, double? Similarity, double Weight, double? Rareness);

/// <summary>
/// Finds the rows that are the same thing, with nothing said about them: what is compared, how, and from where on two rows are the same follows from the data. Two sources are linked (what lies in one
/// source is never joined), any other number is searched for duplicates as a whole.
/// </summary>
internal sealed class AutoMatcher
{
    private const int MostColumns = 40;
    private const int RandomPairs = 300_000;
    private const double LeastFilled = 0.01;

    /// <summary>Learning again from the clusters found ends when they hardly change, or after this many rounds.</summary>
    private const int MostRounds = 6;
    private const double Unchanged = 0.01;

    /// <summary>Scores that are kept: far below any threshold, pairs only have to count against.</summary>
    private const float Lowest = -WeightClusters.Most;

    /// <summary>Larger groups are parted by higher thresholds first.</summary>
    private const int LargestGroup = 1_500;

    /// <summary>Sources with a larger share of linked rows that have a duplicate beside them are not free of duplicates.</summary>
    private const double MostDuplicates = 0.1;

    private readonly RecordTable _table;
    private readonly ParallelOptions _parallel;
    private readonly Dictionary<(int, int), float> _known = [];
    private float[][] _frequencies = [];
    private byte[][] _levels = [];

    private AutoMatcher(RecordTable table, int threads, CancellationToken ct)
    {
        _table = table;
        _parallel = new ParallelOptions { CancellationToken = ct, MaxDegreeOfParallelism = Math.Max(1, threads) };
        Form = table.Sources == 2 ? MatchForm.OneToOne : MatchForm.Clusters;
        Columns = [.. table.Columns.Where(column => column.Texts.Length > 1 && column.Filled >= Math.Max(2, LeastFilled * table.Count)).Take(MostColumns)];
    }

    /// <summary>What is compared.</summary>
    public IReadOnlyList<ValueColumn> Columns { get; }
    public Candidates Candidates { get; private set; } = null!;
    public FellegiSunter Model { get; private set; } = null!;

    /// <summary>By candidate: log2 of the odds that it is the same.</summary>
    public float[] Scores { get; private set; } = [];

    /// <summary>From which score on two rows are the same.</summary>
    public double Threshold { get; private set; }
    public MatchForm Form { get; private set; }

    private PairScope Scope => _table.Sources == 2 ? PairScope.Across : PairScope.All;

    /// <param name="source">The source of each row, from 0 on.</param>
    public static AutoMatcher Run(IReadOnlyList<RawColumn> columns, int[] source, int threads, CancellationToken ct)
    {
        var matcher = new AutoMatcher(RecordTable.Of(SchemaAlignment.Align(columns, source), source, ct), threads, ct);
        matcher.Run();
        return matcher;
    }

    /// <summary>Pairs of rows that are the same at a threshold, as the rows came.</summary>
    public IEnumerable<(int A, int B)> Matches(double threshold) =>
        (Form == MatchForm.Clusters ? Clustered(threshold) : Linked(threshold).Select(i => (Candidates.A[i], Candidates.B[i]))).Select(pair => (_table.Rows[pair.Item1], _table.Rows[pair.Item2]));

    /// <summary>A candidate's rows, as they came.</summary>
    public (int A, int B) Pair(int candidate) => (_table.Rows[Candidates.A[candidate]], _table.Rows[Candidates.B[candidate]]);

    /// <summary>What a candidate's score is made of: with <see cref="FellegiSunter.PriorWeight"/> the weights add up to it.</summary>
    public IReadOnlyList<FieldWeight> Explain(int candidate)
    {
        var (a, b) = (Candidates.A[candidate], Candidates.B[candidate]);
        return
        [
            .. Columns.Select((column, c) =>
            {
                var (x, y) = (column.Codes[a], column.Codes[b]);
                var level = ValueComparer.Level(column, x, y);
                if (level == ValueComparer.Missing)
                    return new FieldWeight(column.Name, -1, null, 0, null);
                var weight = Weight(c, level, x);
                return level == ValueComparer.Equal
                    ? new FieldWeight(column.Name, level, 1, weight, weight - Usual(c))
                    : new FieldWeight(column.Name, level, ValueComparer.Similarity(column, x, y), weight, null);
            }),
        ];
    }

    /// <summary>What was found out, for people; holds no values.</summary>
    public IReadOnlyList<string> Describe()
    {
        var lines = Columns.Select((column, c) => string.Create(CultureInfo.InvariantCulture,
            $"{column.Name} as {column.Kind.ToString().ToLowerInvariant()}: {string.Join(" / ", Model.Weights[c].SkipLast(1).Select(weight => weight.ToString("0.0", CultureInfo.InvariantCulture)))}, equal {Usual(c):0.0} bits")).ToList();
        lines.Add(string.Create(CultureInfo.InvariantCulture, $"{Candidates.Count} candidates, prior {Model.PriorWeight:0.0} bits, threshold {Threshold:0.0} bits, {Form}"));
        lines.AddRange(Candidates.Reports.Where(report => report.Dropped > 0).Select(report => string.Create(CultureInfo.InvariantCulture, $"{report.Column} by {report.By}: {report.Dropped} pairs of large blocks not compared")));
        return lines;
    }

    private double Usual(int c) => Model.Weights[c][ValueComparer.Equal] - _frequencies[c].Average();

    private double AllPairs(Func<int, int> rows)
    {
        var (within, total) = (0.0, 0.0);
        for (var source = 0; source < _table.Sources; source++)
        {
            double n = rows(source);
            within += n * (n - 1) / 2;
            total += n;
        }
        return (total * (total - 1) / 2) - (Scope == PairScope.Across ? within : 0);
    }

    private void Run()
    {
        Candidates = Candidates.Find(_table, Columns, Scope, _parallel.CancellationToken);
        Scores = new float[Candidates.Count];
        _levels = Levels(Candidates.A, Candidates.B);
        var facts = Columns.Select(Frequencies).ToArray();
        _frequencies = Array.ConvertAll(facts, fact => fact.Frequency);
        var (a, b) = Random();
        var random = PatternCounts.Of(Levels(a, b), a.Length);
        var pattern = new int[Candidates.Count];
        var rareness = new float[Candidates.Count];
        Parallel.For(0, Candidates.Count, _parallel, i =>
        {
            for (var c = 0; c < _levels.Length; c++)
            {
                if (_levels[c][i] == ValueComparer.Equal)
                    rareness[i] -= _frequencies[c][Columns[c].Codes[Candidates.A[i]]];
            }
        });
        var evidence = new PairEvidence(
            Candidates.A, Candidates.B, PatternCounts.Of(_levels, Candidates.Count, pattern), pattern, rareness, Scope == PairScope.Across ? null : Array.ConvertAll(facts, fact => fact.EqualPairs));
        Model = FellegiSunter.Learn(evidence, random, _table.Count, AllPairs(source => _table.Starts[source + 1] - _table.Starts[source]));
        Settle();
        if (Form == MatchForm.Clusters)
            LearnFromClusters(evidence);
        else if (HasDuplicates())
            Form = MatchForm.ManyToOne;
    }

    /// <summary>A row that is the same as several others shares what is learnt from it among them; clusters show how many they are.</summary>
    private void LearnFromClusters(PairEvidence evidence)
    {
        var before = 0;
        for (var round = 0; round < MostRounds; round++)
        {
            var cluster = Enumerable.Range(0, _table.Count).ToArray();
            foreach (var (a, b) in Clustered(Threshold))
                cluster[b] = Math.Min(cluster[b], a);
            var found = new bool[Candidates.Count];
            for (var i = 0; i < found.Length; i++)
                found[i] = cluster[Candidates.A[i]] == cluster[Candidates.B[i]];
            var count = found.Count(same => same);
            if (count == 0 || Math.Abs(count - before) <= Unchanged * count)
                return;
            before = count;
            Model.Learn(evidence, found);
            Settle();
        }
    }

    private void Settle()
    {
        _known.Clear();
        Parallel.For(0, Candidates.Count, _parallel, i => Scores[i] = Score(Candidates.A[i], Candidates.B[i], i));
        for (var i = 0; i < Candidates.Count; i++)
        {
            if (Scores[i] > Lowest)
                _known[(Candidates.A[i], Candidates.B[i])] = Scores[i];
        }
        Threshold = Form == MatchForm.Clusters
            ? ScoreThreshold.Valley(Scores, ScoreThreshold.Even)
            : ScoreThreshold.Valley([.. Linked(Lowest).Select(i => Scores[i])], ScoreThreshold.Sure);
    }

    private double Weight(int c, byte level, int value) => level switch
    {
        ValueComparer.Missing => 0,
        // Equal values, however common, do not count against.
        ValueComparer.Equal => Math.Max(Model.Weights[c][level] - _frequencies[c][value], 0),
        _ => Model.Weights[c][level],
    };

    /// <param name="candidate">-1: not one.</param>
    private float Score(int a, int b, int candidate)
    {
        var weight = Model.PriorWeight;
        for (var c = 0; c < Columns.Count; c++)
        {
            var codes = Columns[c].Codes;
            weight += Weight(c, candidate < 0 ? ValueComparer.Level(Columns[c], codes[a], codes[b]) : _levels[c][candidate], codes[a]);
        }
        return (float)weight;
    }

    private float ScoreOf(int a, int b)
    {
        var key = a < b ? (a, b) : (b, a);
        if (!_known.TryGetValue(key, out var score))
            _known[key] = score = Score(key.Item1, key.Item2, -1);
        return score;
    }

    /// <summary>By value: log2 of how likely another row has it by chance; and how many pairs of rows are equal.</summary>
    private (float[] Frequency, double EqualPairs) Frequencies(ValueColumn column)
    {
        var counts = new int[_table.Sources][];
        for (var source = 0; source < _table.Sources; source++)
        {
            counts[source] = new int[column.Texts.Length];
            for (var row = _table.Starts[source]; row < _table.Starts[source + 1]; row++)
            {
                if (column.Codes[row] >= 0)
                    counts[source][column.Codes[row]]++;
            }
        }
        var equal = 0.0;
        for (var value = 0; value < column.Texts.Length; value++)
            equal += AllPairs(source => counts[source][value]);
        var frequencies = new float[column.Texts.Length];
        // Of rows that are alike in two sources the one may be the other; what a source repeats by itself is chance. How often a value seen once comes again: 2 n2 / n1 (I. J. Good, 1953).
        var (once, twice) = (counts.Sum(values => values.Count(count => count == 1)), counts.Sum(values => values.Count(count => count == 2)));
        var again = Math.Min(((2.0 * twice) + 0.5) / (once + 1.0), 1);
        for (var value = 0; value < frequencies.Length; value++)
        {
            var others = Scope == PairScope.Across ? counts.Sum(values => Math.Max(values[value] - 1, 0)) + again : Math.Max(column.Counts[value] - 1, 1);
            frequencies[value] = (float)Math.Log2(Math.Min(others / column.Filled, 1));
        }
        return (frequencies, equal);
    }

    private byte[][] Levels(int[] a, int[] b)
    {
        var levels = new byte[Columns.Count][];
        for (var c = 0; c < levels.Length; c++)
        {
            var (column, result) = (Columns[c], new byte[a.Length]);
            Parallel.For(0, a.Length, _parallel, i => result[i] = ValueComparer.Level(column, column.Codes[a[i]], column.Codes[b[i]]));
            levels[c] = result;
        }
        return levels;
    }

    private (int[] A, int[] B) Random()
    {
        // The table's order follows from its content, so a fixed seed draws the same pairs from the same rows.
        var random = new Random(20260101);
        var (a, b) = (new List<int>(), new List<int>());
        var border = _table.Starts[1];
        for (var i = 0; i < RandomPairs && _table.Count > 1; i++)
        {
            var (x, y) = Scope == PairScope.Across ? (random.Next(border), random.Next(border, _table.Count)) : (random.Next(_table.Count), random.Next(_table.Count));
            if (x == y)
                continue;
            a.Add(Math.Min(x, y));
            b.Add(Math.Max(x, y));
        }
        return ([.. a], [.. b]);
    }

    /// <summary>Whether rows that have several partners have them because these are duplicates of each other.</summary>
    private bool HasDuplicates()
    {
        var best = new int[_table.Count];
        Array.Fill(best, -1);
        var order = Best(Threshold);
        var (linked, doubled) = (new HashSet<int>(), new HashSet<int>());
        foreach (var i in order)
        {
            foreach (var (row, other) in new[] { (Candidates.A[i], Candidates.B[i]), (Candidates.B[i], Candidates.A[i]) })
            {
                linked.Add(row);
                if (best[row] < 0)
                    best[row] = other;
                else if (ScoreOf(best[row], other) >= Threshold)
                    doubled.Add(other);
            }
        }
        _free = [.. Enumerable.Range(0, 2).Select(source => Share(doubled, source) <= MostDuplicates * Math.Max(1, Share(linked, source)))];
        return !_free.All(free => free);

        int Share(HashSet<int> rows, int source) => rows.Count(row => row >= _table.Starts[source] && row < _table.Starts[source + 1]);
    }

    /// <summary>By source: no duplicates in it.</summary>
    private bool[] _free = [true, true];

    /// <summary>Candidates from a threshold on, the best first.</summary>
    private int[] Best(double threshold)
    {
        var order = Enumerable.Range(0, Candidates.Count).Where(i => Scores[i] >= threshold).ToArray();
        Array.Sort(Array.ConvertAll(order, i => (-Scores[i], i)), order);
        return order;
    }

    /// <summary>The best candidates first, as long as their rows are free: a row may have several partners only where these are duplicates in their source.</summary>
    private List<int> Linked(double threshold)
    {
        var taken = new bool[_table.Count];
        var links = new List<int>();
        foreach (var i in Best(threshold))
        {
            var (a, b) = (Candidates.A[i], Candidates.B[i]);
            if ((taken[a] && _free[1]) || (taken[b] && _free[0]))
                continue;
            taken[a] = taken[b] = true;
            links.Add(i);
        }
        return links;
    }

    private List<(int A, int B)> Clustered(double threshold)
    {
        var result = new List<(int, int)>();
        var strong = Enumerable.Range(0, Candidates.Count).Where(i => Scores[i] >= threshold).ToArray();
        foreach (var rows in Groups(strong, threshold))
        {
            _parallel.CancellationToken.ThrowIfCancellationRequested();
            var clusters = WeightClusters.AverageLink(rows.Count, (i, j) => (float)(ScoreOf(rows[i], rows[j]) - threshold));
            for (var i = 0; i < rows.Count; i++)
            {
                for (var j = i + 1; j < rows.Count; j++)
                {
                    if (clusters[i] == clusters[j])
                        result.Add((rows[i], rows[j]));
                }
            }
        }
        return result;
    }

    /// <summary>Rows that pairs tie together, directly or by others. Too large a group is held together by its stronger pairs alone.</summary>
    private IEnumerable<List<int>> Groups(int[] pairs, double threshold)
    {
        var sets = new UnionFind(_table.Count);
        foreach (var i in pairs)
            sets.Union(Candidates.A[i], Candidates.B[i]);
        var groups = new SortedDictionary<int, List<int>>();
        foreach (var row in pairs.SelectMany(i => (int[])[Candidates.A[i], Candidates.B[i]]).Distinct().Order())
        {
            if (!groups.TryGetValue(sets.Find(row), out var group))
                groups[sets.Find(row)] = group = [];
            group.Add(row);
        }
        foreach (var (set, group) in groups)
        {
            if (group.Count <= LargestGroup)
            {
                yield return group;
                continue;
            }
            var higher = pairs.Where(i => Scores[i] >= threshold + 1 && sets.Find(Candidates.A[i]) == set).ToArray();
            foreach (var part in Groups(higher, threshold + 1))
                yield return part;
        }
    }
}
