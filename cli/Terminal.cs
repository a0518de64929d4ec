using System.CommandLine;
using System.Text.Json;

namespace Qualiz.Cli;

/// <summary>
/// Plain text without a terminal, colour only with one, and one JSON object a line when asked for. At a terminal the last lines
/// may be a status that changes in place.
/// </summary>
internal sealed class Terminal(TextWriter output, TextWriter error, bool colour, bool interactive, bool live = false, Func<int>? columns = null)
{
    private readonly Lock _lock = new();
    private IReadOnlyList<string> _status = [];

    /// <summary>For what nobody should see.</summary>
    public static Terminal Silent { get; } = new(TextWriter.Null, TextWriter.Null, colour: false, interactive: false);

    /// <summary>The console, or whatever stands for it.</summary>
    public static Terminal For(InvocationConfiguration invocation)
    {
        var dumb = Environment.GetEnvironmentVariable("TERM") is "dumb" or null;
        var plain = dumb || Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 };
        var shown = !Console.IsOutputRedirected;
        return new(invocation.Output, invocation.Error, shown && !plain, !Console.IsInputRedirected && shown, shown && !dumb, shown ? Columns : null);
    }

    /// <summary>Somebody is there to answer a question.</summary>
    public bool Interactive => interactive;

    /// <summary>Lines can be taken back.</summary>
    public bool Live => live;

    /// <summary>How wide the lines may be; null without a terminal: as wide as they are.</summary>
    public int? Width => columns?.Invoke() is > 0 and var width ? width : null;

    public void Line(string text = "") => Above(() => output.WriteLine(text));

    public void Json<T>(T value) => Above(() => output.WriteLine(JsonSerializer.Serialize(value, ApiJson.Options)));

    public void Error(string text) => Above(() => error.WriteLine(text));

    /// <summary>Replaces the lines at the bottom; does nothing where lines cannot be taken back.</summary>
    public void Status(IReadOnlyList<string> lines)
    {
        if (live)
        {
            Above(() => _status = Width is { } width ? [.. lines.Select(line => line.Length < width ? line : line[..(width - 1)])] : lines);
        }
    }

    /// <summary>A question to the person at the terminal.</summary>
    public string? Ask(string question)
    {
        Status([]);
        error.Write(question);
        return Console.ReadLine();
    }

    /// <summary>Names and values come from data: whatever is in them, the terminal does nothing by it.</summary>
    public static string Plain(string text) => string.Concat(text.Select(letter => char.IsControl(letter) ? '␣' : letter));

    public string Good(string text) => Paint(text, 32);
    public string Doubtful(string text) => Paint(text, 33);
    public string Bad(string text) => Paint(text, 31);
    public string Faint(string text) => Paint(text, 2);

    private string Paint(string text, int code) => colour ? $"\u001b[{code}m{text}\u001b[0m" : text;

    /// <summary>Columns as wide as their widest cell; numbers (cells that parse as one) to the right.</summary>
    public void Table(IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> rows)
    {
        var all = rows.ToList();
        var widths = headings.Select((heading, column) => all.Select(row => row[column].Length).Append(heading.Length).Max()).ToArray();
        Line(Faint(Join(headings, widths)));
        foreach (var row in all)
        {
            Line(Join(row, widths));
        }
    }

    private static string Join(IReadOnlyList<string> cells, int[] widths) => string.Join("  ", cells.Select((cell, column) =>
        cell.Length > 0 && cell.All(c => char.IsAsciiDigit(c) || c is ',' or '.') ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]))).TrimEnd();

    /// <summary>Takes the status away, writes, and puts it back: the writer of a run and the one of its progress are two.</summary>
    private void Above(Action write)
    {
        lock (_lock)
        {
            if (_status.Count > 0)
            {
                // To the first line of the status, and everything below it goes.
                output.Write($"\u001b[{_status.Count}F\u001b[J");
            }
            write();
            foreach (var line in _status)
            {
                output.WriteLine(Faint(line));
            }
            output.Flush();
        }
    }

    private static int Columns()
    {
        try
        {
            return Console.WindowWidth;
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
