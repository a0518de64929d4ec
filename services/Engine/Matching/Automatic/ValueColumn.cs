using System.Globalization;
using System.Text;
using Qualiz.Engine.Columns;

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
/// A column with each distinct value once: rows hold numbers of values, and what comparing needs (words with their weights) is worked out once per value. Values are as they are compared: lower
/// case, without accents and punctuation.
/// </summary>
internal sealed class ValueColumn
{
    /// <summary>More words than this on average are prose.</summary>
    private const double ProseWords = 12;
    private const double MostlyDigits = 0.6;

    private readonly CodedColumn _values;

    private ValueColumn(CodedColumn values, ValueKind kind, double wordsPerValue, TextShape[]? shapes = null)
    {
        _values = values;
        Kind = kind;
        WordsPerValue = wordsPerValue;
        Known = new LevelMemory(values.Texts.Count);
        Shapes = shapes ?? (kind == ValueKind.Prose ? [] : TextShape.Of(values.Texts));
    }

    public string Name => _values.Name;

    /// <summary>By row: the number of its value, 0 when it has none.</summary>
    public int[] Codes => _values.Codes;

    /// <summary>By value; the first is empty.</summary>
    public TextList Texts => _values.Texts;

    /// <summary>How many different values there are.</summary>
    public int Distinct => _values.Texts.Count - 1;

    /// <summary>By value: in how many rows it is.</summary>
    public int[] Counts => _values.Counts;

    /// <summary>Rows with a value.</summary>
    public int Filled => _values.Filled;

    public ValueKind Kind { get; }

    /// <summary>By value: its distinct words, ascending.</summary>
    public IntLists Words { get; private init; } = new([0], []);

    /// <summary>Beside the items of <see cref="Words"/>: the words' weights by how rare they are, of length 1 together.</summary>
    public float[] WordWeights { get; private init; } = [];

    /// <summary>By word.</summary>
    public TextList WordTexts { get; private init; } = new([], [0]);

    /// <summary>By value, what tells without looking at its text that another one is far from it.</summary>
    public TextShape[] Shapes { get; }

    /// <summary>The same by word.</summary>
    public TextShape[] WordShapes { get; private init; } = [];

    /// <summary>By value of digits, its words before their digits were put in one piece; null in large tables.</summary>
    private string[]? Plain { get; init; }

    /// <summary>A value's words, parted by blanks.</summary>
    public string Spoken(int value) => Plain?[value] ?? new string(Texts[value]);

    /// <summary>Words in a row's value, on average.</summary>
    public double WordsPerValue { get; }

    /// <summary>Pairs of values that were compared already.</summary>
    public LevelMemory Known { get; }

    public ReadOnlySpan<float> WeightsOf(int value) => WordWeights.AsSpan(Words.Start(value), Words.Length(value));

    public static ValueColumn Of(CodedColumn raw)
    {
        var buffer = new Buffer();
        var (digits, letters, words, filled) = (0L, 0L, 0L, 0L);
        for (var value = 1; value < raw.Texts.Count; value++)
        {
            var normal = Normalise(raw.Texts[value], buffer);
            if (normal.IsEmpty)
                continue;
            long rows = raw.Counts[value];
            filled += rows;
            var inValue = 0;
            foreach (var letter in normal)
                inValue += char.IsAsciiDigit(letter) ? 1 : 0;
            var blanks = normal.Count(' ');
            words += rows * (blanks + 1);
            if (inValue >= MostlyDigits * (normal.Length - blanks))
                digits += rows;
            else
                letters += rows;
        }
        var wordsPerValue = filled == 0 ? 0 : (double)words / filled;
        var kind = digits > letters ? ValueKind.Digits : wordsPerValue > ProseWords ? ValueKind.Prose : ValueKind.Text;
        var values = raw.Mapped(value => kind == ValueKind.Digits ? Canonical(raw.Texts[value], buffer) : Normalise(raw.Texts[value], buffer));
        return kind == ValueKind.Digits ? new ValueColumn(values, kind, wordsPerValue) { Plain = RecordWords.IsFor(raw.Codes.Length) ? PlainTexts(raw, values) : null } : WithWords(values, kind, wordsPerValue);
    }

    private static string[] PlainTexts(CodedColumn raw, CodedColumn values)
    {
        var becomes = new int[raw.Texts.Count];
        for (var row = 0; row < raw.Codes.Length; row++)
            becomes[raw.Codes[row]] = values.Codes[row];
        var plain = new string[values.Texts.Count];
        // Of several that become one the last in their own order, whichever rows have them.
        for (var value = 0; value < becomes.Length; value++)
            plain[becomes[value]] = Normalise(new string(raw.Texts[value]));
        return plain;
    }

    /// <summary>The column with its rows in another order.</summary>
    public ValueColumn Ordered(int[] rows) => new(_values.Ordered(rows), Kind, WordsPerValue, Shapes) { Plain = Plain, Words = Words, WordWeights = WordWeights, WordTexts = WordTexts, WordShapes = WordShapes };

    /// <summary>Lower case, without accents, words parted by one blank; apostrophes part nothing.</summary>
    public static string Normalise(string text)
    {
        var buffer = new Buffer();
        return new string(Normalise(text, buffer));
    }

    private static ReadOnlySpan<char> Normalise(ReadOnlySpan<char> text, Buffer buffer)
    {
        var ascii = Ascii.IsValid(text);
        if (!ascii)
            text = Decompose(new string(text));
        var letters = buffer.For(text.Length);
        var length = 0;
        foreach (var letter in text)
        {
            if (letter is '\'' or '’' or '`')
                continue;
            if (char.IsLetterOrDigit(letter) || char.IsSurrogate(letter))
                letters[length++] = char.ToLowerInvariant(letter);
            else if (ascii || CharUnicodeInfo.GetUnicodeCategory(letter) is not (UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark))
            {
                if (length > 0 && letters[length - 1] != ' ')
                    letters[length++] = ' ';
            }
        }
        if (length > 0 && letters[length - 1] == ' ')
            length--;
        return letters.AsSpan(0, length);
    }

    private static string Decompose(string text)
    {
        try
        {
            return text.Contains('\uFFFE', StringComparison.Ordinal) ? text : text.Normalize(NormalizationForm.FormKD);
        }
        catch (ArgumentException)
        {
            // Half a surrogate pair: it is compared as it is.
            return text;
        }
    }

    /// <summary>Digits in one piece, so that 310/246-1501 is 310-246-1501; a decimal number without zeros at its end.</summary>
    private static ReadOnlySpan<char> Canonical(ReadOnlySpan<char> text, Buffer buffer)
    {
        if (double.TryParse(text.Trim(), NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _))
        {
            var trimmed = text.Trim();
            if (!trimmed.Contains('.'))
                return trimmed;
            trimmed = trimmed.TrimEnd('0').TrimEnd('.');
            return trimmed.IsEmpty ? "0" : trimmed;
        }
        var normal = Normalise(text, buffer);
        var letters = buffer.For(normal.Length);
        var length = 0;
        foreach (var letter in normal)
        {
            // Never ahead of what is read.
            if (letter != ' ')
                letters[length++] = letter;
        }
        return letters.AsSpan(0, length);
    }

    /// <summary>Letters that are written anew for each value.</summary>
    private sealed class Buffer
    {
        private char[] _letters = new char[64];

        public char[] For(int length) => _letters.Length < length ? _letters = new char[2 * length] : _letters;
    }

    private static ValueColumn WithWords(CodedColumn values, ValueKind kind, double wordsPerValue)
    {
        var numbers = new TextNumbers();
        var split = new IntListsBuilder();
        var one = new List<int>();
        for (var value = 0; value < values.Texts.Count; value++)
        {
            one.Clear();
            var text = values.Texts[value];
            foreach (var range in text.Split(' '))
            {
                if (text[range] is { IsEmpty: false } word && numbers.Of(word) is var number && !one.Contains(number))
                    one.Add(number);
            }
            split.Add(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(one));
            split.End();
        }
        var words = split.Build();
        var texts = numbers.Sorted(out var renumbered);
        var rows = new int[texts.Count];
        for (var value = 0; value < words.Count; value++)
        {
            var list = words.Items.AsSpan(words.Start(value), words.Length(value));
            for (var i = 0; i < list.Length; i++)
                rows[list[i] = renumbered[list[i]]] += values.Counts[value];
            list.Sort();
        }
        var weights = new float[words.Items.Length];
        for (var value = 0; value < words.Count; value++)
        {
            var square = 0.0;
            for (var i = words.Start(value); i < words.Start(value) + words.Length(value); i++)
            {
                weights[i] = (float)Math.Log(1 + ((double)values.Filled / rows[words.Items[i]]));
                square += (double)weights[i] * weights[i];
            }
            var length = (float)Math.Sqrt(square);
            for (var i = words.Start(value); i < words.Start(value) + words.Length(value); i++)
                weights[i] /= length;
        }
        return new ValueColumn(values, kind, wordsPerValue) { Words = words, WordWeights = weights, WordTexts = texts, WordShapes = kind == ValueKind.Prose ? [] : TextShape.Of(texts) };
    }
}

/// <summary>
/// Remembers the levels of pairs of values that were compared, as many as fit; a newer pair takes the place of an older one. Threads share it without a lock: an entry is one number, read and written
/// whole, and what it says is the same whoever worked it out.
/// </summary>
internal sealed class LevelMemory(int values)
{
    private const int Most = 1 << 18;
    private const int LevelBits = 8;
    private const int ValueBits = 28;
    private ulong[]? _entries;

    public bool Find(int a, int b, out byte level)
    {
        var entries = _entries ??= new ulong[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Clamp((long)values * values, 16, Most))];
        var key = Key(a, b);
        var entry = Volatile.Read(ref entries[Slot(key, entries.Length)]);
        level = (byte)entry;
        return entry >> LevelBits == key;
    }

    public void Add(int a, int b, byte level)
    {
        var (entries, key) = (_entries!, Key(a, b));
        Volatile.Write(ref entries[Slot(key, entries.Length)], (key << LevelBits) | level);
    }

    private static ulong Key(int a, int b) => ((ulong)a << ValueBits) | (uint)b;

    private static int Slot(ulong key, int length) => (int)((key * 0x9E3779B97F4A7C15) >> 32) & (length - 1);
}
