using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Qualiz.Engine.Kernels.DuckDb;

namespace Qualiz.Engine.Kernels.Profiling;

/// <summary>Describes the rows that a statement hands to <c>qz_profile(number, columns...)</c>. An instance serves one statement; SQL knows it by its number.</summary>
internal sealed class RowProfile : IDisposable
{
    /// <summary>With more columns than these it is not counted which of them are empty together.</summary>
    private const int MostPairedColumns = 500;

    private static readonly ConcurrentDictionary<int, RowProfile> Known = new();
    private static int _last;

    private readonly (ValueKind Kind, int Scale)[] _columns;
    private readonly SketchLimits _limits;
    private readonly ConcurrentBag<Part> _parts = [];

    /// <param name="columns">What the columns are, and of decimals the scale.</param>
    public RowProfile(IReadOnlyList<(ValueKind Kind, int Scale)> columns, SketchLimits limits)
    {
        _columns = [.. columns];
        _limits = limits;
        Number = Interlocked.Increment(ref _last);
        Known[Number] = this;
    }

    public int Number { get; }

    public static RowProfile Of(int number) => Known[number];

    /// <summary>Everything that was seen, after the statement.</summary>
    public Part Take()
    {
        var all = _parts.TryTake(out var first) ? first : new Part(this);
        while (_parts.TryTake(out var next))
            all.Add(next);
        foreach (var column in all.Columns)
            column.Finish();
        return all;
    }

    public void Dispose() => Known.TryRemove(Number, out _);

    internal void Add(in Call call)
    {
        // One for each thread that is at work at a time.
        if (!_parts.TryTake(out var part))
            part = new Part(this);
        part.Add(call);
        _parts.Add(part);
    }

    /// <summary>What one thread has seen.</summary>
    internal sealed unsafe class Part
    {
        private const int VectorWords = 2048 / 64;
        private readonly long[]? _together;
        private readonly List<(int Column, ulong[] Nulls)> _empty = [];
        private readonly Stack<ulong[]> _spare = [];

        public Part(RowProfile profile)
        {
            Columns = [.. profile._columns.Select(column => new ColumnSketch(column.Kind, column.Scale, profile._limits))];
            if (Columns.Length <= MostPairedColumns)
                _together = new long[Columns.Length * Columns.Length];
        }

        public ColumnSketch[] Columns { get; }

        /// <summary>Rows in which both are empty; null when that is not counted.</summary>
        public long? Together(int a, int b) => _together?[(Math.Min(a, b) * Columns.Length) + Math.Max(a, b)];

        public void Add(in Call call)
        {
            for (var i = 0; i < Columns.Length; i++)
            {
                call.ThrowIfStopped();
                var column = call.Column(i + 1);
                Columns[i].Add(column, call);
                if (_together is not null && column.HasNulls)
                    Empty(i, column, call.Rows);
            }
            for (var a = 0; a < _empty.Count; a++)
            {
                for (var b = a + 1; b < _empty.Count; b++)
                {
                    long both = 0;
                    var (x, y) = (_empty[a].Nulls, _empty[b].Nulls);
                    for (var word = 0; word < VectorWords; word++)
                        both += BitOperations.PopCount(x[word] & y[word]);
                    _together![(_empty[a].Column * Columns.Length) + _empty[b].Column] += both;
                }
            }
            foreach (var (_, nulls) in _empty)
                _spare.Push(nulls);
            _empty.Clear();
        }

        public void Add(Part other)
        {
            for (var i = 0; i < Columns.Length; i++)
                Columns[i].Add(other.Columns[i]);
            for (var i = 0; i < _together?.Length; i++)
                _together[i] += other._together![i];
        }

        private void Empty(int index, in Column column, int rows)
        {
            var nulls = _spare.TryPop(out var spare) ? spare : new ulong[VectorWords];
            Array.Clear(nulls);
            for (var row = 0; row < rows; row++)
            {
                if (column.IsNull(row))
                    nulls[row >> 6] |= 1UL << (row & 63);
            }
            _empty.Add((index, nulls));
        }
    }
}

/// <summary><c>qz_profile(number, columns...)</c>: 1 for every row, which the <see cref="RowProfile"/> of that number has then seen.</summary>
internal static unsafe class ProfileKernels
{
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void Add(nint info, nint chunk, nint output) => KernelLibrary.Guard(info, chunk, output, &Add);

    private static void Add(in Call call)
    {
        if (call.Rows == 0)
            return;
        new Span<byte>(new Result(call.Output).Data, call.Rows).Fill(1);
        RowProfile.Of(((int*)call.Column(0).Data)[0]).Add(call);
    }
}
