using System.Globalization;
using System.Text.RegularExpressions;
using Qualiz.Engine.Columns;

namespace Qualiz.Engine.Errors;

/// <summary>Numbers written with units in several spellings, numbers with the noise of binary fractions, and words that stand for no value.</summary>
internal static partial class Representations
{
    private const double Most = 0.95;

    /// <summary>Words for no value, as they come out of other programs, in lower case.</summary>
    private static readonly HashSet<string> NoValues = ["n/a", "na", "n.a.", "#n/a", "null", "none", "nil", "nan", "-", "--", "?", "unknown", "missing", "tbd", "not available"];

    /// <summary>Spellings of one unit.</summary>
    private static readonly Dictionary<string, string> Units = new (string Unit, string Spellings)[]
    {
        ("oz", "ounce ounces floz"), ("lb", "lbs pound pounds"), ("g", "gram grams"), ("kg", "kgs kilogram kilograms"), ("l", "liter litre liters litres"), ("ml", "milliliter milliliters"),
        ("cm", "centimeter centimeters"), ("m", "meter metre meters metres"), ("km", "kilometer kilometre kilometers kilometres"), ("in", "inch inches"), ("ft", "foot feet"), ("mi", "mile miles"),
        ("s", "sec secs second seconds"), ("min", "mins minute minutes"), ("h", "hr hrs hour hours"), ("y", "yrs year years"), ("%", "pct percent"),
    }.SelectMany(unit => unit.Spellings.Split(' '), (unit, spelling) => (spelling, unit.Unit)).ToDictionary(StringComparer.Ordinal);

    public static void Find(CodedColumn column, int index, Evidence evidence)
    {
        var values = Enumerable.Range(1, column.Values.Length - 1).ToList();
        foreach (var value in values.Where(value => !column.Values[value].Any(char.IsLetterOrDigit)))
        {
            if (column.Counts[value] < column.Filled * (1 - Most))
                evidence.AddValue(Detector.Missing, column, index, value, 0.9, "", CellKind.Missing, "no letter and no digit");
        }
        var words = values.Where(value => NoValues.Contains(column.Values[value].Trim().ToLowerInvariant())).ToHashSet();
        var numbers = values.Where(value => !words.Contains(value)).Select(value => (Value: value, Match: Quantity().Match(column.Values[value]))).ToList();
        var all = numbers.Sum(each => (long)column.Counts[each.Value]);
        var quantities = numbers.Where(each => each.Match.Success).ToList();
        if (all < 10 || quantities.Sum(each => (long)column.Counts[each.Value]) < Most * all)
            return;
        foreach (var value in words)
            evidence.AddValue(Detector.Missing, column, index, value, 0.95, "", CellKind.Missing, "a word for no value among numbers");

        var spellings = quantities.GroupBy(each => each.Match.Groups["unit"].Value.Trim()).Select(group => (Text: group.Key, Rows: group.Sum(each => (long)column.Counts[each.Value])))
            .OrderByDescending(spelling => spelling.Rows).ThenBy(spelling => spelling.Text, StringComparer.Ordinal).ToList();
        var counted = spellings.Sum(spelling => spelling.Rows);
        // One unit that is hardly ever written otherwise is how the column is written; several units are no matter of spelling.
        var units = spellings.Where(spelling => spelling.Text.Length > 0).Select(spelling => Unit(spelling.Text)).Distinct().ToList();
        var isSpelling = spellings.Count > 1 && spellings[0].Rows < 0.99 * counted && (units.Count == 1 || Covered(spellings, counted));
        foreach (var (value, match) in quantities)
        {
            var written = match.Groups["number"].Value;
            var plain = Plain(written);
            var unit = match.Groups["unit"].Value.Trim();
            if (isSpelling && unit.Length > 0)
                evidence.AddValue(Detector.Representation, column, index, value, 0.95, plain, CellKind.Normalise, $"a number with a unit, in a column that writes it in {spellings.Count.ToString(CultureInfo.InvariantCulture)} ways");
            else if (IsNoise(written, plain))
                evidence.AddValue(Detector.Representation, column, index, value, 0.6, plain + unit, CellKind.Normalise, "the noise of a binary fraction");
        }
    }

    private static bool Covered(List<(string Text, long Rows)> spellings, long counted)
    {
        var main = spellings.Where(spelling => spelling.Text.Length > 0).GroupBy(spelling => Unit(spelling.Text)).Select(unit => unit.Sum(spelling => spelling.Rows)).Max();
        return main + spellings.Where(spelling => spelling.Text.Length == 0).Sum(spelling => spelling.Rows) >= 0.98 * counted;
    }

    /// <summary>The unit behind a spelling: its first word in lower case.</summary>
    private static string Unit(string spelling)
    {
        var letters = new string([.. spelling.ToLowerInvariant().TakeWhile(character => character != ' ').Where(character => char.IsLetter(character) || character == '%')]);
        return Units.GetValueOrDefault(letters, letters);
    }

    private static bool IsNoise(string written, string plain) => written.Count(char.IsDigit) >= 16 && plain.Length <= written.Length - 6;

    /// <summary>The number without the noise of binary fractions and without zeros that say nothing.</summary>
    private static string Plain(string number) =>
        double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? Math.Abs(value) < 1e15 ? ((decimal)value).ToString("0.###############", CultureInfo.InvariantCulture) : number : number;

    [GeneratedRegex(@"^\s*(?<number>[-+]?\d+(?:\.\d+)?)(?<unit>\s*(?:[%°]|[A-Za-z][A-Za-z .\-]*)?)$", RegexOptions.CultureInvariant)]
    private static partial Regex Quantity();
}
