namespace Qualiz.Engine.Columns;

/// <summary>Texts by number, all of them in one buffer: a million values are no million objects.</summary>
internal sealed class TextList
{
    private readonly char[] _letters;
    private readonly int[] _starts;

    /// <param name="starts">Where each text begins, and where the last one ends.</param>
    public TextList(char[] letters, int[] starts)
    {
        _letters = letters;
        _starts = starts;
    }

    public int Count => _starts.Length - 1;

    public ReadOnlySpan<char> this[int number] => _letters.AsSpan(_starts[number], _starts[number + 1] - _starts[number]);

    public long Bytes => (2L * _letters.Length) + (4L * _starts.Length);

    /// <summary>Strings, for those who need such.</summary>
    public string[] ToStrings()
    {
        var texts = new string[Count];
        for (var i = 0; i < texts.Length; i++)
            texts[i] = new string(this[i]);
        return texts;
    }
}
