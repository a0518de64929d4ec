using System.Collections.Concurrent;
using System.IO.Hashing;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Qualiz.Engine.Kernels.DuckDb;

namespace Qualiz.Engine.Kernels.Rows;

/// <summary>What a column of <c>qz_row_outcome</c> tells about a row, in the order of the recipe.</summary>
internal enum RowEvent
{
    /// <summary>bool: a cell fails and the row is rejected for it.</summary>
    Reject,

    /// <summary>bool: a cell fails, and the row goes on.</summary>
    Tolerate,

    /// <summary>bool: the row is filtered, unless it is rejected already.</summary>
    Filter,

    /// <summary>bool: the condition of a filter cannot be computed; the row is rejected, unless it is already.</summary>
    FilterFailed,

    /// <summary>bool: the row was not read but made from another.</summary>
    Added,
}

/// <summary>What a change column of <c>qz_row_outcome</c> stands for.</summary>
/// <param name="Bits">The column is an integer with a bit for each of the rules; else it is a boolean for the only one.</param>
internal sealed record RowChange(int[] Rules, bool Bits);

/// <summary>
/// Decides in one pass what becomes of each row, counts it, and takes down the rejected rows and a sample of the changed ones, while the clean rows
/// stream on. An instance serves one statement; SQL knows it by its number.
/// </summary>
internal sealed class RowOutcomes : IDisposable
{
    /// <summary>Separates the fields of a line in <see cref="Rejected"/> and <see cref="Changed"/>: JSON text and our ids cannot hold it.</summary>
    public const char Separator = '\u001f';

    private static readonly ConcurrentDictionary<int, RowOutcomes> Known = new();
    private static int _last;

    private readonly Lock _lock = new();
    private readonly RowEvent[] _events;
    private readonly RowChange[] _changes;
    private readonly int _sample;
    private readonly PriorityQueue<ulong, ulong>[] _kept;
    private readonly ulong[] _limits;
    private readonly long[] _read;
    private readonly long[] _added;
    private readonly long[] _rejected;
    private readonly long[] _filtered;
    private readonly long[][] _counts;
    private readonly long[] _changed;

    /// <param name="sample">How many changed rows each rule shows at most; <see cref="int.MaxValue"/> for all, 0 for none.</param>
    public RowOutcomes(int inputs, IReadOnlyList<RowEvent> events, IReadOnlyList<RowChange> changes, int rules, int sample, string rejectedPath, string changedPath)
    {
        _events = [.. events];
        _changes = [.. changes];
        _sample = sample;
        _kept = [.. Enumerable.Range(0, rules).Select(_ => new PriorityQueue<ulong, ulong>())];
        _limits = new ulong[rules];
        Array.Fill(_limits, sample == 0 ? 0 : ulong.MaxValue);
        _read = new long[inputs];
        _added = new long[inputs];
        _rejected = new long[inputs];
        _filtered = new long[inputs];
        _counts = [.. Enumerable.Range(0, inputs).Select(_ => new long[events.Count])];
        _changed = new long[rules];
        Rejected = new LineSpool(rejectedPath);
        Changed = new LineSpool(changedPath);
        Number = Interlocked.Increment(ref _last);
        Known[Number] = this;
    }

    /// <summary>The first argument of the kernels.</summary>
    public int Number { get; }

    public LineSpool Rejected { get; }

    public LineSpool Changed { get; }

    public static RowOutcomes Of(int number) => Known[number];

    /// <summary>Rows that came in, without those added.</summary>
    public long Read(int input) => _read[input];

    public long Added(int input) => _added[input];

    public long RejectedRows(int input) => _rejected[input];

    public long FilteredRows(int input) => _filtered[input];

    /// <summary>How many rows met an event.</summary>
    public long Count(int input, int of) => _counts[input][of];

    /// <summary>Cells of clean rows that a rule changed.</summary>
    public long ChangedBy(int rule) => _changed[rule];

    public void Dispose()
    {
        Known.TryRemove(Number, out _);
        Rejected.Dispose();
        Changed.Dispose();
    }

    /// <summary>What becomes of a row.</summary>
    internal enum Outcome : byte
    {
        Clean = 0,
        Rejected = 1,
        Filtered = 2,

        /// <summary>Clean, and its changes are to be shown.</summary>
        CleanShown = 3,
    }

    internal unsafe void Decide(in Call call)
    {
        const int FirstEvent = 4;
        var rows = call.Rows;
        var outcomes = new Span<byte>(new Result(call.Output).Data, rows);
        outcomes.Clear();
        var inputs = new ReadOnlySpan<ushort>(call.Column(1).Data, rows);
        var single = inputs.IndexOfAnyExcept(inputs[0]) < 0 ? inputs[0] : -1;
        lock (_lock)
        {
            if (single >= 0)
                _read[single] += rows;
            else
                foreach (var input in inputs)
                    _read[input]++;
            for (var i = 0; i < _events.Length; i++)
            {
                var column = call.Column(FirstEvent + i);
                var flags = new ReadOnlySpan<byte>(column.Data, rows);
                for (var row = flags.IndexOfAnyExcept((byte)0); row < rows && row >= 0; row++)
                {
                    if (flags[row] != 0 && !column.IsNull(row))
                        Happen(i, inputs[row], ref outcomes[row]);
                }
            }
            Span<ulong> hashes = stackalloc ulong[_changes.Length > 0 ? rows : 0];
            hashes.Clear();
            for (var i = 0; i < _changes.Length; i++)
                CountChanges(call, call.Column(FirstEvent + _events.Length + i), _changes[i], outcomes, hashes);
        }
    }

    private void Happen(int number, ushort input, ref byte outcome)
    {
        switch (_events[number])
        {
            case RowEvent.Added:
                _read[input]--;
                _added[input]++;
                return;
            case RowEvent.Filter:
                if (outcome != (byte)Outcome.Clean)
                    return;
                outcome = (byte)Outcome.Filtered;
                _filtered[input]++;
                break;
            case RowEvent.Tolerate:
                if (outcome == (byte)Outcome.Filtered)
                    return;
                break;
            case RowEvent.FilterFailed when outcome != (byte)Outcome.Clean:
                return;
            default:
                if (outcome == (byte)Outcome.Filtered)
                    return;
                if (outcome == (byte)Outcome.Clean)
                {
                    outcome = (byte)Outcome.Rejected;
                    _rejected[input]++;
                }
                break;
        }
        _counts[input][number]++;
    }

    private unsafe void CountChanges(in Call call, Column column, RowChange change, Span<byte> outcomes, Span<ulong> hashes)
    {
        if (!change.Bits)
        {
            var flags = new ReadOnlySpan<byte>(column.Data, outcomes.Length);
            for (var row = flags.IndexOfAnyExcept((byte)0); row < flags.Length && row >= 0; row++)
            {
                if (flags[row] != 0 && !column.IsNull(row))
                    Count(call, row, change.Rules[0], outcomes, hashes);
            }
            return;
        }
        var masks = new ReadOnlySpan<uint>(column.Data, outcomes.Length);
        for (var row = masks.IndexOfAnyExcept(0u); row < masks.Length && row >= 0; row++)
        {
            for (var bits = masks[row]; bits != 0; bits &= bits - 1)
                Count(call, row, change.Rules[BitOperations.TrailingZeroCount(bits)], outcomes, hashes);
        }
    }

    // The sample are the rows with the least hashes: the same ones whatever the order and the threads.
    private unsafe void Count(in Call call, int row, int rule, Span<byte> outcomes, Span<ulong> hashes)
    {
        if (outcomes[row] is (byte)Outcome.Rejected or (byte)Outcome.Filtered)
            return;
        _changed[rule]++;
        if (_limits[rule] == 0)
            return;
        if (_sample == int.MaxValue)
        {
            outcomes[row] = (byte)Outcome.CleanShown;
            return;
        }
        ref var hash = ref hashes[row];
        if (hash == 0)
        {
            var source = call.Column(3);
            hash = Hash(source.IsNull(row) ? default : source.Text(row), ((long*)call.Column(2).Data)[row]);
        }
        if (hash >= _limits[rule])
            return;
        var kept = _kept[rule];
        kept.Enqueue(hash, ~hash);
        if (kept.Count > _sample)
            kept.Dequeue();
        if (kept.Count == _sample)
            _limits[rule] = kept.Peek() + 1;
        outcomes[row] = (byte)Outcome.CleanShown;
    }

    /// <summary>Orders rows at random, always the same way; never 0.</summary>
    internal static ulong Hash(ReadOnlySpan<byte> source, long row) => XxHash3.HashToUInt64(source, row * unchecked((long)0x9E3779B97F4A7C15)) | 1;
}

/// <summary>
/// <c>qz_row_outcome(number, input, row, source, events..., changes...)</c>: see <see cref="RowOutcomes"/>. <c>qz_row_rejected(number, line)</c> and
/// <c>qz_row_changed(number, line)</c> take lines down; they answer whether the row goes on. <c>qz_row_hash(source, row)</c> is what the sample is taken by.
/// </summary>
internal static unsafe class RowOutcomeKernels
{
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void Decide(nint info, nint chunk, nint output) => KernelLibrary.Guard(info, chunk, output, &Decide);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void TakeRejected(nint info, nint chunk, nint output) => KernelLibrary.Guard(info, chunk, output, &TakeRejected);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void TakeChanged(nint info, nint chunk, nint output) => KernelLibrary.Guard(info, chunk, output, &TakeChanged);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void Hash(nint info, nint chunk, nint output) => KernelLibrary.Guard(info, chunk, output, &Hash);

    private static void Hash(in Call call)
    {
        var source = call.Column(0);
        var number = (long*)call.Column(1).Data;
        var hashes = (ulong*)new Result(call.Output).Data;
        for (var row = 0; row < call.Rows; row++)
            hashes[row] = RowOutcomes.Hash(source.IsNull(row) ? default : source.Text(row), number[row]);
    }

    private static RowOutcomes Outcomes(in Call call) => RowOutcomes.Of(*(int*)call.Column(0).Data);

    private static void Decide(in Call call)
    {
        if (call.Rows > 0)
            Outcomes(call).Decide(call);
    }

    private static void TakeRejected(in Call call)
    {
        if (call.Rows > 0)
            Take(call, Outcomes(call).Rejected, goesOn: false);
    }

    private static void TakeChanged(in Call call)
    {
        if (call.Rows > 0)
            Take(call, Outcomes(call).Changed, goesOn: true);
    }

    private static void Take(in Call call, LineSpool spool, bool goesOn)
    {
        spool.Add(call.Column(1), call.Rows);
        new Span<byte>(new Result(call.Output).Data, call.Rows).Fill(goesOn ? (byte)1 : (byte)0);
    }
}
