using Qualiz.Engine.Sessions;
using Qualiz.Platform.Operators;

namespace Qualiz.Deliver.Tests;

/// <summary>Every type with its extremes into PostgreSQL and back: equal, or refused with the reason.</summary>
public sealed class TypeTests(PostgresBench postgres) : IClassFixture<PostgresBench>
{
    private static int s_tables;

    public static TheoryData<string, string, string[]> Values => new()
    {
        { "VARCHAR", "text", ["''", "' '", "'\\N'", "'\\.'", "E'a\\tb\\nc\\rd\\\\e'", "E'x\\n\\\\.\\ny'", "'NULL'", "'\"q\"'", "'ünï ☃ 🦆'", "'00123'", "chr(1)", "repeat('x', 100000)"] },
        { "BOOLEAN", "boolean", ["true", "false"] },
        { "BIGINT", "bigint", ["0", "-1", "9223372036854775807", "-9223372036854775808", "9007199254740993"] },
        { "DECIMAL(18,2)", "numeric(18,2)", ["0", "0.01", "-9999999999999999.99", "9999999999999999.99"] },
        { "DECIMAL(38,38)", "numeric(38,38)", ["'0.00000000000000000000000000000000000001'", "'-0.99999999999999999999999999999999999999'"] },
        { "DECIMAL(38,0)", "numeric(38,0)", ["99999999999999999999999999999999999999", "-99999999999999999999999999999999999999"] },
        { "DOUBLE", "double precision", ["0.1", "-0.0", "1.7976931348623157e308", "4.9406564584124654e-324", "'nan'", "'inf'", "'-inf'", "9007199254740993.0"] },
        { "DATE", "date", ["'2020-02-29'", "'0001-01-01'", "'9999-12-31'", "'0044-03-15 (BC)'", "'4713-01-01 (BC)'", "'290000-01-01'", "'infinity'", "'-infinity'"] },
        { "TIME", "time without time zone", ["'00:00:00'", "'23:59:59.999999'", "'24:00:00'"] },
        { "TIMESTAMP", "timestamp without time zone", ["'2020-02-29 12:34:56.789012'", "'0044-03-15 (BC) 10:00:00.5'", "'294246-01-01 00:00:00'", "'infinity'", "'-infinity'", "'0001-01-01 00:00:00'"] },
        { "TIMESTAMP WITH TIME ZONE", "timestamp with time zone", ["'2020-02-29 12:34:56.789012+00'", "'0044-03-15 (BC) 10:00:00+00'", "'2020-01-01 00:00:00+14'", "'infinity'"] },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public async Task A_type_arrives_as_it_is(string engine, string target, string[] values)
    {
        var table = $"typed_{Interlocked.Increment(ref s_tables)}";
        var rows = values.Select((value, i) => $"({i}, CAST({(value.StartsWith("E'", StringComparison.Ordinal) ? Unescape(value) : value)} AS {engine}))").Append($"({values.Length}, NULL)");
        var query = $"SELECT * FROM (VALUES {string.Join(", ", rows)}) t(i, v)";
        var input = await postgres.Bench.InputAsync(query);
        await postgres.DeliverAsync($$"""{"to":{"connection":"dwh","table":"{{table}}"} }""", input);
        (await postgres.OneAsync($"SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attname = 'v'")).ShouldBe(target);

        // The server's text, read by the engine as the type it was, must be the same value.
        using var session = postgres.Bench.Open();
        var back = await postgres.QueryAsync($"SELECT i, v::text FROM {table} ORDER BY i");
        back.Count.ShouldBe(values.Length + 1);
        foreach (var line in back)
        {
            var bar = line.IndexOf('|', StringComparison.Ordinal);
            var (i, text) = (line[..bar], line[(bar + 1)..]);
            if (text.EndsWith(" BC", StringComparison.Ordinal))
                text = text.Contains(' ', StringComparison.Ordinal) && text.Length > 13 ? $"{text[..10]} (BC){text[10..^3]}" : $"{text[..^3]} (BC)";
            var value = text == "∅" ? "NULL" : Sql.Literal(text);
            var original = i == $"{values.Length}" ? "NULL" : Unescape(values[int.Parse(i, System.Globalization.CultureInfo.InvariantCulture)]);
            session.Scalar<bool>($"SELECT CAST({value} AS {engine}) IS NOT DISTINCT FROM CAST({original} AS {engine})").ShouldBeTrue($"{engine} {original} came back as {text}");
        }
    }

    [Fact]
    public async Task Nested_values_become_jsonb()
    {
        var input = await postgres.Bench.InputAsync(
            """
            SELECT '{"a": 12345678901234567890.123, "b": "\u00e9\\\n"}'::JSON AS j, [1.10::DECIMAL(38,2), 99999999999999999999999999999999999.99] AS l, [NULL, 'x', ''] AS s,
              {'k': 9223372036854775807, 'when': TIMESTAMPTZ '2020-01-01 00:00:00+00', 'in "ner"': {'v': 'tab	\ "q"'}} AS r, []::VARCHAR[] AS e, NULL::JSON AS n
            """);
        await postgres.DeliverAsync("""{"to":{"connection":"dwh","table":"nested"}}""", input);
        (await postgres.OneAsync("SELECT j->>'a', j->>'b', l::text, s::text, r->>'k', r->'in \"ner\"'->>'v', e::text, n::text FROM nested"))
            .ShouldBe("12345678901234567890.123|é\\\n|[1.10, 99999999999999999999999999999999999.99]|[null, \"x\", \"\"]|9223372036854775807|tab\t\\ \"q\"|[]|∅");
        (await postgres.OneAsync("SELECT string_agg(DISTINCT format_type(atttypid, atttypmod), ',') FROM pg_attribute WHERE attrelid = 'nested'::regclass AND attnum > 0")).ShouldBe("jsonb");
    }

    [Theory]
    [InlineData("DATE '5877642-06-25 (BC)'", "valueRefused")]
    [InlineData("TIMESTAMP '290309-12-22 (BC) 00:00:00'", "valueRefused")]
    [InlineData("'{\"a\": \"\\u0000\"}'::JSON", "valueRefused")]
    [InlineData("['nan'::DOUBLE]", "valueRefused")]
    [InlineData("chr(0)", "valueRefused")]
    public async Task What_the_server_cannot_hold_is_refused(string value, string code)
    {
        var input = await postgres.Bench.InputAsync($"SELECT {value} AS v");
        var failed = (await postgres.RunAsync("""{"to":{"connection":"dwh","table":"impossible"}}""", input)).ShouldBeOfType<StepResult.Failed>();
        failed.Error.Code.ShouldBe(code);
        (await postgres.OneAsync("SELECT to_regclass('impossible')::text")).ShouldBe("∅");
    }

    [Fact]
    public async Task One_empty_text_is_one_row()
    {
        await postgres.DeliverAsync("""{"to":{"connection":"dwh","table":"lonely"}}""", await postgres.Bench.InputAsync("SELECT * FROM (VALUES (''), (NULL), ('\\.'), ('')) t(v)"));
        (await postgres.QueryAsync("SELECT v FROM lonely")).ShouldBe(["", "∅", "\\.", ""]);
    }

    [Fact]
    public async Task Nothing_is_delivered_as_nothing()
    {
        await postgres.DeliverAsync("""{"to":{"connection":"dwh","table":"empty"},"mode":"replace"}""", await postgres.Bench.InputAsync("SELECT 1 AS v WHERE false"));
        (await postgres.OneAsync("SELECT count(*) FROM empty")).ShouldBe("0");
    }

    // Engine literals have no escapes.
    private static string Unescape(string value) => value.StartsWith("E'", StringComparison.Ordinal)
        ? Sql.Literal(value[2..^1].Replace(@"\\", "\u0001", StringComparison.Ordinal).Replace(@"\t", "\t", StringComparison.Ordinal).Replace(@"\n", "\n", StringComparison.Ordinal).Replace(@"\r", "\r", StringComparison.Ordinal).Replace("\u0001", @"\", StringComparison.Ordinal))
        : value;
}
