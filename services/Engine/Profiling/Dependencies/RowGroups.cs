namespace Qualiz.Engine.Profiling.Dependencies;

/// <summary>Rows of a sample that agree in some columns, group by group; a row that agrees with none is in no group. (TANE's stripped partitions.)</summary>
/// <param name="Rows">Group after group.</param>
/// <param name="Starts">Where each group begins, and where the last one ends.</param>
internal sealed record RowGroups(int[] Rows, int[] Starts)
{
    public int Count => Starts.Length - 1;

    public ReadOnlySpan<int> this[int group] => Rows.AsSpan(Starts[group], Starts[group + 1] - Starts[group]);

    public static RowGroups All(SampleTable table) => new([.. Enumerable.Range(0, table.Weights.Length)], [0, table.Weights.Length]);
}

/// <summary>Divides groups by one more column, and says how far a column agrees within them. Not for several threads.</summary>
internal sealed class GroupWork(SampleTable table)
{
    private readonly long[] _counts = new long[table.Distinct.DefaultIfEmpty(0).Max() + 1];
    private readonly int[] _places = new int[table.Distinct.DefaultIfEmpty(0).Max() + 1];
    private readonly int[] _seen = new int[table.Distinct.DefaultIfEmpty(0).Max() + 1];

    public RowGroups Divide(RowGroups groups, int column)
    {
        var codes = table.Codes[column];
        var rows = new int[groups.Rows.Length];
        var starts = new List<int> { 0 };
        var used = 0;
        for (var group = 0; group < groups.Count; group++)
        {
            var seen = 0;
            foreach (var row in groups[group])
            {
                var code = codes[row];
                if (code == SampleTable.None)
                    continue;
                if (_counts[code] == 0)
                    _seen[seen++] = code;
                _counts[code] += table.Weights[row];
                _places[code]++;
            }
            for (var i = 0; i < seen; i++)
            {
                var code = _seen[i];
                var size = _places[code];
                if (_counts[code] > 1)
                {
                    _places[code] = used;
                    used += size;
                    starts.Add(used);
                }
                else
                {
                    _places[code] = -1;
                }
            }
            foreach (var row in groups[group])
            {
                var code = codes[row];
                if (code != SampleTable.None && _places[code] >= 0)
                    rows[_places[code]++] = row;
            }
            for (var i = 0; i < seen; i++)
                (_counts[_seen[i]], _places[_seen[i]]) = (0, 0);
        }
        return new RowGroups(rows[..used], [.. starts]);
    }

    /// <summary>
    /// How many rows are in groups of several, and how far two rows of a group that are drawn by lot agree in the column, each row counting once. Being about pairs, it is the same for small groups as for
    /// large ones but for chance, where the majority's share is always high in small groups.
    /// </summary>
    /// <param name="least">Below this nobody wants to know: then the answer may come early, and be too high.</param>
    public (long Rows, double Agreement) Agreement(RowGroups groups, int column, double least)
    {
        var codes = table.Codes[column];
        var (all, agree, looked) = (0L, 0.0, 0);
        for (var group = 0; group < groups.Count; group++)
        {
            var (seen, size) = (0, 0L);
            foreach (var row in groups[group])
            {
                var code = codes[row];
                if (code == SampleTable.None)
                    continue;
                if (_counts[code] == 0)
                    _seen[seen++] = code;
                _counts[code] += table.Weights[row];
                size += table.Weights[row];
            }
            var pairs = 0.0;
            for (var i = 0; i < seen; i++)
            {
                double count = _counts[_seen[i]];
                pairs += count * (count - 1);
                _counts[_seen[i]] = 0;
            }
            if (size < 2)
                continue;
            all += size;
            agree += pairs / (size - 1);
            looked++;
            // The groups come in the order of hashes, so the first ones are as good as drawn by lot: what is this far off after many is not going to come back.
            if (looked % 32 == 0 && agree / all < least - (2 / Math.Sqrt(looked)))
                break;
        }
        return (all, all == 0 ? 0 : agree / all);
    }
}
