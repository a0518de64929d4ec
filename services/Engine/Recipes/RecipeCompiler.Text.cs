using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Qualiz.Contracts.Values;
using Qualiz.Engine.Kernels.Rows;
using Qualiz.Engine.Kernels.Text;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Recipes;

/// <summary>Rules that turn text into other text.</summary>
public sealed partial class RecipeCompiler
{
    /// <summary>Takes a rule as an operation of the text kernel; false when it is none.</summary>
    private bool TryApplyText(Rule rule, string path)
    {
        switch (rule)
        {
            case TrimRule trim:
                Gather(rule, path, trim.Columns, new() { ["op"] = "trim", ["inner"] = trim.Inner });
                return true;
            case NullsRule nulls:
                var words = (nulls.Empty ? nulls.Values.Append("") : nulls.Values).Distinct(StringComparer.Ordinal).ToList();
                if (words.Count == 0)
                    throw new RecipeException(RecipeException.ValueInvalid, "The rule has no values to make empty.", $"{path}.values");
                foreach (var column in Gather(rule, path, nulls.Columns, new() { ["op"] = "nulls", ["words"] = Words(words), ["ignoreCase"] = nulls.IgnoreCase }))
                    column.Nullable = true;
                return true;
            case CaseRule letters:
                Gather(rule, path, letters.Columns, new() { ["op"] = letters.To switch { LetterCase.Upper => "upper", LetterCase.Lower => "lower", _ => "title" } });
                return true;
            case ReplaceRule replace:
                Gather(rule, path, replace.Columns, new()
                {
                    ["op"] = replace.Match == ReplaceMatch.Value ? "replace" : "replaceParts",
                    ["map"] = new JsonArray([.. replace.Map.Select(entry => Words([entry.Key, entry.Value]))]),
                    ["ignoreCase"] = replace.IgnoreCase,
                });
                return true;
            case UnicodeRule unicode:
                Gather(rule, path, unicode.Columns, new() { ["op"] = "normalize", ["form"] = Camel(unicode.Form) });
                return true;
            case AccentsRule accents:
                Gather(rule, path, accents.Columns, new() { ["op"] = "accents" });
                return true;
            case UnescapeRule unescape:
                Gather(rule, path, unescape.Columns, new() { ["op"] = "unescape", ["from"] = Camel(unescape.From) });
                return true;
            case RemoveRule remove:
                Gather(rule, path, remove.Columns, new() { ["op"] = "remove", ["kinds"] = Words(remove.Kinds.Select(Camel)) });
                return true;
            case PadRule pad:
                if (!IsOneCharacter(pad.With))
                    throw new RecipeException(RecipeException.ValueInvalid, "with is one character.", $"{path}.with");
                Gather(rule, path, pad.Columns, new() { ["op"] = "pad", ["length"] = pad.Length, ["with"] = pad.With, ["right"] = pad.Side == PadSide.Right });
                return true;
            case TruncateRule truncate:
                Gather(rule, path, truncate.Columns, new() { ["op"] = "pad", ["length"] = truncate.Length, ["with"] = "", ["cut"] = true });
                return true;
            default:
                return false;
        }
    }

    private static bool IsOneCharacter(string text) => text.Length > 0 && System.Text.Rune.TryGetRuneAt(text, 0, out var rune) && rune.Utf16SequenceLength == text.Length;

    private static JsonArray Words(IEnumerable<string> words) => new([.. words.Select(word => (JsonNode)word)]);

    private List<RecipeColumn> Gather(Rule rule, string path, ColumnSelection selection, JsonObject operation)
    {
        var columns = TextColumns(selection, rule.Kind, path);
        var number = AddChangingRule(rule.Kind, path);
        operation["rule"] = path;
        var text = operation.ToJsonString();
        foreach (var column in columns)
        {
            if (column.Pending.Count == TextProgram.MostOperations)
                FinishTexts();
            column.Pending.Add((text, number));
        }
        return columns;
    }

    /// <summary>Brings the gathered operations into the query: for each column one program and the bits that say which of its operations changed a cell.</summary>
    private void FinishTexts()
    {
        var columns = _columns.FindAll(column => column.Pending.Count > 0);
        if (columns.Count == 0)
            return;
        var masks = new List<(string, string)>();
        var replaced = new Dictionary<RecipeColumn, string>();
        foreach (var column in columns)
        {
            var program = Sql.Literal($"[{string.Join(",", column.Pending.Select(pending => pending.Operation))}]");
            var mask = Temporary();
            masks.Add((mask, $"qz_text_mask({program}, {Quote(column.Name)})"));
            replaced[column] = $"qz_text({program}, {Quote(column.Name)})";
            _changes.Add(new ChangeColumn(mask, new RowChange([.. column.Pending.Select(pending => pending.Rule)], Bits: true)));
            var before = column.Current.Wanted();
            var name = column.Name;
            var rules = column.Pending.ConvertAll(pending => pending.Rule);
            _shownChanges.Add(() => IsHidden(name)
                ? $"nullif(concat_ws(',', {string.Join(", ", rules.Select((rule, i) => HiddenChange($"{Quote(mask)} & {(1u << i).ToString(CultureInfo.InvariantCulture)} > 0", rule, name)))}), '')"
                : $"CASE WHEN {Quote(mask)} > 0 THEN qz_text_trace({program}, {Sql.Literal(JsonSerializer.Serialize(name))}, {Quote(before.Name)}) END");
            column.Pending.Clear();
        }
        Layer(replaced, masks);
    }

    private void Apply(RegexRule rule, string path)
    {
        CheckPattern(rule.Pattern, rule.Replacement, $"{path}.pattern");
        Change(rule, path, TextColumns(rule.Columns, rule.Kind, path), column =>
            $"regexp_replace({Quote(column.Name)}, {Sql.Literal(rule.Pattern)}, {Sql.Literal(rule.Replacement)}, 'g')");
    }

    private void CheckPattern(string pattern, string? replacement, string path)
    {
        if (pattern.Length is 0 or > LongestPattern)
            throw new RecipeException(RecipeException.PatternInvalid, $"A pattern has 1 to {LongestPattern} characters.", path);
        try
        {
            _session.Scalar<bool>($"SELECT regexp_replace('', {Sql.Literal(pattern)}, {Sql.Literal(replacement ?? "")}) IS NULL");
        }
        catch (EngineException)
        {
            throw new RecipeException(RecipeException.PatternInvalid, "The regular expression is not right. It follows RE2: no look-around, no back references.", path);
        }
    }

    /// <summary>A rule that gives cells of its columns a new value of the same type.</summary>
    private void Change(Rule rule, string path, List<RecipeColumn> columns, Func<RecipeColumn, string> expression)
    {
        var number = AddChangingRule(rule.Kind, path);
        if (columns.Count == 0)
            return;
        // First the new values beside the old ones, then both compared: an expression is computed once.
        var results = columns.ConvertAll(column => (Column: column, Name: Temporary(), Flag: Temporary()));
        Layer(added: [.. results.Select(result => (result.Name, expression(result.Column)))]);
        var before = columns.ConvertAll(column => column.Current.Wanted());
        Layer(
            results.ToDictionary(result => result.Column, result => Quote(result.Name)),
            [.. results.Select(result => (result.Flag, $"{Quote(result.Name)} IS DISTINCT FROM {Quote(result.Column.Name)}"))],
            [.. results.Select(result => result.Name)]);
        for (var i = 0; i < results.Count; i++)
            AddChange(number, results[i].Flag, columns[i].Name, before[i], columns[i].Type, columns[i].Current, columns[i].Type);
    }
}
