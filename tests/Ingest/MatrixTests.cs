using System.Globalization;
using Npgsql;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;
using Qualiz.Platform.Operators;
using Qualiz.TestKit;

namespace Qualiz.Ingest.Tests;

/// <summary>Every type with its extremes through every format: what comes out of one is what comes out of the others.</summary>
public sealed class MatrixTests : IAsyncLifetime
{
    private readonly IngestRun _run = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync()
    {
        _run.Dispose();
        return Task.CompletedTask;
    }

    internal sealed record Sample(string Type, string[] Values, string Postgres);

    internal static readonly Sample[] Samples =
    [
        new("text", ["007", "Zoë 🐤", "a\"b,c\nd\\e\tf", " x ", "NULL", "1e5", ""], "text"),
        new("bool", ["true", "false"], "bool"),
        new("int64", ["9223372036854775807", "-9223372036854775808", "0", "9007199254740993"], "int8"),
        new("decimal(18,2)", ["9999999999999999.99", "-9999999999999999.99", "0.10"], "numeric(18,2)"),
        new("decimal(38,10)", ["9999999999999999999999999999.9999999999", "-0.0000000001"], "numeric(38,10)"),
        new("double", ["1e+308", "-2.5e-300", "0.1", "12345678.9"], "float8"),
        new("date", ["0001-01-01", "1899-12-31", "2024-02-29", "9999-12-31"], "date"),
        new("time", ["00:00:00", "23:59:59.999999"], "time"),
        new("timestamp", ["0001-01-01 00:00:00", "2024-02-29 23:59:59.123456", "9999-12-31 23:59:59.999999"], "timestamp"),
        new("timestamptz", ["0001-01-01 00:00:00+00", "2024-02-29 23:59:59.123456+00", "9999-12-31 23:59:59.999999+00"], "timestamptz"),
        new("json", ["{\"a\":[1,null,\"x\"],\"b\":1.10}", "[]", "\"x\""], "json"),
        new("list(int64)", ["[9223372036854775807,null]", "[]"], "int8[]"),
        new("list(text)", ["[\"a,b\",\"\",null,\"null\"]"], "text[]"),
        new("struct(a int64, b text)", ["{\"a\":-9223372036854775808,\"b\":\"x\"}", "{\"a\":null,\"b\":null}"], "json"),
    ];

    public static TheoryData<string, string> Cases()
    {
        var cases = new TheoryData<string, string>();
        foreach (var sample in Samples)
        {
            foreach (var format in (string[])["csv", "json", "jsonl", "xlsx", "postgres"])
                cases.Add(sample.Type, format);
        }
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_value_is_the_same_whatever_it_came_in(string type, string format)
    {
        var sample = Samples.First(one => one.Type == type);
        // Excel has no empty text.
        var values = sample.Values.Where(value => format != "xlsx" || value.Length > 0).ToList();
        var expected = await ParquetAsync(sample, values);
        _run.State = null;
        var from = new IngestSource { Folder = _run.Sources };
        switch (format)
        {
            case "csv":
                _run.Write("a.csv", "n,v\n0,\n" + string.Concat(values.Select((value, i) => $"{i + 1},\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"\n")));
                break;
            case "json" or "jsonl":
                var records = values.Select((value, i) => $"{{\"n\": {i + 1}, \"v\": {Json(type, value)}}}").Prepend("{\"n\": 0, \"v\": null}").ToList();
                _run.Write($"a.{format}", format == "json" ? $"[{string.Join(",\n", records)}]" : string.Join("\n", records));
                break;
            case "xlsx":
                _run.Write("a.xlsx", Xlsx.Write(new Xlsx.Sheet("Data", [["n", "v"], [0.0, null], .. values.Select((value, i) => new object?[] { i + 1.0, value })])));
                break;
            default:
                from = await PostgresAsync(sample, values);
                break;
        }
        var result = await _run.RunAsync(new IngestConfig { From = from, Types = new Dictionary<string, string> { ["v"] = type } });
        result.Outcome.RowsRejected.ShouldBe(0);
        result.TypeOf("v").ShouldBe(type);
        result.Rows("n", "v").OrderBy(row => int.Parse(row[0]!, CultureInfo.InvariantCulture)).ShouldBe(expected);
        result.ShouldBalance();
    }

    // Parquet states its types itself, and goes through unchanged.
    private async Task<List<string?[]>> ParquetAsync(Sample sample, List<string> values)
    {
        var type = ColumnType.Parse(sample.Type);
        var path = Path.Combine(_run.Sources, "a.parquet");
        using (var session = _run.Open(path))
        {
            var rows = values.Select((value, i) => $"SELECT {i + 1}::BIGINT AS n, {Value(type, value)} AS v").Prepend($"SELECT 0::BIGINT AS n, CAST(NULL AS {type.DuckDb}) AS v");
            session.Execute($"COPY ({string.Join(" UNION ALL ", rows)}) TO {Sql.Literal(path)} (FORMAT parquet)");
        }
        var result = await _run.RunAsync();
        result.TypeOf("v").ShouldBe(sample.Type);
        result.ShouldBalance();
        File.Delete(path);
        return [.. result.Rows("n", "v")];
    }

    internal static string Value(ColumnType type, string value) => type switch
    {
        ColumnType.ListType { Of: var of } => $"CAST(CAST({Sql.Literal(value)}::JSON AS VARCHAR[]) AS {of.DuckDb}[])",
        ColumnType.StructType => $"CAST({Sql.Literal(value)}::JSON AS {type.DuckDb})",
        _ => $"CAST({Sql.Literal(value)} AS {type.DuckDb})",
    };

    private async Task<IngestSource> PostgresAsync(Sample sample, List<string> values)
    {
        var address = await ConnectAsync(_run);
        await using var source = NpgsqlDataSource.Create(address.ConnectionString);
        await using (var create = source.CreateCommand($"SET TimeZone = 'UTC'; CREATE TABLE t (n int, v {sample.Postgres}); INSERT INTO t (n) VALUES (0)"))
            await create.ExecuteNonQueryAsync();
        for (var i = 0; i < values.Count; i++)
        {
            var text = $"'{values[i].Replace("'", "''", StringComparison.Ordinal)}'";
            var value = sample.Postgres.EndsWith("[]", StringComparison.Ordinal)
                ? $"coalesce((SELECT array_agg(e::{sample.Postgres[..^2]}) FROM json_array_elements_text({text}::json) e), '{{}}')" : $"{text}::{sample.Postgres}";
            await using var insert = source.CreateCommand($"INSERT INTO t VALUES ({i + 1}, {value})");
            await insert.ExecuteNonQueryAsync();
        }
        return new IngestSource { Connection = "db", Table = "t" };
    }

    /// <summary>Makes a database and the connection <c>db</c> to it.</summary>
    internal static async Task<NpgsqlConnectionStringBuilder> ConnectAsync(IngestRun run)
    {
        var address = new NpgsqlConnectionStringBuilder(await (await PostgresServer.SharedAsync()).CreateDatabaseAsync()) { Pooling = false };
        run.Settings["Outbound:Allow:0"] = "127.0.0.0/8";
        run.Add(new Connection("db", "postgres", new Dictionary<string, string>
        {
            ["host"] = address.Host!,
            ["port"] = $"{address.Port}",
            ["database"] = address.Database!,
            ["user"] = address.Username!,
            ["password"] = address.Password ?? "",
            ["sslMode"] = "disable",
        }));
        return address;
    }

    private static string Json(string type, string value) => type switch
    {
        "bool" or "int64" or "double" or "json" => value,
        _ when type.StartsWith("decimal", StringComparison.Ordinal) || type.StartsWith("list", StringComparison.Ordinal) || type.StartsWith("struct", StringComparison.Ordinal) => value,
        _ => System.Text.Json.JsonSerializer.Serialize(value),
    };
}
