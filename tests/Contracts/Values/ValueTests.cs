using CsCheck;
using Qualiz.Contracts.Text;
using Qualiz.Contracts.Values;

namespace Qualiz.Contracts.Tests.Values;

public sealed class ValueTests
{
    [Theory]
    [InlineData("10s", 10)]
    [InlineData("45m", 2700)]
    [InlineData("7d", 604800)]
    [InlineData("1h30m", 5400)]
    [InlineData("0s", 0)]
    [InlineData("1500ms", 1.5)]
    public void A_duration_is_read(string text, double seconds) => Duration.Parse(text).Value.TotalSeconds.ShouldBe(seconds);

    [Theory]
    [InlineData("")]
    [InlineData("10")]
    [InlineData("10 s")]
    [InlineData("s")]
    [InlineData("-1s")]
    [InlineData("1.5h")]
    [InlineData("30m1h")]
    [InlineData("1h1h")]
    [InlineData("1H")]
    [InlineData("99999999999d")]
    [InlineData("1000000000d")]
    public void What_is_no_duration_is_refused(string text) => Duration.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void Durations_print_as_they_are_read() =>
        Gen.Long[0, 1_000_000_000_000].Sample(milliseconds =>
        {
            var duration = new Duration(TimeSpan.FromMilliseconds(milliseconds));
            Duration.Parse(duration.ToString()).ShouldBe(duration);
        });

    [Theory]
    [InlineData("5%", 0.05)]
    [InlineData("0.5%", 0.005)]
    [InlineData("100%", 1)]
    [InlineData("0%", 0)]
    public void A_share_is_read_and_printed(string text, decimal value)
    {
        Share.Parse(text).Value.ShouldBe(value);
        Share.Parse(text).ToString().ShouldBe(text);
    }

    [Theory]
    [InlineData("0.05")]
    [InlineData("101%")]
    [InlineData("-1%")]
    [InlineData("%")]
    [InlineData(".5%")]
    [InlineData("5 %")]
    public void What_is_no_share_is_refused(string text) => Share.TryParse(text, out _).ShouldBeFalse();

    [Theory]
    [InlineData("dat", "date")]
    [InlineData("emial", "email")]
    [InlineData("not_null", "notNull")]
    [InlineData("Trim", "trim")]
    [InlineData("cleanze", "cleanse")]
    [InlineData("x", null)]
    [InlineData("foo", null)]
    [InlineData("deliver2everyone", null)]
    public void The_nearest_name_is_near(string name, string? expected) =>
        NearestName.Find(name, ["date", "email", "notNull", "trim", "cleanse", "ingest", "deliver", "id"]).ShouldBe(expected);
}
