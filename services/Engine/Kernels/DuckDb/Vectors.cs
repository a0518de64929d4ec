using System.Runtime.CompilerServices;

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
    private ulong* _validity;

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

    public readonly void SetText(int row, ReadOnlySpan<byte> text)
    {
        if (text.Length <= DuckString.InlineLength)
        {
            DuckString.SetInline((DuckString*)Data + row, text);
            return;
        }
        fixed (byte* start = text)
            Native.AssignString(Vector, (ulong)row, start, (ulong)text.Length);
    }
}

/// <summary>A call of a kernel with its arguments.</summary>
internal readonly struct Call(nint chunk, nint output)
{
    private readonly nint _chunk = chunk;

    public int Rows { get; } = (int)Native.ChunkSize(chunk);

    public int Columns => (int)Native.ChunkColumns(_chunk);

    public nint Output { get; } = output;

    public Column Column(int index) => new(Native.ChunkVector(_chunk, (ulong)index));
}
