using System.Text;
using System.Text.Json;
using Qualiz.Cli.Running;

namespace Qualiz.Cli.Files;

/// <summary>Rejected rows as a CSV file that opens in a spreadsheet: where the row was, its values as they came, and all its reasons.</summary>
/// <param name="file">What the person calls the file that was uploaded.</param>
internal sealed class RejectedDownload(QualizClient client, string file)
{
    private static readonly string[] Place = ["source", "record", "reasons"];

    /// <summary>Of several steps, in one file; none is written when there is no rejected row. The answer is their number.</summary>
    public async Task<long> SaveAsync(string runPath, IReadOnlyList<string> steps, string target, CancellationToken ct)
    {
        var scratch = Directory.CreateTempSubdirectory("qualiz-rejected-");
        try
        {
            var files = new List<string>();
            foreach (var step in steps)
            {
                var part = Path.Combine(scratch.FullName, $"{files.Count}.jsonl");
                if (await new OutputDownload(client, Terminal.Silent).TrySaveAsync(
                    $"{runPath}/steps/{Uri.EscapeDataString(step)}/outputs/rejected/download?format=jsonl&unmask=true", part, ct))
                {
                    files.Add(part);
                }
            }
            return Write(files, target, file);
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    public static string Told(long rejected) => rejected == 1 ? "1 record that cannot be read as a row" : $"{StepView.Number(rejected)} records that cannot be read as rows";

    /// <summary>Twice over the rows: the columns of all of them come first.</summary>
    internal static long Write(IReadOnlyList<string> files, string target, string file)
    {
        var columns = new List<string>();
        foreach (var name in Rows(files).SelectMany(row => Values(row).Select(value => value.Name)))
        {
            if (!columns.Contains(name))
            {
                columns.Add(name);
            }
        }
        var count = 0L;
        var partial = target + ".partial";
        using (var output = new StreamWriter(partial, append: false, new UTF8Encoding(false)) { NewLine = "\r\n" })
        {
            output.WriteLine(string.Join(',', Place.Concat(columns).Select(Cell)));
            foreach (var row in Rows(files))
            {
                var values = Values(row).ToDictionary(value => value.Name, value => value.Value, StringComparer.Ordinal);
                var cells = new[] { file, row.Text("_row"), ReasonsOf(row) }.Concat(columns.Select(column => values.TryGetValue(column, out var value) ? Text(value) : null));
                output.WriteLine(string.Join(',', cells.Select(Cell)));
                count++;
            }
        }
        if (count > 0)
        {
            File.Move(partial, target, overwrite: true);
        }
        else
        {
            File.Delete(partial);
            // What an earlier run has left would pass for this one's.
            File.Delete(target);
        }
        return count;
    }

    private static IEnumerable<JsonElement> Rows(IReadOnlyList<string> files)
    {
        foreach (var line in files.SelectMany(File.ReadLines).Where(line => line.Length > 0))
        {
            using var document = JsonDocument.Parse(line);
            yield return document.RootElement;
        }
    }

    private static JsonElement.ObjectEnumerator Values(JsonElement row) =>
        row.TryGetProperty("ingested", out var values) && values.ValueKind == JsonValueKind.Object ? values.EnumerateObject() : default;

    private static string? Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.Undefined => null,
        JsonValueKind.String => value.GetString(),
        _ => value.GetRawText(),
    };

    private static string ReasonsOf(JsonElement row) => string.Join("; ", row.List("reasons").Select(reason =>
        $"{reason.Text("rule")}{(reason.Text("column") is { } column ? $"({column})" : "")}: {reason.Text("message")}"));

    private static string Cell(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return text is null ? "" : "\"\"";
        }
        return text.AsSpan().IndexOfAny(",\"\r\n") < 0 && text[0] != ' ' && text[^1] != ' ' ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
