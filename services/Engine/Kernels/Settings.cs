using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Qualiz.Engine.Kernels;

/// <summary>What the constant first argument of a kernel says, read once. DuckDB hands it over with every vector.</summary>
internal sealed class Settings<T>(Func<string, T> read) where T : class
{
    // A process compiles a bounded number of recipes; beyond that, reading one again costs little.
    private const int Most = 1000;
    private readonly ConcurrentDictionary<byte[], T> _known = new(Bytes.Comparer);

    public T Of(ReadOnlySpan<byte> text)
    {
        if (_known.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(text, out var value))
            return value;
        if (_known.Count >= Most)
            _known.Clear();
        return _known.GetOrAdd(text.ToArray(), read(System.Text.Encoding.UTF8.GetString(text)));
    }
}

/// <summary>Byte strings as keys of dictionaries, looked up by what lies in a vector.</summary>
internal sealed class Bytes : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
{
    public static readonly Bytes Comparer = new();

    public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

    public int GetHashCode([DisallowNull] byte[] obj) => GetHashCode(obj.AsSpan());

    public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

    public int GetHashCode(ReadOnlySpan<byte> alternate) => unchecked((int)System.IO.Hashing.XxHash3.HashToUInt64(alternate));

    public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
}
