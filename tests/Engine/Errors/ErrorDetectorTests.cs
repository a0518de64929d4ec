using System.Globalization;
using Qualiz.Engine.Columns;
using Qualiz.Engine.Errors;

namespace Qualiz.Engine.Tests.Errors;

public sealed class ErrorDetectorTests
{
    private static readonly string[] Towns = ["Aberdeen", "Birmingham", "Canterbury", "Doncaster", "Eastbourne", "Falkirk", "Gloucester", "Huddersfield", "Inverness", "Kilmarnock"];

    [Fact]
    public void What_another_column_says_of_a_cell_is_suggested()
    {
        // Each postcode has its town; one row has another's.
        var rows = Rows(80, i => [$"P{i % 10}00", Towns[i % 10], $"{i * 37 % 101}"]);
        rows[23][1] = "Leeds";
        rows[44][1] = "";
        var findings = Find(["postcode", "town", "points"], rows);
        findings.Select(finding => (finding.Row, finding.Column, finding.Value, finding.Suggested, finding.Kind)).ShouldBe(
        [
            (23, 1, "Leeds", Towns[3], CellKind.Error),
            (44, 1, "", Towns[4], CellKind.Missing),
        ]);
        findings[0].Reason.ShouldBe("7 of 8 rows with the same postcode have Doncaster");
    }

    [Fact]
    public void A_group_that_is_mixed_is_not_wrong()
    {
        // Half of the postcodes lie in two towns.
        var rows = Rows(300, i => [$"P{i % 10}00", Towns[(i % 10) + (i % 10 < 5 && i % 3 == 0 ? 5 : 0)], $"{i * 37 % 101}"]);
        Find(["postcode", "town", "points"], rows).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("Gloucster")]
    [InlineData("Glouceter")]
    [InlineData("Gloucesterr")]
    [InlineData("Gloucsetre")]
    [InlineData("Glouxxster")]
    public void A_rare_value_like_a_frequent_one_is_misspelt(string value)
    {
        var rows = Rows(120, i => [Towns[i % 10]]);
        rows[6][0] = value;
        Find(["town"], rows).ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            finding => (finding.Row, finding.Suggested).ShouldBe((6, "Gloucester")),
            finding => finding.Reason.ShouldBe("like \"Gloucester\", which stands in 11 rows, this in 1"));
    }

    [Fact]
    public void Codes_that_are_all_like_one_another_are_not_misspelt()
    {
        var codes = new[] { "AL", "AK", "AZ", "AR", "CA", "CO", "CT", "GA", "IA", "ID", "IL", "IN", "LA", "MA", "MD", "ME", "MI", "MN", "MO", "MS", "PA", "VA", "WA", "WI" };
        Find(["state"], Rows(400, i => [i % 2 == 0 ? "CA" : codes[i * 7 % codes.Length]])).ShouldBeEmpty();
    }

    [Fact]
    public void A_word_inside_a_text_is_looked_at_too()
    {
        var rows = Rows(200, i => [$"{i + 11} {Towns[i % 10]} Street"]);
        rows[31][0] = $"{31 + 11} Birmingham Strete";
        Find(["address"], rows).ShouldHaveSingleItem().Suggested.ShouldBe("42 Birmingham Street");
    }

    [Fact]
    public void Sources_that_are_right_more_often_weigh_more_and_copies_weigh_as_one()
    {
        // Three careful sources, two that have their own mistakes, and five that copy one bad one: the bad one's word is the most frequent.
        var sources = new[] { "a", "b", "c", "own1", "own2", "bad", "copy1", "copy2", "copy3", "copy4" };
        var rows = new List<string[]>();
        for (var thing = 0; thing < 40; thing++)
        {
            foreach (var source in sources)
            {
                var isBad = source.StartsWith("copy", StringComparison.Ordinal) || source == "bad";
                var offset = isBad && thing % 3 != 0 ? 7 : source == "own1" && thing % 5 == 0 ? 3 : source == "own2" && thing % 7 == 0 ? 5 : 0;
                rows.Add([source, $"train {thing}", Time(600 + thing + offset), Time(720 + (thing * 3) + offset)]);
            }
        }
        rows[5][3] = "";
        rows[11][2] = $"12/2/11 {rows[11][2]}";
        var findings = Find(["source", "train", "leaves", "arrives"], rows);
        var expected = new List<(int, int)>();
        for (var row = 0; row < rows.Count; row++)
        {
            var thing = row / sources.Length;
            if (rows[row][2] != Time(600 + thing))
                expected.Add((row, 2));
            if (rows[row][3] != Time(720 + (thing * 3)))
                expected.Add((row, 3));
        }
        findings.Select(finding => (finding.Row, finding.Column)).ShouldBe(expected);
        findings.Single(finding => finding is { Row: 5, Column: 3 }).ShouldSatisfyAllConditions(
            finding => finding.Kind.ShouldBe(CellKind.Missing), finding => finding.Suggested.ShouldBe(Time(720)));
        findings.Single(finding => finding is { Row: 11, Column: 2 }).ShouldSatisfyAllConditions(
            finding => finding.Kind.ShouldBe(CellKind.Normalise), finding => finding.Suggested.ShouldBe(Time(601)));

        static string Time(int minute) => string.Create(CultureInfo.InvariantCulture, $"{((minute / 60) + 11) % 12 + 1}:{minute % 60:00} {(minute < 720 ? "a.m." : "p.m.")}");
    }

    [Theory]
    [InlineData("2020-1x-07")]
    [InlineData("2020-1107")]
    [InlineData("2020-11-077")]
    public void A_value_of_another_form_than_the_columns_is_found(string value)
    {
        var rows = Rows(150, i => [$"20{10 + (i % 12)}-{1 + (i % 12):00}-{1 + (i % 28):00}"]);
        rows[77][0] = value;
        Find(["day"], rows).ShouldHaveSingleItem().Row.ShouldBe(77);
    }

    [Fact]
    public void A_value_that_was_copied_over_others_is_found_and_a_group_that_belongs_together_is_not()
    {
        // Orders have numbers of their own; five of them were written over others. Every fourth order is of a customer who comes again and again, from one address.
        var rows = Rows(300, i =>
        {
            var customer = i % 4 == 0 ? i % 60 : 100 + i;
            return [$"N{10_000 + (i * 7)}", $"customer {customer}", $"{customer * 3 % 1009} Main Street", $"{i * 31 % 97}"];
        });
        for (var i = 0; i < 50; i++)
            rows[100 + (i * 3)][0] = $"N{20_000 + (i % 5)}";
        var findings = Find(["order", "customer", "address", "points"], rows);
        findings.ShouldAllBe(finding => finding.Column == 0 && finding.Suggested == null);
        findings.Select(finding => finding.Row).ShouldBe(Enumerable.Range(0, 50).Select(i => 100 + (i * 3)));
    }

    [Fact]
    public void A_number_far_from_all_others_is_found_and_a_long_tail_is_not()
    {
        var rows = Rows(200, i => [string.Create(CultureInfo.InvariantCulture, $"{40 + (i * 37 % 200 / 40.0):0.000}"), string.Create(CultureInfo.InvariantCulture, $"{Math.Pow(1.05, i):0.00}")]);
        rows[12][0] = "140.25";
        Find(["latitude", "income"], rows).ShouldHaveSingleItem().Row.ShouldBe(12);
    }

    [Fact]
    public void Numbers_with_a_unit_in_several_spellings_are_brought_to_one_form()
    {
        var spellings = new[] { "oz", "oz.", "ounce", "OZ." };
        var findings = Find(["size"], Rows(100, i => [$"{12 + (i % 3)}.0 {spellings[i % 4]}"]));
        findings.Count.ShouldBe(100);
        findings.ShouldAllBe(finding => finding.Kind == CellKind.Normalise);
        findings[1].Suggested.ShouldBe("13");
        Find(["size"], Rows(100, i => [$"{12 + (i % 3)}.0 oz"])).ShouldBeEmpty("one spelling is how the column is written");
        Find(["size"], Rows(100, i => [$"{12 + (i % 3)} {(i % 2 == 0 ? "L" : "kg")}"])).ShouldBeEmpty("two units are no two spellings");
    }

    [Fact]
    public void A_word_for_no_value_among_numbers_is_missing()
    {
        var findings = Find(["bitterness"], Rows(100, i => [i % 3 == 0 ? "N/A" : $"{i % 40}"]));
        findings.Count.ShouldBe(34);
        findings.ShouldAllBe(finding => finding.Kind == CellKind.Missing && finding.Suggested == "");
    }

    [Fact]
    public void A_value_that_slipped_into_the_column_beside_goes_back()
    {
        var states = new[] { "OR", "TX", "NY", "OH" };
        var rows = Rows(120, i => [$"{Towns[i % 10]} {"abcdefghijkl"[i % 12]}{i}", states[i % 4]]);
        foreach (var i in (int[])[5, 50, 91])
            rows[i] = [$"{rows[i][0]} {rows[i][1]}", ""];
        var findings = Find(["town", "state"], rows);
        findings.Select(finding => (finding.Row, finding.Column, finding.Suggested, finding.Kind)).ShouldBe(
            ((int[])[5, 50, 91]).SelectMany(i => new (int, int, string?, CellKind)[]
            {
                (i, 0, rows[i][0][..^3], CellKind.Error),
                (i, 1, states[i % 4], CellKind.Missing),
            }));
    }

    [Fact]
    public void What_the_rows_own_other_values_make_is_right_though_most_rows_have_another()
    {
        // The fourth column is made of the first two; in five rows it differs from what most rows with the same measure have.
        var rows = Rows(400, i => [i % 80 == 0 ? "ak" : "al", $"measure-{i % 12}", $"{i * 13 % 83}", ""]);
        foreach (var row in rows)
            row[3] = $"{row[0]}_{row[1]}";
        Find(["state", "measure", "points", "code"], rows).Where(finding => finding.Column == 3).ShouldBeEmpty();
    }

    [Fact]
    public void Clean_random_tables_give_no_alarm()
    {
        for (var seed = 1; seed <= 20; seed++)
        {
            var random = new Random(seed);
            var rows = Rows(400, i =>
            [
                $"K{random.Next(100_000, 999_999)}", Towns[random.Next(Towns.Length)], $"{random.Next(1, 500)}", $"{random.NextDouble() * 90:0.00}".Replace(',', '.'),
                $"{random.Next(1, 29):00}.{random.Next(1, 13):00}.{random.Next(1990, 2026)}", random.Next(4) == 0 ? "" : $"+44 {random.Next(1000, 9999)} {random.Next(100_000, 999_999)}",
            ]);
            Find(["key", "town", "points", "share", "born", "phone"], rows).ShouldBeEmpty($"seed {seed}");
        }
    }

    [Fact]
    public void Rows_in_another_order_have_the_same_findings()
    {
        var random = new Random(7);
        var rows = Rows(300, i => [$"P{i % 10}00", Towns[i % 10], $"{40 + random.Next(900) / 100.0:0.00}".Replace(',', '.'), $"20{10 + (i % 12)}-{1 + (i % 12):00}-{1 + (i % 28):00}"]);
        for (var i = 0; i < 30; i++)
        {
            var column = random.Next(4);
            var text = rows[i * 9][column];
            rows[i * 9][column] = text.Insert(random.Next(text.Length), "q");
        }
        string[] names = ["postcode", "town", "latitude", "day"];
        var order = Enumerable.Range(0, rows.Count).OrderBy(_ => random.Next()).ToArray();
        var expected = Find(names, rows);
        expected.Count.ShouldBeGreaterThan(20);
        var shuffled = Find(names, [.. order.Select(row => rows[row])]).Select(finding => finding with { Row = order[finding.Row] });
        shuffled.OrderBy(finding => (finding.Row, finding.Column)).ShouldBe(expected);
    }

    [Fact]
    public void A_table_without_rows_or_without_values_is_fine()
    {
        Find(["a", "b"], []).ShouldBeEmpty();
        Find(["a", "b"], Rows(50, _ => ["", ""])).ShouldBeEmpty();
    }

    private static List<string[]> Rows(int count, Func<int, string[]> row) => [.. Enumerable.Range(0, count).Select(row)];

    private static IReadOnlyList<CellFinding> Find(IReadOnlyList<string> columns, List<string[]> rows) => ErrorDetector.Find(CodedTable.Of(columns, rows));
}
