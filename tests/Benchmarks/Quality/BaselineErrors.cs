using Qualiz.Engine.Columns;
using Qualiz.Engine.Errors;

namespace Qualiz.Benchmarks.Quality;

/// <summary>The simple way, to be beaten: what one column says of another by majority, and rare values among frequent ones.</summary>
internal static class BaselineErrors
{
    public static List<CellFinding> Find(CodedTable table)
    {
        var findings = new Dictionary<(int Row, int Column), CellFinding>();
        for (var right = 0; right < table.Columns.Count; right++)
        {
            var column = table.Columns[right];
            for (var left = 0; left < table.Columns.Count; left++)
            {
                var groups = Enumerable.Range(0, table.Rows).Where(row => table.Columns[left].Codes[row] != 0).GroupBy(row => table.Columns[left].Codes[row])
                    .Where(group => group.Count() > 2)
                    .Select(group => (Rows: group, Most: group.GroupBy(row => column.Codes[row]).OrderByDescending(same => same.Count()).ThenBy(same => same.Key).First()))
                    .ToList();
                var inGroups = groups.Sum(group => group.Rows.Count());
                if (left == right || inGroups < table.Rows / 2 || groups.Sum(group => group.Most.Count()) < 0.9 * inGroups)
                    continue;
                foreach (var (rows, most) in groups.Where(group => group.Most.Count() > 0.6 * group.Rows.Count()))
                {
                    foreach (var row in rows.Where(row => column.Codes[row] != most.Key))
                        findings.TryAdd((row, right), new CellFinding(row, right, column.Values[column.Codes[row]], column.Values[most.Key], CellKind.Error, "majority", 0.8));
                }
            }
            if (column.Values.Length < table.Rows / 10)
            {
                foreach (var row in Enumerable.Range(0, table.Rows).Where(row => column.Codes[row] != 0 && column.Counts[column.Codes[row]] <= table.Rows / 500))
                    findings.TryAdd((row, right), new CellFinding(row, right, column.Values[column.Codes[row]], null, CellKind.Error, "rare", 0.5));
            }
        }
        return [.. findings.Values];
    }
}
