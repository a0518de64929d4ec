using System.Buffers;

namespace Qualiz.Ingest.Csv;

/// <summary>
/// Writes the one form of CSV that the engine is told to read: UTF-8, comma, line feed, null is nothing, and every text is quoted where it
/// could be taken for anything else.
/// </summary>
internal sealed class CsvWriter(Stream stream) : IDisposable
{
    private static readonly SearchValues<byte> Special = SearchValues.Create(",\"\n\r"u8);
    private readonly byte[] _buffer = new byte[1 << 18];
    private int _used;
    private bool _first = true;
    private long _line;

    /// <summary>The longest record written, in bytes.</summary>
    public long LongestRecord { get; private set; }

    public void Null() => Separate();

    /// <summary>Null in a file of one column, which the engine must be told of as <see cref="NullText"/>.</summary>
    public void NullWord()
    {
        Separate();
        Write("\\N"u8);
    }

    /// <summary>Unquoted, it is null in a file of one column; a text of these letters is quoted.</summary>
    public const string NullText = "\\N";

    public void Text(ReadOnlySpan<byte> text)
    {
        Separate();
        if (text.Length > 0 && text.IndexOfAny(Special) < 0 && !text.SequenceEqual("\\N"u8))
        {
            Write(text);
            return;
        }
        Write("\""u8);
        while (true)
        {
            var quote = text.IndexOf((byte)'"');
            if (quote < 0)
                break;
            Write(text[..(quote + 1)]);
            Write("\""u8);
            text = text[(quote + 1)..];
        }
        Write(text);
        Write("\""u8);
    }

    public void Text(string text) => Text(System.Text.Encoding.UTF8.GetBytes(text));

    public void Number(long value)
    {
        Separate();
        Span<byte> digits = stackalloc byte[24];
        value.TryFormat(digits, out var length, default, System.Globalization.CultureInfo.InvariantCulture);
        Write(digits[..length]);
    }

    public void EndRecord()
    {
        Write("\n"u8);
        _first = true;
        LongestRecord = Math.Max(LongestRecord, _line);
        _line = 0;
    }

    public void Dispose()
    {
        stream.Write(_buffer, 0, _used);
        stream.Dispose();
    }

    private void Separate()
    {
        if (!_first)
            Write(","u8);
        _first = false;
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        _line += bytes.Length;
        if (bytes.Length > _buffer.Length - _used)
        {
            stream.Write(_buffer, 0, _used);
            _used = 0;
            if (bytes.Length > _buffer.Length)
            {
                stream.Write(bytes);
                return;
            }
        }
        bytes.CopyTo(_buffer.AsSpan(_used));
        _used += bytes.Length;
    }
}
