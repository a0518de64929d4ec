using System.Text;

namespace Qualiz.Engine.Kernels.Text;

internal static class Texts
{
    /// <summary>
    /// U+FFFE, which is no character but may stand in UTF-8 all the same. <see cref="string.Normalize(NormalizationForm)"/> throws on it, and one such cell
    /// would fail its step.
    /// </summary>
    public const char NoCharacter = '\uFFFE';

    /// <summary>The text in a normal form. <see cref="NoCharacter"/> stays: it joins with nothing, so that what is around it is normalised for itself.</summary>
    public static string Normal(string text, NormalizationForm form) =>
        text.Contains(NoCharacter, StringComparison.Ordinal)
            ? string.Join(NoCharacter, text.Split(NoCharacter).Select(part => part.Normalize(form)))
            : text.Normalize(form);

    /// <summary><see cref="Outcome.Changed"/>, unless what was written is the text as it was.</summary>
    public static Outcome Unless(ReadOnlySpan<byte> text, TextBuffer target)
    {
        if (!text.SequenceEqual(target.Text))
            return Outcome.Changed;
        target.Clear();
        return Outcome.Same;
    }
}
