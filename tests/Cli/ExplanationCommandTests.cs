using System.Text.Json;

namespace Qualiz.Cli.Tests;

public sealed class ExplanationCommandTests
{
    private const string Pair = """{"left":{"source":"crm@1","row":1,"key":"k1"},"right":{"source":"crm@1","row":2,"key":"k2"},"weight":7.25,"probability":0.9935,"block":"name by word","fields":[{"name":"name","level":3,"similarity":0.9,"weight":9.5,"tf":null},{"name":"mail","level":-1,"similarity":null,"weight":0,"tf":null},{"name":"(prior)","level":null,"similarity":null,"weight":-2.25,"tf":null}]}""";
    private const string Answer = $$"""
        {"entity":"e1","size":2,"members":[{"source":"crm@1","row":1,"key":"k1","score":0.99,"linkedBy":"model"},{"source":"crm@1","row":2,"key":"k2","score":0.99,"linkedBy":"steward"}],
         "links":[{{Pair}}],"weakest":{{Pair}},"against":[],"others":[],"cut":[{"entity":"e2","why":"average","between":4,"likely":1,"average":0.2,"pair":{{Pair}}}],
         "decisions":[{"decision":"different","rows":[{"source":"crm@1","row":2,"key":"k2"},{"source":"crm@1","row":9,"key":"k9"}]}],"truncated":false}
        """;

    private static InstanceStub Instance(params string[] steps)
    {
        var made = steps.Select(step => new { id = step, outputs = new { members = new { }, pairs = new { } } });
        var run = JsonSerializer.Serialize(new { id = Run, steps = made });
        return new(request => (200, request.Contains("/entities/", StringComparison.Ordinal) ? Answer : run));
    }

    private const string Run = "4d8a2b11-0000-0000-0000-000000000000";

    [Fact]
    public async Task An_entity_is_explained_field_by_field()
    {
        using var instance = Instance("match");

        var (code, output, _) = await instance.RunAsync("explain", Run, "crm:2");

        code.ShouldBe(ExitCode.Done);
        instance.Requests[^1].Request.ShouldBe($"GET runs/{Run}/steps/match/entities/crm%3A2");
        output.ShouldStartWith("entity e1, 2 rows\n");
        output.ShouldContain("  crm@1 row 1 and crm@1 row 2: 7.3 bits, probability 0.994, found by name by word\n    name +9.5, mail empty, (prior) -2.3\n");
        output.ShouldContain("    on average over all 4 pairs of the two entities, of which 1 are likely, the probability is 0.200; in e2\n");
        output.ShouldContain("A person said that these are different: crm@1 row 2, crm@1 row 9\n");
    }

    [Fact]
    public async Task Machines_are_given_the_answer_as_it_is()
    {
        using var instance = Instance("match");

        var (code, output, _) = await instance.RunAsync("explain", Run, "e1", "--step", "match", "--json");

        code.ShouldBe(ExitCode.Done);
        JsonElement.DeepEquals(JsonDocument.Parse(output).RootElement, JsonDocument.Parse(Answer).RootElement).ShouldBeTrue();
    }

    [Fact]
    public async Task Where_several_steps_make_entities_one_has_to_be_named()
    {
        using var instance = Instance("match", "again");

        var (code, _, error) = await instance.RunAsync("explain", Run, "e1");

        code.ShouldBe(ExitCode.BadInput);
        error.ShouldContain("--step match, --step again");
    }
}
