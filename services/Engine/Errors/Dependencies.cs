using System.Globalization;
using Qualiz.Engine.Columns;

namespace Qualiz.Engine.Errors;

/// <summary>
/// What one column says of another: rows with the same value on the left mostly have the same on the right. A group's minority is wrong where the groups' minorities
/// look like scattered errors, and is not where some groups are simply mixed; which it is, is estimated over all groups of the two columns.
/// </summary>
internal sealed class Dependencies
{
    /// <summary>A group of so many rows has a majority worth the name.</summary>
    private const int SmallestGroup = 3;

    /// <summary>Of the rows that the left side's most frequent value does not explain, it must explain so many.</summary>
    private const double Explained = 0.7;

    /// <summary>The groups' majorities must be so many of their rows.</summary>
    private const double Pure = 0.8;

    /// <summary>What is less probable than this is no accident.</summary>
    private const double Accident = 1e-4;

    /// <summary>Where more of the groups are mixtures, none is told from error.</summary>
    private const double MostMixed = 0.4;

    private readonly CodedTable _table;
    private readonly Evidence _evidence;

    private Dependencies(CodedTable table, Evidence evidence)
    {
        _table = table;
        _evidence = evidence;
    }

    /// <param name="judged">Columns of which more is known than a majority.</param>
    public static void Find(CodedTable table, IReadOnlySet<int> judged, Compositions compositions, Evidence evidence) => new Dependencies(table, evidence).Find(judged, compositions);

    private void Find(IReadOnlySet<int> judged, Compositions compositions)
    {
        var lefts = _table.Columns.Select((column, index) => (Groups: Grouping.Of(column), Index: index)).Where(left => left.Groups.Rows >= Math.Max(10, _table.Rows / 20)).ToList();
        for (var right = 0; right < _table.Columns.Count; right++)
        {
            var column = _table.Columns[right];
            if (column.Values.Length < 2 || judged.Contains(right))
                continue;
            var votes = new Dictionary<int, Votes>();
            foreach (var (groups, left) in lefts)
            {
                if (left == right)
                    continue;
                var says = Groups(groups, column);
                Support(says, groups.Column, right);
                if (Rule.Of(says, groups.Column, column) is { } rule)
                    Vote(rule, left, votes);
            }
            foreach (var (row, vote) in votes)
            {
                // What the row's own other values make is more than what most rows have.
                if (vote.Best is not { } best || compositions.Expected(row, right) == column.Values[column.Codes[row]])
                    continue;
                var confidence = vote.Against / (vote.Against + vote.For) * best.Confidence;
                var value = column.Codes[row];
                _evidence.Add(
                    Detector.Dependency, row, right, confidence, column.Values[best.Value], value == 0 ? CellKind.Missing : CellKind.Error,
                    string.Create(CultureInfo.InvariantCulture, $"{best.Same} of {best.Rows} rows with the same {_table.Columns[best.Left].Name} have {column.Values[best.Value]}"));
            }
        }
    }

    /// <summary>A value that a group has and hardly any other row has, as no accident would have it.</summary>
    private void Support(Sayings says, CodedColumn left, int right)
    {
        var column = _table.Columns[right];
        foreach (var group in says.Groups)
        {
            if (group.Same < Pure * group.Filled || (group.Same - 1) * Math.Log((double)column.Counts[group.Value] / _table.Rows) > Math.Log(Accident))
                continue;
            foreach (var row in left.RowsOf(group.Of))
            {
                if (column.Codes[row] == group.Value)
                    _evidence.Support(row, right);
            }
        }
    }

    private static Sayings Groups(Grouping left, CodedColumn right)
    {
        var groups = new List<Group>();
        var counts = new int[right.Values.Length];
        var overall = new int[right.Values.Length];
        int same = 0, filled = 0;
        foreach (var of in left.Values)
        {
            var rows = left.Column.RowsOf(of);
            foreach (var row in rows)
                counts[right.Codes[row]]++;
            int value = 0, most = 0, second = 0, all = 0;
            foreach (var row in rows)
            {
                var code = right.Codes[row];
                var count = counts[code];
                if (count == 0)
                    continue;
                counts[code] = 0;
                if (code == 0)
                    continue;
                overall[code] += count;
                all += count;
                if (count > most || (count == most && code < value))
                    (second, most, value) = (most, count, code);
                else
                    second = Math.Max(second, count);
            }
            if (all < SmallestGroup)
                continue;
            filled += all;
            // Seen from each of the most frequent value's rows the others must still be the majority.
            if (most - 1 > second || (most > second && most >= SmallestGroup))
            {
                same += most;
                groups.Add(new Group(of, value, most, all));
            }
        }
        return new Sayings(groups, same, filled, overall.Max());
    }

    private static void Vote(Rule rule, int left, Dictionary<int, Votes> votes)
    {
        foreach (var group in rule.Groups)
        {
            var isError = rule.IsError(group);
            foreach (var row in rule.RowsOf(group))
            {
                if (!votes.TryGetValue(row, out var vote))
                    votes[row] = vote = new Votes();
                var code = rule.Right.Codes[row];
                if (code == group.Value)
                {
                    vote.For += isError;
                    continue;
                }
                // An empty cell is wrong only where the column is not empty as a rule.
                var confidence = code == 0 ? isError * rule.FilledShare : isError;
                vote.Against += confidence;
                if (confidence > 0.05 && (vote.Best is null || confidence > vote.Best.Confidence))
                    vote.Best = new Accusation(left, group.Value, group.Same, group.Filled, confidence);
            }
        }
    }

    /// <param name="Same">Rows that have their group's most frequent value.</param>
    /// <param name="Usual">Rows that have the column's most frequent value.</param>
    private sealed record Sayings(List<Group> Groups, int Same, int Filled, int Usual);

    private sealed class Votes
    {
        public double For { get; set; }

        public double Against { get; set; }

        public Accusation? Best { get; set; }
    }

    private sealed record Accusation(int Left, int Value, int Same, int Rows, double Confidence);

    /// <summary>The rows of each value that stands in several.</summary>
    private sealed class Grouping
    {
        private Grouping(CodedColumn column, int[] values)
        {
            Column = column;
            Values = values;
            Rows = values.Sum(value => column.Counts[value]);
        }

        public CodedColumn Column { get; }

        public int[] Values { get; }

        /// <summary>How many rows are in one of the groups.</summary>
        public int Rows { get; }

        public static Grouping Of(CodedColumn column) =>
            new(column, [.. Enumerable.Range(1, column.Values.Length - 1).Where(value => column.Counts[value] >= SmallestGroup && column.Counts[value] < column.Codes.Length)]);
    }

    /// <param name="Of">The value on the left.</param>
    /// <param name="Value">The most frequent on the right.</param>
    /// <param name="Same">In so many rows.</param>
    /// <param name="Filled">Of so many that have one.</param>
    private readonly record struct Group(int Of, int Value, int Same, int Filled);

    private sealed class Rule
    {
        private readonly CodedColumn _left;
        private readonly double _error;
        private readonly double _mixed;

        private Rule(CodedColumn left, CodedColumn right, List<Group> groups)
        {
            _left = left;
            Right = right;
            Groups = groups;
            FilledShare = (double)groups.Sum(group => group.Filled) / groups.Sum(group => left.Counts[group.Of]);
            (_error, _mixed) = Estimate(groups);
        }

        public CodedColumn Right { get; }

        public List<Group> Groups { get; }

        public double FilledShare { get; }

        /// <returns>Null when the left column says little about the right one.</returns>
        public static Rule? Of(Sayings says, CodedColumn left, CodedColumn right)
        {
            if (says.Filled < Math.Max(10, left.Codes.Length / 20) || says.Groups.Count < 2)
                return null;
            if (says.Filled == says.Usual || (double)(says.Filled - says.Same) / (says.Filled - says.Usual) > 1 - Explained || says.Same < Pure * says.Filled)
                return null;
            var rule = new Rule(left, right, says.Groups);
            return rule._mixed < MostMixed ? rule : null;
        }

        public ReadOnlySpan<int> RowsOf(Group group) => _left.RowsOf(group.Of);

        /// <summary>How probably the group's minority is error, not mixture.</summary>
        public double IsError(Group group) => IsError(group, _error, _mixed);

        private static double IsError(Group group, double error, double mixed)
        {
            var wrong = group.Filled - group.Same;
            // Of a mixture any size of the minority is as likely as any other.
            var asMixed = mixed / group.Filled;
            var asError = (1 - mixed) * Binomial(wrong, group.Filled, error);
            return asError / (asError + asMixed);
        }

        private static (double Error, double Mixed) Estimate(List<Group> groups)
        {
            var (error, mixed) = (0.05, 0.1);
            for (var i = 0; i < 30; i++)
            {
                double errors = 0.5, cells = 10, mixtures = 0.5, all = 5;
                foreach (var group in groups)
                {
                    var isError = IsError(group, error, mixed);
                    errors += isError * (group.Filled - group.Same);
                    cells += isError * group.Filled;
                    mixtures += 1 - isError;
                    all++;
                }
                (error, mixed) = (errors / cells, mixtures / all);
            }
            return (error, mixed);
        }

        private static double Binomial(int wrong, int all, double share)
        {
            var log = (wrong * Math.Log(share)) + ((all - wrong) * Math.Log(1 - share));
            for (var i = 1; i <= wrong; i++)
                log += Math.Log((double)(all - wrong + i) / i);
            return Math.Exp(log);
        }
    }
}
