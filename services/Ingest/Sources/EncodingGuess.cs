using System.Text;

namespace Qualiz.Ingest.Sources;

/// <summary>
/// The encoding of text that is not UTF-8 and says nothing of itself. Encodings of several bytes are told by their own rules, which other text seldom
/// follows; those of one byte by how much sense the letters make in words. Where nothing speaks for another, it is Windows-1252.
/// </summary>
internal static class EncodingGuess
{
    private const int MaxBytes = 1 << 16;

    // By how often they are met; an earlier one wins a draw.
    private static readonly string[] OneByte = ["windows-1252", "windows-1250", "windows-1251", "iso-8859-2", "iso-8859-5", "koi8-r", "windows-1253", "windows-1254", "ibm850"];
    private static readonly string[] SeveralBytes = ["shift_jis", "euc-jp", "gb18030", "big5", "euc-kr"];

    public static string Guess(ReadOnlySpan<byte> head)
    {
        head = head[..Math.Min(head.Length, MaxBytes)];
        // Not in the middle of a character: a line's end is none.
        if (head.LastIndexOf((byte)'\n') is > 0 and var end)
            head = head[..end];
        var (best, most) = ("", 0.9);
        foreach (var name in SeveralBytes)
        {
            var score = ScoreSeveral(head, name);
            if (score > most)
                (best, most) = (name, score);
        }
        if (best.Length > 0)
            return best;
        (best, most) = (OneByte[0], double.MinValue);
        foreach (var name in OneByte)
        {
            var score = ScoreOne(head, name);
            if (score > most + 0.05)
                (best, most) = (name, score);
        }
        return best;
    }

    /// <summary>The share of characters beyond ASCII that are common in the languages of the encoding; 0 when a byte breaks its rules.</summary>
    private static double ScoreSeveral(ReadOnlySpan<byte> head, string name)
    {
        string text;
        try
        {
            text = Encoding.GetEncoding(name, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback).GetString(head);
        }
        catch (DecoderFallbackException)
        {
            return 0;
        }
        int beyond = 0, common = 0, kana = 0, rows = 0;
        foreach (var c in text)
        {
            if (c < 0x80)
                continue;
            beyond++;
            if (c is >= '\u3040' and <= '\u30ff')
                kana++;
            // The usual ideographs, Hangul, full-width forms and their punctuation; half-width kana are what other text turns into.
            if (c is (>= '\u4e00' and <= '\u9fff') or (>= '\u3000' and <= '\u30ff') or (>= '\uac00' and <= '\ud7a3') or (>= '\uff01' and <= '\uff5e'))
                common++;
            if (c is >= '\ue000' and <= '\uf8ff')
                rows++;
        }
        if (beyond < 8 || rows > 0)
            return 0;
        // Characters stand side by side in these languages; single ones between letters are western text that fits by accident.
        var alone = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] >= 0x80 && (i == 0 || text[i - 1] < 0x80) && (i + 1 == text.Length || text[i + 1] < 0x80))
                alone++;
        }
        if (alone > beyond / 4)
            return 0;
        var score = (double)common / beyond;
        // Kana decide between the encodings of Japanese and those that merely take its bytes; Hangul likewise.
        var hangul = text.Count(c => c is >= '\uac00' and <= '\ud7a3');
        return name switch
        {
            "shift_jis" or "euc-jp" => kana > beyond / 20 ? score + 0.2 : score - 0.2,
            "euc-kr" => hangul > beyond / 2 ? score + 0.2 : score - 0.3,
            "big5" => score - 0.02,
            _ => kana > beyond / 20 ? score - 0.1 : score,
        };
    }

    private static double ScoreOne(ReadOnlySpan<byte> head, string name)
    {
        var text = Encoding.GetEncoding(name, EncoderFallback.ReplacementFallback, DecoderFallback.ReplacementFallback).GetString(head);
        var score = 0.0;
        var beyond = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c < 0x80)
                continue;
            beyond++;
            var before = i > 0 ? text[i - 1] : ' ';
            var after = i + 1 < text.Length ? text[i + 1] : ' ';
            if (char.IsControl(c) || c == '\ufffd')
            {
                score -= 4;
            }
            else if (char.IsLetter(c))
            {
                var foreign = IsForeign(c);
                // One script in a word.
                if ((char.IsLetter(before) && IsForeign(before) != foreign) || (char.IsLetter(after) && IsForeign(after) != foreign))
                    score -= 2;
                // A capital behind a small letter is no word; a capital in a word of capitals is.
                else if (char.IsUpper(c) && char.IsLower(before))
                    score -= 2;
                else if (char.IsLetter(before) || char.IsLetter(after))
                    score += foreign && char.IsLower(c) ? 1.2 : 1;
            }
            else if (char.IsLetter(before) && char.IsLetter(after) && c is not ('\u2019' or '\u00b7' or '\u00ad'))
            {
                // A sign in the middle of a word.
                score -= 2;
            }
            else if (c is >= '\u2500' and <= '\u259f')
            {
                // Lines and blocks come from screens, not from tables.
                score -= 1;
            }
        }
        return beyond == 0 ? 0 : score / beyond;
    }

    private static bool IsForeign(char c) => c is >= '\u0370' and < '\u1e00';
}
