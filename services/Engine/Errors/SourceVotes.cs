using System.Globalization;
using Qualiz.Engine.Columns;

namespace Qualiz.Engine.Errors;

/// <summary>
/// Several sources about the same things: a column that names the thing, one that names the source, hardly ever the same pair twice. What is true of a thing is voted;
/// a source's vote weighs as much as it is right, which follows from the votes, again and again until nothing changes.
/// </summary>
internal static class SourceVotes
{
    private const int Rounds = 20;

    /// <summary>Of so many wrong answers each is as likely as another.</summary>
    private const double WrongAnswers = 10;

    /// <summary>A source's record over all columns counts like so many of its rows in one.</summary>
    private const double Shared = 30;

    /// <summary>Of what two sources both tell, so much is the same when one copies the other.</summary>
    private const double Copied = 0.98;

    /// <summary>Of what either of two sources tells, so much is told by both when one copies the other.</summary>
    private const double Covered = 0.8;

    /// <returns>The columns it judged, and the two that it judged them by.</returns>
    public static IReadOnlySet<int> Find(CodedTable table, Evidence evidence)
    {
        List<Votes> best = [];
        var bestCells = long.MaxValue;
        HashSet<int> judged = [];
        for (var things = 0; things < table.Columns.Count; things++)
        {
            for (var sources = 0; sources < table.Columns.Count; sources++)
            {
                if (things == sources || !IsPair(table.Columns[things], table.Columns[sources]))
                    continue;
                var columns = Enumerable.Range(0, table.Columns.Count).Where(index => index != things && index != sources)
                    .Select(index => Votes.Of(table.Columns[things], table.Columns[sources], table.Columns[index], index)).OfType<Votes>().ToList();
                // Of several pairs that one with which most sources tell of most things.
                var cells = (long)table.Columns[things].Values.Length * table.Columns[sources].Values.Length;
                if (columns.Count > best.Count || (columns.Count == best.Count && cells < bestCells))
                    (best, bestCells, judged) = (columns, cells, columns.Count == 0 ? [] : [things, sources, .. columns.Select(votes => votes.Index)]);
            }
        }
        if (best.Count > 0)
        {
            var weights = Weights(best);
            foreach (var votes in best)
                votes.Weights = weights;
        }
        // How often a source is right about one column also says how often it is about another.
        for (var round = 0; round < Rounds && best.Count > 0; round++)
        {
            var tallies = best.Select(votes => votes.Round()).ToList();
            var right = Enumerable.Range(0, tallies[0].Right.Length).Select(source => tallies.Sum(tally => tally.Right[source])).ToArray();
            var all = Enumerable.Range(0, tallies[0].All.Length).Select(source => tallies.Sum(tally => tally.All[source])).ToArray();
            for (var i = 0; i < best.Count; i++)
                best[i].Learn(tallies[i], right, all);
        }
        foreach (var votes in best)
            votes.Report(evidence);
        return judged;
    }

    /// <summary>
    /// Sources that tell of the same things and say the same of them, mistakes and all, have it from one another: together they have one vote. Good sources say the
    /// same too, but each of its own things.
    /// </summary>
    private static double[] Weights(List<Votes> columns)
    {
        var sources = columns[0].Sources;
        var said = Enumerable.Range(0, sources).Select(_ => new Dictionary<(int Column, int Thing), int>()).ToArray();
        foreach (var votes in columns)
            votes.Collect(said);
        var weights = new double[sources];
        for (var one = 1; one < sources; one++)
        {
            var voices = 0;
            for (var other = 1; other < sources; other++)
            {
                var (same, both) = (0, 0);
                foreach (var (about, key) in said[one])
                {
                    if (said[other].TryGetValue(about, out var otherKey))
                        (same, both) = (same + (key == otherKey ? 1 : 0), both + 1);
                }
                voices += one == other || (both >= 20 && both >= Covered * (said[one].Count + said[other].Count - both) && same >= Copied * both) ? 1 : 0;
            }
            weights[one] = 1.0 / voices;
        }
        return weights;
    }

    /// <summary>Whether hardly a pair of their values stands twice, and each value of both in enough rows.</summary>
    private static bool IsPair(CodedColumn things, CodedColumn sources)
    {
        var rows = things.Codes.Length;
        if (things.Filled < 0.98 * rows || sources.Filled < 0.98 * rows || sources.Values.Length < 4 || rows < 5 * (things.Values.Length - 1) || rows < 10 * (sources.Values.Length - 1))
            return false;
        var pairs = new HashSet<long>(rows);
        for (var row = 0; row < rows; row++)
            pairs.Add(((long)things.Codes[row] << 32) | (uint)sources.Codes[row]);
        // Most sources tell of most things, or the two columns are not a list of who says what of what.
        return pairs.Count >= 0.98 * rows && pairs.Count >= 0.3 * (things.Values.Length - 1) * (sources.Values.Length - 1);
    }

    private sealed class Votes
    {
        private readonly CodedColumn _things;
        private readonly CodedColumn _sources;
        private readonly CodedColumn _column;
        private readonly ValueKeys _keys;
        private readonly double[] _accuracy;
        private readonly Dictionary<int, double>[] _beliefs;

        private Votes(CodedColumn things, CodedColumn sources, CodedColumn column, ValueKeys keys, int index)
        {
            _things = things;
            _sources = sources;
            _column = column;
            _keys = keys;
            Index = index;
            _accuracy = [.. sources.Values.Select(_ => 0.8)];
            _beliefs = [.. things.Values.Select(_ => new Dictionary<int, double>())];
        }

        public int Index { get; }

        public int Sources => _sources.Values.Length;

        /// <summary>What each source's vote counts.</summary>
        public double[] Weights { get; set; } = [];

        /// <returns>Null when a thing's rows agree too little to vote on one truth, or when the column is the same for all things.</returns>
        public static Votes? Of(CodedColumn things, CodedColumn sources, CodedColumn column, int index)
        {
            var keys = ValueKeys.Of(column);
            long same = 0, filled = 0;
            var overall = new Dictionary<int, int>();
            for (var thing = 1; thing < things.Values.Length; thing++)
            {
                var counts = new Dictionary<int, int>();
                foreach (var row in things.RowsOf(thing))
                {
                    if (column.Codes[row] == 0)
                        continue;
                    var key = keys[column.Codes[row]];
                    counts[key] = counts.GetValueOrDefault(key) + 1;
                    overall[key] = overall.GetValueOrDefault(key) + 1;
                    filled++;
                }
                same += counts.Values.DefaultIfEmpty().Max();
            }
            return filled >= things.Codes.Length / 4 && same >= 0.4 * filled && filled - same < 0.6 * (filled - overall.Values.Max()) ? new Votes(things, sources, column, keys, index) : null;
        }

        /// <summary>Adds what each source says of each thing.</summary>
        public void Collect(Dictionary<(int Column, int Thing), int>[] said)
        {
            for (var row = 0; row < _column.Codes.Length; row++)
            {
                if (_column.Codes[row] != 0)
                    said[_sources.Codes[row]][(Index, _things.Codes[row])] = _keys[_column.Codes[row]];
            }
        }

        public (double[] Right, double[] All) Round()
        {
            for (var thing = 1; thing < _beliefs.Length; thing++)
                Vote(thing);
            var right = new double[_accuracy.Length];
            var all = new double[_accuracy.Length];
            for (var row = 0; row < _column.Codes.Length; row++)
            {
                if (_column.Codes[row] == 0 || _things.Codes[row] == 0)
                    continue;
                all[_sources.Codes[row]]++;
                right[_sources.Codes[row]] += _beliefs[_things.Codes[row]].GetValueOrDefault(_keys[_column.Codes[row]]);
            }
            return (right, all);
        }

        /// <param name="right">What the sources are right in over all columns, of <paramref name="all"/>.</param>
        public void Learn((double[] Right, double[] All) own, double[] right, double[] all)
        {
            for (var source = 0; source < all.Length; source++)
            {
                var overall = (right[source] + 1.6) / (all[source] + 2);
                _accuracy[source] = (own.Right[source] + (Shared * overall)) / (own.All[source] + Shared);
            }
        }

        public void Report(Evidence evidence)
        {
            for (var thing = 1; thing < _beliefs.Length; thing++)
            {
                if (_beliefs[thing].Count == 0)
                    continue;
                var (key, belief) = _beliefs[thing].OrderByDescending(each => each.Value).ThenBy(each => each.Key).First();
                var text = _keys.TextOf(key);
                var rows = _things.RowsOf(thing);
                var same = 0;
                foreach (var row in rows)
                    same += _column.Codes[row] != 0 && _keys[_column.Codes[row]] == key ? 1 : 0;
                foreach (var row in rows)
                {
                    var code = _column.Codes[row];
                    var value = _column.Values[code];
                    if (value == text || (code != 0 && _keys[code] == key && _keys.IsUsual(code)))
                        continue;
                    var kind = code == 0 ? CellKind.Missing : _keys[code] == key ? CellKind.Normalise : CellKind.Error;
                    var confidence = kind == CellKind.Normalise ? 0.95 : belief;
                    evidence.Add(
                        Detector.Sources, row, Index, confidence, text, kind,
                        string.Create(CultureInfo.InvariantCulture, $"{same} of {rows.Length} sources, weighed by how often each is right, say {text} of the same {_things.Name}"));
                }
            }
        }

        private void Vote(int thing)
        {
            var scores = new Dictionary<int, double>();
            foreach (var row in _things.RowsOf(thing))
            {
                if (_column.Codes[row] == 0)
                    continue;
                var accuracy = Math.Clamp(_accuracy[_sources.Codes[row]], 0.05, 0.99);
                var key = _keys[_column.Codes[row]];
                scores[key] = scores.GetValueOrDefault(key) + (Weights[_sources.Codes[row]] * Math.Log(WrongAnswers * accuracy / (1 - accuracy)));
            }
            var best = scores.Values.DefaultIfEmpty().Max();
            var sum = scores.Values.Sum(score => Math.Exp(score - best));
            _beliefs[thing] = scores.ToDictionary(score => score.Key, score => Math.Exp(score.Value - best) / sum);
        }
    }
}
