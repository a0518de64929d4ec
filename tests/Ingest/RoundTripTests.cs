using System.Globalization;
using System.Text.Json;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Ingest.Tests;

/// <summary>Every type with its extremes, ingested, delivered and ingested again: what comes back is what was delivered.</summary>
public sealed class RoundTripTests : IDisposable
{
    private readonly IngestRun _run = new();

    public void Dispose() => _run.Dispose();

    [Theory]
    [InlineData("csv")]
    [InlineData("tsv.gz")]
    [InlineData("json")]
    [InlineData("jsonl.gz")]
    [InlineData("parquet")]
    public async Task What_is_delivered_to_a_file_comes_back(string ending)
    {
        var first = await IngestAllAsync();
        await _run.DeliverAsync($$"""{"to": {"file": "back/all.{{ending}}"} }""", first.Out);
        await ShouldComeBackAsync(first, new IngestSource { Folder = Path.Combine(_run.Sources, "back", $"all.{ending}") });
    }

    [Fact]
    public async Task What_is_delivered_to_a_table_comes_back()
    {
        await MatrixTests.ConnectAsync(_run);
        var first = await IngestAllAsync();
        await _run.DeliverAsync("""{"to": {"connection": "db", "table": "back.all"} }""", first.Out);
        await ShouldComeBackAsync(first, new IngestSource { Connection = "db", Table = "back.all" });
    }

    // One column for each type, below each other its samples, then a null.
    private async Task<Ingested> IngestAllAsync()
    {
        var path = Path.Combine(_run.Sources, "all.parquet");
        using (var session = _run.Open(path))
        {
            var rows = Enumerable.Range(0, MatrixTests.Samples.Max(sample => sample.Values.Length) + 1).Select(row => $"SELECT {row}::BIGINT AS n, " + string.Join(", ", MatrixTests.Samples.Select((sample, i) =>
            {
                var type = ColumnType.Parse(sample.Type);
                return $"{(row < sample.Values.Length ? MatrixTests.Value(type, sample.Values[row]) : $"CAST(NULL AS {type.DuckDb})")} AS c{i}";
            })));
            session.Execute($"COPY ({string.Join(" UNION ALL ", rows)}) TO {Sql.Literal(path)} (FORMAT parquet)");
        }
        return await _run.RunAsync(new IngestConfig { From = new IngestSource { Folder = path } });
    }

    private async Task ShouldComeBackAsync(Ingested first, IngestSource from)
    {
        _run.State = null;
        var names = MatrixTests.Samples.Select((_, i) => $"c{i}").Prepend("n").ToArray();
        var types = first.Out.Schema.Columns.Where(column => !column.Hidden).ToDictionary(column => column.Name, column => column.Type);
        types.Values.Skip(1).ShouldBe(MatrixTests.Samples.Select(sample => sample.Type));
        var back = await _run.RunAsync(new IngestConfig { From = from, Types = types });
        back.ShouldBalance();
        back.Outcome.RowsRejected.ShouldBe(0);
        names.Select(back.TypeOf).ShouldBe(names.Select(first.TypeOf));
        Sorted(back).ShouldBe(Sorted(first));

        List<string> Sorted(Ingested ingested) => [.. ingested.Rows(names).OrderBy(row => row[0], StringComparer.Ordinal).SelectMany(row => row.Select((value, i) => $"{row[0]}.{names[i]}: {Same(names[i], value)}"))];

        string? Same(string column, string? value) => value is null ? null : types[column] == "json" ? Json(JsonElement.Parse(value)) : $"\"{value}\"";
    }

    // JSON is the same with other blanks, and in a file of JSON with numbers spelt in another way.
    private static string Json(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => $"{{{string.Join(",", value.EnumerateObject().Select(member => $"{member.Name}:{Json(member.Value)}"))}}}",
        JsonValueKind.Array => $"[{string.Join(",", value.EnumerateArray().Select(Json))}]",
        JsonValueKind.Number => value.GetDouble().ToString(CultureInfo.InvariantCulture),
        _ => value.GetRawText(),
    };
}
