namespace Qualiz.Engine.Kernels.Text;

internal static class Texts
{
    /// <summary><see cref="Outcome.Changed"/>, unless what was written is the text as it was.</summary>
    public static Outcome Unless(ReadOnlySpan<byte> text, TextBuffer target)
    {
        if (!text.SequenceEqual(target.Text))
            return Outcome.Changed;
        target.Clear();
        return Outcome.Same;
    }
}
