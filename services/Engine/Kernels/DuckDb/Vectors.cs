using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Qualiz.Engine.Kernels.DuckDb;

/// <summary>One argument of a call: flat data and which rows are not null.</summary>
internal readonly unsafe struct Column(nint vector)
{
    private readonly ulong* _validity = Native.VectorValidity(vector);

    public nint Vector { get; } = vector;

    public void* Data { get; } = Native.VectorData(vector);

    public DuckString* Texts => (DuckString*)Data;

    public bool HasNulls => _validity is not null;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsNull(int row) => _validity is not null && (_validity[row >> 6] & (1UL << (row & 63))) == 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<byte> Text(int row) => DuckString.Span((DuckString*)Data + row);
}

/// <summary>The result of a call.</summary>
internal unsafe struct Result(nint vector)
{
    // Texts that do not fit into their place are put into blocks of the vector's own heap: one call into the engine for many of them.
    private const int FirstBlock = 1024;
    private const int LargestBlock = 16 * FirstBlock;
    private static readonly byte* Zeros = (byte*)NativeMemory.AllocZeroed(LargestBlock);

    private ulong* _validity;
    private byte* _free;
    private int _left;
    private int _block;

    public nint Vector { get; } = vector;

    public void* Data { get; } = Native.VectorData(vector);

    public void SetNull(int row)
    {
        if (_validity is null)
        {
            Native.EnsureValidity(Vector);
            _validity = Native.VectorValidity(Vector);
        }
        _validity[row >> 6] &= ~(1UL << (row & 63));
    }

    public void SetText(int row, ReadOnlySpan<byte> text)
    {
        var target = (DuckString*)Data + row;
        if (text.Length <= DuckString.InlineLength)
        {
            DuckString.SetInline(target, text);
            return;
        }
        if (text.Length > FirstBlock)
        {
            fixed (byte* start = text)
                Native.AssignString(Vector, (ulong)row, start, (ulong)text.Length);
            return;
        }
        if (text.Length > _left)
        {
            _block = _block == 0 ? FirstBlock : Math.Min(4 * _block, LargestBlock);
            Native.AssignString(Vector, (ulong)row, Zeros, (ulong)_block);
            _free = DuckString.Pointer(target);
            _left = _block;
        }
        text.CopyTo(new Span<byte>(_free, text.Length));
        DuckString.SetPointer(target, _free, text.Length);
        _free += text.Length;
        _left -= text.Length;
    }
}

/// <summary>A call of a kernel with its arguments.</summary>
internal readonly unsafe struct Call(nint chunk, nint output, int* stop)
{
    private readonly nint _chunk = chunk;
    private readonly int* _stop = stop;

    public int Rows { get; } = (int)Native.ChunkSize(chunk);

    public int Columns => (int)Native.ChunkColumns(_chunk);

    public nint Output { get; } = output;

    /// <summary>To be asked before each row whose work depends on the length of a text: the engine itself looks for a cancel only between vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void ThrowIfStopped()
    {
        if (_stop is not null && Volatile.Read(ref *_stop) != 0)
            Stop();
    }

    private static void Stop() => throw new OperationCanceledException();

    public Column Column(int index) => new(Native.ChunkVector(_chunk, (ulong)index));
}
