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

    /// <summary>bool: a cell fails, and the row goes on. Only clean rows count.</summary>
    Tolerate,

    /// <summary>bool: the row is filtered, unless it is rejected already.</summary>
    Filter,

    /// <summary>bool: the condition of a filter cannot be computed; the row is rejected, unless it is already.</summary>
    FilterFailed,

    /// <summary>bool: the row was not read but made from another.</summary>
    Added,

    /// <summary>bool: counted for every row that is not filtered, and nothing comes of it.</summary>
    Observe,
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
        // Counted here, added up under the lock once for each vector.
        var tally = new Tally(_read.Length, _events.Length, _changed.Length);
        if (inputs.IndexOfAnyExcept(inputs[0]) < 0)
        {
            tally.Read[inputs[0]] += rows;
        }
        else
        {
            foreach (var input in inputs)
                tally.Read[input]++;
        }
        for (var i = 0; i < _events.Length; i++)
        {
            if (_events[i] is RowEvent.Tolerate or RowEvent.Observe)
                continue;
            var column = call.Column(FirstEvent + i);
            var flags = new ReadOnlySpan<byte>(column.Data, rows);
            for (var row = flags.IndexOfAnyExcept((byte)0); row < rows && row >= 0; row++)
            {
                if (flags[row] != 0 && !column.IsNull(row))
                    Happen(i, inputs[row], ref outcomes[row], tally);
            }
        }
        // A cell counts as kept only where its row is, which events after it decide too.
        for (var i = 0; i < _events.Length; i++)
        {
            if (_events[i] is not (RowEvent.Tolerate or RowEvent.Observe))
                continue;
            var rejectedToo = _events[i] == RowEvent.Observe;
            var column = call.Column(FirstEvent + i);
            var flags = new ReadOnlySpan<byte>(column.Data, rows);
            for (var row = flags.IndexOfAnyExcept((byte)0); row < rows && row >= 0; row++)
            {
                if (flags[row] != 0 && (outcomes[row] == (byte)Outcome.Clean || (rejectedToo && outcomes[row] == (byte)Outcome.Rejected)) && !column.IsNull(row))
                    tally.Counts[(inputs[row] * _events.Length) + i]++;
            }
        }
        Hashes? hashes = null;
        for (var i = 0; i < _changes.Length; i++)
        {
            var column = call.Column(FirstEvent + _events.Length + i);
            var change = _changes[i];
            if (!change.Bits)
            {
                var flags = new ReadOnlySpan<byte>(column.Data, rows);
                for (var row = flags.IndexOfAnyExcept((byte)0); row < rows && row >= 0; row++)
                {
                    if (flags[row] != 0 && !column.IsNull(row))
                        Change(row, change.Rules[0], outcomes, tally, hashes ??= new Hashes(call));
                }
                continue;
            }
            var masks = new ReadOnlySpan<uint>(column.Data, rows);
            for (var row = masks.IndexOfAnyExcept(0u); row < rows && row >= 0; row++)
            {
                for (var bits = masks[row]; bits != 0; bits &= bits - 1)
                    Change(row, change.Rules[BitOperations.TrailingZeroCount(bits)], outcomes, tally, hashes ??= new Hashes(call));
            }
        }
        lock (_lock)
        {
            for (var i = 0; i < _read.Length; i++)
            {
                _read[i] += tally.Read[i];
                _added[i] += tally.Added[i];
                _rejected[i] += tally.Rejected[i];
                _filtered[i] += tally.Filtered[i];
                for (var happening = 0; happening < _events.Length; happening++)
                    _counts[i][happening] += tally.Counts[(i * _events.Length) + happening];
            }
            for (var rule = 0; rule < _changed.Length; rule++)
                _changed[rule] += tally.Changed[rule];
        }
    }

    private void Happen(int number, ushort input, ref byte outcome, Tally tally)
    {
        switch (_events[number])
        {
            case RowEvent.Added:
                tally.Read[input]--;
                tally.Added[input]++;
                return;
            case RowEvent.Filter:
                if (outcome != (byte)Outcome.Clean)
                    return;
                outcome = (byte)Outcome.Filtered;
                tally.Filtered[input]++;
                break;
            case RowEvent.FilterFailed when outcome != (byte)Outcome.Clean:
                return;
            default:
                if (outcome == (byte)Outcome.Filtered)
                    return;
                if (outcome == (byte)Outcome.Clean)
                {
                    outcome = (byte)Outcome.Rejected;
                    tally.Rejected[input]++;
                }
                break;
        }
        tally.Counts[(input * _events.Length) + number]++;
    }

    // The sample are the rows with the least hashes: the same ones whatever the order and the threads.
    private void Change(int row, int rule, Span<byte> outcomes, Tally tally, Hashes hashes)
    {
        if (outcomes[row] is (byte)Outcome.Rejected or (byte)Outcome.Filtered)
            return;
        tally.Changed[rule]++;
        // Limits only sink, so one that is read too early takes a row too many, which the order at the end leaves out.
        var limit = Volatile.Read(ref _limits[rule]);
        if (limit == 0)
            return;
        if (_sample == int.MaxValue)
        {
            outcomes[row] = (byte)Outcome.CleanShown;
            return;
        }
        var hash = hashes.Of(row);
        if (hash >= limit)
            return;
        lock (_lock)
        {
            var kept = _kept[rule];
            kept.Enqueue(hash, ~hash);
            if (kept.Count > _sample)
                kept.Dequeue();
            if (kept.Count == _sample)
                Volatile.Write(ref _limits[rule], kept.Peek() + 1);
        }
        outcomes[row] = (byte)Outcome.CleanShown;
    }

    /// <summary>Orders rows at random, always the same way; never 0.</summary>
    internal static ulong Hash(ulong source, long row)
    {
        // The mixer of SplitMix64.
        var mixed = source ^ ((ulong)row * 0x9E3779B97F4A7C15);
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return (mixed ^ (mixed >> 31)) | 1;
    }

    internal static ulong Hash(ReadOnlySpan<byte> source) => XxHash3.HashToUInt64(source);

    private sealed class Tally(int inputs, int events, int rules)
    {
        public long[] Read { get; } = new long[inputs];
        public long[] Added { get; } = new long[inputs];
        public long[] Rejected { get; } = new long[inputs];
        public long[] Filtered { get; } = new long[inputs];
        public long[] Counts { get; } = new long[inputs * events];
        public long[] Changed { get; } = new long[rules];
    }

    /// <summary>Hashes of the rows of a vector; consecutive rows mostly have one source.</summary>
    private sealed unsafe class Hashes(in Call call)
    {
        private readonly Column _rows = call.Column(2);
        private readonly Column _sources = call.Column(3);
        private byte[] _source = [];
        private ulong _sourceHash = Hash(default(ReadOnlySpan<byte>));

        public ulong Of(int row)
        {
            var source = _sources.IsNull(row) ? default : _sources.Text(row);
            if (!source.SequenceEqual(_source))
            {
                _source = source.ToArray();
                _sourceHash = Hash(source);
            }
            return Hash(_sourceHash, ((long*)_rows.Data)[row]);
        }
    }
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
            hashes[row] = RowOutcomes.Hash(RowOutcomes.Hash(source.IsNull(row) ? default : source.Text(row)), number[row]);
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
