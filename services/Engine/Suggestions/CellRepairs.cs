using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Qualiz.Engine.Columns;
using Qualiz.Engine.Errors;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Suggestions;

/// <summary>
/// Says what the error detectors found cell by cell as rules. A value that is wrong wherever it stands becomes an entry of a list; one that is wrong because of what stands beside it becomes a rule about groups of rows, or where that would change others, too, a condition on the column beside. What can be said
/// in neither way is left to the operator <c>detect</c>. Cells that are as good as certain and the others are never in one rule.
/// </summary>
internal sealed class CellRepairs
{
    /// <summary>What is offered to be taken over without a look at each value.</summary>
    public const double Sure = 0.9;

    /// <summary>Rows of a group before its majority is worth the name, as with the detectors.</summary>
    private const int SmallestGroup = 3;
    private const int MostEntries = 500;

    /// <summary>An expression may have 10,000 characters.</summary>
    private const int LongestExpression = 9_000;
    private const int MostLefts = 3;
    private const double MoreProbably = 0.5;

    /// <summary>What fewer cells speak for is said of them alone.</summary>
    private const int FewestExplained = 5;

    /// <summary>The limits that are tried for rules about groups.</summary>
    private static readonly int[] GroupRows = [3, 5, 10, 20];
    private static readonly double[] GroupShares = [0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.6, 0.51];
    private const int LongestText = 200;

    private readonly CodedTable _table;
    private readonly IReadOnlyList<string> _types;
    private readonly Dictionary<(int Column, int Row), CellFinding> _findings;

    /// <param name="types">Of the columns of the table.</param>
    public CellRepairs(CodedTable table, IReadOnlyList<string> types, IEnumerable<CellFinding> findings)
    {
        _table = table;
        _types = types;
        // White space at the ends has a rule of its own.
        _findings = findings.Where(finding => finding.Suggested is not null && finding.Suggested.Trim() != finding.Value.Trim() && IsWritable(finding.Value) && IsWritable(finding.Suggested)).ToDictionary(finding => (finding.Column, finding.Row));
    }

    /// <summary>Values that a rule for the whole value takes care of, by column.</summary>
    public HashSet<(int Column, int Value)> Listed { get; } = [];

    /// <summary>Whether a text can stand in a recipe that people look through; what looks like a parameter would be taken for one there.</summary>
    public static bool IsWritable(string text, int longest = LongestText) => text.Length <= longest && !text.Contains("${", StringComparison.Ordinal) && !text.Contains('\0', StringComparison.Ordinal);

    public List<Suggestion> Find()
    {
        var found = new List<Suggestion>();
        foreach (var column in _findings.GroupBy(finding => finding.Key.Column).OrderBy(column => column.Key))
        {
            var rest = new List<CellFinding>();
            var values = new List<(int Value, CellFinding Finding, double Confidence)>();
            foreach (var value in column.Select(finding => finding.Value).GroupBy(finding => _table.Columns[column.Key].Codes[finding.Row]).OrderBy(value => value.Key))
            {
                var one = value.MinBy(finding => (finding.Confidence, finding.Row))!;
                if (_types[column.Key] == "text" && value.Key != 0 && value.Count() == _table.Columns[column.Key].Counts[value.Key] && value.All(finding => finding.Suggested == one.Suggested) && IsOfTheValue(one))
                    values.Add((value.Key, one, one.Confidence));
                else
                    rest.AddRange(value);
            }
            foreach (var (rule, explained) in Majorities(column.Key, rest))
            {
                found.Add(rule);
                rest.RemoveAll(explained.Contains);
            }
            foreach (var sure in (bool[])[true, false])
            {
                foreach (var kind in values.Where(value => value.Confidence >= Sure == sure).GroupBy(value => KindOf(value.Finding)).OrderBy(kind => kind.Key, StringComparer.Ordinal))
                {
                    foreach (var entries in kind.OrderByDescending(value => _table.Columns[column.Key].Counts[value.Value]).ThenBy(value => value.Value).Chunk(MostEntries))
                        found.Add(List(column.Key, kind.Key, entries));
                }
                found.AddRange(Beside(column.Key, rest.Where(finding => finding.Confidence >= Sure == sure)));
            }
        }
        return found;
    }

    private static string KindOf(CellFinding finding) => finding.Suggested!.Length == 0 ? "missing" : finding.Kind == CellKind.Normalise ? "normalise" : "spelling";

    /// <summary>Whether the value alone says that it is wrong: it is another one misspelt, with a tail too many, or in another form. Else it may be right elsewhere.</summary>
    private static bool IsOfTheValue(CellFinding finding) =>
        finding.Suggested!.Length == 0 || finding.Kind == CellKind.Normalise || (finding.Value.StartsWith(finding.Suggested, StringComparison.Ordinal) && finding.Value.Length > finding.Suggested.Length)
        || Edit.Between(finding.Value, finding.Suggested, Math.Max(1, finding.Value.Length / 4)) is not null;

    private Suggestion List(int index, string kind, IReadOnlyCollection<(int Value, CellFinding Finding, double Confidence)> entries)
    {
        var column = _table.Columns[index];
        foreach (var (value, _, _) in entries)
            Listed.Add((index, value));
        var rule = new JsonObject { ["rule"] = kind == "missing" ? "nulls" : "replace", ["columns"] = new JsonArray(column.Name) };
        if (kind == "missing")
        {
            rule["values"] = new JsonArray([.. entries.Select(entry => (JsonNode)column.Values[entry.Value])]);
            rule["ignoreCase"] = false;
        }
        else
        {
            rule["map"] = new JsonObject(entries.Select(entry => KeyValuePair.Create(column.Values[entry.Value], (JsonNode?)entry.Finding.Suggested)));
        }
        var rows = entries.Sum(entry => (long)column.Counts[entry.Value]);
        var message = kind switch
        {
            "missing" => $"\"{column.Name}\" has words for no value",
            "normalise" => $"\"{column.Name}\" writes the same in several ways",
            _ => $"\"{column.Name}\" has values that are probably others misspelt",
        };
        return Make(kind, [column.Name], message, Expected(entries.Sum(entry => entry.Confidence * column.Counts[entry.Value]), rows), column.Filled, rows, rule,
            entries.Select(entry => new SuggestionSample(column.Values[entry.Value], Empty(entry.Finding.Suggested!), column.Counts[entry.Value], entry.Finding.Reason)));
    }

    /// <summary>Rules that give a column what most rows with the same value in another one have. First those that are as good as certain.</summary>
    private IEnumerable<(Suggestion Rule, HashSet<CellFinding> Explained)> Majorities(int index, IEnumerable<CellFinding> findings)
    {
        if (_types[index] is not ("text" or "int64"))
            yield break;
        var left = findings.Where(finding => finding.Suggested!.Length > 0).ToDictionary(finding => finding.Row);
        // Rows of which another rule takes care.
        var others = new HashSet<int>();
        foreach (var least in (double[])[Sure, MoreProbably])
        {
            if (least < Sure)
            {
                // What is certain by itself is not put among what is not.
                others.UnionWith(left.Values.Where(finding => finding.Confidence >= Sure).Select(finding => finding.Row));
                foreach (var row in others)
                    left.Remove(row);
            }
            for (var round = 0; round < MostLefts && left.Count > 0; round++)
            {
                Majority? best = null;
                for (var beside = 0; beside < _table.Columns.Count; beside++)
                {
                    if (beside != index && _types[beside] is "text" or "int64" && Best(index, beside, left, others, least) is { } majority && majority.Right > (best?.Right ?? 0))
                        best = majority;
                }
                // What a list of values beside says as well, for fewer rows, is no rule about groups.
                if (best is null || best.Explained.Count < FewestExplained)
                    break;
                var (column, by) = (_table.Columns[index], _table.Columns[best.Beside]);
                var rule = new JsonObject { ["rule"] = "majority", ["column"] = column.Name, ["by"] = new JsonArray(by.Name), ["rows"] = best.Rows, ["share"] = string.Create(CultureInfo.InvariantCulture, $"{best.Share * 100:0}%") };
                if (best.Fills)
                    rule["fill"] = true;
                yield return (
                    Make("dependency", [by.Name, column.Name], $"\"{by.Name}\" says what stands in \"{column.Name}\", and some rows contradict", Expected(best.Right, best.Cells), column.Filled, best.Cells, rule,
                        best.Explained.GroupBy(finding => (finding.Value, finding.Suggested)).OrderByDescending(sample => sample.Count()).ThenBy(sample => sample.Key.Value, StringComparer.Ordinal).ThenBy(sample => sample.Key.Suggested, StringComparer.Ordinal)
                            .Select(sample => new SuggestionSample(Empty(sample.Key.Value), sample.Key.Suggested, sample.Count(), sample.Select(finding => finding.Reason).Min(StringComparer.Ordinal)!))),
                    best.Explained);
                foreach (var finding in best.Explained)
                {
                    left.Remove(finding.Row);
                    others.Add(finding.Row);
                }
            }
        }
    }

    /// <summary>The limits with which the rule makes the most cells right, if at least so many of those it changes become so; null where there are none.</summary>
    private Majority? Best(int index, int beside, Dictionary<int, CellFinding> findings, HashSet<int> others, double least)
    {
        var (column, by) = (_table.Columns[index], _table.Columns[beside]);
        var groups = new List<(int Same, int Filled, int Wrong, int Empty, List<CellFinding> Errors, List<CellFinding> Missing)>();
        var counts = new Dictionary<int, int>();
        for (var of = 1; of < by.Values.Length; of++)
        {
            if (by.Counts[of] < SmallestGroup)
                continue;
            counts.Clear();
            foreach (var row in by.RowsOf(of))
                counts[column.Codes[row]] = counts.GetValueOrDefault(column.Codes[row]) + 1;
            var empty = counts.GetValueOrDefault(0);
            var (value, same) = counts.Where(count => count.Key != 0).Select(count => (count.Key, count.Value)).OrderByDescending(count => count.Value).ThenBy(count => count.Key).FirstOrDefault();
            var filled = by.Counts[of] - empty;
            if (same < SmallestGroup || 2 * same <= filled || same == by.Counts[of])
                continue;
            var (errors, missing) = (new List<CellFinding>(), new List<CellFinding>());
            var wrong = filled - same;
            foreach (var row in by.RowsOf(of))
            {
                if (column.Codes[row] == value)
                    continue;
                if (others.Contains(row))
                    (wrong, empty) = column.Codes[row] == 0 ? (wrong, empty - 1) : (wrong - 1, empty);
                else if (findings.TryGetValue(row, out var finding) && finding.Suggested == column.Values[value])
                    (column.Codes[row] == 0 ? missing : errors).Add(finding);
            }
            groups.Add((same, filled, wrong, empty, errors, missing));
        }
        Majority? best = null;
        foreach (var rows in GroupRows)
        {
            foreach (var share in GroupShares)
            {
                foreach (var fills in (bool[])[false, true])
                {
                    var taken = groups.FindAll(group => group.Same >= rows && group.Same >= share * group.Filled);
                    var cells = taken.Sum(group => (long)group.Wrong + (fills ? group.Empty : 0));
                    var explained = taken.SelectMany(group => fills ? group.Errors.Concat(group.Missing) : group.Errors);
                    // Rounded, as the order in which they are added must not decide.
                    var right = Math.Round(explained.Sum(finding => finding.Confidence), 6);
                    if (cells > 0 && Expected(right, cells) >= least && right > (best?.Right ?? 0))
                        best = new Majority(beside, rows, share, fills, cells, right, [.. explained]);
                }
            }
        }
        return best;
    }

    /// <summary>Rules for values that are wrong beside certain others, by the column that explains the most of them.</summary>
    private List<Suggestion> Beside(int index, IEnumerable<CellFinding> findings)
    {
        var found = new List<Suggestion>();
        var left = findings.Where(finding => finding.Suggested!.Length > 0).OrderBy(finding => finding.Row).ToList();
        if (_types[index] is not ("text" or "int64"))
            return found;
        for (var round = 0; round < MostLefts && left.Count > 0; round++)
        {
            var best = new List<Condition>();
            for (var beside = 0; beside < _table.Columns.Count; beside++)
            {
                if (beside == index || _types[beside] is not ("text" or "int64"))
                    continue;
                var explained = Conditions(index, beside, left);
                if (explained.Sum(condition => condition.Findings.Count) > best.Sum(condition => condition.Findings.Count))
                    best = explained;
            }
            if (best.Count == 0)
                break;
            found.AddRange(Write(index, best));
            var done = best.SelectMany(condition => condition.Findings).ToHashSet();
            left.RemoveAll(done.Contains);
        }
        return found;
    }

    private List<Condition> Conditions(int index, int beside, List<CellFinding> findings)
    {
        var (column, left) = (_table.Columns[index], _table.Columns[beside]);
        var conditions = new List<Condition>();
        foreach (var group in findings.GroupBy(finding => (Left: left.Codes[finding.Row], Value: column.Codes[finding.Row], finding.Suggested)).OrderBy(group => group.Key.Left).ThenBy(group => group.Key.Value)
            .ThenBy(group => group.Key.Suggested, StringComparer.Ordinal))
        {
            var (of, value, suggested) = group.Key;
            if (of == 0 || !IsWritable(left.Values[of]))
                continue;
            // The condition must hold for the findings and for nothing else, and what stands beside must speak for the suggestion by itself.
            var (same, all, hit) = (0, 0, 0);
            foreach (var row in left.RowsOf(of))
            {
                var text = column.Values[column.Codes[row]];
                all += text.Length > 0 ? 1 : 0;
                same += text == suggested ? 1 : 0;
                hit += column.Codes[row] == value ? 1 : 0;
            }
            var isMajority = same >= SmallestGroup && 2 * same > all;
            var isTail = value == 0 && left.Values[of].EndsWith($" {suggested}", StringComparison.Ordinal);
            if (hit == group.Count() && (isMajority || isTail))
                conditions.Add(new Condition(index, beside, of, value, suggested!, [.. group]));
        }
        return conditions;
    }

    private IEnumerable<Suggestion> Write(int index, List<Condition> conditions)
    {
        var column = _table.Columns[index];
        var left = _table.Columns[conditions[0].Beside];
        var expression = new StringBuilder();
        var written = new List<Condition>();
        foreach (var condition in conditions.OrderByDescending(condition => condition.Findings.Count).ThenBy(condition => condition.Left).ThenBy(condition => condition.Value))
        {
            var name = Sql.Identifier(column.Name);
            var value = column.Values[condition.Value];
            var is_ = value.Length == 0 ? _types[index] == "text" ? $"({name} IS NULL OR {name} = '')" : $"{name} IS NULL" : $"{name} = {Literal(index, value)}";
            if (Literal(index, condition.Suggested) is not { } then || Literal(condition.Beside, left.Values[condition.Left]) is not { } of)
                continue;
            var when = $" WHEN {Sql.Identifier(left.Name)} = {of} AND {is_} THEN {then}";
            if (when.Length > LongestExpression / 4)
                continue;
            if (expression.Length + when.Length > LongestExpression || written.Count == MostEntries)
            {
                yield return Rule();
                expression.Clear();
                written = [];
            }
            expression.Append(when);
            written.Add(condition);
        }
        if (written.Count > 0)
            yield return Rule();

        Suggestion Rule()
        {
            var cells = written.Sum(condition => (long)condition.Findings.Count);
            var rule = new JsonObject { ["rule"] = "derive", ["column"] = column.Name, ["expression"] = $"CASE{expression} ELSE {Sql.Identifier(column.Name)} END" };
            return Make("dependency", [left.Name, column.Name], $"\"{left.Name}\" says what stands in \"{column.Name}\", and some rows contradict", Expected(written.Sum(condition => condition.Findings.Sum(finding => finding.Confidence)), cells), column.Filled, cells, rule,
                written.Select(condition => new SuggestionSample(Empty(column.Values[condition.Value]), condition.Suggested, condition.Findings.Count, condition.Findings[0].Reason)));
        }
    }

    private string? Literal(int index, string value) =>
        _types[index] == "text" ? Sql.Literal(value) : long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? Sql.Literal(number) : null;

    /// <summary>
    /// The share of cells that become right, if one more that is wrong were among them: where there are mistakes of a kind there are several, and what only a few cells speak for may be rare values that happen to be near others.
    /// </summary>
    private static double Expected(double right, long cells) => right / (cells + 1);

    private static string? Empty(string value) => value.Length == 0 ? null : value;

    public static Suggestion Make(string kind, IReadOnlyList<string> columns, string message, double confidence, long support, long affected, JsonObject rule, IEnumerable<SuggestionSample> samples) =>
        SuggestionFinder.Make(kind, columns, message, confidence, support, affected, rule, null, samples);

    /// <param name="Cells">That the rule changes.</param>
    /// <param name="Right">Of these, as the detectors expect it.</param>
    private sealed record Majority(int Beside, int Rows, double Share, bool Fills, long Cells, double Right, HashSet<CellFinding> Explained);

    /// <param name="Value">Of the cell as it stands.</param>
    private sealed record Condition(int Index, int Beside, int Left, int Value, string Suggested, IReadOnlyList<CellFinding> Findings);
}
