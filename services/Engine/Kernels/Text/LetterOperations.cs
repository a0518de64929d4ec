using System.Globalization;
using System.Text;

namespace Qualiz.Engine.Kernels.Text;

internal sealed class Upper : TextOperation
{
    public override Kinds Interest => Kinds.Lower | Kinds.High;

    public override Outcome Apply(ReadOnlySpan<byte> text, TextBuffer target)
    {
        if (System.Text.Ascii.IsValid(text))
        {
            System.Text.Ascii.ToUpper(text, target.GetSpan(text.Length), out var written);
            target.Advance(written);
        }
        else
        {
            target.Add(Encoding.UTF8.GetString(text).ToUpperInvariant());
        }
        return Texts.Unless(text, target);
    }
}

internal sealed class Lower : TextOperation
{
    public override Kinds Interest => Kinds.Upper | Kinds.High;

    public override Outcome Apply(ReadOnlySpan<byte> text, TextBuffer target)
    {
        if (System.Text.Ascii.IsValid(text))
        {
            System.Text.Ascii.ToLower(text, target.GetSpan(text.Length), out var written);
            target.Advance(written);
        }
        else
        {
            target.Add(Encoding.UTF8.GetString(text).ToLowerInvariant());
        }
        return Texts.Unless(text, target);
    }
}

/// <summary>Each word begins with a capital; a word ends at white space, a dash or a slash.</summary>
internal sealed class Title : TextOperation
{
    public override Kinds Interest => Kinds.Upper | Kinds.Lower | Kinds.High;

    public override Outcome Apply(ReadOnlySpan<byte> text, TextBuffer target)
    {
        var begins = true;
        Span<byte> encoded = stackalloc byte[4];
        for (var rest = text; rest.Length > 0;)
        {
            Rune.DecodeFromUtf8(rest, out var rune, out var used);
            rest = rest[used..];
            var gap = rune.Value == '/' || WhiteSpace.Is(rune) || Rune.GetUnicodeCategory(rune) == UnicodeCategory.DashPunctuation;
            var written = gap ? rune : begins ? Rune.ToUpperInvariant(rune) : Rune.ToLowerInvariant(rune);
            target.Add(encoded[..written.EncodeToUtf8(encoded)]);
            begins = gap;
        }
        return Texts.Unless(text, target);
    }
}

/// <summary>One of Unicode's normal forms.</summary>
internal sealed class Normalize(NormalizationForm form) : TextOperation
{
    public override Kinds Interest => Kinds.High;

    public override Outcome Apply(ReadOnlySpan<byte> text, TextBuffer target)
    {
        var whole = Encoding.UTF8.GetString(text);
        if (!whole.Contains(Texts.NoCharacter, StringComparison.Ordinal) && whole.IsNormalized(form))
            return Outcome.Same;
        target.Add(Texts.Normal(whole, form));
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
        foreach (var rune in Texts.Normal(Encoding.UTF8.GetString(text), NormalizationForm.FormD).EnumerateRunes())
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
        target.Add(Texts.Normal(plain.ToString(), NormalizationForm.FormC));
        return Texts.Unless(text, target);
    }
}
