using System.Globalization;
using Qualiz.Engine.Columns;

namespace Qualiz.Engine.Errors;

/// <summary>
/// Columns whose values have one of few forms (dates, telephone numbers, codes): a value of another form that is one edit from a usual one, or has characters that no
/// usual one has, is written wrong. A form is the value with 9 for digits, A and a for letters.
/// </summary>
internal static class Formats
{
    /// <summary>A form of at least this share of the values is usual.</summary>
    private const double UsualShare = 0.02;

    /// <summary>The usual forms must be those of so many values for the column to have a form at all.</summary>
    private const double Coverage = 0.7;

    public static void Find(CodedColumn column, int index, Evidence evidence)
    {
        if (column.Filled < 20)
            return;
        var forms = new SortedDictionary<string, (int Rows, List<int> Values)>(StringComparer.Ordinal);
        var numbers = Enumerable.Range(1, column.Values.Length - 1).Where(value => double.TryParse(column.Values[value], NumberStyles.Float, CultureInfo.InvariantCulture, out _)).Sum(value => column.Counts[value]);
        // Numbers have as many digits as they need.
        if (numbers > 0.5 * column.Filled)
            return;
        for (var value = 1; value < column.Values.Length; value++)
        {
            var form = FormOf(column.Values[value]);
            if (!forms.TryGetValue(form, out var of))
                of = (0, []);
            of.Values.Add(value);
            forms[form] = (of.Rows + column.Counts[value], of.Values);
        }
        var least = Math.Max(3, UsualShare * column.Filled);
        var covered = forms.Values.Where(form => form.Rows >= least).Sum(form => form.Rows);
        if (covered < Coverage * column.Filled || covered == column.Filled || forms.Count < 2)
            return;
        var items = forms.Select(form => (form.Key, form.Value.Rows)).ToList();
        var usual = items.Where(item => item.Rows >= least).ToList();
        // A form that hardly more than one value has is that value's, not the column's.
        var varied = usual.Sum(item => forms[item.Key].Values.Count) >= 5 * usual.Count;
        if (!varied || !usual.Exists(item => item.Key.Contains('9', StringComparison.Ordinal)))
            return;
        var characters = usual.SelectMany(item => item.Key).ToHashSet();
        // Where usual forms differ in length, so do right ones that are rare.
        var near = Misspellings.Find(items, 0.1, several: false, letters: 4);
        for (var i = 0; i < items.Count; i++)
        {
            var (form, rows) = items[i];
            if (rows >= least)
                continue;
            var confidence = near[i] is { } misspelling && items[misspelling.Of].Rows >= least ? misspelling.Confidence : 0;
            if (form.Any(character => !characters.Contains(character)))
                confidence = Math.Max(confidence, 0.9 * covered / column.Filled);
            if (confidence <= 0)
                continue;
            foreach (var value in forms[form].Values)
            {
                evidence.AddValue(
                    Detector.Format, column, index, value, confidence, null, CellKind.Error,
                    string.Create(CultureInfo.InvariantCulture, $"written like {form}, as {rows} rows; {usual.MaxBy(item => item.Rows).Key} is usual"));
            }
        }
    }

    public static string FormOf(string value) => string.Create(value.Length, value, (form, text) =>
    {
        for (var i = 0; i < text.Length; i++)
            form[i] = char.IsDigit(text[i]) ? '9' : char.IsUpper(text[i]) ? 'A' : char.IsLetter(text[i]) ? 'a' : text[i];
    });
}
