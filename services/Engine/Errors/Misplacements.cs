using Qualiz.Engine.Columns;

namespace Qualiz.Engine.Errors;

/// <summary>
/// Rows in which two columns have each other's values, or all values from some column on stand one column too far. A column is told from another by the forms of its values, or by the values themselves (<see cref="Distinction"/>).
/// One strange value says nothing; where several columns of a row have what belongs to their neighbours, far more often than strange values would meet by chance, the values are misplaced.
/// </summary>
internal sealed class Misplacements
{
    private const int FewestRows = 3;
    private const int SmallestTable = 20;
    private const int MostColumns = 60;

    /// <summary>Where more of the rows are so, it is how the table is.</summary>
    private const double MostRows = 0.25;

    /// <summary>The same where columns differ in their values only.</summary>
    private const double MostWeak = 0.1;

    private const double MoreProbably = 0.5;

    private readonly CodedTable _table;
    private readonly FormNumbers _numbers = new();
    private readonly IReadOnlyList<ValueForms> _forms;
    private readonly Dictionary<(int Own, int Other), Distinction?> _distinctions = [];
    private readonly List<Misplacement> _found = [];

    /// <summary>Cells that one of those found so far moves.</summary>
    private readonly HashSet<(int Row, int Column)> _moved = [];

    private Misplacements(CodedTable table)
    {
        _table = table;
        _forms = ValueForms.Of(table, _numbers);
    }

    /// <summary>What is found, no cell in two of them.</summary>
    public static IReadOnlyList<Misplacement> Find(CodedTable table)
    {
        if (table.Rows < SmallestTable || table.Columns.Count < 2)
            return [];
        var all = new Misplacements(table);
        all.Shifts();
        all.Swaps();
        return all._found;
    }

    /// <summary>The table with all values in the columns they belong to.</summary>
    public static CodedTable Repair(CodedTable table, IReadOnlyList<Misplacement> misplacements)
    {
        if (misplacements.Count == 0)
            return table;
        var repaired = misplacements.SelectMany(misplacement => misplacement.Rows.SelectMany(row => misplacement.Columns.Zip(misplacement.Repaired(table, row), (column, value) => ((row, column), value))))
            .ToDictionary(cell => cell.Item1, cell => cell.value);
        var rows = Enumerable.Range(0, table.Rows).Select(row => (IReadOnlyList<string?>)
            [.. table.Columns.Select((column, index) => repaired.TryGetValue((row, index), out var value) ? value : column.Values[column.Codes[row]])]);
        return CodedTable.Of([.. table.Columns.Select(column => column.Name)], rows);
    }

    /// <summary>Says of the cells what should stand there.</summary>
    public static void Tell(CodedTable table, IReadOnlyList<Misplacement> misplacements, Evidence evidence)
    {
        foreach (var misplacement in misplacements)
        {
            foreach (var row in misplacement.Rows)
            {
                var repaired = misplacement.Repaired(table, row);
                for (var i = 0; i < repaired.Length; i++)
                {
                    var index = misplacement.Columns[i];
                    var value = table.Columns[index].Values[table.Columns[index].Codes[row]];
                    if (value == repaired[i])
                        continue;
                    // What fell out of the last column is not known any more.
                    var isLost = misplacement.Kind == Misplaced.ToLeft && i == repaired.Length - 1;
                    evidence.Add(Detector.Misplacement, row, index, misplacement.Confidence, isLost ? null : repaired[i], value.Length == 0 ? CellKind.Missing : CellKind.Error, Reason(table, misplacement, i));
                }
            }
        }
    }

    private static string Reason(CodedTable table, Misplacement misplacement, int at)
    {
        string Name(int i) => table.Columns[misplacement.Columns[i]].Name;
        return misplacement.Kind == Misplaced.Swapped ? $"{Name(0)} and {Name(1)} have each other's values"
            : $"the values from {Name(0)} on stand one column too far to the {(misplacement.Kind == Misplaced.ToLeft ? "right" : "left")}";
    }

    private Distinction? Between(int own, int other)
    {
        if (!_distinctions.TryGetValue((own, other), out var distinction))
            _distinctions[(own, other)] = distinction = _forms[own].Column.Filled < SmallestTable || _forms[other].Column.Filled < SmallestTable ? null : Distinction.Of(_forms[own], _forms[other], _numbers);
        return distinction;
    }

    private int Code(int column, int row) => _table.Columns[column].Codes[row];

    private void Shifts()
    {
        var columns = _table.Columns.Count;
        foreach (var kind in (Misplaced[])[Misplaced.ToLeft, Misplaced.ToRight])
        {
            var isLeft = kind == Misplaced.ToLeft;
            // Of each two columns side by side: the one that may have a value of the other, and the test of it.
            var terms = new Term?[columns - 1];
            for (var at = 0; at < terms.Length; at++)
            {
                var (own, at_) = isLeft ? (at, at + 1) : (at + 1, at);
                terms[at] = Between(own, at_) is { Foreign: >= FewestRows } distinction ? new Term(at_, distinction) : null;
            }
            if (terms.Count(term => term is not null) < 2)
                continue;
            var groups = new Dictionary<(int From, int To, bool Joins), List<int>>();
            for (var row = 0; row < _table.Rows; row++)
            {
                if (terms.Count(term => term?.Holds(_table, row) == true) >= 2 && Extent(terms, isLeft, row) is { } extent)
                    (groups.TryGetValue(extent, out var rows) ? rows : groups[extent] = []).Add(row);
            }
            foreach (var (extent, rows) in groups.OrderByDescending(group => group.Value.Count).ThenBy(group => group.Key))
                Shift(kind, extent, terms, rows);
        }
    }

    /// <summary>Which columns of a row are shifted; null where some value stands where it belongs.</summary>
    private (int From, int To, bool Joins)? Extent(Term?[] terms, bool isLeft, int row)
    {
        var first = Array.FindIndex(terms, term => term?.Holds(_table, row) == true);
        var last = Array.FindLastIndex(terms, term => term?.Holds(_table, row) == true);
        int to;
        if (isLeft)
        {
            to = _table.Columns.Count - 1;
        }
        else
        {
            to = last + 1;
            while (to < _table.Columns.Count && Code(to, row) != 0)
                to++;
            if (to == _table.Columns.Count)
                return null;
        }
        for (var at = first; at < to; at++)
        {
            if (terms[at]?.Holds(_table, row) == true)
                continue;
            // The value in the column that the term is about belongs to this very column.
            var (own, other) = isLeft ? (at + 1, at) : (at, at + 1);
            if (Code(own, row) != 0 && Between(own, other)?.IsOwn(Code(own, row)) == true)
                return null;
        }
        if (!isLeft || Code(first, row) == 0)
            return (first, to, false);
        // The value before was taken apart; what stands here is its second half.
        return first == 0 || Code(first - 1, row) == 0 || Between(first, first + 1)?.IsOwn(Code(first, row)) == true ? null : (first - 1, to, true);
    }

    private void Shift(Misplaced kind, (int From, int To, bool Joins) extent, Term?[] all, List<int> rows)
    {
        var terms = all.OfType<Term>().Where(term => rows.Count(row => term.Holds(_table, row)) >= 0.9 * rows.Count).ToList();
        rows = rows.FindAll(row => terms.TrueForAll(term => term.Holds(_table, row)));
        if (terms.Count < 2 || rows.Count < FewestRows || rows.Count > MostRows * _table.Rows)
            return;
        // How often these would meet if each were an accident of its own.
        var chance = (double)_table.Rows;
        foreach (var term in terms)
            chance *= (term.Distinction!.Foreign - rows.Count + 0.5) / _table.Rows;
        var isWeak = terms.TrueForAll(term => term.Distinction!.IsWeak);
        if (!extent.Joins)
            terms.Add(new Term(kind == Misplaced.ToLeft ? extent.From : extent.To, null));
        var matching = Enumerable.Range(0, _table.Rows).Count(row => terms.TrueForAll(term => term.Holds(_table, row)));
        var misplacement = new Misplacement(
            kind, [.. Enumerable.Range(extent.From, extent.To - extent.From + 1)], extent.Joins ? Joint(_table.Columns[extent.From]) : null, terms, rows, 1 - (chance / rows.Count), isWeak);
        // What is true of rows that are not shifted says nothing.
        if (matching == rows.Count)
            Add(misplacement);
    }

    /// <summary>The delimiter that is gone; with the blank behind it where that is how the column has it.</summary>
    private static string Joint(CodedColumn column)
    {
        var (spaced, all) = (0, 0);
        for (var value = 1; value < column.Texts.Count; value++)
        {
            all += column.Texts[value].Contains(',') ? column.Counts[value] : 0;
            spaced += column.Texts[value].Contains(", ", StringComparison.Ordinal) ? column.Counts[value] : 0;
        }
        return 2 * spaced > all ? ", " : ",";
    }

    private void Swaps()
    {
        var pairs = new List<Misplacement>();
        var columns = Math.Min(_table.Columns.Count, MostColumns);
        for (var one = 0; one < columns; one++)
        {
            for (var other = one + 1; other < columns; other++)
            {
                var (here, there) = (Between(other, one), Between(one, other));
                if (here is { Foreign: < FewestRows })
                    here = null;
                if (there is { Foreign: < FewestRows })
                    there = null;
                Swap(pairs, one, other, here, there);
            }
        }
        foreach (var pair in pairs.OrderBy(pair => pair.Terms.Any(term => term.Distinction is null)).ThenByDescending(pair => pair.Unlikely * pair.Rows.Count).ThenBy(pair => pair.Columns[0]).ThenBy(pair => pair.Columns[1]))
            Add(pair);
    }

    /// <param name="here">Tells what belongs to the other column in the one; null: nothing does.</param>
    /// <param name="there">The same the other way round.</param>
    private void Swap(List<Misplacement> pairs, int one, int other, Distinction? here, Distinction? there)
    {
        var (strangeHere, strangeThere, both, intoOne, intoOther) = (0, 0, new List<int>(), new List<int>(), new List<int>());
        if (here is null && there is null)
            return;
        for (var row = 0; row < _table.Rows; row++)
        {
            var (isHere, isThere) = (here?.IsForeign(Code(one, row)) == true, there?.IsForeign(Code(other, row)) == true);
            if ((!isHere && !isThere) || _moved.Contains((row, one)) || _moved.Contains((row, other)))
                continue;
            strangeHere += isHere ? 1 : 0;
            strangeThere += isThere ? 1 : 0;
            if (isHere && isThere)
                both.Add(row);
            else if (isThere && Code(one, row) == 0)
                intoOne.Add(row);
            else if (isHere && Code(other, row) == 0)
                intoOther.Add(row);
        }
        var (rows, isWeak) = ((double)_table.Rows, here?.IsWeak != false && there?.IsWeak != false);
        var chance = (strangeHere - both.Count + 0.5) * (strangeThere - both.Count + 0.5) / rows;
        // The other column's value where there is none of its own: by chance as often as it stands beside one.
        var chanceInto = (One: Alone(strangeThere - both.Count - intoOne.Count, _table.Columns[one]), Other: Alone(strangeHere - both.Count - intoOther.Count, _table.Columns[other]));
        if (both.Count < FewestRows)
        {
            Pair(intoOne, [new Term(one, null), new Term(other, there)], chanceInto.One);
            Pair(intoOther, [new Term(one, here), new Term(other, null)], chanceInto.Other);
            return;
        }
        var (emptyOne, emptyOther) = (chanceInto.One < MoreProbably * intoOne.Count, chanceInto.Other < MoreProbably * intoOther.Count);
        Pair(
            [.. both.Concat(emptyOne ? intoOne : []).Concat(emptyOther ? intoOther : []).Order()], [new Term(one, here, emptyOne), new Term(other, there, emptyOther)],
            chance + (emptyOne ? chanceInto.One : 0) + (emptyOther ? chanceInto.Other : 0));

        double Alone(int strange, CodedColumn empty) => 2 * empty.Filled < rows ? double.PositiveInfinity : (strange + 0.5) / empty.Filled * empty.Counts[0];

        void Pair(List<int> found, IReadOnlyList<Term> terms, double byChance)
        {
            if (found.Count >= FewestRows && found.Count <= (isWeak ? MostWeak : MostRows) * rows)
                pairs.Add(new Misplacement(Misplaced.Swapped, [one, other], null, terms, found, 1 - (byChance / found.Count), isWeak));
        }
    }

    private void Add(Misplacement misplacement)
    {
        var rows = misplacement.Rows.Where(row => !misplacement.Columns.Any(index => _moved.Contains((row, index)))).ToList();
        var unlikely = misplacement.Unlikely * rows.Count / misplacement.Rows.Count;
        if (rows.Count < FewestRows || unlikely < MoreProbably || !misplacement.IsDoneOnce(_table))
            return;
        foreach (var row in rows)
            _moved.UnionWith(misplacement.Columns.Select(index => (row, index)));
        _found.Add(misplacement with { Rows = rows, Unlikely = unlikely });
    }
}
