using System.Text.Json.Nodes;
using Qualiz.Engine.Columns;
using Qualiz.Engine.Errors;
using Qualiz.Engine.Profiling;

namespace Qualiz.Engine.Suggestions;

/// <summary>Says which values sit in other columns than they belong as rules that put them there.</summary>
internal static class MoveRules
{
    /// <summary>An expression may have 10,000 characters.</summary>
    private const int LongestExpression = 9_000;

    /// <param name="columns">Of the table, as profiled.</param>
    public static IEnumerable<(Misplacement Misplacement, Suggestion Suggestion)> Find(CodedTable table, IReadOnlyList<ColumnProfile> columns)
    {
        foreach (var misplacement in Misplacements.Find(table))
        {
            var when = misplacement.When(table);
            // Of other columns than of text the expression would be about the values, not about how they are written.
            if (when.Length > LongestExpression || !CellRepairs.IsWritable(when, LongestExpression) || !misplacement.Columns.TrueForAll(index => columns[index].Type == "text"))
                continue;
            var isSwap = misplacement.Kind == Misplaced.Swapped;
            var rule = new JsonObject { ["rule"] = isSwap ? "swap" : "shift", ["columns"] = new JsonArray([.. misplacement.Columns.Select(index => (JsonNode)columns[index].Name)]) };
            if (!isSwap)
                rule["to"] = misplacement.Kind == Misplaced.ToLeft ? "left" : "right";
            if (misplacement.Join is not null)
                rule["join"] = misplacement.Join;
            rule["when"] = when;
            var names = misplacement.Columns.ConvertAll(index => columns[index].Name);
            var message = isSwap ? $"\"{names[0]}\" and \"{names[1]}\" have each other's values in some rows"
                : $"From \"{names[0]}\" to \"{names[^1]}\" the values of some rows stand one column too far to the {(misplacement.Kind == Misplaced.ToLeft ? "right" : "left")}";
            // Columns that are known to stand for different things are told apart by their values, too.
            var differ = misplacement.Columns.TrueForAll(index => columns[index].Semantic is not null) && misplacement.Columns.DistinctBy(index => columns[index].Semantic!.Type).Count() == misplacement.Columns.Count;
            var confidence = differ ? misplacement.Unlikely : misplacement.Confidence;
            var cells = (double)misplacement.Rows.Count * misplacement.Columns.Count;
            var suggestion = CellRepairs.Make(
                isSwap ? "swap" : "shift", names, message, confidence * cells / (cells + 1), table.Rows, misplacement.Rows.Count, rule,
                misplacement.Rows.Select(row => (Before: Show(misplacement.Columns.Select(index => table.Columns[index].Values[table.Columns[index].Codes[row]])), After: Show(misplacement.Repaired(table, row))))
                    .GroupBy(sample => sample).OrderByDescending(sample => sample.Count()).ThenBy(sample => sample.Key.Before, StringComparer.Ordinal)
                    .Select(sample => new SuggestionSample(sample.Key.Before, sample.Key.After, sample.Count(), null)));
            yield return (misplacement, suggestion);
        }
    }

    private static string Show(IEnumerable<string> cells) => string.Join(" | ", cells);
}
