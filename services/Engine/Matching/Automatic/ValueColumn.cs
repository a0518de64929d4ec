using System.Globalization;
using System.Text;

namespace Qualiz.Engine.Matching.Automatic;

/// <summary>What the values of a column mostly are; it decides how two of them are compared.</summary>
internal enum ValueKind
{
    /// <summary>Names, words, titles, addresses.</summary>
    Text,

    /// <summary>Descriptions: words count, spelling hardly does.</summary>
    Prose,

    /// <summary>Numbers, dates, phone numbers, codes of digits.</summary>
    Digits,
}

/// <summary>
/// A column with each distinct value once: rows hold numbers of values, and what comparing needs (words with their weights, q-grams) is worked out once per value. Values are as they are
/// compared: lower case, without accents and punctuation. They are numbered by content.
/// </summary>
internal sealed class ValueColumn
{
    /// <summary>More words than this on average are prose.</summary>
    private const double ProseWords = 12;
    private const double MostlyDigits = 0.6;

    private ValueColumn(string name, int[] codes, string[] texts, int[] counts, int filled, ValueKind kind)
    {
        Name = name;
        Codes = codes;
        Texts = texts;
        Counts = counts;
        Filled = filled;
        Kind = kind;
    }

    public string Name { get; }

    /// <summary>By row: the number of its value, -1 when it has none.</summary>
    public int[] Codes { get; }

    public string[] Texts { get; }

    /// <summary>By value: in how many rows it is.</summary>
    public int[] Counts { get; }

    /// <summary>Rows with a value.</summary>
    public int Filled { get; }

    public ValueKind Kind { get; }

    /// <summary>By value: its distinct words, ascending.</summary>
    public int[][] Words { get; private set; } = [];

    /// <summary>By value: the weights of its words by how rare they are, of length 1 together.</summary>
    public float[][] WordWeights { get; private set; } = [];

    /// <summary>By word.</summary>
    public string[] WordTexts { get; private set; } = [];

    /// <summary>By word: in how many rows it is.</summary>
    public int[] WordRows { get; private set; } = [];

    /// <summary>By value: the numbers (NaN: none).</summary>
    public double[] Numbers { get; private set; } = [];

    /// <summary>Words in a row's value, on average.</summary>
    public double WordsPerValue { get; private set; }

    public static ValueColumn Of(RawColumn raw, int[] rows, int[] starts)
    {
        var normal = new Dictionary<string, string>(StringComparer.Ordinal);
        var (digits, letters, words) = (0L, 0L, 0L);
        var filled = 0;
        foreach (var row in rows)
        {
            if (raw.Values[row] is not { } text)
                continue;
            if (!normal.TryGetValue(text, out var value))
                normal[text] = value = Normalise(text);
            if (value.Length == 0)
                continue;
            filled++;
            var inValue = 0;
            foreach (var letter in value)
                inValue += char.IsAsciiDigit(letter) ? 1 : 0;
            var blanks = value.AsSpan().Count(' ');
            words += blanks + 1;
            if (inValue >= MostlyDigits * (value.Length - blanks))
                digits++;
            else
                letters++;
        }
        var kind = digits > letters ? ValueKind.Digits : filled > 0 && (double)words / filled > ProseWords ? ValueKind.Prose : ValueKind.Text;
        var final = kind == ValueKind.Digits ? normal.ToDictionary(pair => pair.Key, pair => Canonical(pair.Key, pair.Value), StringComparer.Ordinal) : normal;
        var texts = final.Values.Where(value => value.Length > 0).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        var number = new Dictionary<string, int>(texts.Length, StringComparer.Ordinal);
        for (var i = 0; i < texts.Length; i++)
            number[texts[i]] = i;
        var codes = new int[rows.Length];
        var counts = new int[texts.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            codes[i] = raw.Values[rows[i]] is { } text && final[text] is { Length: > 0 } value ? number[value] : -1;
            if (codes[i] >= 0)
                counts[codes[i]]++;
        }
        var column = new ValueColumn(raw.Name, codes, texts, counts, filled, kind) { WordsPerValue = filled == 0 ? 0 : (double)words / filled };
        if (kind == ValueKind.Digits)
            column.ReadNumbers();
        else
            column.ReadWords();
        return column;
    }

    /// <summary>Lower case, without accents, words parted by one blank; apostrophes part nothing.</summary>
    public static string Normalise(string text)
    {
        var builder = new StringBuilder(text.Length);
        var ascii = Ascii.IsValid(text);
        foreach (var letter in ascii || text.Contains('\uFFFE', StringComparison.Ordinal) ? text : Decompose(text))
        {
            if (letter is '\'' or '’' or '`')
                continue;
            if (char.IsLetterOrDigit(letter) || char.IsSurrogate(letter))
                builder.Append(char.ToLowerInvariant(letter));
            else if (ascii || CharUnicodeInfo.GetUnicodeCategory(letter) is not (UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark))
            {
                if (builder.Length > 0 && builder[^1] != ' ')
                    builder.Append(' ');
            }
        }
        if (builder.Length > 0 && builder[^1] == ' ')
            builder.Length--;
        return builder.ToString();
    }

    private static string Decompose(string text)
    {
        try
        {
            return text.Normalize(NormalizationForm.FormKD);
        }
        catch (ArgumentException)
        {
            // Half a surrogate pair: it is compared as it is.
            return text;
        }
    }

    /// <summary>Digits in one piece, so that 310/246-1501 is 310-246-1501; a decimal number without zeros at its end.</summary>
    private static string Canonical(string text, string normal)
    {
        if (double.TryParse(text.AsSpan().Trim(), NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _))
        {
            var trimmed = text.Trim();
            return trimmed.Contains('.', StringComparison.Ordinal) ? trimmed.TrimEnd('0').TrimEnd('.') is { Length: > 0 } shorter ? shorter : "0" : trimmed;
        }
        return normal.Replace(" ", "", StringComparison.Ordinal);
    }

    private void ReadNumbers()
    {
        Numbers = new double[Texts.Length];
        for (var i = 0; i < Texts.Length; i++)
            Numbers[i] = double.TryParse(Texts[i], NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : double.NaN;
    }

    private void ReadWords()
    {
        var split = new string[Texts.Length][];
        var rows = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < Texts.Length; i++)
        {
            split[i] = [.. Texts[i].Split(' ').Distinct(StringComparer.Ordinal)];
            foreach (var word in split[i])
                rows[word] = rows.GetValueOrDefault(word) + Counts[i];
        }
        WordTexts = [.. rows.Keys.Order(StringComparer.Ordinal)];
        WordRows = [.. WordTexts.Select(word => rows[word])];
        var number = new Dictionary<string, int>(WordTexts.Length, StringComparer.Ordinal);
        for (var i = 0; i < WordTexts.Length; i++)
            number[WordTexts[i]] = i;
        Words = new int[Texts.Length][];
        WordWeights = new float[Texts.Length][];
        for (var i = 0; i < Texts.Length; i++)
        {
            var words = Array.ConvertAll(split[i], word => number[word]);
            Array.Sort(words);
            Words[i] = words;
            var weights = Array.ConvertAll(words, word => (float)Math.Log(1 + ((double)Filled / WordRows[word])));
            var length = (float)Math.Sqrt(weights.Sum(weight => (double)weight * weight));
            for (var j = 0; j < weights.Length; j++)
                weights[j] /= length;
            WordWeights[i] = weights;
        }
    }
}
