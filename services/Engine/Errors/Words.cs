using System.Globalization;
using System.Text.RegularExpressions;
using Qualiz.Engine.Columns;

namespace Qualiz.Engine.Errors;

/// <summary>Words inside texts that are probably other words of the same column with a letter too many, too few, wrong or swapped.</summary>
internal static partial class Words
{
    private const int Shortest = 4;

    public static void Find(CodedColumn column, int index, Evidence evidence)
    {
        var places = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var texts = 0;
        for (var value = 1; value < column.Values.Length; value++)
        {
            var several = false;
            foreach (var word in WordsOf(column.Values[value]).Select(word => word.Value).Distinct(StringComparer.Ordinal))
            {
                several |= word.Length < column.Values[value].Length;
                places[word] = places.GetValueOrDefault(word) + column.Counts[value];
            }
            texts += several ? 1 : 0;
        }
        // Of values that are one word each the values' own spelling says the same.
        if (texts < 10)
            return;
        var items = places.Select(place => (place.Key, place.Value)).ToList();
        var found = Misspellings.Find(items, 0.02, several: true);
        var misspelt = new Dictionary<string, (string Right, double Confidence)>(StringComparer.Ordinal);
        for (var i = 0; i < found.Length; i++)
        {
            // Another case is another style, not another word.
            if (found[i] is { Edit.Kind: not EditKind.Case } misspelling)
                misspelt[items[i].Key] = (items[misspelling.Of].Key, misspelling.Confidence);
        }
        for (var value = 1; value < column.Values.Length; value++)
        {
            var text = column.Values[value];
            foreach (var word in WordsOf(text))
            {
                if (!misspelt.TryGetValue(word.Value, out var right))
                    continue;
                var suggested = string.Concat(text.AsSpan(0, word.Index), right.Right, text.AsSpan(word.Index + word.Length));
                evidence.AddValue(
                    Detector.Word, column, index, value, right.Confidence, suggested, CellKind.Error,
                    string.Create(CultureInfo.InvariantCulture, $"\"{word.Value}\" is like \"{right.Right}\", which stands in {places[right.Right]} rows"));
            }
        }
    }

    private static IEnumerable<Match> WordsOf(string text) => Word().Matches(text).Where(match => match.Length >= Shortest);

    [GeneratedRegex(@"[\p{L}]+")]
    private static partial Regex Word();
}
