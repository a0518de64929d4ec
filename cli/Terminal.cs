using System.Text.Json;

namespace Qualiz.Cli;

/// <summary>Plain text without a terminal, colour only with one, and one JSON object a line when asked for.</summary>
internal sealed class Terminal(TextWriter output, TextWriter error, bool colour, bool interactive)
{
    public static Terminal ForConsole()
    {
        var plain = Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 } || Environment.GetEnvironmentVariable("TERM") == "dumb";
        Console.OutputEncoding = System.Text.Encoding.UTF8;
        return new(Console.Out, Console.Error, !Console.IsOutputRedirected && !plain, !Console.IsInputRedirected && !Console.IsOutputRedirected);
    }

    /// <summary>Somebody is there to answer a question.</summary>
    public bool Interactive => interactive;

    public void Line(string text = "") => output.WriteLine(text);

    public void Json<T>(T value) => output.WriteLine(JsonSerializer.Serialize(value, ApiJson.Options));

    public void Error(string text) => error.WriteLine(text);

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
        output.WriteLine(Faint(Join(headings, widths)));
        foreach (var row in all)
        {
            output.WriteLine(Join(row, widths));
        }
    }

    private static string Join(IReadOnlyList<string> cells, int[] widths) => string.Join("  ", cells.Select((cell, column) =>
        cell.Length > 0 && cell.All(c => char.IsAsciiDigit(c) || c is ',' or '.') ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]))).TrimEnd();
}
