using System.Text.Json;
using System.Text.Json.Nodes;
using Qualiz.Contracts.Text;
using Qualiz.Engine.Rows;

namespace Qualiz.Datasets.Quarantine;

/// <summary>What the lines of a sheet come to: a repair for each row that is to be another, and what stands in the way of the others.</summary>
internal sealed class SheetPlan
{
    private const int MostProblems = 1000;
    private readonly HashSet<long> _seen = [];
    private readonly Dictionary<(long Step, string Key, string Hash), (string Changes, int Line)> _equals = [];
    private readonly List<SheetProblem> _problems = [];
    private readonly SortedSet<string> _columns = new(StringComparer.Ordinal);

    /// <summary>By item: a JSON object of column and new value.</summary>
    public Dictionary<long, string> Changes { get; } = [];
    public long Unchanged { get; private set; }
    public long Refused { get; private set; }
    public IReadOnlyList<SheetProblem> Problems => _problems;
    public IEnumerable<string> Columns => _columns;

    /// <param name="item">Null: there is none with the line's number.</param>
    /// <param name="states">Those in which an item can be repaired.</param>
    public void Add(SheetLine line, QuarantineItem? item, string[] states)
    {
        if (Refusal(line, item, states, out var changes) is { } refusal)
        {
            Refused++;
            if (_problems.Count < MostProblems)
                _problems.Add(refusal);
        }
        else if (changes is null)
            Unchanged++;
        else
        {
            Changes[item!.Id] = changes.ToJsonString();
            _columns.UnionWith(changes.Select(change => change.Key));
        }
    }

    private SheetProblem? Refusal(SheetLine line, QuarantineItem? item, string[] states, out JsonObject? changes)
    {
        changes = null;
        SheetProblem Problem(string message, string? column = null) => new(line.Line, line.Item, column, message);
        if (line.Item is null || line.Revision is null)
            return Problem("The cells #item and #revision say which row this is; they were changed or emptied.");
        if (item is null)
            return Problem("There is no such item in this project.");
        if (!_seen.Add(item.Id))
            return Problem("The item is in the sheet twice; this line was left out.");
        if (Parse(item.Ingested) is not { } values)
            return Problem("This row has no columns: it could not be read. Put it right in the source, or dismiss it.");

        var patched = item.Changes is null ? null : Parse(item.Changes);
        var repaired = (JsonObject?)patched?.DeepClone() ?? [];
        var differs = false;
        foreach (var (column, text) in line.Cells)
        {
            if (!values.ContainsKey(column))
            {
                if (text.Length == 0)
                    continue;
                var nearest = NearestName.Find(column, values.Select(value => value.Key));
                return Problem($"The row has no such column{(nearest is null ? "." : $"; did you mean \"{nearest}\"?")}", column);
            }
            // What was hidden when the sheet was made is as it was.
            if (text == RowReader.Mask || Says(text, patched?.ContainsKey(column) == true ? patched[column] : values[column]))
                continue;
            differs = true;
            if (QuarantineSheet.IsError(text))
                return Problem($"The cell holds an error of the spreadsheet, {text}.", column);
            if (Says(text, values[column]))
                repaired.Remove(column);
            else if (TryRead(text, values[column], out var value))
                repaired[column] = value;
            else
                return Problem("The value it replaces is an object or a list; write it as JSON.", column);
        }
        if (!differs)
            return null;
        if (item.Revision != line.Revision)
            return Problem($"{item.Actor} has changed the item since the sheet was made; it is {item.State} now. Get a new sheet for it.");
        if (!states.Contains(item.State))
            return Problem($"The item is {item.State}; to be repaired it must be {string.Join(" or ", states)}.");
        if (!item.Repairable)
            return Problem($"Step \"{item.Step}\" applies no repairs.");
        if (repaired.Count == 0)
            return Problem("The line has the values that the source sent: undo the repair instead.");
        var equals = (item.StepId, item.Key, item.Hash);
        var json = repaired.ToJsonString();
        if (_equals.TryGetValue(equals, out var other) && other.Changes != json)
            return Problem($"The row of line {other.Line} is equal to this one and is repaired in another way; equal rows are repaired together.");
        _equals[equals] = (json, line.Line);
        changes = repaired;
        return null;
    }

    /// <summary>An object or a list is written as JSON, and may come back with other white space.</summary>
    private static bool Says(string text, JsonNode? value) =>
        QuarantineSheet.IsSame(text, QuarantineSheet.Shown(value is null ? default : JsonSerializer.SerializeToElement(value)))
        || (value is JsonObject or JsonArray && TryRead(text, value, out var read) && JsonNode.DeepEquals(read, value));

    private static bool TryRead(string text, JsonNode? before, out JsonNode? value)
    {
        value = text.Length == 0 ? null : JsonValue.Create(text);
        if (before is not (JsonObject or JsonArray) || text.Length == 0)
            return true;
        try
        {
            value = JsonNode.Parse(text);
            return value is JsonObject or JsonArray;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <returns>Null where a row has no columns.</returns>
    public static JsonObject? Parse(string json)
    {
        try
        {
            return JsonNode.Parse(json) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
