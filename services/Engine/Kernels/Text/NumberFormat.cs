using System.Text;
using System.Text.Json;

namespace Qualiz.Engine.Kernels.Text;

/// <summary>How numbers are written, and how text is brought into the one form that casts take: <c>-1234.5</c>.</summary>
internal sealed class NumberFormat
{
    private readonly byte[] _point;
    private readonly byte[][] _groups;
    private readonly byte[][] _remove;
    private readonly int? _scale;
    private readonly bool _exponent;

    /// <param name="scale">How many digits behind the point may be other than zero; null for any number.</param>
    public NumberFormat(string point, string? group, IEnumerable<string> remove, int? scale, bool exponent)
    {
        _point = Encoding.UTF8.GetBytes(point);
        // A space as separator stands for the no-break spaces, too, an apostrophe for the typographic one.
        string[] groups = group switch
        {
            null => [],
            " " => [" ", "\u00a0", "\u202f", "\u2009"],
            "'" => ["'", "\u2019"],
            _ => [group],
        };
        _groups = [.. groups.Select(Encoding.UTF8.GetBytes)];
        _remove = [.. remove.Where(text => text.Length > 0).Select(Encoding.UTF8.GetBytes)];
        _scale = scale;
        _exponent = exponent;
    }

    public static NumberFormat Read(string json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        return new NumberFormat(
            root.GetProperty("decimal").GetString()!,
            root.GetProperty("thousands").GetString(),
            [.. root.GetProperty("remove").EnumerateArray().Select(word => word.GetString()!)],
            root.GetProperty("scale") is { ValueKind: JsonValueKind.Number } scale ? scale.GetInt32() : null,
            root.GetProperty("exponent").GetBoolean());
    }

    /// <summary>Writes the number into <paramref name="target"/>; false when the text is none.</summary>
    public bool TryRead(ReadOnlySpan<byte> text, TextBuffer target)
    {
        foreach (var word in _remove)
            text = Without(text, word);
        text = WhiteSpace.Trim(text);
        target.Clear();
        if (text.Length > 0 && text[0] is (byte)'+' or (byte)'-')
        {
            if (text[0] == '-')
                target.Add((byte)'-');
            text = text[1..];
        }
        var whole = Digits(ref text, target);
        // 1.234.567: groups of three behind a first of one to three digits.
        if (whole is >= 1 and <= 3 && Group(text) is > 0 and var width)
        {
            var separator = text[..width];
            while (text.StartsWith(separator) || Group(text) > 0)
            {
                text = text[Group(text)..];
                if (Digits(ref text, target) != 3)
                    return false;
            }
            whole = 3;
        }
        var fraction = 0;
        if (text.StartsWith(_point))
        {
            text = text[_point.Length..];
            target.Add((byte)'.');
            var digits = text[..Count(text)];
            text = text[digits.Length..];
            fraction = digits.Length;
            // Zeros behind the last digit say nothing.
            var significant = digits.TrimEnd((byte)'0');
            if (significant.Length > _scale)
                return false;
            target.Add(significant.Length == 0 ? "0"u8 : significant);
        }
        if (whole + fraction == 0)
            return false;
        if (_exponent && text.Length > 0 && (text[0] | 0x20) == 'e')
        {
            target.Add((byte)'e');
            text = text[1..];
            if (text.Length > 0 && text[0] is (byte)'+' or (byte)'-')
            {
                target.Add(text[0]);
                text = text[1..];
            }
            if (Digits(ref text, target) is 0 or > 3)
                return false;
        }
        return text.Length == 0;
    }

    /// <summary>The text without any occurrence of the word, also of those that arise where one was taken away.</summary>
    private static ReadOnlySpan<byte> Without(ReadOnlySpan<byte> text, ReadOnlySpan<byte> word)
    {
        if (text.IndexOf(word) < 0)
            return text;
        var kept = new byte[text.Length];
        var length = 0;
        foreach (var value in text)
        {
            kept[length++] = value;
            if (kept.AsSpan(0, length).EndsWith(word))
                length -= word.Length;
        }
        return kept.AsSpan(0, length);
    }

    private int Group(ReadOnlySpan<byte> text)
    {
        foreach (var group in _groups)
        {
            if (text.StartsWith(group))
                return group.Length;
        }
        return 0;
    }

    private static int Digits(ref ReadOnlySpan<byte> text, TextBuffer target)
    {
        var count = Count(text);
        target.Add(text[..count]);
        text = text[count..];
        return count;
    }

    private static int Count(ReadOnlySpan<byte> text)
    {
        var other = text.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        return other < 0 ? text.Length : other;
    }
}
