using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using DuckDB.NET.Native;
using Qualiz.Engine.Sessions;
using Qualiz.Ingest.Conversion;

namespace Qualiz.Ingest.Repeats;

/// <summary>
/// Watches rows while they are written and notes the hashes of those whose content may have been there before. It stands in the statement as a
/// filter that lets every row through, so that nothing is read twice when there are no repeats.
/// </summary>
/// <remarks>
/// A table of 32-bit fingerprints whose place is the hash's upper half: two rows of different content are taken for repeats once in about
/// 2^55 pairs, and then only looked at again.
/// </remarks>
internal sealed unsafe class RepeatFilter : IDisposable
{
    private const string Function = "qualiz_first_or_repeat";
    private const string HashFunction = "qualiz_content_hash";
    private const int MaxSuspects = 1 << 20;

    // Rows between the request for a slot's cache line and the look at it.
    private const int Ahead = 16;

    private readonly uint* _table;
    private readonly ulong _slots;
    private readonly Lock _lock = new();
    private readonly HashSet<ulong> _suspects = [];

    private long _rows;

    private readonly ContentHash _hash;

    private RepeatFilter(ulong slots, IReadOnlyList<TargetColumn> columns)
    {
        _hash = new ContentHash(columns);
        _slots = slots;
        _table = (uint*)NativeMemory.AllocZeroed((nuint)slots, sizeof(uint));
    }

    /// <summary>What the table takes of the step's memory.</summary>
    public long Bytes => (long)_slots * sizeof(uint);

    /// <summary>Hashes of rows that may be repeats; null when there are too many to keep.</summary>
    public IReadOnlyCollection<ulong>? Suspects { get; private set; } = [];

    /// <returns>Null when a table for so many rows takes more than a quarter of the memory.</returns>
    public static RepeatFilter? For(long rows, long memory, IReadOnlyList<TargetColumn> columns)
    {
        var slots = Math.Min(Math.Max(1024, rows * 3 / 2), memory / 4 / sizeof(uint));
        return columns.Count == 0 || slots * 4 < rows * 5 ? null : new RepeatFilter((ulong)slots, columns);
    }

    /// <summary>SQL of the hash that the suspects have.</summary>
    public string Hash => $"{HashFunction}({_hash.Arguments})";

    public string Watch(string query) => $"SELECT * FROM ({query}) WHERE {Function}({_hash.Arguments})";

    /// <summary>Some rows were watched that are not kept: what was seen means nothing.</summary>
    public void Spoil()
    {
        lock (_lock)
            Suspects = null;
    }

    public void Register(EngineSession session)
    {
        Register(session, Function, DuckDBType.Boolean, &Watch);
        Register(session, HashFunction, DuckDBType.UnsignedBigInt, &ComputeHash);
    }

    private void Register(EngineSession session, string name, DuckDBType returns, delegate* unmanaged[Cdecl]<nint, nint, nint, void> call)
    {
        var handle = GCHandle.ToIntPtr(GCHandle.Alloc(this));
        var function = NativeMethods.ScalarFunction.DuckDBCreateScalarFunction();
        try
        {
            using var input = NativeMethods.LogicalType.DuckDBCreateLogicalType(DuckDBType.Any);
            using var output = NativeMethods.LogicalType.DuckDBCreateLogicalType(returns);
            NativeMethods.ScalarFunction.DuckDBScalarFunctionSetName(function, name);
            NativeMethods.ScalarFunction.DuckDBScalarFunctionSetVarargs(function, input);
            NativeMethods.ScalarFunction.DuckDBScalarFunctionSetReturnType(function, output);
            // A row with a null is a row; and each is looked at once.
            NativeMethods.ScalarFunction.DuckDBScalarFunctionSetSpecialHandling(function);
            NativeMethods.ScalarFunction.DuckDBScalarFunctionSetVolatile(function);
            NativeMethods.ScalarFunction.DuckDBScalarFunctionSetExtraInfo(function, handle, &Free);
            NativeMethods.ScalarFunction.DuckDBScalarFunctionSetFunction(function, call);
            if (NativeMethods.ScalarFunction.DuckDBRegisterScalarFunction(session.Connection.NativeConnection, function) != DuckDBState.Success)
                throw new InvalidOperationException($"The engine does not take the function {name}.");
        }
        finally
        {
            NativeMethods.ScalarFunction.DuckDBDestroyScalarFunction(ref function);
        }
    }

    public void Dispose() => NativeMemory.Free(_table);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Free(nint handle) => GCHandle.FromIntPtr(handle).Free();

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Watch(nint info, nint input, nint output)
    {
        try
        {
            var filter = Of(info);
            using var chunk = new BorrowedChunk(input);
            var rows = chunk.Rows;
            Span<ulong> hashes = stackalloc ulong[rows];
            filter._hash.Compute(chunk.Chunk, hashes);
            filter.Look(hashes);
            new Span<byte>(NativeMethods.Vectors.DuckDBVectorGetData(output), rows).Fill(1);
        }
        catch (Exception error)
        {
            // Nothing may be thrown through native code.
            NativeMethods.ScalarFunction.DuckDBScalarFunctionSetError(info, error.Message);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void ComputeHash(nint info, nint input, nint output)
    {
        try
        {
            using var chunk = new BorrowedChunk(input);
            Of(info)._hash.Compute(chunk.Chunk, new Span<ulong>(NativeMethods.Vectors.DuckDBVectorGetData(output), chunk.Rows));
        }
        catch (Exception error)
        {
            NativeMethods.ScalarFunction.DuckDBScalarFunctionSetError(info, error.Message);
        }
    }

    private static RepeatFilter Of(nint info) =>
        (RepeatFilter)GCHandle.FromIntPtr(NativeMethods.ScalarFunction.DuckDBScalarFunctionGetExtraInfo(info)).Target!;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Look(ReadOnlySpan<ulong> hashes)
    {
        // The number of rows was an estimate: a table that is nearly full would be searched without end.
        if (Interlocked.Add(ref _rows, hashes.Length) * 8 > (long)_slots * 7)
        {
            Spoil();
            return;
        }
        for (var i = 0; i < hashes.Length; i++)
        {
            if (Sse.IsSupported && i + Ahead < hashes.Length)
                Sse.Prefetch0(_table + Slot(hashes[i + Ahead]));
            var slot = Slot(hashes[i]);
            var print = (uint)hashes[i] | 1;
            while (true)
            {
                var there = Volatile.Read(ref _table[slot]);
                if (there == 0)
                    there = Interlocked.CompareExchange(ref _table[slot], print, 0);
                if (there == 0)
                    break;
                if (there == print)
                {
                    Suspect(hashes[i]);
                    break;
                }
                if (++slot == _slots)
                    slot = 0;
            }
        }
    }

    // The upper half decides the place, evenly whatever the number of slots.
    private ulong Slot(ulong hash) => ((hash >> 32) * _slots) >> 32;

    private void Suspect(ulong hash)
    {
        lock (_lock)
        {
            if (Suspects is null)
                return;
            _suspects.Add(hash);
            Suspects = _suspects.Count <= MaxSuspects ? _suspects : null;
        }
    }

    // The engine's own chunk, in the driver's clothes; it is not ours to free.
    private readonly struct BorrowedChunk : IDisposable
    {
        public BorrowedChunk(nint chunk) => Chunk = new DuckDBDataChunk(chunk);

        public DuckDBDataChunk Chunk { get; }

        /// <summary>No more than a vector holds, 2048.</summary>
        public int Rows => (int)NativeMethods.DataChunks.DuckDBDataChunkGetSize(Chunk);

        public void Dispose() => Chunk.SetHandleAsInvalid();
    }
}
