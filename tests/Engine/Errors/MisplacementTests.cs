using System.Globalization;
using Qualiz.Engine.Columns;
using Qualiz.Engine.Errors;

namespace Qualiz.Engine.Tests.Errors;

public sealed class MisplacementTests
{
    private static readonly string[] Towns = ["Dallas", "New York", "Los Angeles", "Chicago", "Houston", "Phoenix", "San Diego", "Austin", "Seattle", "Denver", "Boston", "El Paso"];
    private static readonly string[] States = ["TX", "NY", "CA", "IL", "TX", "AZ", "CA", "TX", "WA", "CO", "MA", "TX"];
    private static readonly string[] First = ["Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Tony", "Niklaus", "John", "Frances"];
    private static readonly string[] Last = ["Lovelace", "Hopper", "Turing", "Dijkstra", "Liskov", "Knuth", "Hoare", "Wirth", "Backus", "Allen", "McCarthy", "Perlis"];
    private static readonly string[] Header = ["id", "first", "last", "street", "zip", "city", "state", "phone", "email"];

    [Theory]
    [InlineData(5, 6)]
    [InlineData(7, 8)]
    [InlineData(4, 6)]
    [InlineData(3, 8)]
    [InlineData(1, 2)]
    public void Columns_that_have_each_others_values_in_some_rows_are_swapped_back(int one, int other)
    {
        var rows = People(400, 1);
        var expected = Pick(400, 12, 2);
        foreach (var row in expected)
            (rows[row][one], rows[row][other]) = (rows[row][other], rows[row][one]);
        var found = Misplacements.Find(CodedTable.Of(Header, rows)).ShouldHaveSingleItem();
        found.Kind.ShouldBe(Misplaced.Swapped);
        found.Columns.ShouldBe([one, other]);
        found.Rows.ShouldBe(expected);
        found.Unlikely.ShouldBeGreaterThan(0.95);
        found.IsWeak.ShouldBe(one == 1, "first and last names differ in nothing but which they are");
        var table = CodedTable.Of(Header, rows);
        foreach (var finding in ErrorDetector.Find(table).Where(finding => expected.Contains(finding.Row) && (finding.Column == one || finding.Column == other)))
            finding.Suggested.ShouldBe(rows[finding.Row][finding.Column == one ? other : one]);
        ErrorDetector.Find(table).Select(finding => (finding.Row, finding.Column)).Intersect(expected.SelectMany(row => new[] { (row, one), (row, other) })).Count().ShouldBe(24);
    }

    [Fact]
    public void A_value_in_a_column_it_does_not_belong_to_goes_to_its_own_which_is_empty()
    {
        var rows = People(400, 3);
        var expected = Pick(400, 9, 4);
        foreach (var row in expected)
            (rows[row][7], rows[row][8]) = (rows[row][8], "");
        var table = CodedTable.Of(Header, rows);
        var found = Misplacements.Find(table).ShouldHaveSingleItem();
        found.Kind.ShouldBe(Misplaced.Swapped);
        found.Columns.ShouldBe([7, 8]);
        found.Rows.ShouldBe(expected);
        found.Repaired(table, expected[0]).ShouldBe(["", rows[expected[0]][7]]);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public void Rows_that_miss_a_delimiter_are_shifted_back(int from)
    {
        var rows = People(400, 5);
        var expected = Pick(400, 10, 6);
        foreach (var row in expected)
            rows[row] = [.. rows[row][..from], .. rows[row][(from + 1)..], ""];
        var found = Misplacements.Find(CodedTable.Of(Header, rows)).Where(found => found.Kind == Misplaced.ToRight).ShouldHaveSingleItem();
        found.Columns.ShouldBe(Enumerable.Range(from, 9 - from));
        found.Rows.ShouldBe(expected);
    }

    [Fact]
    public void What_an_unquoted_delimiter_took_apart_is_joined_and_the_rest_shifted_back()
    {
        var rows = People(400, 7);
        var expected = Pick(400, 10, 8);
        var whole = rows.ConvertAll(row => row[3]);
        foreach (var row in expected)
        {
            whole[row] = rows[row][3] + ", floor 2";
            rows[row] = [.. rows[row][..4], " floor 2", .. rows[row][4..^1]];
        }
        var table = CodedTable.Of(Header, rows);
        var found = Misplacements.Find(table).ShouldHaveSingleItem();
        (found.Kind, found.Join).ShouldBe((Misplaced.ToLeft, ","));
        found.Columns.ShouldBe([3, 4, 5, 6, 7, 8]);
        found.Rows.ShouldBe(expected);
        foreach (var row in expected)
            found.Repaired(table, row).ShouldBe([whole[row], rows[row][5], rows[row][6], rows[row][7], rows[row][8], ""]);
        // What was in the last column is gone: it is wrong, and nobody knows what it was.
        ErrorDetector.Find(table).Single(finding => finding.Row == expected[0] && finding.Column == 8).Suggested.ShouldBeNull();
    }

    [Fact]
    public void A_delimiter_too_many_leaves_a_cell_empty_and_the_rest_goes_back_over_it()
    {
        var rows = People(400, 9);
        var expected = Pick(400, 8, 10);
        foreach (var row in expected)
            rows[row] = [.. rows[row][..4], "", .. rows[row][4..^1]];
        var found = Misplacements.Find(CodedTable.Of(Header, rows)).ShouldHaveSingleItem();
        (found.Kind, found.Join).ShouldBe((Misplaced.ToLeft, null));
        found.Columns.ShouldBe([4, 5, 6, 7, 8]);
        found.Rows.ShouldBe(expected);
    }

    [Fact]
    public void Where_each_value_belongs_into_its_column_nothing_is_misplaced()
    {
        for (var seed = 1; seed <= 30; seed++)
        {
            var random = new Random(seed);
            Misplacements.Find(CodedTable.Of(Header, People(300, seed))).ShouldBeEmpty($"seed {seed}");
            // Columns of one kind, numbers of different sizes, a column that may hold the one or the other, and cells that are empty or odd.
            var rows = Enumerable.Range(0, 300).Select(i => (string[])
            [
                Towns[random.Next(12)], Towns[random.Next(12)], $"{random.Next(1, 9)}", $"{random.Next(1, 900)}", $"{random.NextDouble() * 90:0.00}".Replace(',', '.'), random.Next(2) == 0 ? $"a{i}@example.org" : $"555-{random.Next(1000, 9999)}",
                random.Next(3) == 0 ? "" : $"b{i}@example.org", random.Next(10) == 0 ? "unknown" : $"2026-{random.Next(1, 13):00}-{random.Next(1, 29):00}", random.Next(20) == 0 ? Towns[random.Next(12)] : $"note {random.Next(50)} on {Towns[random.Next(12)]}",
            ]);
            Misplacements.Find(CodedTable.Of(["from", "to", "rooms", "price", "share", "contact", "email", "day", "note"], rows)).ShouldBeEmpty($"seed {seed}");
        }
    }

    [Fact]
    public void One_strange_value_in_a_row_is_no_shift()
    {
        var rows = People(400, 11);
        foreach (var row in Pick(400, 12, 12))
            rows[row][5] = rows[row][6];
        Misplacements.Find(CodedTable.Of(Header, rows)).ShouldBeEmpty();
    }

    [Fact]
    public void The_order_of_the_rows_does_not_matter()
    {
        var rows = People(300, 13);
        foreach (var row in Pick(300, 10, 14))
            (rows[row][5], rows[row][6]) = (rows[row][6], rows[row][5]);
        foreach (var row in Pick(300, 10, 15))
            rows[row] = [.. rows[row][..3], .. rows[row][4..], ""];
        var expected = Misplacements.Find(CodedTable.Of(Header, rows));
        expected.Count.ShouldBeGreaterThan(1);
        var order = Enumerable.Range(0, 300).OrderBy(i => i * 7919 % 300).ToArray();
        var shuffled = Misplacements.Find(CodedTable.Of(Header, order.Select(row => rows[row])));
        shuffled.Select(found => (found.Kind, string.Join(' ', found.Columns), string.Join(' ', found.Rows.Select(row => order[row]).Order()), found.Unlikely))
            .ShouldBe(expected.Select(found => (found.Kind, string.Join(' ', found.Columns), string.Join(' ', found.Rows), found.Unlikely)));
    }

    private static List<string[]> People(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var (town, first, last) = (random.Next(Towns.Length), First[random.Next(First.Length)], Last[random.Next(Last.Length)]);
            return (string[])
            [
                string.Create(CultureInfo.InvariantCulture, $"P-{1000 + i}"), first, last, string.Create(CultureInfo.InvariantCulture, $"{random.Next(1, 999)} {(char)('A' + random.Next(26))}{"lmnop"[random.Next(5)]}er Street"),
                random.Next(10_000, 99_999).ToString(CultureInfo.InvariantCulture), Towns[town], States[town],
                random.Next(12) == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"({random.Next(200, 999)}) 555-{random.Next(1000, 9999)}"), $"{first}.{last}{(random.Next(3) == 0 ? i : "")}@example.org".ToLowerInvariant(),
            ];
        })];
    }

    private static List<int> Pick(int of, int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, of).OrderBy(_ => random.Next()).Take(count).Order()];
    }
}
