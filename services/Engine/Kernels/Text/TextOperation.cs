using System.Buffers;

namespace Qualiz.Engine.Kernels.Text;

internal enum Outcome
{
    Same,
    Changed,

    /// <summary>The cell becomes empty.</summary>
    Null,
}

/// <summary>One operation on a text, e.g. trim.</summary>
internal abstract class TextOperation
{
    /// <summary>Only texts with one of these kinds of bytes can be changed by it...</summary>
    public abstract Kinds Interest { get; }

    /// <summary>... or with one of these lengths (a bit each, see <see cref="Glance.LengthBit"/>).</summary>
    public virtual ulong Lengths => 0;

    /// <summary>Where neither tells enough (<see cref="Kinds.Always"/>): whether the operation has anything to do. Costs less than doing it.</summary>
    public virtual bool Wants(ReadOnlySpan<byte> text) => true;

    /// <summary>Gives the new text to <paramref name="target"/>, which is empty; leaves it alone unless it is <see cref="Outcome.Changed"/>.</summary>
    public abstract Outcome Apply(ReadOnlySpan<byte> text, TextBuffer target);
}

/// <summary>Where an operation writes a new text.</summary>
internal sealed class TextBuffer : IBufferWriter<byte>
{
    private byte[] _bytes = new byte[256];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Text => _bytes.AsSpan(0, Length);

    /// <summary>What was written, to be changed in place.</summary>
    public Span<byte> Written => _bytes.AsSpan(0, Length);

    public void Clear() => Length = 0;

    public void Add(byte value)
    {
        GetSpan(1)[0] = value;
        Length++;
    }

    public void Add(ReadOnlySpan<byte> text)
    {
        text.CopyTo(GetSpan(text.Length));
        Length += text.Length;
    }

    public void Add(string text) => Length += System.Text.Encoding.UTF8.GetBytes(text, GetSpan(System.Text.Encoding.UTF8.GetMaxByteCount(text.Length)));

    public void Advance(int count) => Length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        GetSpan(sizeHint);
        return _bytes.AsMemory(Length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        if (_bytes.Length - Length < Math.Max(sizeHint, 1))
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + sizeHint));
        return _bytes.AsSpan(Length);
    }
}
