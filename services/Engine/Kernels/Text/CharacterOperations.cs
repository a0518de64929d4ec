using System.Globalization;
using System.Text;

namespace Qualiz.Engine.Kernels.Text;

internal sealed class Trim(bool inner) : TextOperation
{
    public override Kinds Interest => Kinds.Blank | Kinds.Control | Kinds.High;

    public override Outcome Apply(ReadOnlySpan<byte> text, TextBuffer target)
    {
        var trimmed = WhiteSpace.Trim(text);
        if (!inner || (Glance.Of(trimmed, Kinds.Control | Kinds.High) == 0 && trimmed.IndexOf("  "u8) < 0))
        {
            if (trimmed.Length == text.Length)
                return Outcome.Same;
            target.Add(trimmed);
            return Outcome.Changed;
        }
        var changed = trimmed.Length != text.Length;
        while (trimmed.Length > 0)
        {
            Rune.DecodeFromUtf8(trimmed, out var rune, out var used);
            var run = 0;
            while (WhiteSpace.Is(rune))
            {
                run += used;
                Rune.DecodeFromUtf8(trimmed[run..], out rune, out used);
            }
            if (run > 0)
            {
                changed |= run > 1 || trimmed[0] != ' ';
                target.Add((byte)' ');
                trimmed = trimmed[run..];
            }
            target.Add(trimmed[..used]);
            trimmed = trimmed[used..];
        }
        if (changed)
            return Outcome.Changed;
        target.Clear();
        return Outcome.Same;
    }
}

/// <summary>Takes away all characters of some kinds.</summary>
internal sealed class Remove(IReadOnlySet<string> kinds) : TextOperation
{
    private readonly bool _letters = kinds.Contains("letters");
    private readonly bool _digits = kinds.Contains("digits");
    private readonly bool _punctuation = kinds.Contains("punctuation");
    private readonly bool _spaces = kinds.Contains("spaces");
    private readonly bool _control = kinds.Contains("control");

    public override Kinds Interest => Kinds.High
        | (_letters ? Kinds.Upper | Kinds.Lower : 0) | (_digits ? Kinds.Digit : 0) | (_punctuation ? Kinds.Sign : 0) | (_spaces ? Kinds.Blank | Kinds.Control : 0) | (_control ? Kinds.Control : 0);

    public override Outcome Apply(ReadOnlySpan<byte> text, TextBuffer target)
    {
        for (var rest = text; rest.Length > 0;)
        {
            Rune.DecodeFromUtf8(rest, out var rune, out var used);
            if (!Takes(rune))
                target.Add(rest[..used]);
            rest = rest[used..];
        }
        return Texts.Unless(text, target);
    }

    private bool Takes(Rune rune)
    {
        if (WhiteSpace.Is(rune))
            return _spaces;
        if (Rune.IsControl(rune) || Rune.GetUnicodeCategory(rune) == UnicodeCategory.Format)
            return _control;
        return (_letters && Rune.IsLetter(rune)) || (_digits && Rune.IsDigit(rune)) || (_punctuation && (Rune.IsPunctuation(rune) || Rune.IsSymbol(rune)));
    }
}

/// <summary>Fills up to a length, or cuts to one, counted in characters.</summary>
internal sealed class Pad(int length, string with, bool right, bool cut) : TextOperation
{
    public override Kinds Interest => Kinds.Always;

    public override Outcome Apply(ReadOnlySpan<byte> text, TextBuffer target)
    {
        var have = 0;
        var end = text.Length;
        for (var at = 0; at < text.Length; have++)
        {
            if (have == length)
                end = Math.Min(end, at);
            Rune.DecodeFromUtf8(text[at..], out _, out var used);
            at += used;
        }
        if (have > length)
        {
            if (!cut)
                return Outcome.Same;
            target.Add(text[..end]);
            return Outcome.Changed;
        }
        // Nothing is no number to be filled up.
        if (cut || have == length || have == 0)
            return Outcome.Same;
        if (right)
            target.Add(text);
        for (; have < length; have++)
            target.Add(with);
        if (!right)
            target.Add(text);
        return Outcome.Changed;
    }
}

/// <summary>
/// Characters for what they were written as to travel in HTML (<c>&amp;amp;</c>, <c>&amp;#233;</c>) or in an address (<c>%20</c>), once: what comes out may have to be unescaped itself. What stands for no character
/// stays, and so does a text in which something stands for NUL, which few others can keep.
/// </summary>
internal sealed class Unescape(bool url) : TextOperation
{
    public override Kinds Interest => Kinds.Sign;

    public override Outcome Apply(ReadOnlySpan<byte> text, TextBuffer target)
    {
        if (!text.Contains(url ? (byte)'%' : (byte)'&'))
            return Outcome.Same;
        var escaped = Encoding.UTF8.GetString(text);
        var plain = url ? Uri.UnescapeDataString(escaped) : System.Net.WebUtility.HtmlDecode(escaped);
        if (plain.Contains('\0', StringComparison.Ordinal))
            return Outcome.Same;
        target.Add(plain);
        return Texts.Unless(text, target);
    }
}
