using System.Globalization;
using Qualiz.Engine.Columns;

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

/// <summary>What the matching may use.</summary>
internal sealed record AutoMatchOptions(int Threads)
{
    /// <summary>Pairs that may be compared.</summary>
    public long MostPairs { get; init; } = long.MaxValue;

    /// <summary>Pairs that may be kept of those, in memory.</summary>
    public long MostKept { get; init; } = int.MaxValue / 2;

    /// <summary>A folder for pairs that wait to be compared; null: they are held in memory.</summary>
    public string? Scratch { get; init; }
}

/// <summary>Two rows that may be the same, as they came, the smaller number first.</summary>
/// <param name="Weight">The evidence: log2 of the odds. <paramref name="Prior"/> and the weights of the fields add up to it.</param>
/// <param name="Prior">What stands against the pair before its columns are looked at, with where the border lies in it.</param>
/// <param name="Block">What brought them together; null: others that are in one cluster with them.</param>
internal readonly record struct AutoPair(int A, int B, double Weight, double Prior, string? Block, IReadOnlyList<FieldWeight> Fields);

/// <param name="Weakest">By the clusters that similarity made: how probable it was on average where it was the least so.</param>
/// <param name="Of">By place of the matcher's table: its cluster.</param>
/// <param name="Rows">By place of the matcher's table: the row as it came.</param>
/// <param name="Pairs">May be read once.</param>
internal sealed record AutoEntities(IReadOnlyDictionary<int, double> Weakest, int[] Of, int[] Rows, IEnumerable<AutoPair> Pairs);

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

    /// <summary>Why pairs agree without being the same: so many reasons at most, learnt in so many turns with what the same looks like.</summary>
    private const int MostRelations = 3;
    private const int Turns = 3;
    private const int RoundsPerTurn = 10;
    private const double LeastTelling = 0.5;
    private const double LeastBits = 1;
    private const double LeastRelated = -6;
    private const int MostRelatedCells = 1_000_000;

    /// <summary>Scores that are kept: far below any threshold, pairs only have to count against.</summary>
    private const float Lowest = -WeightClusters.Most;

    /// <summary>Larger groups are parted by higher thresholds first.</summary>
    private const int LargestGroup = 1_500;

    /// <summary>Of many rows that are bound together, this many different ones are compared with others.</summary>
    private const int MostSpeakers = 8;

    /// <summary>All pairs of a cluster up to this size are told of, also those that no block brought together.</summary>
    private const int MostCompleted = 200;

    /// <summary>Sources with a larger share of linked rows that have a duplicate beside them are not free of duplicates.</summary>
    private const double MostDuplicates = 0.1;

    /// <summary>Pairs that are compared at most, for each row; small tables may have more.</summary>
    private const long PairsPerRow = 15;
    private const long LeastPairs = 15_000_000;

    /// <summary>Of very many candidates, those that are less likely than this before anything is learnt are let go: none that is the same is so unlike.</summary>
    private const float Faint = -24;

    private readonly RecordTable _table;
    private readonly ParallelOptions _parallel;
    private readonly AutoMatchOptions _options;
    private readonly long _mostPairs;
    private readonly ValueColumn[] _columns;
    private readonly int[] _cells;
    private float[][] _frequencies = [];

    /// <summary>By column, the average of <see cref="_frequencies"/> over its values.</summary>
    private double[] _usual = [];
    private PairEvidence _evidence = null!;

    /// <summary>Null: rows are compared by their columns alone.</summary>
    private WholeView? _view;

    /// <summary>Too much to look at all words of the rows.</summary>
    private bool _isTooLarge;
    private IReadOnlyList<Relation> _relations = [];

    private AutoMatcher(RecordTable table, AutoMatchOptions options, CancellationToken ct)
    {
        _table = table;
        _options = options;
        _parallel = new ParallelOptions { CancellationToken = ct, MaxDegreeOfParallelism = Math.Max(1, options.Threads) };
        _mostPairs = Math.Min(Math.Max(LeastPairs, PairsPerRow * table.Count), options.MostPairs);
        Form = table.Sources == 2 ? MatchForm.OneToOne : MatchForm.Clusters;
        _columns = [.. table.Columns.Where(column => column.Distinct > 1 && column.Filled >= Math.Max(2, LeastFilled * table.Count)).Take(Math.Min(MostColumns, Array.MaxLength / Math.Max(1, table.Count)))];
        _cells = Cells(_columns, table.Count);
    }

    /// <summary>Why pairs agree without being the same.</summary>
    public IReadOnlyList<Relation> Relations => _relations;

    /// <summary>What is compared.</summary>
    public IReadOnlyList<ValueColumn> Columns => _columns;

    /// <summary>The names of the fields that a pair's score is made of.</summary>
    public IReadOnlyList<string> Fields => [.. Columns.Select(column => column.Name), .. _view is null ? [] : (string[])[WholeView.Field]];
    public Candidates Candidates { get; private set; } = null!;
    public FellegiSunter Model { get; private set; } = null!;

    /// <summary>By candidate: log2 of the odds that it is the same.</summary>
    public float[] Scores { get; private set; } = [];

    /// <summary>From which score on two rows are the same.</summary>
    public double Threshold { get; private set; }
    public MatchForm Form { get; private set; }

    private PairScope Scope => _table.Sources == 2 ? PairScope.Across : PairScope.All;

    /// <param name="source">The source of each row, from 0 on.</param>
    public static AutoMatcher Run(CodedTable table, int[] source, AutoMatchOptions options, CancellationToken ct) => Run(RecordTable.Of(table, source, ct), options, ct);

    public static AutoMatcher Run(RecordTable table, AutoMatchOptions options, CancellationToken ct)
    {
        var matcher = new AutoMatcher(table, options, ct);
        matcher.Run();
        return matcher;
    }

    /// <summary>Pairs of rows that are the same at a threshold, as the rows came.</summary>
    public IEnumerable<(int A, int B)> Matches(double threshold)
    {
        if (Form != MatchForm.Clusters)
            return Linked(threshold).Select(Pair);
        var clusters = Cluster(threshold, null, []).Of;
        var members = IntLists.Rows(clusters, _table.Count);
        return Enumerable.Range(0, _table.Count).Where(cluster => members.Length(cluster) > 1).SelectMany(cluster => Both(members[cluster].ToArray()))
            .Select(pair => (_table.Rows[pair.A], _table.Rows[pair.B]));
    }

    /// <summary>The number of pairs that large blocks would have brought and that were not compared.</summary>
    public long Dropped => Candidates.Reports.Sum(report => report.Dropped);

    /// <summary>From which score on rows are the same when they have to be that likely to be: what was found to be the border stands for <see cref="Usual"/>.</summary>
    public double Border(double accept) => FellegiSunter.Bits(accept) - Shift;

    /// <summary>Added to a score, so that the border lies at the odds of <see cref="Usual"/>: the model's own odds are too sure where columns depend on each other.</summary>
    public double Shift => FellegiSunter.Bits(Usual) - Threshold;

    /// <summary>What is the same, by row as it came.</summary>
    /// <param name="accept">How likely rows have to be the same.</param>
    /// <param name="keyed">By row as it came: the first row that a key says is the same.</param>
    /// <param name="apart">Of <paramref name="keyed"/>, those that never become one.</param>
    public AutoEntities Entities(double accept, double review, int[] keyed, IReadOnlyList<(int A, int B)> apart)
    {
        var clusters = Form == MatchForm.Clusters ? Cluster(Border(accept), keyed, apart) : Joined(Linked(Border(accept)), keyed, apart);
        return new AutoEntities(clusters.Weakest, clusters.Of, _table.Rows, Told(clusters.Of, Border(review), keyed));
    }

    /// <summary>A candidate's rows, as they came.</summary>
    public (int A, int B) Pair(int candidate) => (_table.Rows[Candidates.A[candidate]], _table.Rows[Candidates.B[candidate]]);

    /// <summary>What a candidate's score is made of: the prior and the weights of the fields add up to it.</summary>
    public (double Prior, IReadOnlyList<FieldWeight> Fields) Explain(int candidate) => Explain(Candidates.A[candidate], Candidates.B[candidate]);

    /// <summary>The same for any two places of the table. What a column weighs is held against what explains the pair best, if it is not the same: chance, or a relation.</summary>
    private (double Prior, IReadOnlyList<FieldWeight> Fields) Explain(int a, int b)
    {
        var relation = Evidence(a, b).Other.Relation is >= 0 and var k ? _relations[k] : null;
        var counts = _view is { ColumnsCount: false } ? 0 : 1;
        return (counts * (Model.PriorWeight - (relation?.Weight ?? 0)),
        [
            .. Columns.Select((column, c) =>
            {
                var (x, y) = (column.Codes[a], column.Codes[b]);
                var level = ValueComparer.Level(column, x, y);
                if (level == ValueComparer.Missing)
                    return new FieldWeight(column.Name, -1, null, 0, null);
                var same = Weight(c, level, x);
                var weight = same - (relation?.Of(c, same) ?? 0);
                return level == ValueComparer.Equal
                    ? new FieldWeight(column.Name, level, 1, counts * weight, counts * (same - EqualWeight(c)))
                    : new FieldWeight(column.Name, level, ValueComparer.Similarity(column, Math.Min(x, y), Math.Max(x, y)), counts * weight, null);
            }),
            .. _view is { } view ? [view.Explain(a, b)] : (FieldWeight[])[],
        ]);
    }

    /// <summary>By column, what it weighs from unlike to equal, for people; holds no values.</summary>
    public IReadOnlyList<string> Compared() =>
    [
        .. Columns.Select((column, c) => string.Create(CultureInfo.InvariantCulture,
            $"{column.Name} as {column.Kind.ToString().ToLowerInvariant()}: {string.Join(" / ", Model.Weights[c].SkipLast(1).Select(weight => weight.ToString("0.0", CultureInfo.InvariantCulture)))}, equal {EqualWeight(c):0.0} bits")),
    ];

    /// <summary>How many of the pairs that are the same blocks bring together.</summary>
    public BlockingEstimate? Blocking => BlockingEstimate.Of(
        Enumerable.Range(0, Candidates.Count).Where(i => Scores[i] >= Threshold).CountBy(i => (int)Candidates.Times[i]).ToDictionary(entry => entry.Key, entry => (long)entry.Value), Columns.Count);

    /// <summary>What else was found out, for people; holds no values.</summary>
    public IReadOnlyList<string> Found()
    {
        var form = Form switch
        {
            MatchForm.OneToOne => "both inputs look free of duplicates, so rows are linked one to one",
            MatchForm.ManyToOne => "an input has duplicates of its own, so its rows may share a partner",
            _ => "duplicates are looked for in all rows",
        };
        return
        [
            string.Create(CultureInfo.InvariantCulture, $"{Candidates.Compared:N0} pairs compared; {form}; prior {Model.PriorWeight:0.0} bits, the same from {Threshold:0.0} bits on"),
            .. Blocking is { } blocking ? [blocking.Told] : Array.Empty<string>(),
            .. _relations.Select(relation => string.Create(CultureInfo.InvariantCulture,
                $"about {double.Exp2(relation.Weight) * Model.AllPairs:N0} pairs share {string.Join(", ", Columns.Where((_, c) => relation.Shares[c] > 0.5).Select(column => column.Name))} without being the same")),
            .. _view is not null ? [_view.Said] : _isTooLarge ? (string[])["the inputs are too large to look for values that stand in other columns"] : [],
            .. Candidates.Reports.Where(report => report.Dropped > 0).Select(report => string.Create(CultureInfo.InvariantCulture, $"{report.Column} by {report.By}: {report.Dropped:N0} pairs of large blocks not compared by it")),
        ];
    }

    /// <summary>The probability that the border between the same and the different stands for.</summary>
    private const double Usual = 0.95;

    /// <summary>What equal values of a column weigh in general.</summary>
    private double EqualWeight(int c) => Model.Weights[c][ValueComparer.Equal] - _usual[c];

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
        var facts = Columns.Select(Frequencies).ToArray();
        _frequencies = Array.ConvertAll(facts, fact => fact.Frequency);
        _usual = Array.ConvertAll(_frequencies, frequencies => (double)frequencies.Skip(1).Average());
        var (a, b) = Random();
        var random = Patterns(a, b, out _);
        // What is known before any pair is compared suffices to let go of those that are nowhere near.
        Model = FellegiSunter.Start(random, _table.Count, AllPairs(source => _table.Starts[source + 1] - _table.Starts[source]));
        Candidates = Candidates.Find(_table, Columns, Scope, new CandidateOptions(Score, Faint) { Budget = _mostPairs, MostKept = _options.MostKept, Scratch = _options.Scratch }, _parallel);
        Scores = new float[Candidates.Count];
        var patterns = Patterns(Candidates.A, Candidates.B, out var pattern);
        var rareness = new float[Candidates.Count];
        Portions(i =>
        {
            var x = Cells(Candidates.A[i]);
            var y = Cells(Candidates.B[i]);
            for (var c = 0; c < x.Length; c++)
            {
                if (x[c] == y[c] && x[c] > 0)
                    rareness[i] -= _frequencies[c][x[c]];
            }
        });
        _evidence = new PairEvidence(Candidates.A, Candidates.B, patterns, pattern, rareness, Scope == PairScope.Across ? null : Array.ConvertAll(facts, fact => fact.EqualPairs));
        Learn(Model);
        Settle();
        if (Form == MatchForm.Clusters)
        {
            LearnFromClusters();
            return;
        }
        if (HasDuplicates())
            Form = MatchForm.ManyToOne;
        else
            LookAtAllWords();
    }

    /// <summary>Links by all words of the rows, beside the columns or instead of them, where that is expected to be clearly better.</summary>
    private void LookAtAllWords()
    {
        if (_table.Count < FellegiSunter.Enough)
            return;
        if (Candidates.Count > WholeView.MostPairs || RecordWords.Of(_table, _parallel.CancellationToken) is not { } words)
        {
            _isTooLarge = true;
            return;
        }
        var alike = new float[Candidates.Count];
        Portions(i => alike[i] = (float)words.Similarity(Candidates.A[i], Candidates.B[i]));
        if (WholeView.Choose(Candidates.A, Candidates.B, Scores, alike, Threshold, _table.Starts[1], _table.Count) is not var (counts, weight, threshold))
            return;
        _view = new WholeView(words, counts, weight);
        Portions(i => Scores[i] = _view.Score(counts ? Scores[i] : 0, alike[i]));
        Threshold = threshold;
    }

    /// <summary>
    /// Learns what the same looks like, and for which reasons pairs agree without being it: in turn, as each is known only as well as the other. Where such pairs are many, they are what the same is taken for
    /// at first; so it is also tried to begin with what is usual, and the better explanation stays.
    /// </summary>
    private void Learn(FellegiSunter usual)
    {
        var learnt = usual.Copy();
        learnt.Learn(_evidence);
        var likely = Likely([learnt, usual]);
        // Of large tables every so manieth row is enough, with all its pairs; the order of rows follows from a hash of their content.
        var each = 1 + (int)((long)likely.Length * Columns.Count / MostRelatedCells);
        likely = Array.FindAll(likely, i => Candidates.A[i] % each == 0);
        var evidence = _evidence.Only(likely, each);
        var (best, most) = ((Model: learnt, Relations: (IReadOnlyList<Relation>)[]), 0.0);
        foreach (var start in (FellegiSunter[])[learnt, usual])
        {
            Model = start.Copy();
            var first = Related(likely, each);
            _relations = first.Learn([], MostRelations, TellingColumns());
            if (_relations.Count == 0 && first.Supposed(TellingColumns()) is { } supposed)
            {
                // What is taken for the same may be too mixed to show what it is mixed with: parted by force for a while, it shows whether they were two.
                for (var turn = 0; turn < Turns; turn++)
                {
                    _relations = supposed;
                    Relearn(evidence, likely);
                    supposed = Related(likely, each).Refined(supposed);
                }
                _relations = Related(likely, each).Learn([], MostRelations, TellingColumns());
                if (_relations.Count == 0)
                    Model = start.Copy();
            }
            for (var turn = 1; turn < Turns && _relations.Count > 0; turn++)
            {
                Relearn(evidence, likely);
                var related = Related(likely, each);
                _relations = turn == Turns - 1 ? related.Settle(_relations, TellingColumns()) : related.Learn(_relations, _relations.Count, TellingColumns());
            }
            if (_relations.Count > 0)
                Relearn(evidence, likely);
            // Where others share much, the same is what shares the most.
            var telling = Enumerable.Range(0, Columns.Count).Sum(Model.Telling);
            if (start == learnt || (_relations.Count > 0 && telling > most))
                (best, most) = ((Model, _relations), telling);
        }
        (Model, _relations) = best;
    }

    /// <summary>Columns that tell the same from the different, those that do it best first.</summary>
    private List<int> TellingColumns() =>
        [.. Enumerable.Range(0, Columns.Count).Where(c => Columns[c].Filled >= LeastTelling * _table.Count && Model.Telling(c) >= LeastBits).OrderByDescending(Model.Telling).ThenBy(c => c)];

    /// <summary>Learns what the same looks like from some of the candidates, held against the relations.</summary>
    private void Relearn(PairEvidence evidence, int[] likely)
    {
        var against = new float[likely.Length];
        Parallel.For(0, likely.Length, _parallel, i => against[i] = (float)Evidence(Candidates.A[likely[i]], Candidates.B[likely[i]]).Other.Bits);
        evidence.Against = against;
        Model.Learn(evidence, RoundsPerTurn);
    }

    /// <summary>Candidates that may be the same by one of the models, if only chance stands against it.</summary>
    private int[] Likely(FellegiSunter[] models)
    {
        var likely = new bool[Candidates.Count];
        foreach (var model in models)
        {
            Model = model;
            Portions(i => likely[i] |= _evidence.Rareness[i] + model.Weight(_evidence.Patterns.Pattern(_evidence.Pattern[i])) + model.PriorWeight > LeastRelated);
        }
        return [.. Enumerable.Range(0, likely.Length).Where(i => likely[i])];
    }

    private RelatedPairs Related(int[] chosen, int each)
    {
        var ratios = new double[chosen.Length * Columns.Count];
        var odds = new double[chosen.Length];
        Parallel.For(0, chosen.Length, _parallel, i =>
        {
            var x = Cells(Candidates.A[chosen[i]]);
            var y = Cells(Candidates.B[chosen[i]]);
            var same = Model.PriorWeight;
            for (var c = 0; c < x.Length; c++)
            {
                var level = ValueComparer.Level(_columns[c], x[c], y[c]);
                var weight = Weight(c, level, x[c]);
                same += weight;
                ratios[(i * x.Length) + c] = level == ValueComparer.Missing ? double.NaN : double.Exp2(weight);
            }
            odds[i] = Math.Min(double.Exp2(same), RelatedPairs.MostOdds);
        });
        return new RelatedPairs(Columns.Count, ratios, odds, Model.Prior, Model.AllPairs, each, _parallel);
    }

    /// <summary>The evidence for the same, chance alone against it.</summary>
    private double Same(int a, int b)
    {
        var weight = Model.PriorWeight;
        var x = Cells(a);
        var y = Cells(b);
        for (var c = 0; c < x.Length; c++)
            weight += Weight(c, ValueComparer.Level(_columns[c], x[c], y[c]), x[c]);
        return weight;
    }

    /// <summary>A row that is the same as several others shares what is learnt from it among them; clusters show how many they are.</summary>
    private void LearnFromClusters()
    {
        var before = 0;
        for (var round = 0; round < MostRounds; round++)
        {
            var cluster = Cluster(Threshold, null, []).Of;
            var found = new bool[Candidates.Count];
            var count = 0;
            for (var i = 0; i < found.Length; i++)
                count += (found[i] = cluster[Candidates.A[i]] == cluster[Candidates.B[i]]) ? 1 : 0;
            if (count == 0 || Math.Abs(count - before) <= Unchanged * count)
                return;
            before = count;
            Model.Learn(_evidence, found);
            Settle();
        }
    }

    private void Settle()
    {
        // What depends on the pattern alone is worked out once for each.
        var bases = new double[_evidence.Patterns.Counts.Length];
        var equal = new int[bases.Length][];
        for (var i = 0; i < bases.Length; i++)
        {
            var levels = _evidence.Patterns.Pattern(i).ToArray();
            equal[i] = [.. Enumerable.Range(0, levels.Length).Where(c => levels[c] == ValueComparer.Equal)];
            bases[i] = Model.PriorWeight + levels.Select((level, c) => level is ValueComparer.Missing or ValueComparer.Equal ? 0 : Model.Weights[c][level]).Sum();
        }
        Portions(i =>
        {
            var score = bases[_evidence.Pattern[i]];
            foreach (var c in equal[_evidence.Pattern[i]])
                score += Weight(c, ValueComparer.Equal, Columns[c].Codes[Candidates.A[i]]);
            Scores[i] = score > Lowest && _relations.Count > 0 ? Score(Candidates.A[i], Candidates.B[i]) : (float)score;
        });
        Threshold = Form == MatchForm.Clusters
            ? ScoreThreshold.Valley(Scores, ScoreThreshold.Even)
            : ScoreThreshold.Valley([.. Linked(Lowest).Select(i => Scores[i])], ScoreThreshold.Sure);
    }

    /// <summary>Does something for every candidate.</summary>
    private void Portions(Action<int> work)
    {
        const int Portion = 1 << 15;
        Parallel.For(0, (Candidates.Count + Portion - 1) / Portion, _parallel, portion =>
        {
            var end = (int)Math.Min(Candidates.Count, (portion + 1L) * Portion);
            for (var i = portion * Portion; i < end; i++)
                work(i);
        });
    }

    /// <summary>The evidence for the same with chance alone against it, and for what else explains it best: the relation, or -1 for chance, and its bits.</summary>
    private (double Same, (int Relation, double Bits) Other) Evidence(int a, int b)
    {
        var same = Same(a, b);
        var other = (Relation: -1, Bits: 0.0);
        // Where nothing speaks for the same, it does not matter what speaks against it.
        if (same <= Lowest)
            return (same, other);
        var x = Cells(a);
        var y = Cells(b);
        for (var k = 0; k < _relations.Count; k++)
        {
            var bits = _relations[k].Weight;
            for (var c = 0; c < x.Length; c++)
            {
                var level = ValueComparer.Level(_columns[c], x[c], y[c]);
                if (level != ValueComparer.Missing)
                    bits += _relations[k].Of(c, Weight(c, level, x[c]));
            }
            if (bits > other.Bits)
                other = (k, bits);
        }
        return (same, other);
    }

    private double Weight(int c, byte level, int value) => level switch
    {
        ValueComparer.Missing => 0,
        // Equal values, however common, do not count against.
        ValueComparer.Equal => Math.Max(Model.Weights[c][level] - _frequencies[c][value], 0),
        _ => Model.Weights[c][level],
    };

    private float Score(int a, int b)
    {
        var (same, other) = Evidence(a, b);
        var bits = (float)(same - other.Bits);
        return _view is null ? bits : _view.Score(bits, (float)_view.Words.Similarity(a, b));
    }

    /// <summary>By value: log2 of how likely another row has it by chance; and how many pairs of rows are equal.</summary>
    private (float[] Frequency, double EqualPairs) Frequencies(ValueColumn column)
    {
        var counts = new int[_table.Sources][];
        for (var source = 0; source < _table.Sources; source++)
        {
            counts[source] = new int[column.Texts.Count];
            for (var row = _table.Starts[source]; row < _table.Starts[source + 1]; row++)
                counts[source][column.Codes[row]]++;
        }
        var equal = 0.0;
        for (var value = 1; value < column.Texts.Count; value++)
            equal += AllPairs(source => counts[source][value]);
        var frequencies = new float[column.Texts.Count];
        // Of rows that are alike in two sources the one may be the other; what a source repeats by itself is chance. How often a value seen once comes again: 2 n2 / n1 (I. J. Good, 1953).
        var (once, twice) = (counts.Sum(values => values.Skip(1).Count(count => count == 1)), counts.Sum(values => values.Skip(1).Count(count => count == 2)));
        var again = Math.Min(((2.0 * twice) + 0.5) / (once + 1.0), 1);
        for (var value = 1; value < frequencies.Length; value++)
        {
            var others = Scope == PairScope.Across ? counts.Sum(values => Math.Max(values[value] - 1, 0)) + again : Math.Max(column.Counts[value] - 1, 1);
            frequencies[value] = (float)FellegiSunter.Rounded(Math.Log2(Math.Min(others / column.Filled, 1)));
        }
        return (frequencies, equal);
    }

    private PatternCounts Patterns(int[] a, int[] b, out int[] pattern) =>
        PatternCounts.Of(Columns.Count, a.Length, i =>
        {
            var x = Cells(a[i]);
            var y = Cells(b[i]);
            var levels = UInt128.Zero;
            for (var c = 0; c < x.Length; c++)
                levels = (levels << PatternCounts.LevelBits) | ValueComparer.Level(_columns[c], x[c], y[c]);
            return levels;
        }, _parallel, out pattern);

    /// <summary>The numbers of a row's values, by column: side by side, because a pair's rows lie anywhere.</summary>
    private ReadOnlySpan<int> Cells(int row) => _cells.AsSpan(row * _columns.Length, _columns.Length);

    private static int[] Cells(ValueColumn[] columns, int rows)
    {
        var cells = new int[rows * columns.Length];
        for (var c = 0; c < columns.Length; c++)
        {
            var codes = columns[c].Codes;
            for (var (row, at) = (0, c); row < rows; row++, at += columns.Length)
                cells[at] = codes[row];
        }
        return cells;
    }

    private (int[] A, int[] B) Random()
    {
        // The table's order follows from its content, so a fixed seed draws the same pairs from the same rows.
        var random = new Random(20260101);
        var (a, b) = (new List<int>(), new List<int>());
        var border = _table.Starts[1];
        for (var i = 0; i < RandomPairs && _table.Count > 1; i++)
        {
            if (Scope == PairScope.Across && (border == 0 || border == _table.Count))
                break;
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
                else if (Score(Math.Min(best[row], other), Math.Max(best[row], other)) >= Threshold)
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

    /// <summary>What links and keys tie together.</summary>
    private Clusters Joined(List<int> links, int[] keyed, IReadOnlyList<(int A, int B)> apart)
    {
        var sets = Keyed(keyed, apart);
        var weakest = new Dictionary<int, float>();
        links = links.FindAll(i => sets.Union(Candidates.A[i], Candidates.B[i]));
        foreach (var i in links)
        {
            var set = sets.Find(Candidates.A[i]);
            weakest[set] = Math.Min(weakest.GetValueOrDefault(set, float.MaxValue), Scores[i]);
        }
        return new Clusters([.. Enumerable.Range(0, _table.Count).Select(sets.Find)], weakest.ToDictionary(entry => entry.Key, entry => Probability(entry.Value)));
    }

    private double Probability(double score) => FellegiSunter.Probability(score + Shift);

    /// <summary>Rows that keys tie together.</summary>
    private UnionFind Keyed(int[]? keyed, IReadOnlyList<(int A, int B)> apart)
    {
        var sets = new UnionFind(_table.Count);
        if (keyed is null)
            return sets;
        var first = new int[_table.Count];
        Array.Fill(first, -1);
        for (var place = 0; place < _table.Count; place++)
        {
            ref var known = ref first[keyed[_table.Rows[place]]];
            if (known < 0)
                known = place;
            else
                sets.Union(known, place);
        }
        foreach (var (a, b) in apart)
            sets.Forbid(first[a], first[b]);
        return sets;
    }

    /// <param name="Of">By place: the first place of its cluster.</param>
    /// <param name="Weakest">By the clusters that similarity made: how probable it was on average where it was the least so.</param>
    private sealed record Clusters(int[] Of, Dictionary<int, double> Weakest);

    private Clusters Cluster(double threshold, int[]? keyed, IReadOnlyList<(int A, int B)> apart)
    {
        // Equal rows, and such that a key ties together, are never parted, unless people said so.
        var bound = Keyed(keyed, apart);
        var strong = new List<int>();
        for (var i = 0; i < Candidates.Count; i++)
        {
            if (Scores[i] < threshold)
                continue;
            var (a, b) = (Candidates.A[i], Candidates.B[i]);
            if (_table.Likes[b] == a)
                bound.Union(a, b);
            else
                strong.Add(i);
        }
        var of = new int[_table.Count];
        for (var place = 0; place < of.Length; place++)
            of[place] = bound.Find(place);
        var units = IntLists.Rows(of, of.Length);
        var weakest = new Dictionary<int, double>();
        foreach (var group in Groups(strong, of, threshold))
        {
            _parallel.CancellationToken.ThrowIfCancellationRequested();
            var members = group.Select(unit => Speakers(units[unit])).ToArray();
            var clusters = WeightClusters.AverageLink([.. group.Select(units.Length)], (i, j) => bound.AreApart(group[i], group[j]) ? float.NegativeInfinity : (float)(Average(members[i], members[j]) - threshold), out var least);
            for (var i = 0; i < group.Count; i++)
            {
                var first = group[clusters[i]];
                foreach (var place in units[group[i]])
                    of[place] = first;
                if (least[clusters[i]] < float.MaxValue)
                    weakest[first] = Probability(least[clusters[i]] + threshold);
            }
        }
        return new Clusters(of, weakest);
    }

    /// <summary>The rows that stand for those that are bound together: different ones, and not too many.</summary>
    private int[] Speakers(ReadOnlySpan<int> rows)
    {
        var result = new List<int>();
        foreach (var row in rows)
        {
            if (result.Count < MostSpeakers && !result.Contains(_table.Likes[row]))
                result.Add(_table.Likes[row]);
        }
        return [.. result];
    }

    private float Average(int[] some, int[] others)
    {
        if (some.Length == 1 && others.Length == 1)
            return Score(Math.Min(some[0], others[0]), Math.Max(some[0], others[0]));
        var sum = 0.0;
        foreach (var a in some)
        {
            foreach (var b in others)
                sum += Score(Math.Min(a, b), Math.Max(a, b));
        }
        return (float)(sum / ((double)some.Length * others.Length));
    }

    /// <summary>Units of rows that pairs tie together, directly or by others. Too large a group is held together by its stronger pairs alone.</summary>
    /// <param name="units">By place: the first place of what is bound together.</param>
    private IEnumerable<List<int>> Groups(List<int> pairs, int[] units, double threshold)
    {
        var sets = new UnionFind(_table.Count);
        var tied = new HashSet<int>();
        foreach (var i in pairs)
        {
            var (a, b) = (units[Candidates.A[i]], units[Candidates.B[i]]);
            if (a == b)
                continue;
            sets.Union(a, b);
            tied.Add(a);
            tied.Add(b);
        }
        var groups = new Dictionary<int, List<int>>();
        foreach (var unit in tied.Order())
        {
            if (!groups.TryGetValue(sets.Find(unit), out var group))
                groups[sets.Find(unit)] = group = [];
            group.Add(unit);
        }
        foreach (var (set, group) in groups.OrderBy(entry => entry.Key))
        {
            if (group.Count <= LargestGroup)
            {
                yield return group;
                continue;
            }
            var higher = pairs.Where(i => Scores[i] >= threshold + 1 && sets.Find(units[Candidates.A[i]]) == set).ToList();
            foreach (var part in Groups(higher, units, threshold + 1))
                yield return part;
        }
    }

    /// <summary>Pairs that are told of: those that are likely enough, and all that lie in one cluster.</summary>
    /// <param name="keyed">Of rows that a key ties together nothing is told.</param>
    private IEnumerable<AutoPair> Told(int[] clusters, double least, int[] keyed)
    {
        for (var i = 0; i < Candidates.Count; i++)
        {
            var (a, b) = (Candidates.A[i], Candidates.B[i]);
            if ((Scores[i] >= least || clusters[a] == clusters[b]) && keyed[_table.Rows[a]] != keyed[_table.Rows[b]])
                yield return Tell(a, b, Scores[i], Candidates.Name(Candidates.Block[i]));
        }
        var members = IntLists.Rows(clusters, _table.Count);
        for (var cluster = 0; cluster < members.Count; cluster++)
        {
            if (members.Length(cluster) is < 3 or > MostCompleted)
                continue;
            foreach (var (a, b) in Both(members[cluster].ToArray()))
            {
                if (keyed[_table.Rows[a]] != keyed[_table.Rows[b]] && !IsCandidate(a, b))
                    yield return Tell(a, b, Score(a, b), null);
            }
        }
    }

    private AutoPair Tell(int a, int b, double score, string? block)
    {
        var (x, y) = (_table.Rows[a], _table.Rows[b]);
        var (prior, fields) = Explain(a, b);
        return new AutoPair(Math.Min(x, y), Math.Max(x, y), score + Shift, prior + Shift, block, fields);
    }

    private bool IsCandidate(int a, int b)
    {
        var (low, high) = (0, Candidates.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            var order = (Candidates.A[middle], Candidates.B[middle]).CompareTo((a, b));
            if (order == 0)
                return true;
            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }
        return false;
    }

    private static IEnumerable<(int A, int B)> Both(int[] rows)
    {
        for (var i = 0; i < rows.Length; i++)
        {
            for (var j = i + 1; j < rows.Length; j++)
                yield return (rows[i], rows[j]);
        }
    }
}
