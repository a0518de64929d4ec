using System.Text.Json;
using System.Text.Unicode;
using Qualiz.Ingest.Sources;

namespace Qualiz.Ingest.Json;

/// <summary>
/// Cuts JSON text into records: one per line, or the elements of one array, or values of which each begins on a line of its own. Each is then parsed by itself, so
/// that a broken line costs itself; an array that does not close cannot be cut and fails.
/// </summary>
internal sealed class JsonRecords(Stream stream, bool lines, string fileName) : IDisposable
{
    private const int MaxRecordBytes = 32 << 20;
    private const int MaxDepth = 64;

    // A name twice in one object would lose a value.
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false };

    private byte[] _buffer = new byte[1 << 20];
    private int _at;
    private int _filled;
    private bool _eof;
    private bool _begun;
    private bool _array;
    private bool _afterElement;
    private long _endLine;

    /// <summary>The line on which the current record begins, 1-based.</summary>
    public long Line { get; private set; } = 1;

    public ReadOnlyMemory<byte> Raw { get; private set; }

    private long LinesPassed { get; set; }

    public bool Next() => lines ? NextLine() : NextValue();

    /// <summary>The current record, or null when it is not valid JSON or nested too deeply.</summary>
    public JsonDocument? Parse()
    {
        // A document checks the bytes of its texts only when they are asked for.
        if (!Utf8.IsValid(Raw.Span))
            return null;
        try
        {
            return JsonDocument.Parse(Raw, Options);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // The second comes from half a character in a member's name.
            return null;
        }
    }

    public void Dispose() => stream.Dispose();

    private bool NextLine()
    {
        while (true)
        {
            int end;
            while ((end = _buffer.AsSpan(_at, _filled - _at).IndexOf((byte)'\n')) < 0 && Fill())
            {
            }
            if (end < 0 && _at == _filled)
                return false;
            var length = end < 0 ? _filled - _at : end;
            Line = LinesPassed + 1;
            LinesPassed++;
            Raw = _buffer.AsMemory(_at, length).TrimEnd((byte)'\r');
            _at += end < 0 ? length : length + 1;
            if (Raw.Span.IndexOfAnyExcept(" \t\r"u8) >= 0)
                return true;
        }
    }

    private bool NextValue()
    {
        if (!SkipBlank())
        {
            if (_array)
                throw Broken("the array is never closed");
            return false;
        }
        if (!_begun)
        {
            _begun = true;
            if (_buffer[_at] == '[')
            {
                _array = true;
                _at++;
                if (!SkipBlank())
                    throw Broken("the array is never closed");
                if (_buffer[_at] == ']')
                    return EndArray();
            }
        }
        else if (_array)
        {
            if (_buffer[_at] == ']')
                return EndArray();
            if (_buffer[_at] != ',')
                throw Broken("a comma is missing between two elements");
            _at++;
            if (!SkipBlank())
                throw Broken("the array is never closed");
        }
        else if (LinesPassed == _endLine)
        {
            throw Broken("something stands behind the value");
        }
        Line = LinesPassed + 1;
        var length = ValueLength();
        Raw = _buffer.AsMemory(_at, length);
        LinesPassed += Raw.Span.Count((byte)'\n');
        _at += length;
        _endLine = LinesPassed;
        _afterElement = true;
        return true;
    }

    private bool EndArray()
    {
        _at++;
        _array = false;
        return SkipBlank() ? throw Broken("something stands behind the array") : false;
    }

    private int ValueLength()
    {
        var depth = 0;
        var inText = false;
        for (var i = 0; ; i++)
        {
            if (_at + i >= _filled && !Fill())
            {
                if (_filled - _at >= MaxRecordBytes)
                    throw Broken("a value is longer than 32 MB");
                return depth == 0 && !inText ? i : throw Broken("a value is never closed");
            }
            var c = _buffer[_at + i];
            if (inText)
            {
                if (c == '\\')
                    i++;
                else if (c == '"')
                {
                    inText = false;
                    if (depth == 0)
                        return i + 1;
                }
                continue;
            }
            switch (c)
            {
                case (byte)'"':
                    inText = true;
                    break;
                case (byte)'{' or (byte)'[':
                    depth++;
                    break;
                case (byte)'}' or (byte)']':
                    if (depth == 0)
                        return i > 0 ? i : throw Broken("a bracket closes nothing");
                    if (--depth == 0)
                        return i + 1;
                    break;
                case (byte)',' or (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r' when depth == 0:
                    return i > 0 ? i : throw Broken("a value is missing");
            }
        }
    }

    private bool SkipBlank()
    {
        while (true)
        {
            for (; _at < _filled; _at++)
            {
                var c = _buffer[_at];
                if (c == '\n')
                    LinesPassed++;
                else if (c is not ((byte)' ' or (byte)'\t' or (byte)'\r'))
                    return true;
            }
            if (!Fill())
                return false;
        }
    }

    private IngestException Broken(string what) =>
        new("fileUnreadable", $"{fileName} is no valid JSON: {what} (line {LinesPassed + 1}{(_afterElement ? "" : ", before the first record")}).");

    private bool Fill()
    {
        if (_eof)
            return false;
        var kept = _filled - _at;
        if (kept == _buffer.Length)
        {
            if (kept >= MaxRecordBytes)
            {
                if (lines)
                    throw Broken("a line is longer than 32 MB");
                return false;
            }
            var larger = new byte[_buffer.Length * 2];
            _buffer.AsSpan(_at, kept).CopyTo(larger);
            _buffer = larger;
        }
        else if (_at > 0)
        {
            // The current record's bytes are no longer needed when more is asked for.
            _buffer.AsSpan(_at, kept).CopyTo(_buffer);
        }
        _at = 0;
        _filled = kept;
        var read = stream.ReadAtLeast(_buffer.AsSpan(kept), 1, throwOnEndOfStream: false);
        _eof = read == 0;
        _filled += read;
        return read > 0;
    }
}
