using System.Globalization;

namespace Qualiz.Engine.Matching.Automatic;

/// <summary>Which pairs are meant.</summary>
internal enum PairScope
{
    /// <summary>Any two rows.</summary>
    All,

    /// <summary>Rows of different sources.</summary>
    Across,

    /// <summary>Rows of one source.</summary>
    Within,
}

/// <summary>What one way of bringing rows together gave.</summary>
/// <param name="Pairs">Pairs it brought.</param>
/// <param name="Dropped">Pairs of blocks that were too large even after they were parted by other columns.</param>
internal sealed record BlockReport(string Column, string By, long Pairs, long Dropped);

/// <summary>
/// Pairs of rows worth comparing: those with a block in common. A block is a value, a word, a beginning, a sound. Small blocks say most and come first; a block that is too large is parted by the
/// values of the other columns, and what remains too large is left out and reported, so that the number of pairs grows with the rows and not with their square.
/// </summary>
internal sealed class Candidates
{
    /// <summary>A block with more pairs than this is parted.</summary>
    private const long MostPairs = 20_000;

    /// <summary>Pairs that one way of blocking may bring, for each row.</summary>
    private const long PairsPerRow = 25;
    private const long LeastBudget = 250_000;
    private const int Prefix = 4;
    private const int BlockBits = 8;
    private const int RowBits = 28;

    private readonly RecordTable _table;
    private readonly PairScope _scope;
    private readonly List<ulong> _found = [];
    private readonly List<BlockReport> _reports = [];

    private Candidates(RecordTable table, PairScope scope)
    {
        _table = table;
        _scope = scope;
    }

    /// <summary>The first row of each pair (its place in the table), ascending.</summary>
    public int[] A { get; private set; } = [];

    /// <summary>The second row of each pair, behind the first one.</summary>
    public int[] B { get; private set; } = [];

    /// <summary>The way of blocking that brought the pair: the first of <see cref="Reports"/>.</summary>
    public byte[] Block { get; private set; } = [];

    public IReadOnlyList<BlockReport> Reports => _reports;

    public int Count => A.Length;

    public static Candidates Find(RecordTable table, IReadOnlyList<ValueColumn> columns, PairScope scope, CancellationToken ct)
    {
        if (table.Count >= 1 << RowBits)
            throw new MatchException("tooManyRows", $"Matching by similarity takes at most {(1 << RowBits).ToString("N0", CultureInfo.InvariantCulture)} rows at a time.");
        var candidates = new Candidates(table, scope);
        foreach (var column in columns)
        {
            ct.ThrowIfCancellationRequested();
            candidates.Add(column, columns);
        }
        candidates.Finish();
        return candidates;
    }

    private void Add(ValueColumn column, IReadOnlyList<ValueColumn> columns)
    {
        AddKeys(column, "value", [.. column.Texts.Select((_, value) => (int[])[value])], column.Texts.Length, columns);
        if (column.Kind == ValueKind.Digits)
        {
            AddTexts(column, "beginning", text => text.Length >= 6 ? [text[..(text.Length / 2)]] : [], columns);
            AddTexts(column, "end", text => text.Length >= 6 ? [text[^((text.Length + 1) / 2)..]] : [], columns);
            return;
        }
        if (column.WordsPerValue > 1.05)
            AddKeys(column, "word", column.Words, column.WordTexts.Length, columns);
        if (column.Kind == ValueKind.Text)
        {
            AddTexts(column, "beginning", text => text.Length > Prefix ? [text.Replace(" ", "", StringComparison.Ordinal) is var joined && joined.Length > Prefix ? joined[..Prefix] : joined] : [], columns);
            AddTexts(column, "sound", text => [Kernels.Similarity.Soundex.Text(Kernels.Similarity.Soundex.Code(text))], columns);
        }
    }

    private void AddTexts(ValueColumn column, string by, Func<string, string[]> keys, IReadOnlyList<ValueColumn> columns)
    {
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        var byValue = column.Texts.Select(text => keys(text).Where(key => key.Length > 0).Select(key =>
        {
            if (!numbers.TryGetValue(key, out var number))
                numbers[key] = number = numbers.Count;
            return number;
        }).ToArray()).ToArray();
        AddKeys(column, by, byValue, numbers.Count, columns);
    }

    /// <param name="keys">By value, its keys.</param>
    private void AddKeys(ValueColumn column, string by, int[][] keys, int count, IReadOnlyList<ValueColumn> columns)
    {
        var starts = new int[count + 1];
        foreach (var code in column.Codes)
        {
            if (code >= 0)
            {
                foreach (var key in keys[code])
                    starts[key + 1]++;
            }
        }
        for (var i = 1; i <= count; i++)
            starts[i] += starts[i - 1];
        var rows = new int[starts[count]];
        var next = starts.AsSpan(0, count).ToArray();
        for (var row = 0; row < column.Codes.Length; row++)
        {
            if (column.Codes[row] >= 0)
            {
                foreach (var key in keys[column.Codes[row]])
                    rows[next[key]++] = row;
            }
        }
        var blocks = new List<int[]>();
        var dropped = 0L;
        for (var i = 0; i < count; i++)
        {
            var block = rows.AsSpan(starts[i], starts[i + 1] - starts[i]);
            var pairs = Pairs(block);
            if (pairs == 0)
                continue;
            if (pairs <= MostPairs)
                blocks.Add(block.ToArray());
            else
                dropped += Part(block.ToArray(), column, columns, blocks);
        }
        blocks.Sort((x, y) => x.Length.CompareTo(y.Length) is var order && order != 0 ? order : x[0].CompareTo(y[0]));
        var budget = Math.Max(LeastBudget, PairsPerRow * _table.Count);
        var taken = 0L;
        var number = (ulong)Math.Min(_reports.Count, (1 << BlockBits) - 1);
        foreach (var block in blocks)
        {
            var pairs = Pairs(block);
            if (taken + pairs > budget)
            {
                dropped += pairs;
                continue;
            }
            taken += pairs;
            Emit(block, number);
        }
        _reports.Add(new BlockReport(column.Name, by, taken, dropped));
    }

    /// <summary>Parts a block by the values of the other columns, each for itself. The answer is the pairs that are left out, by the column that leaves the fewest.</summary>
    private long Part(int[] block, ValueColumn column, IReadOnlyList<ValueColumn> columns, List<int[]> blocks)
    {
        var least = Pairs(block);
        foreach (var other in columns)
        {
            if (other == column || other.Texts.Length < 2)
                continue;
            var dropped = 0L;
            foreach (var part in block.Where(row => other.Codes[row] >= 0).GroupBy(row => other.Codes[row]))
            {
                var rows = part.ToArray();
                var pairs = Pairs(rows);
                if (pairs > MostPairs)
                    dropped += pairs;
                else if (pairs > 0)
                    blocks.Add(rows);
            }
            least = Math.Min(least, dropped);
        }
        return least;
    }

    private long Pairs(ReadOnlySpan<int> rows)
    {
        long all = rows.Length * (long)(rows.Length - 1) / 2;
        if (_scope == PairScope.All || all == 0)
            return all;
        var within = 0L;
        for (int source = 0, i = 0; source < _table.Sources; source++)
        {
            var n = 0L;
            for (; i < rows.Length && rows[i] < _table.Starts[source + 1]; i++)
                n++;
            within += n * (n - 1) / 2;
        }
        return _scope == PairScope.Within ? within : all - within;
    }

    private void Emit(int[] rows, ulong number)
    {
        for (var i = 0; i < rows.Length; i++)
        {
            var end = _scope == PairScope.All ? int.MaxValue : _table.Starts[Array.FindIndex(_table.Starts, start => start > rows[i])];
            for (var j = i + 1; j < rows.Length; j++)
            {
                if (_scope == PairScope.All || rows[j] >= end == (_scope == PairScope.Across))
                    _found.Add(((ulong)rows[i] << (RowBits + BlockBits)) | ((ulong)rows[j] << BlockBits) | number);
            }
        }
    }

    private void Finish()
    {
        var found = _found.ToArray();
        _found.Clear();
        Array.Sort(found);
        var count = 0;
        for (var i = 0; i < found.Length; i++)
        {
            if (i == 0 || found[i] >> BlockBits != found[count - 1] >> BlockBits)
                found[count++] = found[i];
        }
        (A, B, Block) = (new int[count], new int[count], new byte[count]);
        for (var i = 0; i < count; i++)
        {
            A[i] = (int)(found[i] >> (RowBits + BlockBits));
            B[i] = (int)((found[i] >> BlockBits) & ((1 << RowBits) - 1));
            Block[i] = (byte)found[i];
        }
    }
}
