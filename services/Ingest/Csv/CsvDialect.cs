namespace Qualiz.Ingest.Csv;

/// <summary>How a text file is cut into records and fields. Quote and escape are single ASCII bytes.</summary>
/// <param name="Delimiter">What separates fields, or the first byte of it.</param>
/// <param name="Quote">0: nothing is quoted.</param>
/// <param name="Escape">What makes a quote inside quotes a character: the quote itself, or another byte such as the backslash.</param>
internal sealed record CsvDialect(byte Delimiter, byte Quote = (byte)'"', byte Escape = (byte)'"')
{
    public bool Doubles => Escape == Quote;

    /// <summary>The delimiter's further bytes, where it has several.</summary>
    public byte[] Rest { get; init; } = [];

    /// <summary>A blank behind the delimiter is part of it: <c>a, b, c</c>.</summary>
    public bool Spaced { get; init; }

    /// <summary>One byte, and nothing else, separates fields.</summary>
    public bool IsPlain => Rest.Length == 0 && !Spaced;
}

/// <summary>One field of the current record: its bytes in the scanner's buffer, without the quotes around it.</summary>
internal readonly record struct FieldSlice(int Start, int Length, bool Quoted, bool Escaped);

internal enum RecordFault : byte
{
    None,

    /// <summary>A quoted field is never closed.</summary>
    UnterminatedQuote,

    /// <summary>Something stands between a closing quote and the next delimiter.</summary>
    TextAfterQuote,
    TooFewFields,
    TooManyFields,

    /// <summary>Bytes that are no text in the file's encoding.</summary>
    InvalidText,

    /// <summary>A value that its declared type does not hold.</summary>
    WrongType,

    /// <summary>A line above the header.</summary>
    BeforeHeader,

    /// <summary>The header once more, as files have it that were put together of several.</summary>
    RepeatedHeader,

    /// <summary>JSON that cannot be read, or that is nested too deeply.</summary>
    InvalidJson,
}

[Flags]
internal enum LineEnds : byte
{
    None = 0,
    Lf = 1,
    CrLf = 2,
    Cr = 4,
}
