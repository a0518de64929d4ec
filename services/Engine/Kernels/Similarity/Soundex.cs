namespace Qualiz.Engine.Kernels.Similarity;

/// <summary>Codes for how a name sounds.</summary>
internal static class Soundex
{
    // a b c d e f g h i j k l m n o p q r s t u v w x y z; 0: a vowel, which parts equal digits; 7: h and w, which do not.
    private const string Digits = "01230127022455012623017202";

    /// <summary>
    /// American Soundex as the US National Archives define it: the first letter and three digits for the consonants after it; letters of one digit side by side, or with h or w between, count
    /// once. Letters beyond a to z are left out. Empty when there is none. The answer is 0, or four characters packed into an integer.
    /// </summary>
    public static int Code(ReadOnlySpan<char> name)
    {
        var (code, length, last) = (0, 0, '0');
        foreach (var letter in name)
        {
            var lower = (char)(letter | 0x20);
            if (lower is < 'a' or > 'z')
                continue;
            var digit = Digits[lower - 'a'];
            if (length == 0)
                (code, length) = (lower - 0x20, 1);
            else if (digit is not ('0' or '7') && digit != last)
            {
                code = (code << 8) | digit;
                if (++length == 4)
                    return code;
            }
            if (digit != '7')
                last = digit;
        }
        if (length == 0)
            return 0;
        for (; length < 4; length++)
            code = (code << 8) | '0';
        return code;
    }

    /// <summary>The code as people write it (R163).</summary>
    public static string Text(int code) => code == 0 ? "" : new string([(char)(code >> 24), (char)((code >> 16) & 0xff), (char)((code >> 8) & 0xff), (char)(code & 0xff)]);
}
