using System.Text.Json;
using CsCheck;
using Qualiz.Contracts.Conditions;

namespace Qualiz.Contracts.Tests.Conditions;

public sealed class TemplateTests
{
    private static readonly JsonElement Scope = Json("""
        {"params": {"day": "2026-11-21", "n": 3, "dry": true, "list": ["US", "NO"], "none": null, "brace": "a}b"}, "country": "NO"}
        """);

    [Theory]
    [InlineData("\"shop/${params.day}/${country}/*.csv.gz\"", "\"shop/2026-11-21/NO/*.csv.gz\"")]
    [InlineData("\"${params.list}\"", "[\"US\",\"NO\"]")]
    [InlineData("\"${params.n}\"", "3")]
    [InlineData("\"${ params.dry }\"", "true")]
    [InlineData("\"${params.none}\"", "null")]
    [InlineData("\"${params.n > 2}\"", "true")]
    [InlineData("\"n=${params.n}\"", "\"n=3\"")]
    [InlineData("\"$${params.n}\"", "\"${params.n}\"")]
    [InlineData("\"a $${ b ${country}\"", "\"a ${ b NO\"")]
    [InlineData("\"${params.day}${country}\"", "\"2026-11-21NO\"")]
    [InlineData("\"$5 and {x}\"", "\"$5 and {x}\"")]
    [InlineData("\"\\u0024{country}\"", "\"NO\"")]
    [InlineData("\"${'}'}\"", "\"}\"")]
    [InlineData("{\"${country}\": [1, \"${country}\", {\"x\": null}]}", "{\"${country}\":[1,\"NO\",{\"x\":null}]}")]
    public void A_template_is_filled_in(string config, string expected) =>
        JsonElement.DeepEquals(Template.Fill(Json(config), Scope), Json(expected)).ShouldBeTrue(Template.Fill(Json(config), Scope).GetRawText());

    [Theory]
    [InlineData("{\"a\": [{\"b\": \"${params.dya}\"}]}", "a[0].b: there is no \"dya\" in params; did you mean \"day\"?")]
    [InlineData("{\"a\": \"x ${params.none}\"}", "a: null cannot be written into a text")]
    [InlineData("{\"a\": \"x ${params.list}\"}", "a: a list cannot be written into a text")]
    [InlineData("{\"a\": \"x ${params.n\"}", "a: \"${\" is not closed: a \"}\" is missing")]
    [InlineData("\"${}\"", "\"}\" does not belong here")]
    public void What_cannot_be_filled_in_is_named_with_its_place(string config, string message) =>
        Should.Throw<ConditionException>(() => Template.Fill(Json(config), Scope)).Message.ShouldBe(message);

    [Fact]
    public void Values_filled_in_are_not_read_as_templates_again() =>
        Template.Fill(Json("\"${a}\""), Json("""{"a": "${b}", "b": 1}""")).GetString().ShouldBe("${b}");

    [Fact]
    public void Any_text_is_filled_or_refused()
    {
        var token = Gen.OneOf("${", "}", "$", "$$", "{", "params.n", "country", "'", " ", "x", "<", "1", "\ud800", "[0]");
        Gen.OneOf<string>(token.Array[0, 10].Select(string.Concat), Gen.String).Sample(text =>
        {
            try
            {
                Template.Parse(text).Evaluate(new JsonScope(Scope));
            }
            catch (ConditionException problem)
            {
                problem.Position.ShouldBeInRange(0, text.Length);
            }
        }, iter: 20_000);
    }

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;
}
