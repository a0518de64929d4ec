using System.Globalization;
using Qualiz.Engine.Columns;
using Qualiz.Engine.Kernels.Similarity;

namespace Qualiz.Engine.Matching.Automatic;

/// <summary>Which pairs are meant.</summary>
internal enum PairScope
{
    /// <summary>Any two rows.</summary>
    All,

    /// <summary>Rows of different sources, of which there are two.</summary>
    Across,
}

/// <summary>What one way of bringing rows together gave.</summary>
/// <param name="Pairs">Pairs it brought.</param>
/// <param name="Dropped">Pairs of blocks that were too large which no part of these brought either; another way may.</param>
internal sealed record BlockReport(string Column, string By, long Pairs, long Dropped);

/// <summary>
/// Pairs of rows worth comparing: those with a block in common. A block is a value, a word, a beginning, a sound. Small blocks say most and come first; a block that is too large is parted by the
/// values of the other columns, and what remains too large is left out and reported, so that the number of pairs grows with the rows and not with their square. Of very many pairs only those are kept that may be the same at all.
/// </summary>
internal sealed class Candidates
{
    /// <summary>A block with more pairs than this is parted.</summary>
    private const int MostPairs = 20_000;

    /// <summary>Pairs that one way of blocking may bring, for each row.</summary>
    private const long PairsPerRow = 25;
    private const long LeastBudget = 250_000;
    private const int Prefix = 4;

    /// <summary>Pairs that are looked at together, and how many a thread takes of them at a time. A table that brings no more keeps them all.</summary>
    private const int Portion = 4_000_000;
    private const int Share = 1 << 15;
    private const int BlockBits = 8;
    private const int RowBits = 28;

    /// <summary>The way that brings equal rows together comes behind all others.</summary>
    private const int EqualRows = (1 << BlockBits) - 1;

    private readonly RecordTable _table;
    private readonly IReadOnlyList<ValueColumn> _columns;
    private readonly PairScope _scope;

    /// <summary>The rows that take part: of equal ones the first.</summary>
    private readonly int[] _rows;
    private readonly CandidateOptions _options;
    private readonly ParallelOptions _parallel;

    private Candidates(RecordTable table, IReadOnlyList<ValueColumn> columns, PairScope scope, CandidateOptions options, ParallelOptions parallel)
    {
        _options = options;
        _table = table;
        _columns = columns;
        _scope = scope;
        _parallel = parallel;
        _rows = [.. Enumerable.Range(0, table.Count).Where(row => scope == PairScope.Across || table.Likes[row] == row)];
    }

    /// <summary>The first row of each pair (its place in the table), ascending.</summary>
    public int[] A { get; private set; } = [];

    /// <summary>The second row of each pair, behind the first one.</summary>
    public int[] B { get; private set; } = [];

    /// <summary>The way of blocking that brought the pair: the first of <see cref="Reports"/>.</summary>
    public byte[] Block { get; private set; } = [];

    /// <summary>By pair: how many columns brought it; of equal rows all did.</summary>
    public byte[] Times { get; private set; } = [];

    public IReadOnlyList<BlockReport> Reports { get; private set; } = [];

    /// <summary>Pairs that are kept.</summary>
    public int Count => A.Length;

    /// <summary>Pairs that were compared.</summary>
    public long Compared { get; private set; }

    /// <summary>Pairs in a block at most.</summary>
    public int LargestBlock { get; private set; } = MostPairs;

    /// <summary>There would have been more pairs than there may be, so blocks had to be smaller or were left out.</summary>
    public bool IsLimited { get; private set; }

    /// <summary>More pairs than may be kept might have been the same, so the less likely ones were let go.</summary>
    public bool IsLetGo { get; private set; }

    /// <summary>In words, what brought the pair.</summary>
    public string Name(int block) => block < Reports.Count ? $"{Reports[block].Column} by {Reports[block].By}" : "all columns by value";

    public static Candidates Find(RecordTable table, IReadOnlyList<ValueColumn> columns, PairScope scope, CandidateOptions options, ParallelOptions parallel)
    {
        if (table.Count >= 1 << RowBits)
            throw new MatchException("tooManyRows", $"Matching by similarity takes at most {(1 << RowBits).ToString("N0", CultureInfo.InvariantCulture)} rows at a time.");
        var candidates = new Candidates(table, columns, scope, options, parallel);
        candidates.Find();
        return candidates;
    }

    private void Find()
    {
        var budget = _options.Budget;
        var ways = _columns.SelectMany(Ways).Take(EqualRows).ToArray();
        // How many pairs there are in blocks of each size: from it follows how large blocks may be.
        var sizes = new long[ways.Length][];
        Parallel.For(0, ways.Length, _parallel, i => sizes[i] = Sizes(ways[i].Blocks()));
        var perWay = Math.Max(LeastBudget, PairsPerRow * _table.Count);
        var (most, scarce) = (MostPairs, false);
        if (sizes.Sum(size => Math.Min(perWay, size.Sum())) > budget / 2)
        {
            // Half of what may be is for blocks as they are, the other one for parts of larger ones.
            (most, scarce) = (0, true);
            for (long taken = 0; most < MostPairs; most++)
            {
                taken += sizes.Sum(size => size[most + 1]);
                if (taken > budget / 2)
                    break;
            }
        }
        using var found = new PairRuns(_options.Scratch);
        var reports = new BlockReport[ways.Length];
        Parallel.For(0, ways.Length, _parallel, i =>
        {
            var limit = scarce ? Math.Min(perWay, sizes[i].AsSpan(0, most + 1).ToArray().Sum() + (budget / 2 / ways.Length)) : perWay;
            reports[i] = Take(ways[i], most, limit, (ulong)i, found);
        });
        Reports = reports;
        LargestBlock = most;
        IsLimited |= scarce;
        AddEqual(found);
        Keep(found);
    }

    private sealed record Way(ValueColumn Column, string By, Func<IntLists> Blocks);

    private IEnumerable<Way> Ways(ValueColumn column)
    {
        yield return new Way(column, "value", () => Blocks(column, Same(column.Distinct + 1), column.Distinct + 1));
        if (column.Kind == ValueKind.Digits)
        {
            yield return OfTexts(column, "beginning", text => text.Length >= 6 ? text[..(text.Length / 2)] : default);
            yield return OfTexts(column, "end", text => text.Length >= 6 ? text[^((text.Length + 1) / 2)..] : default);
            yield break;
        }
        if (column.WordsPerValue > 1.05)
            yield return new Way(column, "word", () => Blocks(column, column.Words, column.WordTexts.Count));
        if (column.Kind == ValueKind.Text)
        {
            yield return OfTexts(column, "beginning", Beginning);
            yield return OfTexts(column, "sound", text => Soundex.Text(Soundex.Code(text)));
        }
    }

    /// <summary>The first letters, blanks left out.</summary>
    private static ReadOnlySpan<char> Beginning(ReadOnlySpan<char> text)
    {
        if (text.Length <= Prefix)
            return default;
        if (!text[..Prefix].Contains(' '))
            return text[..Prefix];
        var joined = new string(text).Replace(" ", "", StringComparison.Ordinal);
        return joined.Length > Prefix ? joined.AsSpan(0, Prefix) : joined;
    }

    private delegate ReadOnlySpan<char> KeyOf(ReadOnlySpan<char> text);

    private Way OfTexts(ValueColumn column, string by, KeyOf key) => new(column, by, () =>
    {
        var numbers = new TextNumbers();
        var keys = new IntListsBuilder();
        for (var value = 0; value <= column.Distinct; value++)
        {
            if (key(column.Texts[value]) is { IsEmpty: false } text)
                keys.Add(numbers.Of(text));
            keys.End();
        }
        return Blocks(column, keys.Build(), numbers.Count);
    });

    private static IntLists Same(int count) => new([.. Enumerable.Range(0, count + 1)], [.. Enumerable.Range(0, count)]);

    private IntLists Blocks(ValueColumn column, IntLists keys, int count) => IntLists.Rows(column.Codes, keys, count, _rows);

    /// <summary>By number of pairs in a block, the pairs of such blocks together.</summary>
    private long[] Sizes(IntLists blocks)
    {
        var sizes = new long[MostPairs + 1];
        for (var i = 0; i < blocks.Count; i++)
        {
            if (Pairs(blocks[i]) is > 0 and <= MostPairs and var pairs)
                sizes[pairs] += pairs;
        }
        return sizes;
    }

    /// <param name="most">Pairs that a block may have.</param>
    /// <param name="limit">Pairs that this way may bring.</param>
    private BlockReport Take(Way way, int most, long limit, ulong number, PairRuns runs)
    {
        var blocks = way.Blocks();
        var parts = new IntListsBuilder();
        var partCount = 0;
        var (dropped, taken) = (0L, 0L);
        var order = new List<(int Length, int First, int Block)>();
        for (var i = 0; i < blocks.Count; i++)
        {
            var block = blocks[i];
            var pairs = Pairs(block);
            if (pairs == 0)
                continue;
            if (pairs <= most)
                order.Add((block.Length, block[0], i));
            else
                dropped += Part(block, way.Column, most, parts, ref partCount);
        }
        var parted = parts.Build();
        for (var i = 0; i < partCount; i++)
            order.Add((parted.Length(i), parted[i][0], -1 - i));
        order.Sort();
        var found = runs.Open();
        foreach (var (_, _, at) in order)
        {
            var block = at >= 0 ? blocks[at] : parted[-1 - at];
            var pairs = Pairs(block);
            if (taken + pairs > limit)
            {
                IsLimited = true;
                dropped += pairs;
                continue;
            }
            taken += pairs;
            Emit(block, number, found);
        }
        found.End();
        return new BlockReport(way.Column.Name, way.By, taken, dropped);
    }

    /// <summary>Parts a block by the values of the other columns, each for itself. The answer is the pairs that are left out.</summary>
    private long Part(ReadOnlySpan<int> block, ValueColumn column, int most, IntListsBuilder parts, ref int count)
    {
        _parallel.CancellationToken.ThrowIfCancellationRequested();
        var left = Pairs(block);
        var keys = new ulong[block.Length];
        var rows = new int[block.Length];
        // With fewer values than that even the parts of equal size would be too large by far.
        var fewest = block.Length / (8 * Math.Sqrt(2.0 * most + 1));
        foreach (var other in _columns)
        {
            if (other == column || other.Distinct < Math.Max(2, fewest))
                continue;
            var filled = 0;
            foreach (var row in block)
            {
                if (other.Codes[row] > 0)
                    keys[filled++] = ((ulong)other.Codes[row] << 32) | (uint)row;
            }
            keys.AsSpan(0, filled).Sort();
            for (var i = 0; i < filled; i++)
                rows[i] = (int)keys[i];
            for (var start = 0; start < filled;)
            {
                var end = start + 1;
                while (end < filled && keys[end] >> 32 == keys[start] >> 32)
                    end++;
                var part = rows.AsSpan(start, end - start);
                var pairs = Pairs(part);
                if (pairs > 0 && pairs <= most)
                {
                    left -= pairs;
                    parts.Add(part);
                    parts.End();
                    count++;
                }
                start = end;
            }
        }
        return Math.Max(left, 0);
    }

    private long Pairs(ReadOnlySpan<int> rows)
    {
        if (_scope == PairScope.All)
            return rows.Length * (long)(rows.Length - 1) / 2;
        var left = Left(rows);
        return left * (long)(rows.Length - left);
    }

    /// <summary>How many of the rows are of the first source.</summary>
    private int Left(ReadOnlySpan<int> rows)
    {
        var at = rows.BinarySearch(_table.Starts[1]);
        return at < 0 ? ~at : at;
    }

    private void Emit(ReadOnlySpan<int> rows, ulong number, PairRuns.Writer found)
    {
        var left = _scope == PairScope.All ? rows.Length : Left(rows);
        for (var i = 0; i < left; i++)
        {
            for (var j = _scope == PairScope.All ? i + 1 : left; j < rows.Length; j++)
                found.Add(((ulong)rows[i] << (RowBits + BlockBits)) | ((ulong)rows[j] << BlockBits) | number);
        }
    }

    private void AddEqual(PairRuns found)
    {
        if (_scope != PairScope.All)
            return;
        var equal = found.Open();
        for (var row = 0; row < _table.Count; row++)
        {
            if (_table.Likes[row] is var like && like != row)
                equal.Add(((ulong)like << (RowBits + BlockBits)) | ((ulong)row << BlockBits) | EqualRows);
        }
        equal.End();
    }

    /// <summary>Each pair once, by the first way that brought it.</summary>
    private void Keep(PairRuns found)
    {
        // More than that are looked at portion by portion, and most of them are let go.
        var all = found.Count <= Math.Min(Portion, _options.MostKept);
        var kept = new KeptPairs(_options.MostKept);
        var portion = new List<ulong>();
        var times = new List<byte>();
        var (last, column) = (ulong.MaxValue, "");
        foreach (var pair in found.Merged())
        {
            var block = (int)(pair & EqualRows);
            var by = block < Reports.Count ? Reports[block].Column : null;
            if (pair >> BlockBits == last)
            {
                // The ways of a column lie side by side.
                if (by is null || by != column)
                    times[^1]++;
                column = by;
                continue;
            }
            if (portion.Count == Portion)
                Finish();
            (last, column) = (pair >> BlockBits, by);
            portion.Add(pair);
            times.Add(by is null ? (byte)_columns.Count : (byte)1);
        }
        Finish();
        (A, B, Block, Times) = kept.Take();
        IsLetGo = kept.Lowest > _options.Least;

        void Finish()
        {
            Compared += portion.Count;
            var scores = new float[portion.Count];
            if (!all)
                Parallel.For(0, (portion.Count + Share - 1) / Share, _parallel, share =>
                {
                    for (var i = share * Share; i < Math.Min(portion.Count, (share + 1) * Share); i++)
                        scores[i] = _options.Score(First(portion[i]), Second(portion[i]));
                });
            for (var i = 0; i < scores.Length; i++)
            {
                if (all || scores[i] >= _options.Least)
                    kept.Add(First(portion[i]), Second(portion[i]), (byte)portion[i], times[i], scores[i]);
            }
            portion.Clear();
            times.Clear();
        }
    }

    private static int First(ulong pair) => (int)(pair >> (RowBits + BlockBits));

    private static int Second(ulong pair) => (int)((pair >> BlockBits) & ((1 << RowBits) - 1));

    /// <summary>Pairs in the order in which they come; when they become too many, the least likely ones go.</summary>
    private sealed class KeptPairs(long most)
    {
        private readonly List<int> _a = [];
        private readonly List<int> _b = [];
        private readonly List<byte> _block = [];
        private readonly List<byte> _times = [];
        private readonly List<float> _scores = [];

        /// <summary>What is below is not kept any more.</summary>
        public float Lowest { get; private set; } = float.NegativeInfinity;

        public void Add(int a, int b, byte block, byte times, float score)
        {
            if (score < Lowest)
                return;
            _a.Add(a);
            _b.Add(b);
            _block.Add(block);
            _times.Add(times);
            _scores.Add(score);
            while (_a.Count > most)
                Part();
        }

        public (int[] A, int[] B, byte[] Block, byte[] Times) Take() => ([.. _a], [.. _b], [.. _block], [.. _times]);

        private void Part()
        {
            var ordered = _scores.ToArray();
            Array.Sort(ordered);
            // A quarter goes, and more where many are alike.
            Lowest = ordered.FirstOrDefault(score => score > ordered[ordered.Length / 4], float.PositiveInfinity);
            var count = 0;
            for (var i = 0; i < _a.Count; i++)
            {
                if (_scores[i] < Lowest)
                    continue;
                (_a[count], _b[count], _block[count], _times[count], _scores[count]) = (_a[i], _b[i], _block[i], _times[i], _scores[i]);
                count++;
            }
            _a.RemoveRange(count, _a.Count - count);
            _b.RemoveRange(count, _b.Count - count);
            _block.RemoveRange(count, _block.Count - count);
            _times.RemoveRange(count, _times.Count - count);
            _scores.RemoveRange(count, _scores.Count - count);
        }
    }
}

/// <summary>What the search for pairs may use.</summary>
/// <param name="Score">Roughly how likely two places of the table are the same (log2 of the odds), before anything is learnt.</param>
/// <param name="Least">Of very many pairs, those below are not kept.</param>
internal sealed record CandidateOptions(Func<int, int, float> Score, float Least)
{
    /// <summary>The most pairs that all ways together may bring.</summary>
    public required long Budget { get; init; }

    /// <summary>Pairs that may be kept.</summary>
    public required long MostKept { get; init; }

    /// <summary>Where pairs that are not looked at yet may lie; null: in memory.</summary>
    public string? Scratch { get; init; }
}
