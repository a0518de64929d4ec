using System.Globalization;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Runs.V1;

namespace Qualiz.Runs.Items;

/// <summary>
/// What the elements of a step wrote, as the output of the step: rows on top of each other by column name, as for several
/// inputs of a step. No file is read or written for that.
/// <para>An element that failed passes nothing on but the rows that it rejected: they wait for a person like those of any step, and the
/// others are counted as filtered, so that the step's ledger has every row.</para>
/// </summary>
internal static class ItemStack
{
    public const string Rejected = "rejected";

    /// <summary>Why the step does not pass on what an element had not rejected.</summary>
    public const string ElementFailed = "the element failed";

    /// <summary>Of the elements' ledger lines with different names, at most so many are kept apart.</summary>
    private const int MostLines = 200;
    private const int MostWarnings = 20;

    /// <param name="ended">In their order; failed ones may have kept rejected rows.</param>
    /// <returns>The outcome, and what stands in the way of stacking, if anything does.</returns>
    public static (StepOutcome Outcome, StepError? Conflict) Of(string step, int count, IReadOnlyList<EndedItem> ended)
    {
        var outputs = new Dictionary<string, DatasetRef>();
        StepError? conflict = null;
        var kept = ended.Where(item => item.Outcome is not null).ToList();
        var good = kept.Where(item => item.IsGood).ToList();
        foreach (var port in good.SelectMany(item => item.Outcome!.Outputs.Keys).Concat(kept.Any(item => item.Outcome!.Outputs.ContainsKey(Rejected)) ? [Rejected] : []).Distinct().ToList())
        {
            var content = Port(step, port, port == Rejected ? kept : good, ref conflict)!;
            // Of an element that failed nothing is known either.
            outputs[port] = content with { Partial = good.Count < count || content.Partial };
        }

        var failed = ended.Count - ended.Count(item => item.IsGood);
        var counts = new Dictionary<string, long> { ["items"] = count, ["itemsFailed"] = failed };
        foreach (var (name, value) in good.SelectMany(item => item.Outcome!.Counts))
        {
            counts[name] = counts.GetValueOrDefault(name) + value;
        }

        return (new StepOutcome { Outputs = outputs, Ledger = Ledger(step, [.. kept.SelectMany(item => item.IsGood ? item.Outcome!.Ledger : item.Outcome!.Ledger.Select(NotPassedOn))]), Counts = counts, Warnings = Warnings(step, failed, count, ended) }, conflict);
    }

    /// <summary>What these elements wrote to a port; null when none has it.</summary>
    public static DatasetRef? Port(string step, string port, IEnumerable<EndedItem> items, ref StepError? conflict)
    {
        var parts = items.Where(item => item.Outcome!.Outputs.ContainsKey(port)).Select(item => (item.Number, Content: item.Outcome!.Outputs[port])).ToList();
        if (parts.Count == 0)
        {
            return null;
        }

        var schema = Schema(step, parts, ref conflict);
        return new DatasetRef
        {
            Schema = schema,
            Files = [.. parts.SelectMany(part => Files(part.Content, schema))],
            Rows = parts.Sum(part => part.Content.Rows),
            Bytes = parts.Sum(part => part.Content.Bytes),
            Partial = parts.Any(part => part.Content.Partial),
        };
    }

    private static StepLedger NotPassedOn(StepLedger line)
    {
        var lost = line.Accounted ? line.Out + line.Merged : 0;
        return line with
        {
            Out = 0,
            Merged = 0,
            Filtered = line.Filtered + lost,
            Reasons = [.. line.Reasons.Where(reason => reason.Kind != "merged"), .. lost == 0 ? (IEnumerable<LedgerReason>)[] : [new LedgerReason("filtered", ElementFailed, lost)]],
        };
    }

    private static DatasetSchema Schema(string step, List<(int Number, DatasetRef Content)> parts, ref StepError? conflict)
    {
        var columns = new List<DatasetColumn>();
        var known = new Dictionary<string, (int At, int Holders, int From)>(StringComparer.OrdinalIgnoreCase);
        foreach (var (number, content) in parts)
        {
            foreach (var column in content.Schema.Columns)
            {
                if (!known.TryGetValue(column.Name, out var other))
                {
                    known[column.Name] = (columns.Count, 1, number);
                    columns.Add(column);
                    continue;
                }

                var first = columns[other.At];
                known[column.Name] = other with { Holders = other.Holders + 1 };
                columns[other.At] = first.With(column);
                if (first.Name != column.Name || first.Type != column.Type)
                {
                    conflict ??= new StepError
                    {
                        Code = "typeConflict",
                        Message = first.Name != column.Name
                            ? $"The column \"{first.Name}\" of {StepIds.Item(step, other.From)} is written \"{column.Name}\" in {StepIds.Item(step, number)}; rename one of them."
                            : $"Column \"{column.Name}\" is {first.Type} in {StepIds.Item(step, other.From)} and {column.Type} in {StepIds.Item(step, number)}; give it one type where it is read.",
                        Path = "forEach",
                    };
                }
            }
        }

        // Visible columns first, as every operator has them; what some element lacks is empty in its rows.
        return new DatasetSchema
        {
            Columns = [.. columns.Select(column => known[column.Name].Holders < parts.Count ? column with { Nullable = true } : column).OrderBy(column => column.Hidden)],
        };
    }

    private static IEnumerable<DataFile> Files(DatasetRef content, DatasetSchema schema) =>
        content.Schema.Columns.Select(column => column.Name).SequenceEqual(schema.Columns.Select(column => column.Name))
            ? content.Files
            : content.Files.Select(file => file with { Schema = file.Schema ?? content.Schema });

    private static List<StepLedger> Ledger(string step, List<StepLedger> lines)
    {
        var apart = lines.Select(line => line.Input).Distinct().Take(MostLines + 1).Count() <= MostLines;
        return [.. lines.GroupBy(line => apart ? line.Input : step).Select(group => new StepLedger
        {
            Input = group.Key,
            In = group.Sum(line => line.In),
            Added = group.Sum(line => line.Added),
            Out = group.Sum(line => line.Out),
            Rejected = group.Sum(line => line.Rejected),
            Merged = group.Sum(line => line.Merged),
            Filtered = group.Sum(line => line.Filtered),
            Accounted = group.All(line => line.Accounted),
            Reasons = [.. group.SelectMany(line => line.Reasons).GroupBy(reason => (reason.Kind, reason.Reason))
                .Select(reasons => new LedgerReason(reasons.Key.Kind, reasons.Key.Reason, reasons.Sum(reason => reason.Rows))).OrderByDescending(reason => reason.Rows)],
        })];
    }

    private static List<string> Warnings(string step, int failed, int count, IReadOnlyList<EndedItem> ended)
    {
        var warnings = new List<string>();
        if (failed > 0)
        {
            var first = ended.First(item => !item.IsGood);
            warnings.Add(string.Create(CultureInfo.InvariantCulture, $"{failed} of {count} elements failed; {StepIds.Item(step, first.Number)}: {first.Error?.Message}"));
        }

        var others = ended.Where(item => item.IsGood).SelectMany(item => item.Outcome?.Warnings ?? []).Distinct().ToList();
        warnings.AddRange(others.Take(MostWarnings));
        if (others.Count > MostWarnings)
        {
            warnings.Add(string.Create(CultureInfo.InvariantCulture, $"{others.Count - MostWarnings} more warnings of elements"));
        }

        return warnings;
    }
}
