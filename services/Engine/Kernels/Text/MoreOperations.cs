using System.Globalization;
using System.Text;

namespace Qualiz.Engine.Kernels.Text;

/// <summary>One of Unicode's normal forms.</summary>
internal sealed class Normalize(NormalizationForm form) : TextOperation
{
    public override Kinds Interest => Kinds.High;

    public override Outcome Apply(ReadOnlySpan<byte> text, TextBuffer target)
    {
        var whole = Encoding.UTF8.GetString(text);
        if (whole.IsNormalized(form))
            return Outcome.Same;
        target.Add(whole.Normalize(form));
        return Texts.Unless(text, target);
    }
}

/// <summary>Letters without their accents; a few that are letters of their own are spelt out.</summary>
internal sealed class Accents : TextOperation
{
    public override Kinds Interest => Kinds.High;

    public override Outcome Apply(ReadOnlySpan<byte> text, TextBuffer target)
    {
        var plain = new StringBuilder(text.Length);
        foreach (var rune in Encoding.UTF8.GetString(text).Normalize(NormalizationForm.FormD).EnumerateRunes())
        {
            if (Rune.GetUnicodeCategory(rune) == UnicodeCategory.NonSpacingMark)
                continue;
            var spelt = rune.Value switch
            {
                'ß' => "ss",
                'ẞ' => "SS",
                'æ' => "ae",
                'Æ' => "AE",
                'œ' => "oe",
                'Œ' => "OE",
                'ø' => "o",
                'Ø' => "O",
                'đ' => "d",
                'Đ' => "D",
                'ð' => "d",
                'Ð' => "D",
                'þ' => "th",
                'Þ' => "Th",
                'ł' => "l",
                'Ł' => "L",
                'ħ' => "h",
                'Ħ' => "H",
                'ı' => "i",
                'ŧ' => "t",
                'Ŧ' => "T",
                _ => null,
            };
            if (spelt is null)
                plain.Append(rune);
            else
                plain.Append(spelt);
        }
        target.Add(plain.ToString().Normalize(NormalizationForm.FormC));
        return Texts.Unless(text, target);
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
