using System.Buffers.Binary;
using System.Text;
using Npgsql;

namespace Qualiz.Datasets.Quarantine;

/// <summary>
/// Rows for COPY in its binary format, encoded where they lie: a row is one piece of a buffer, and what is the same in all rows is
/// encoded once. Disposed without <see cref="CompleteAsync"/>, it takes everything back.
/// </summary>
internal sealed class CopyRows : IAsyncDisposable
{
    private const int FlushBytes = 64 << 10;
    private static readonly DateTimeOffset Epoch = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly NpgsqlRawCopyStream _stream;
    private readonly short _fields;
    private byte[] _buffer = new byte[2 * FlushBytes];
    private int _length;
    private bool _completed;

    private CopyRows(NpgsqlRawCopyStream stream, int fields)
    {
        (_stream, _fields) = (stream, (short)fields);
        Add("PGCOPY\n"u8);
        Add([0xff, 0x0d, 0x0a, 0x00]);
        // No flags, no extension.
        Add(new byte[8]);
    }

    /// <param name="columns">With types that the rows are given in, in their order.</param>
    public static async Task<CopyRows> BeginAsync(NpgsqlConnection connection, string table, string columns, CancellationToken ct) =>
        new(await connection.BeginRawBinaryCopyAsync($"COPY {table} ({columns}) FROM STDIN (FORMAT BINARY)", ct), columns.Count(character => character == ',') + 1);

    /// <summary>Begins a row; what was begun before is sent when it is enough.</summary>
    public async ValueTask NextAsync(CancellationToken ct)
    {
        if (_length > FlushBytes)
            await SendAsync(ct);
        BinaryPrimitives.WriteInt16BigEndian(Take(sizeof(short)), _fields);
    }

    public void Add(long value)
    {
        var field = Take(sizeof(int) + sizeof(long));
        BinaryPrimitives.WriteInt32BigEndian(field, sizeof(long));
        BinaryPrimitives.WriteInt64BigEndian(field[sizeof(int)..], value);
    }

    public void Add(int value)
    {
        var field = Take(sizeof(int) + sizeof(int));
        BinaryPrimitives.WriteInt32BigEndian(field, sizeof(int));
        BinaryPrimitives.WriteInt32BigEndian(field[sizeof(int)..], value);
    }

    public void Add(Guid value)
    {
        var field = Take(sizeof(int) + 16);
        BinaryPrimitives.WriteInt32BigEndian(field, 16);
        value.TryWriteBytes(field[sizeof(int)..], bigEndian: true, out _);
    }

    public void Add(DateTimeOffset value) => Add((value - Epoch).Ticks / TimeSpan.TicksPerMicrosecond);

    public void Add(string value)
    {
        var bytes = Encoding.UTF8.GetByteCount(value);
        var field = Take(sizeof(int) + bytes);
        BinaryPrimitives.WriteInt32BigEndian(field, bytes);
        Encoding.UTF8.GetBytes(value, field[sizeof(int)..]);
    }

    public void AddNull() => BinaryPrimitives.WriteInt32BigEndian(Take(sizeof(int)), -1);

    /// <summary>Fields that <see cref="Encode"/> has made.</summary>
    public void Add(ReadOnlySpan<byte> encoded) => encoded.CopyTo(Take(encoded.Length));

    /// <summary>A field of the type <c>text[]</c>.</summary>
    public static byte[] Encode(IReadOnlyList<string> list)
    {
        const int TextType = 25;
        using var field = new MemoryStream();
        void Number(int value)
        {
            Span<byte> bytes = stackalloc byte[sizeof(int)];
            BinaryPrimitives.WriteInt32BigEndian(bytes, value);
            field.Write(bytes);
        }
        Number(0);
        Number(list.Count == 0 ? 0 : 1);
        Number(0);
        Number(TextType);
        if (list.Count > 0)
        {
            Number(list.Count);
            Number(1);
        }
        foreach (var text in list)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            Number(bytes.Length);
            field.Write(bytes);
        }
        var encoded = field.ToArray();
        BinaryPrimitives.WriteInt32BigEndian(encoded, encoded.Length - sizeof(int));
        return encoded;
    }

    public async Task CompleteAsync(CancellationToken ct)
    {
        BinaryPrimitives.WriteInt16BigEndian(Take(sizeof(short)), -1);
        await SendAsync(ct);
        _completed = true;
        await _stream.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_completed)
            await _stream.CancelAsync();
    }

    private async ValueTask SendAsync(CancellationToken ct)
    {
        await _stream.WriteAsync(_buffer.AsMemory(0, _length), ct);
        _length = 0;
    }

    private Span<byte> Take(int bytes)
    {
        if (_length + bytes > _buffer.Length)
            Array.Resize(ref _buffer, Math.Max(2 * _buffer.Length, _length + bytes));
        _length += bytes;
        return _buffer.AsSpan(_length - bytes, bytes);
    }
}
