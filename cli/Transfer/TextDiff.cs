namespace Qualiz.Cli.Transfer;

/// <summary>What changed between two texts, line by line, with two lines around each change.</summary>
internal static class TextDiff
{
    private const int Around = 2;

    /// <summary>Above it the whole middle counts as changed: the table of the comparison would be too large.</summary>
    private const long MostCells = 25_000_000;

    /// <summary>Lines that begin with <c>-</c>, <c>+</c> or a space; a line of <c>@@</c> names the place.</summary>
    public static IReadOnlyList<string> Of(string before, string after)
    {
        var (old, now) = (Lines(before), Lines(after));
        var changes = Compare(old, now);
        var shown = new List<string>();
        var last = -1;
        for (var at = 0; at < changes.Count; at++)
        {
            var near = changes.Skip(Math.Max(0, at - Around)).Take((2 * Around) + 1).Any(change => change.Sign != ' ');
            if (!near)
            {
                continue;
            }
            if (last != at - 1)
            {
                shown.Add($"@@ line {changes[at].Line}");
            }
            shown.Add($"{changes[at].Sign} {changes[at].Text}");
            last = at;
        }
        return shown;
    }

    private static string[] Lines(string text) => text.Split('\n');

    private static List<(char Sign, string Text, int Line)> Compare(string[] old, string[] now)
    {
        var start = 0;
        while (start < old.Length && start < now.Length && old[start] == now[start])
        {
            start++;
        }
        var end = 0;
        while (end < old.Length - start && end < now.Length - start && old[^(end + 1)] == now[^(end + 1)])
        {
            end++;
        }
        var (rows, columns) = (old.Length - start - end, now.Length - start - end);
        var changes = new List<(char, string, int)>();
        for (var line = 0; line < start; line++)
        {
            changes.Add((' ', now[line], line + 1));
        }
        var common = (long)rows * columns > MostCells ? null : CommonLengths(old, now, start, rows, columns);
        var (row, column) = (0, 0);
        while (row < rows || column < columns)
        {
            if (common is not null && row < rows && column < columns && old[start + row] == now[start + column])
            {
                changes.Add((' ', now[start + column], start + column + 1));
                row++;
                column++;
            }
            else if (row < rows && (column == columns || common is null || common[row + 1, column] >= common[row, column + 1]))
            {
                changes.Add(('-', old[start + row], start + column + 1));
                row++;
            }
            else
            {
                changes.Add(('+', now[start + column], start + column + 1));
                column++;
            }
        }
        for (var line = now.Length - end; line < now.Length; line++)
        {
            changes.Add((' ', now[line], line + 1));
        }
        return changes;
    }

    private static int[,] CommonLengths(string[] old, string[] now, int start, int rows, int columns)
    {
        var common = new int[rows + 1, columns + 1];
        for (var row = rows - 1; row >= 0; row--)
        {
            for (var column = columns - 1; column >= 0; column--)
            {
                common[row, column] = old[start + row] == now[start + column] ? common[row + 1, column + 1] + 1 : Math.Max(common[row + 1, column], common[row, column + 1]);
            }
        }
        return common;
    }
}
