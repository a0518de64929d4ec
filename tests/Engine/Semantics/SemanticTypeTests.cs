using Qualiz.Engine.Semantics;
using Qualiz.Engine.Tests.Profiling;

namespace Qualiz.Engine.Tests.Semantics;

public sealed class SemanticTypeTests : IDisposable
{
    private readonly ScratchFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("GB82 WEST 1234 5698 7654 32", true)]
    [InlineData("GB82 WEST 1234 5698 7654 33", false)]
    public void An_iban_has_its_check_digits(string value, bool is_) => ValueShapes.IsIban(value).ShouldBe(is_);

    [Theory]
    [InlineData("4111 1111 1111 1111", true)]
    [InlineData("4111 1111 1111 1112", false)]
    [InlineData("9780306406157", false)]
    public void A_card_number_has_its_check_digit(string value, bool is_) => ValueShapes.IsCreditCard(value).ShouldBe(is_);

    [Theory]
    [InlineData("0-306-40615-2", true)]
    [InlineData("978-0-306-40615-7", true)]
    [InlineData("978-0-306-40615-8", false)]
    [InlineData("0-8044-2957-X", true)]
    public void An_isbn_has_its_check_digit(string value, bool is_) => ValueShapes.IsIsbn(value).ShouldBe(is_);

    [Theory]
    [InlineData("2056-9890", true)]
    [InlineData("2056-9891", false)]
    public void An_issn_has_its_check_digit(string value, bool is_) => ValueShapes.IsIssn(value).ShouldBe(is_);

    [Theory]
    [InlineData("2026-11-23", true)]
    [InlineData("23.11.2026", true)]
    [InlineData("11/23/26", true)]
    [InlineData("23 Nov 2026", true)]
    [InlineData("November 23, 2026", true)]
    [InlineData("2026-13-23", false)]
    [InlineData("31/31/2026", false)]
    [InlineData("1.2.3.4", false)]
    [InlineData("555-1234", false)]
    public void Dates_are_told_from_other_numbers(string value, bool is_) => ValueShapes.IsDate(value).ShouldBe(is_);

    [Theory]
    [InlineData("2026-11-23T10:11:12Z", true)]
    [InlineData("23/11/2026 10:11:12 PM", true)]
    [InlineData("2026-11-23 10:11:12.5+02:00", true)]
    [InlineData("2026-11-23", false)]
    public void Moments_have_a_day_and_a_time(string value, bool is_) => ValueShapes.IsTimestamp(value).ShouldBe(is_);

    [Theory]
    [InlineData("(212) 555-0123", true)]
    [InlineData("+47 22 33 44 55", true)]
    [InlineData("030 1234567", true)]
    [InlineData("2026-11-23", false)]
    [InlineData("12345", false)]
    public void Telephone_numbers_are_known_by_how_they_are_written(string value, bool is_) => ValueShapes.IsWrittenPhone(value).ShouldBe(is_);

    [Theory]
    [InlineData("SELECT 'user' || range || '@example.org' AS anything FROM range(50)", "email", "personal")]
    [InlineData("SELECT uuid()::VARCHAR AS x FROM range(50)", "uuid", null)]
    [InlineData("SELECT DATE '2026-01-01' + range::INTEGER AS birth_date FROM range(50)", "date", "personal")]
    [InlineData("SELECT '192.168.0.' || range AS x FROM range(50)", "ip", "personal")]
    [InlineData("SELECT 1900 + range AS x FROM range(50)", "year", null)]
    [InlineData("SELECT 59.9 + range / 1000 AS latitude FROM range(50)", "latitude", null)]
    [InlineData("SELECT range * 37 AS x FROM range(5000)", null, null)]
    [InlineData("SELECT ['Board', 'Staff', 'Guest'][1 + range % 3] AS x FROM range(60)", "category", null)]
    [InlineData("SELECT ['12', '15', 'N/A', '18', 'twenty'][1 + range % 5] AS x FROM range(60)", null, null)]
    [InlineData("SELECT ['750ML', '1.5L', '12 oz'][1 + range % 3] AS x FROM range(60)", null, null)]
    [InlineData("SELECT ['.no', '.se', '.dk', '.fi', '.de', '.fr'][1 + range % 6] AS x FROM range(60)", null, null)]
    [InlineData("SELECT ['NO', 'SE', 'DK', 'FI', 'DE', 'FR'][1 + range % 6] AS country FROM range(60)", "country", null)]
    [InlineData("SELECT 'Physics Communications, Vol ' || range || ', Iss ' || (range % 7) || ', Pp ' || range * 3 AS x FROM range(60)", null, null)]
    [InlineData("SELECT '4111111111111111' AS card, range FROM range(50)", "credit-card", "secret")]
    [InlineData("SELECT md5(range::VARCHAR) || ' ' || md5((range + 1)::VARCHAR) AS x FROM range(50)", null, null)]
    public async Task A_column_is_known_by_its_values_or_not_at_all(string query, string? type, string? tag)
    {
        var semantic = (await _folder.ProfileAsync(query)).Columns[0].Semantic;

        (semantic?.Type, semantic?.Sensitivity).ShouldBe((type, tag));
    }

    [Fact]
    public async Task What_a_column_is_does_not_depend_on_the_order_of_its_rows_nor_on_threads()
    {
        const string Rows = "SELECT CASE WHEN range % 5 = 0 THEN 'x' || hash(range) ELSE 'user' || range || '@example.org' END AS x FROM range(300000)";
        var first = (await _folder.ProfileAsync(Rows, threads: 1)).Columns[0].Semantic;

        first!.Type.ShouldBe("email");
        first.Share.ShouldBeInRange(0.75, 0.85);
        (await _folder.ProfileAsync($"{Rows} ORDER BY hash(range)", threads: 2)).Columns[0].Semantic.ShouldBe(first);
    }

    [Fact]
    public async Task A_sensitive_column_says_what_it_is_and_shows_no_value()
    {
        var column = (await _folder.ProfileAsync("SELECT 'user' || range || '@example.org' AS x FROM range(50)", sensitivity: new Dictionary<string, string> { ["x"] = "personal" })).Columns[0];

        column.Semantic!.Type.ShouldBe("email");
        (column.Masked, column.Top.Count, column.Min).ShouldBe((true, 0, null));
    }
}
