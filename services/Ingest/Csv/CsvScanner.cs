using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Qualiz.Ingest.Csv;

/// <summary>
/// Cuts UTF-8 bytes into records and fields, exactly and without copying: every byte of the file belongs to one record, to a blank line or
/// to a line end. It is both the survey's eyes and the rewriter's.
/// </summary>
/// <remarks>
/// A record whose quotes go wrong is cut at its first line end: a stray quote costs one line, not the rest of the file, however long that is.
/// </remarks>
internal sealed class CsvScanner : IDisposable
{
    /// <summary>A longer record means that the file is not what it is taken for.</summary>
    public const int MaxRecordBytes = 32 << 20;

    private readonly Stream _stream;
    private readonly CsvDialect _dialect;
    private readonly SearchValues<byte> _stops;
    private readonly long _limit;
    private readonly int _maxRecord;
    private byte[] _buffer;
    private long _base;
    private int _next;
    private int _filled;
    private bool _eof;

    /// <summary>A record fills the buffer, which grows no more: what has not ended by now is taken for never ending.</summary>
    private bool _full;
    private long _lineEndsSeen;
    private FieldSlice[] _fields = new FieldSlice[64];

    /// <param name="stream">Positioned at <paramref name="offset"/>, which begins a record.</param>
    /// <param name="limit">Records that begin before this offset are read.</param>
    public CsvScanner(Stream stream, CsvDialect dialect, long offset = 0, long limit = long.MaxValue, int bufferSize = 1 << 20, int maxRecord = MaxRecordBytes)
    {
        _stream = stream;
        _dialect = dialect;
        _base = offset;
        _limit = limit;
        _maxRecord = maxRecord;
        _buffer = ArrayPool<byte>.Shared.Rent(bufferSize);
        _stops = SearchValues.Create([dialect.Delimiter, (byte)'\n', (byte)'\r']);
    }

    /// <summary>How many fields a record should have; 0: any number.</summary>
    public int Expected { get; set; }

    public int Count { get; private set; }

    public RecordFault Fault { get; private set; }

    /// <summary>Where the current record begins in the file.</summary>
    public long Offset { get; private set; }

    /// <summary>Where the next one begins.</summary>
    public long NextOffset => _base + _next;

    /// <summary>The number of the line on which the current record begins, counted from 1 at the scanner's start.</summary>
    public long Line { get; private set; }

    /// <summary>How many line ends have been passed.</summary>
    public long LinesPassed => _lineEndsSeen;

    public LineEnds LineEnds { get; private set; }

    /// <summary>The current record as it stands in the file, without its line end.</summary>
    public ReadOnlySpan<byte> Raw => _buffer.AsSpan(RawStart, RawLength);

    private int RawStart { get; set; }
    private int RawLength { get; set; }

    public ReadOnlySpan<FieldSlice> Fields => _fields.AsSpan(0, Count);

    /// <summary>A field's bytes; a field with <see cref="FieldSlice.Escaped"/> still holds its escapes.</summary>
    public ReadOnlySpan<byte> Bytes(in FieldSlice field) => _buffer.AsSpan(field.Start, field.Length);

    /// <summary>True when the current record is an empty line.</summary>
    public bool Blank => RawLength == 0;

    /// <summary>Takes a field's escapes out; <paramref name="target"/> must hold its length.</summary>
    public int Unescape(in FieldSlice field, Span<byte> target)
    {
        var source = Bytes(field);
        var length = 0;
        for (var i = 0; i < source.Length; i++)
        {
            if (source[i] == _dialect.Escape && i + 1 < source.Length && (source[i + 1] == _dialect.Quote || source[i + 1] == _dialect.Escape))
                i++;
            target[length++] = source[i];
        }
        return length;
    }

    /// <summary>The byte before a field, its quote left aside.</summary>
    public byte Before(in FieldSlice field) => _buffer[field.Start - (field.Quoted ? 2 : 1)];

    public bool Next()
    {
        if (_base + _next >= _limit)
            return false;
        if (_next >= _filled && !Fill())
            return false;
        while (!TryParse())
        {
            if (Fill() || _eof)
                continue;
            _full = true;
            var cut = TryParse();
            _full = false;
            if (cut)
                break;
            throw new InvalidDataException("The file has a record longer than 32 MB; it is not of the expected format.");
        }
        return true;
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        _stream.Dispose();
    }

    // Answers false when the record does not end in the buffer and the file goes on.
    // Workers are short-lived: this loop is compiled for speed at once, not after it has been seen to be hot.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool TryParse()
    {
        var buffer = _buffer;
        var filled = _filled;
        var start = _next;
        var at = start;
        var count = 0;
        var lines = 0;
        var fault = RecordFault.None;
        var quote = _dialect.Quote;
        var delimiter = _dialect.Delimiter;
        var hasQuotes = quote != 0;
        var plain = _dialect.IsPlain;
        var delimiters = Vector256.Create(delimiter);
        int end;
        while (true)
        {
            if (count == _fields.Length)
                Array.Resize(ref _fields, count * 2);
            if (hasQuotes && at < filled && buffer[at] == quote)
            {
                var escaped = false;
                var close = at + 1;
                while (true)
                {
                    var found = _dialect.Doubles
                        ? buffer.AsSpan(close, filled - close).IndexOf(quote)
                        : buffer.AsSpan(close, filled - close).IndexOfAny(quote, _dialect.Escape);
                    if (found < 0)
                    {
                        if (!_eof && !_full)
                            return false;
                        close = -1;
                        break;
                    }
                    close += found;
                    if (!_dialect.Doubles && buffer[close] == _dialect.Escape)
                    {
                        escaped = true;
                        if (close + 2 > filled && !_eof)
                        {
                            if (!_full)
                                return false;
                            close = -1;
                            break;
                        }
                        close = Math.Min(close + 2, filled);
                        continue;
                    }
                    if (close + 1 == filled && !_eof)
                    {
                        if (!_full)
                            return false;
                        close = -1;
                        break;
                    }
                    if (!_dialect.Doubles || close + 1 == filled || buffer[close + 1] != quote)
                        break;
                    escaped = true;
                    close += 2;
                }
                if (close < 0)
                {
                    fault = RecordFault.UnterminatedQuote;
                    end = filled;
                    break;
                }
                var inside = buffer.AsSpan(at + 1, close - at - 1);
                if (inside.IndexOfAny((byte)'\n', (byte)'\r') >= 0)
                    lines += CountLineEnds(inside);
                _fields[count++] = new FieldSlice(at + 1, close - at - 1, true, escaped);
                at = close + 1;
                if (at < filled && (plain ? buffer[at] != delimiter : Behind(at) == NoDelimiter) && buffer[at] is not ((byte)'\n' or (byte)'\r'))
                {
                    fault = RecordFault.TextAfterQuote;
                    end = at;
                    break;
                }
            }
            else
            {
                var length = FindStop(buffer, at, filled, delimiters);
                if (length < 0)
                {
                    if (!_eof)
                        return false;
                    length = filled - at;
                }
                else if (!plain && (length = FindLongStop(at, length, delimiters)) < 0)
                {
                    return false;
                }
                _fields[count++] = new FieldSlice(at, length, false, false);
                at += length;
            }
            if (at < filled && buffer[at] == delimiter)
            {
                if (plain)
                {
                    at++;
                    continue;
                }
                if (Behind(at) is var behind && behind == CutDelimiter)
                    return false;
                at = behind;
                continue;
            }
            end = at;
            break;
        }

        if (fault == RecordFault.None && Expected != 0 && count != Expected && end > start)
            fault = count < Expected ? RecordFault.TooFewFields : RecordFault.TooManyFields;
        if (fault is RecordFault.UnterminatedQuote or RecordFault.TextAfterQuote)
        {
            var length = buffer.AsSpan(start, filled - start).IndexOfAny((byte)'\n', (byte)'\r');
            if (length < 0 && !_eof)
                return false;
            end = length < 0 ? filled : start + length;
            lines = 0;
            count = 0;
        }

        var next = end;
        if (end < filled)
        {
            if (buffer[end] == '\r')
            {
                if (end + 1 == filled && !_eof)
                    return false;
                var crLf = end + 1 < filled && buffer[end + 1] == '\n';
                LineEnds |= crLf ? LineEnds.CrLf : LineEnds.Cr;
                next += crLf ? 2 : 1;
            }
            else
            {
                LineEnds |= LineEnds.Lf;
                next++;
            }
            Line = _lineEndsSeen + 1;
            _lineEndsSeen += lines + 1;
        }
        else
        {
            Line = _lineEndsSeen + 1;
            _lineEndsSeen += lines;
        }
        Count = count;
        Fault = fault;
        Offset = _base + start;
        RawStart = start;
        RawLength = end - start;
        _next = next;
        return true;
    }

    // Most fields end within 32 bytes: one look at them without a call is twice as fast as a search over the rest.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int FindStop(byte[] buffer, int at, int filled, Vector256<byte> delimiters)
    {
        if (Vector256.IsHardwareAccelerated && at + Vector256<byte>.Count <= filled)
        {
            var bytes = Vector256.LoadUnsafe(ref MemoryMarshal.GetArrayDataReference(buffer), (nuint)at);
            var stops = Vector256.Equals(bytes, delimiters) | Vector256.Equals(bytes, Vector256.Create((byte)'\n')) | Vector256.Equals(bytes, Vector256.Create((byte)'\r'));
            var mask = stops.ExtractMostSignificantBits();
            if (mask != 0)
                return BitOperations.TrailingZeroCount(mask);
        }
        return buffer.AsSpan(at, filled - at).IndexOfAny(_stops);
    }

    private const int NoDelimiter = -1;
    private const int CutDelimiter = -2;

    /// <summary>What comes behind the delimiter that begins there; or that none does, or that the buffer ends within it.</summary>
    private int Behind(int at)
    {
        if (_buffer[at] != _dialect.Delimiter)
            return NoDelimiter;
        at++;
        if (_dialect.Spaced)
            return at < _filled ? _buffer[at] == ' ' ? at + 1 : at : _eof ? at : CutDelimiter;
        var rest = _dialect.Rest;
        var there = Math.Min(rest.Length, _filled - at);
        if (!_buffer.AsSpan(at, there).SequenceEqual(rest.AsSpan(0, there)))
            return NoDelimiter;
        return there == rest.Length ? at + there : _eof ? NoDelimiter : CutDelimiter;
    }

    /// <summary>The field's length, up to a whole delimiter; less than 0 when the file must be read on to know.</summary>
    private int FindLongStop(int at, int length, Vector256<byte> delimiters)
    {
        while (at + length < _filled && _buffer[at + length] == _dialect.Delimiter)
        {
            switch (Behind(at + length))
            {
                case CutDelimiter:
                    return -1;
                case NoDelimiter:
                    var more = FindStop(_buffer, at + length + 1, _filled, delimiters);
                    if (more < 0)
                        return _eof ? _filled - at : -1;
                    length += 1 + more;
                    break;
                default:
                    return length;
            }
        }
        return length;
    }

    private static int CountLineEnds(ReadOnlySpan<byte> text)
    {
        var lines = 0;
        while (true)
        {
            var at = text.IndexOfAny((byte)'\n', (byte)'\r');
            if (at < 0)
                return lines;
            lines++;
            at += text[at] == '\r' && at + 1 < text.Length && text[at + 1] == '\n' ? 2 : 1;
            text = text[at..];
        }
    }

    // Keeps what is not read yet, and reads more behind it. False: nothing came, or there is no room for more.
    private bool Fill()
    {
        if (_eof)
            return false;
        var kept = _filled - _next;
        if (kept == _buffer.Length)
        {
            if (_buffer.Length >= _maxRecord)
                return false;
            var larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
            _buffer.AsSpan(_next, kept).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }
        else if (_next > 0)
        {
            _buffer.AsSpan(_next, kept).CopyTo(_buffer);
        }
        _base += _next;
        _next = 0;
        _filled = kept;
        while (_filled < _buffer.Length)
        {
            var read = _stream.Read(_buffer, _filled, _buffer.Length - _filled);
            if (read == 0)
            {
                _eof = true;
                break;
            }
            _filled += read;
        }
        return _filled > kept;
    }
}
