using System.Text;
using Qualiz.Engine.Columns;

namespace Qualiz.Engine.Errors;

/// <summary>How finely values are looked at when a column is told from another.</summary>
internal enum FormLevel
{
    /// <summary>Runs of capitals, of other letters, of digits and of blanks; all other signs as they are: <c>Aa Aa</c>, <c>9-9-9</c>.</summary>
    Runs,

    /// <summary>Runs of letters and digits, whatever they are: <c>w.w@w.w</c>.</summary>
    Words,

    /// <summary>The value itself.</summary>
    Values,
}

/// <summary>The forms of a column's values.</summary>
internal sealed class ValueForms
{
    /// <summary>Of longer texts nothing is said.</summary>
    public const int LongestText = 60;

    private readonly int[][] _forms;
    private readonly Dictionary<int, int>[] _rows;

    private ValueForms(CodedColumn column, int[][] forms)
    {
        Column = column;
        _forms = forms;
        _rows = [.. forms.Select(of =>
        {
            var rows = new Dictionary<int, int>();
            for (var value = 1; value < of.Length; value++)
            {
                if (of[value] != 0)
                    rows[of[value]] = rows.GetValueOrDefault(of[value]) + column.Counts[value];
            }
            return rows;
        })];
    }

    public CodedColumn Column { get; }

    /// <summary>By value the number of its form; 0: it has none that could tell anything.</summary>
    public ReadOnlySpan<int> Of(FormLevel level) => _forms[(int)level];

    /// <summary>In how many rows each form stands.</summary>
    public IReadOnlyDictionary<int, int> Rows(FormLevel level) => _rows[(int)level];

    /// <summary>Those of all columns of a table.</summary>
    public static IReadOnlyList<ValueForms> Of(CodedTable table, FormNumbers numbers)
    {
        // A value that is rare everywhere belongs nowhere.
        foreach (var column in table.Columns)
        {
            for (var value = 1; value < column.Texts.Count; value++)
            {
                if (column.Counts[value] >= Distinction.FewestOfValue && column.Texts[value].Length <= LongestText)
                    numbers.Of(column.Texts[value], FormLevel.Values);
            }
        }
        return [.. table.Columns.Select(column => Of(column, numbers))];
    }

    private static ValueForms Of(CodedColumn column, FormNumbers numbers)
    {
        int[][] forms = [new int[column.Texts.Count], new int[column.Texts.Count], new int[column.Texts.Count]];
        for (var value = 1; value < column.Texts.Count; value++)
        {
            if (column.Texts[value].Length > LongestText)
                continue;
            forms[(int)FormLevel.Runs][value] = numbers.Of(column.Texts[value], FormLevel.Runs);
            forms[(int)FormLevel.Words][value] = numbers.Of(column.Texts[value], FormLevel.Words);
            forms[(int)FormLevel.Values][value] = numbers.Of(column.Texts[value], FormLevel.Values, add: false);
        }
        return new ValueForms(column, forms);
    }

    /// <summary>Writes the form of a value.</summary>
    /// <param name="form">As long as the value.</param>
    /// <returns>The form's length.</returns>
    public static int Write(ReadOnlySpan<char> value, FormLevel level, Span<char> form)
    {
        if (level == FormLevel.Values)
        {
            value.CopyTo(form);
            return value.Length;
        }
        var length = 0;
        foreach (var sign in value)
        {
            var kind = level == FormLevel.Words
                ? char.IsLetterOrDigit(sign) || sign == '_' ? 'w' : char.IsWhiteSpace(sign) ? ' ' : sign
                : char.IsDigit(sign) ? '9' : char.IsUpper(sign) ? 'A' : char.IsLetter(sign) ? 'a' : char.IsWhiteSpace(sign) ? ' ' : sign;
            if (length == 0 || form[length - 1] != kind || kind is not ('w' or '9' or 'A' or 'a' or ' '))
                form[length++] = kind;
        }
        return length;
    }

    /// <summary>The RE2 pattern of values of that form.</summary>
    /// <param name="ascii">No other letters and digits occur.</param>
    public static string PatternOf(string form, bool ascii)
    {
        var pattern = new StringBuilder();
        foreach (var kind in form)
        {
            pattern.Append(kind switch
            {
                'w' => ascii ? "[A-Za-z0-9_]+" : @"[\p{L}\p{Nd}_]+",
                'A' => ascii ? "[A-Z]+" : @"\p{Lu}+",
                'a' => ascii ? "[a-z]+" : @"[\p{Ll}\p{Lt}\p{Lm}\p{Lo}]+",
                '9' => ascii ? "[0-9]+" : @"\p{Nd}+",
                ' ' => ascii ? @"\s+" : @"[\s\p{Z}]+",
                var sign => char.IsAscii(sign) ? $"\\{sign}" : sign.ToString(),
            });
        }
        return pattern.ToString();
    }
}

/// <summary>Numbers forms, so that those of several columns can be compared.</summary>
internal sealed class FormNumbers
{
    private const int LongestForm = 30;

    private readonly Dictionary<string, int>[] _numbers = [new(StringComparer.Ordinal), new(StringComparer.Ordinal), new(StringComparer.Ordinal)];
    private readonly List<string> _forms = [""];

    public string this[int number] => _forms[number];

    /// <returns>0 for a form that tells nothing.</returns>
    /// <param name="add">Number a form that is new; else it is 0.</param>
    public int Of(ReadOnlySpan<char> value, FormLevel level, bool add = true)
    {
        Span<char> written = stackalloc char[ValueForms.LongestText];
        var form = written[..ValueForms.Write(value, level, written)];
        var numbers = _numbers[(int)level].GetAlternateLookup<ReadOnlySpan<char>>();
        if (numbers.TryGetValue(form, out var number) || !add)
            return number;
        var (isOdd, hasLetter) = (level != FormLevel.Values && form.Length > LongestForm, false);
        foreach (var sign in form)
        {
            isOdd |= char.IsControl(sign) || char.IsSurrogate(sign);
            hasLetter |= char.IsLetter(sign);
        }
        if (isOdd || (level == FormLevel.Values && !hasLetter))
            return 0;
        numbers[form] = number = _forms.Count;
        _forms.Add(form.ToString());
        return number;
    }
}
