using System.Text.Json;
using CsCheck;
using Qualiz.Contracts.Conditions;

namespace Qualiz.Contracts.Tests.Conditions;

public sealed class ConditionTests
{
    private static readonly JsonElement Scope = JsonDocument.Parse("""
        {
          "params": {"day": "2026-11-21", "limit": 10, "dry": false, "countries": ["US", "NO"], "big": 9007199254740993, "none": null},
          "run": {"day": "2026-11-21", "interval": {"start": "2026-11-21T00:00:00Z"}},
          "event": {"type": "file", "name": "it's"},
          "steps": {"clean": {"status": "completed", "rows": 980, "rejectedShare": 0.019}, "my-step": {"rows": 1}}
        }
        """).RootElement;

    [Theory]
    [InlineData("clean.rejectedShare < 0.02", true)]
    [InlineData("clean.rejectedShare < 2%", true)]
    [InlineData("steps.clean.rejectedShare >= 0.02", false)]
    [InlineData("clean.status == 'completed' and clean.rows > 0", true)]
    [InlineData("clean.status = 'failed' or clean.rows <> 980", false)]
    [InlineData("not params.dry", true)]
    [InlineData("not (params.dry or params.limit != 10)", true)]
    [InlineData("not params.dry and params.dry", false)]
    [InlineData("true or params.nowhere == 1", true)]
    [InlineData("false and params.nowhere == 1", false)]
    [InlineData("params.day >= \"2026-11-20\"", true)]
    [InlineData("params.countries[1] == 'NO'", true)]
    [InlineData("event['name'] == 'it''s'", true)]
    [InlineData("params.big == 9007199254740993", true)]
    [InlineData("params.big == 9007199254740992", false)]
    [InlineData("params.limit == 10.0", true)]
    [InlineData("params.limit > -1", true)]
    [InlineData("params.none == null", true)]
    [InlineData("event.reason == null", true)]
    [InlineData("event.reason != null", false)]
    [InlineData("params.countries == params.countries", true)]
    [InlineData("my-step.rows == 1", true)]
    public void A_condition_answers_from_its_scope(string text, bool expected) =>
        Condition.Parse(text).Evaluate(Scope).ShouldBe(expected);

    [Theory]
    [InlineData("", 0, "the condition is empty")]
    [InlineData("clean.rows >", 12, "the condition ends too early")]
    [InlineData("clean.rows > 1 2", 15, "\"2\" does not belong here")]
    [InlineData("clean.rows > 1 AND true", 15, "write \"and\" in lower case")]
    [InlineData("a && b", 2, "write \"and\" for \"&&\"")]
    [InlineData("a || b", 2, "write \"or\" for \"||\"")]
    [InlineData("!a", 0, "write \"not\" for \"!\"")]
    [InlineData("(a", 0, "\"(\" is not closed: a \")\" is missing")]
    [InlineData("a == 'x", 5, "the text is not closed: a ' is missing")]
    [InlineData("a < b < c", 6, "a comparison has two sides; join two comparisons with \"and\"")]
    [InlineData("a.", 2, "a name should follow \"a.\"")]
    [InlineData("a[x]", 2, "between \"[\" and \"]\" stands a position, counted from 0, or a quoted name")]
    [InlineData("1_000 < a", 0, "\"1_\" is not a number")]
    [InlineData("and a", 0, "\"and\" stands where a value should be")]
    [InlineData("clean rows", 6, "\"rows\" stands where \"and\", \"or\" or a comparison should be")]
    public void A_mistake_is_named_with_its_place(string text, int position, string message)
    {
        Condition.TryParse(text, out _, out var error).ShouldBeFalse();
        error!.Message.ShouldBe(message);
        error.Position.ShouldBe(position);
    }

    [Theory]
    [InlineData("clean.rejectedShar < 1", "there is no \"rejectedShar\" in clean; did you mean \"rejectedShare\"?")]
    [InlineData("clan.rows < 1", "there is no \"clan\"; did you mean \"clean\"?")]
    [InlineData("params.zebra == 1", "there is no \"zebra\" in params")]
    [InlineData("params.countries[2] == 'x'", "there is no position 2 in params.countries")]
    [InlineData("params.day < 3", "params.day is text and 3 is a number: they cannot be compared")]
    [InlineData("params.none < 3", "params.none is null and 3 is a number: they cannot be compared")]
    [InlineData("params.limit", "params.limit is a number, not true or false")]
    [InlineData("not params.day", "params.day is text, not true or false")]
    public void What_the_scope_cannot_answer_is_a_clear_exception(string text, string message) =>
        Should.Throw<ConditionException>(() => Condition.Parse(text).Evaluate(Scope)).Message.ShouldBe(message);

    [Fact]
    public void Paths_are_listed_with_their_place() =>
        Condition.Parse("clean.rows > 1 and params.x[0] = 2").Paths
            .Select(path => (path.ToString(), path.Position)).ShouldBe([("clean.rows", 0), ("params.x[0]", 19)]);

    [Fact]
    public void Length_depth_and_number_of_parts_are_limited()
    {
        Message(new string('a', 5000)).ShouldContain("at most 4000 characters");
        Message(new string('(', 1000) + "a").ShouldContain("nested deeper than 32");
        Message(string.Concat(Enumerable.Repeat("not ", 900)) + "a").ShouldContain("nested deeper than 32");
        Message(string.Join(" or ", Enumerable.Repeat("a", 600))).ShouldContain("more than 200 parts");
        Message(string.Join(".", Enumerable.Repeat("a", 600))).ShouldContain("at most 32 parts");

        static string Message(string text) => Should.Throw<ConditionException>(() => Condition.Parse(text)).Message;
    }

    [Fact]
    public void Any_text_parses_or_is_refused_with_a_place_inside_it()
    {
        var token = Gen.OneOf("and ", "or ", "not ", "(", ")", "'x'", "\"", "'", "1", "-", "0.5", "%", "a", "clean.rows", ".", "[", "]", "0",
            "==", "<", ">=", "<>", "!", "null", "true", " ", "${", "}", "\ud800", "'\ud800'", "é", "params.day");
        var text = Gen.OneOf<string>(token.Array[0, 12].Select(string.Concat), Gen.String);
        text.Sample(candidate =>
        {
            if (Condition.TryParse(candidate, out var condition, out var error))
            {
                try
                {
                    condition.Evaluate(Scope);
                }
                catch (ConditionException problem)
                {
                    error = problem;
                }
            }

            (error is null || (error.Position >= 0 && error.Position <= candidate.Length)).ShouldBeTrue(candidate);
        }, iter: 20_000);
    }

    [Fact]
    public void And_or_not_follow_boolean_algebra() =>
        Gen.Select(Gen.Bool, Gen.Bool, Gen.Bool).Sample((a, b, c) =>
        {
            var scope = JsonSerializer.SerializeToElement(new { a, b, c });
            Condition.Parse("a and b or not c").Evaluate(scope).ShouldBe((a && b) || !c);
            Condition.Parse("a and (b or not c)").Evaluate(scope).ShouldBe(a && (b || !c));
        });

    [Fact]
    public void Numbers_compare_as_decimals_do() =>
        Gen.Select(Gen.Decimal[-1_000_000, 1_000_000], Gen.Decimal[-1_000_000, 1_000_000]).Sample((a, b) =>
        {
            var scope = JsonSerializer.SerializeToElement(new { a, b });
            Condition.Parse("a < b").Evaluate(scope).ShouldBe(a < b);
            Condition.Parse("a = b").Evaluate(scope).ShouldBe(a == b);
            Condition.Parse("a >= b").Evaluate(scope).ShouldBe(a >= b);
        });
}
