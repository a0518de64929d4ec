using System.Text;
using Qualiz.Engine.Kernels.Codes;
using Qualiz.Engine.Recipes;

namespace Qualiz.Engine.Tests.Recipes;

public sealed class CheckOptionTests : IDisposable
{
    private readonly RecipeBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData("""{"check":"notNull","columns":["zip"],"when":"country = 'NO'"}""", "1|NO|0150,3|SE|∅,4|∅|∅,5|NO|bad")]
    [InlineData("""{"check":"pattern","columns":["zip"],"pattern":"[0-9]{4}","when":"country = 'NO' AND id > 1"}""", "1|NO|0150,2|NO|∅,3|SE|∅,4|∅|∅")]
    [InlineData("""{"check":"pattern","columns":["zip"],"pattern":"[0-9]{4}","when":"country = 'SE'","else":"null"}""", "1|NO|0150,2|NO|∅,3|SE|∅,4|∅|∅,5|NO|bad")]
    [InlineData("""{"check":"row","where":"zip IS NOT NULL","when":"country IS NULL"}""", "1|NO|0150,2|NO|∅,3|SE|∅,5|NO|bad")]
    [InlineData("""{"check":"unique","columns":["country"],"when":"zip IS NOT NULL"}""", "1|NO|0150,2|NO|∅,3|SE|∅,4|∅|∅")]
    public async Task Only_rows_for_which_the_condition_is_true_are_looked_at(string check, string rows)
    {
        var output = await _bench.RunAsync("SELECT * FROM (VALUES (1, 'NO', '0150'), (2, 'NO', NULL), (3, 'SE', NULL), (4, NULL, NULL), (5, 'NO', 'bad')) t(id, country, zip)", "[]", $"[{check}]");
        output.Rows.Order(StringComparer.Ordinal).ShouldBe(rows.Split(','));
        output.Column("zip").Nullable.ShouldBeTrue();
    }

    [Fact]
    public async Task A_condition_that_cannot_be_computed_for_a_row_switches_no_check_off()
    {
        var output = await _bench.RunAsync("SELECT * FROM (VALUES ('1', NULL), ('x', NULL), ('3', NULL)) t(n, v)", "[]", """[{"check":"notNull","columns":["v"],"when":"CAST(n AS INTEGER) > 2"}]""");
        output.Rows.ShouldBe(["1|∅"]);
        output.ReasonsOf(2).ShouldBe(["notNull(v)"]);
        (await _bench.RunAsync("SELECT * FROM (VALUES ('1'), ('x'), ('3')) t(n)", "[]", """[{"check":"rowCount","min":2,"max":2,"when":"CAST(n AS INTEGER) > 2"}]""")).Result.Fatal.ShouldBeEmpty();
    }

    // Ten rows: v is empty in two of them, 'bad' in two of the other eight, of which one is rejected for something else, and the last row is filtered.
    private const string Ten = "SELECT i AS id, CASE WHEN i < 2 THEN NULL WHEN i IN (2, 3) THEN 'bad' ELSE 'ok' END AS v, CASE WHEN i = 3 THEN NULL ELSE 1 END AS w FROM range(11) t(i)";

    [Theory]
    [InlineData("75%", "reject", 0, 0)]
    [InlineData("75.1%", "reject", 1, 0)]
    [InlineData("75.1%", "keep", 1, 0)]
    [InlineData("75%", "keep", 0, 0)]
    [InlineData("75%", "null", 0, 0)]
    [InlineData("76%", "null", 1, 0)]
    [InlineData("100%", "keep", 1, 0)]
    [InlineData("0%", "keep", 0, 0)]
    public async Task The_share_that_must_pass_is_of_the_cells_with_a_value_and_does_not_depend_on_else(string mostly, string otherwise, int fatal, int warnings)
    {
        string Checks(string below) => $$"""[{"check":"pattern","columns":["v"],"pattern":"ok","mostly":"{{mostly}}","else":"{{otherwise}}"{{below}}},{"check":"notNull","columns":["w"]}]""";
        const string filter = """[{"rule":"filter","where":"id < 10"}]""";
        var output = await _bench.RunAsync(Ten, filter, Checks(""));
        output.Result.Fatal.Count.ShouldBe(fatal);
        output.Result.Warnings.Count.ShouldBe(warnings);
        output.Rows.Count.ShouldBe(otherwise == "reject" ? 8 : 9);
        var warned = await _bench.RunAsync(Ten, filter, Checks(""","below":"warn" """));
        warned.Result.Fatal.ShouldBeEmpty();
        warned.Result.Warnings.Count.ShouldBe(fatal + warnings);
        warned.Rows.ShouldBe(output.Rows);
    }

    [Theory]
    [InlineData("""{"check":"notNull","columns":["v"],"mostly":"90%"}""", "80 % of 10 pass notNull(v), at least 90 % expected.")]
    [InlineData("""{"check":"notNull","columns":["v"],"mostly":"90%","when":"id >= 1"}""", "88.8 % of 9 pass notNull(v), at least 90 % expected.")]
    [InlineData("""{"check":"unique","columns":["v"],"mostly":"90%","else":"keep"}""", "25 % of 8 pass unique(v), at least 90 % expected.")]
    [InlineData("""{"check":"unique","columns":["v"],"mostly":"90%","when":"id >= 5"}""", "20 % of 5 pass unique(v), at least 90 % expected.")]
    [InlineData("""{"check":"row","where":"id > 2","mostly":"90%","name":"late"}""", "70 % of 10 pass row(late), at least 90 % expected.")]
    public async Task Too_small_a_share_is_told_in_one_sentence(string check, string message)
    {
        var output = await _bench.RunAsync(Ten, """[{"rule":"filter","where":"id < 10"}]""", $"[{check}]");
        output.Result.Fatal.ShouldHaveSingleItem().Message.ShouldBe(message);
        (output.Result.In + output.Result.Added).ShouldBe(output.Result.Out + output.Result.Rejected + output.Result.Filtered);
    }

    [Fact]
    public async Task What_is_not_there_passes_by_any_share()
    {
        var output = await _bench.RunAsync("SELECT NULL::VARCHAR AS v WHERE false", "[]", """[{"check":"email","columns":["v"],"mostly":"100%"},{"check":"unique","columns":["v"],"mostly":"100%"}]""");
        output.Result.Fatal.ShouldBeEmpty();
    }

    // x: 1 1 2 3 ∅, y: 2 2 4 6 ∅
    private const string Five = "SELECT * FROM (VALUES (1, 2, 'a'), (1, 2, 'a'), (2, 4, 'b'), (3, 6, 'b'), (NULL, NULL, NULL)) t(x, y, k)";

    [Theory]
    [InlineData("""{"check":"aggregate","function":"distinctShare","column":"x","min":0.75,"max":0.75}""", true)]
    [InlineData("""{"check":"aggregate","function":"uniqueShare","column":"x","min":0.5,"max":0.5}""", true)]
    [InlineData("""{"check":"aggregate","function":"entropy","column":"x","min":1.5,"max":1.5}""", true)]
    [InlineData("""{"check":"aggregate","function":"entropy","column":"k","min":1,"max":1}""", true)]
    [InlineData("""{"check":"aggregate","function":"entropy","column":"k","min":0,"max":0,"when":"k = 'a'"}""", true)]
    [InlineData("""{"check":"aggregate","function":"correlation","column":"x","with":"y","min":0.999999}""", true)]
    [InlineData("""{"check":"aggregate","function":"quantile","column":"y","quantile":0.5,"min":3,"max":3}""", true)]
    [InlineData("""{"check":"aggregate","function":"quantile","column":"y","quantile":1,"max":5}""", false)]
    [InlineData("""{"check":"aggregate","function":"sum","column":"x","max":2,"when":"k = 'a'"}""", true)]
    [InlineData("""{"check":"aggregate","function":"sum","column":"x","max":2}""", false)]
    [InlineData("""{"check":"rowCount","min":2,"max":2,"when":"k = 'b'"}""", true)]
    [InlineData("""{"check":"rowCount","min":3,"when":"k = 'b'"}""", false)]
    [InlineData("""{"check":"ordered","column":"x"}""", true)]
    [InlineData("""{"check":"ordered","column":"x","strictly":true}""", false)]
    [InlineData("""{"check":"ordered","column":"x","strictly":true,"when":"x <> 1"}""", true)]
    [InlineData("""{"check":"ordered","column":"y","direction":"desc"}""", false)]
    [InlineData("""{"check":"ordered","column":"k"}""", true)]
    [InlineData("""{"check":"schema","columns":[{"name":"k"},{"name":"x","type":"int64"}]}""", true)]
    [InlineData("""{"check":"schema","columns":[{"name":"k"},{"name":"x"}],"inOrder":true}""", false)]
    [InlineData("""{"check":"schema","columns":[{"name":"x"},{"name":"k"}],"inOrder":true}""", true)]
    [InlineData("""{"check":"schema","columns":[{"name":"x"},{"name":"k"}],"others":false}""", false)]
    [InlineData("""{"check":"schema","columns":[{"name":"x","type":"text"}]}""", false)]
    [InlineData("""{"check":"schema","columns":[{"name":"X"}]}""", false)]
    [InlineData("""{"check":"rowCount","as":"dataset:five"}""", true)]
    [InlineData("""{"check":"rowCount","as":"dataset:four"}""", false)]
    [InlineData("""{"check":"rowCount","as":"dataset:four","within":"20%"}""", true)]
    [InlineData("""{"check":"rowCount","as":"dataset:four","within":"19%"}""", false)]
    [InlineData("""{"check":"aggregate","function":"sum","column":"x","as":"dataset:five.x"}""", true)]
    [InlineData("""{"check":"aggregate","function":"sum","column":"x","as":"dataset:four.x"}""", false)]
    [InlineData("""{"check":"aggregate","function":"distinct","column":"x","as":"dataset:five.k"}""", false)]
    [InlineData("""{"check":"aggregate","function":"mean","column":"x","as":"dataset:five.y","within":"50%"}""", true)]
    [InlineData("""{"check":"sameRows","as":"dataset:five","columns":["x","k"]}""", true)]
    [InlineData("""{"check":"sameRows","as":"dataset:four","columns":["x","k"]}""", false)]
    [InlineData("""{"check":"sameRows","as":"dataset:four","columns":["x","k"],"min":"80%"}""", true)]
    [InlineData("""{"check":"sameRows","as":"dataset:four","columns":["x","k"],"min":"81%"}""", false)]
    public async Task Checks_of_the_whole_dataset_hold_or_warn_and_never_reject(string check, bool holds)
    {
        _bench.References["dataset:five"] = (await _bench.InputAsync(Five, "five")).Dataset;
        _bench.References["dataset:four"] = (await _bench.InputAsync($"SELECT * FROM ({Five}) WHERE x IS DISTINCT FROM 3", "four")).Dataset;
        var output = await _bench.RunAsync(Five, "[]", $$"""[{{check[..^1]}},"else":"warn"}]""");
        output.Result.Warnings.Count.ShouldBe(holds ? 0 : 1, string.Join(" ", output.Result.Warnings));
        output.Rows.Count.ShouldBe(5);
        (await _bench.RunAsync(Five, "[]", $"[{check}]")).Result.Fatal.Count.ShouldBe(holds ? 0 : 1);
    }

    [Fact]
    public async Task Sums_beyond_what_doubles_tell_apart_are_compared_as_they_are()
    {
        _bench.References["dataset:other"] = (await _bench.InputAsync("SELECT 9007199254740993 AS n", "other")).Dataset;
        var output = await _bench.RunAsync("SELECT 9007199254740992 AS n", "[]", """[{"check":"aggregate","function":"sum","column":"n","as":"dataset:other.n"}]""");
        output.Result.Fatal.ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("""{"check":"notNull","columns":["x"],"when":"zz = 1"}""", "checks[0].when", RecipeException.ColumnUnknown)]
    [InlineData("""{"check":"notNull","columns":["x"],"when":"x + 1"}""", "checks[0].when", RecipeException.ExpressionInvalid)]
    [InlineData("""{"check":"rowCount","min":1,"when":"(SELECT true)"}""", "checks[0].when", RecipeException.ExpressionInvalid)]
    [InlineData("""{"check":"rowCount","as":"five"}""", "checks[0].as", RecipeException.ValueInvalid)]
    [InlineData("""{"check":"rowCount","as":"dataset:none"}""", "checks[0].as", RecipeException.ValueInvalid)]
    [InlineData("""{"check":"aggregate","function":"sum","column":"x","as":"dataset:five.zz"}""", "checks[0].as", RecipeException.ColumnUnknown)]
    [InlineData("""{"check":"aggregate","function":"quantile","column":"x","min":1}""", "checks[0]", RecipeException.ValueInvalid)]
    [InlineData("""{"check":"aggregate","function":"sum","column":"x","min":1,"with":"y"}""", "checks[0].with", RecipeException.ValueInvalid)]
    [InlineData("""{"check":"aggregate","function":"correlation","column":"x","with":"k","min":1}""", "checks[0].with", RecipeException.ColumnType)]
    [InlineData("""{"check":"schema","columns":[{"name":"x","type":"whatever"}]}""", "checks[0].columns[0].type", RecipeException.ColumnType)]
    [InlineData("""{"check":"schema","columns":[{"name":"x"},{"name":"x"}]}""", "checks[0].columns[1].name", RecipeException.ValueInvalid)]
    [InlineData("""{"check":"sameRows","as":"dataset:five","columns":["zz"]}""", "checks[0].columns[0]", RecipeException.ColumnUnknown)]
    [InlineData("""{"check":"format","columns":["x"],"is":"uuid"}""", "checks[0].columns[0]", RecipeException.ColumnType)]
    public async Task A_mistake_in_an_option_is_named_with_its_place(string check, string path, string code)
    {
        _bench.References["dataset:five"] = (await _bench.InputAsync(Five, "five")).Dataset;
        var exception = await Should.ThrowAsync<RecipeException>(() => _bench.RunAsync(Five, "[]", $"[{check}]"));
        exception.Path.ShouldBe(path);
        exception.Code.ShouldBe(code);
    }

    // IBANs of SWIFT's registry, ISBNs and EANs of their handbooks, numbers that payment networks publish for tests.
    [Theory]
    [InlineData("uuid", "6ba7b810-9dad-11d1-80b4-00c04fd430c8 00000000-0000-0000-0000-000000000000 6BA7B810-9DAD-11D1-80B4-00C04FD430C8", "6ba7b8109dad11d180b400c04fd430c8 {6ba7b810-9dad-11d1-80b4-00c04fd430c8} 6ba7b810-9dad-11d1-80b4-00c04fd430cg x")]
    [InlineData("url", "https://example.org http://a.b/c?d=e#f https://[2001:db8::1]:8080/ https://münchen.de/ä http://127.0.0.1", "ftp://example.org example.org http:// http:/a.b/cd mailto:a@b.c http://a|b.org //example.org http:example.org")]
    [InlineData("ipv4", "0.0.0.0 192.168.1.254 255.255.255.255", "256.1.1.1 1.2.3 1.2.3.4.5 01.2.3.4 1.2.3.4/24 0x7f.0.0.1 1..2.3 ::1")]
    [InlineData("ipv6", "::1 2001:db8::8a2e:370:7334 ::ffff:192.0.2.1 2001:0db8:0000:0000:0000:8a2e:0370:7334", "1.2.3.4 2001:db8::1::2 fe80::1%eth0 [::1] ::1/64 12345::")]
    [InlineData("ip", "::1 10.0.0.1", "localhost 10.0.0")]
    [InlineData("json", "{\"a\":[1,2]} null 1.5 \"x\" []", "{a:1} {\"a\":1 1,2 {} {} 'x' NaN")]
    [InlineData("iban", "GB29NWBK60161331926819 NO9386011117947 DE89370400440532013000 MT84MALT011000012345MTLCAST001S FR1420041010050500013M02606", "GB29NWBK60161331926818 NO93860111179471 DE8937040044053201300 gb29nwbk60161331926819 XX9386011117947 NO93")]
    [InlineData("luhn", "4111111111111111 378282246310005 79927398713 00", "4111111111111112 79927398710 0 4111-1111-1111-1111 a")]
    [InlineData("ean", "4006381333931 96385074 036000291452 10012345000017", "4006381333932 9638507 400638133393x")]
    [InlineData("isbn", "0306406152 080442957X 9780306406157", "0306406153 4006381333931 978-0-306-40615-7 08044295X7")]
    public async Task A_format_is_told_by_its_signs_and_check_digits(string form, string right, string wrong)
    {
        // Blanks stand between the values here, except in JSON's.
        foreach (var (values, valid) in new[] { (right, true), (wrong, false) })
        {
            foreach (var value in values.Split(' '))
            {
                if (form != "json" || value is not "{}")
                    TextForm.Is(Encoding.UTF8.GetBytes(form), Encoding.UTF8.GetBytes(value)).ShouldBe(valid, value);
            }
        }
        TextForm.Is(Encoding.UTF8.GetBytes(form), []).ShouldBeFalse();
        var rows = string.Join(", ", right.Split(' ').Select(value => $"('{value.Replace("'", "''", StringComparison.Ordinal)}')").Append("(NULL)").Append("('no such thing')"));
        var output = await _bench.RunAsync($"SELECT * FROM (VALUES {rows}) t(v)", "[]", $$"""[{"check":"format","columns":["v"],"is":"{{form}}"}]""");
        output.Rows.Count.ShouldBe(right.Split(' ').Length + 1);
        output.Rejected.Count.ShouldBe(1);
        output.Rejected[0].Reasons[0].GetProperty("message").GetString().ShouldBe($"is no {form}");
    }

    [Fact]
    public void Json_nested_as_deep_as_it_is_long_is_read_to_its_end()
    {
        TextForm.IsJson(Encoding.UTF8.GetBytes(new string('[', 200_000) + new string(']', 200_000))).ShouldBeTrue();
        TextForm.IsJson("[]]"u8).ShouldBeFalse();
        TextForm.IsJson([0xff, 0xfe]).ShouldBeFalse();
    }
}
