using System.Text;
using CsCheck;

namespace Qualiz.Ingest.Tests;

/// <summary>Whatever table is written as CSV comes back the same, and every record is accounted.</summary>
public sealed class PropertyTests
{
    private static readonly Gen<string?> Cell = Gen.Frequency<string?>(
        (2, Gen.Const((string?)null)),
        (1, Gen.Const<string?>("")),
        (6, Gen.String[Gen.OneOf(Gen.Char["abcÄ7 .-/:"], Gen.Char[",;\"\n\r\t|'\\\0"]), 0, 12].Select(text => (string?)text)),
        (2, Gen.Int.Select(number => (string?)number.ToString(System.Globalization.CultureInfo.InvariantCulture))),
        (1, Gen.Const<string?>("🐤")));

    private static readonly Gen<string?[][]> Table =
        Gen.Int[2, 5].SelectMany(width => Cell.Array[width].Array[1, 30]);

    [Fact]
    public void Any_table_written_as_csv_comes_back()
    {
        Gen.Select(Table, Gen.Bool, Gen.Bool).Sample((table, quoteAll, crLf) =>
        {
            using var run = new IngestRun();
            run.Write("a.csv", Write(table, quoteAll, crLf ? "\r\n" : "\n"));
            var result = run.RunAsync(new IngestConfig
            {
                From = new IngestSource { Folder = run.Sources },
                Format = new IngestFormat { Header = HeaderMode.Present, Delimiter = ",", Quote = "\"", Escape = "\"", Encoding = TextEncoding.Utf8 },
                // As text, so that what comes back is the very text.
                Types = Enumerable.Range(1, table[0].Length).ToDictionary(i => $"c{i}", _ => "text"),
            }).GetAwaiter().GetResult();
            result.ShouldBalance();
            result.Outcome.RowsRejected.ShouldBe(0);
            result.Rows().ShouldBe(table);
        }, iter: 60, threads: 1);
    }

    [Fact]
    public void Any_bytes_are_accounted()
    {
        var bytes = Gen.OneOf(Gen.Byte, Gen.Char["abc123,,,,\n\n\n\"\"\";\r"].Select(c => (byte)c)).Array[0, 400];
        bytes.Sample(content =>
        {
            using var run = new IngestRun();
            run.Write("a.csv", content);
            if (run.TryAsync().GetAwaiter().GetResult() is Qualiz.Platform.Operators.StepResult.Completed { Outcome: var outcome })
                new Ingested(outcome, run).ShouldBalance();
        }, iter: 80, threads: 1);
    }

    [Fact]
    public void Every_line_is_a_row_a_reject_or_the_header()
    {
        // Counted here, without the survey: a line that it steps over is in none of its numbers.
        var headers = 0;
        var line = Gen.OneOf(Gen.Char["abc123,,,;."]).Array[0, 12].Select(letters => new string(letters));
        Gen.Select(Gen.OneOf(Gen.Const(""), Gen.Const("\"Export\" from CRM\n"), Gen.Const("\"a\"b,c\n"), Gen.Const("Title\n")), line.Array[1, 30]).Sample((top, lines) =>
        {
            using var run = new IngestRun();
            var text = top + string.Join('\n', lines);
            run.Write("a.csv", text);
            if (run.TryAsync().GetAwaiter().GetResult() is not Qualiz.Platform.Operators.StepResult.Completed { Outcome: var outcome })
                return;
            // In one column, blank lines are rows too.
            if (!outcome.Outputs["out"].Schema.Columns.Where(column => !column.Hidden).Skip(1).Any())
                return;
            var counted = text.Split('\n').Count(one => one.Length > 0);
            var result = new Ingested(outcome, run);
            var names = result.Out.Schema.Columns.Where(column => !column.Hidden).Select(column => column.Name).ToArray();
            // Columns have names of their own where a line was taken for the header, and else numbers.
            var header = !names.Select((name, i) => name == $"column{i + 1}").All(numbered => numbered);
            if (header)
                headers++;
            (counted - outcome.RowsOut - outcome.RowsRejected).ShouldBe(header ? 1 : 0, text);
            if (header)
                result.Rows(names).ShouldAllBe(row => !row.SequenceEqual(names), text);
        }, iter: 80, threads: 1);
        headers.ShouldBeInRange(1, 79);
    }

    private static string Write(string?[][] table, bool quoteAll, string end)
    {
        var text = new StringBuilder();
        text.AppendJoin(',', Enumerable.Range(1, table[0].Length).Select(i => $"c{i}")).Append(end);
        foreach (var row in table)
        {
            text.AppendJoin(',', row.Select(cell => cell switch
            {
                null => "",
                _ when quoteAll || cell.Length == 0 || cell.IndexOfAny([',', '"', '\n', '\r']) >= 0 => $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"",
                _ => cell,
            })).Append(end);
        }
        return text.ToString();
    }
}
