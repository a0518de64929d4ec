using System.Diagnostics;
using System.Globalization;
using System.Text;
using CsCheck;
using Qualiz.Contracts.Files;

namespace Qualiz.Contracts.Tests.Files;

public sealed class YamlTests
{
    [Theory]
    [InlineData("NO", "\"NO\"")]
    [InlineData("no", "\"no\"")]
    [InlineData("yes", "\"yes\"")]
    [InlineData("on", "\"on\"")]
    [InlineData("Off", "\"Off\"")]
    [InlineData("y", "\"y\"")]
    [InlineData("true", "true")]
    [InlineData("True", "true")]
    [InlineData("tRUE", "\"tRUE\"")]
    [InlineData("FALSE", "false")]
    [InlineData("null", "null")]
    [InlineData("~", "null")]
    [InlineData("", "null")]
    [InlineData("nUll", "\"nUll\"")]
    [InlineData("0o7", "7")]
    [InlineData("0o17", "15")]
    [InlineData("0o8", "\"0o8\"")]
    [InlineData("0xfF", "255")]
    [InlineData("017", "17")]
    [InlineData("-0", "-0")]
    [InlineData("+12", "12")]
    [InlineData("1_000", "\"1_000\"")]
    [InlineData("1,000", "\"1,000\"")]
    [InlineData("12:30:45", "\"12:30:45\"")]
    [InlineData("0b101", "\"0b101\"")]
    [InlineData("2026-11-21", "\"2026-11-21\"")]
    [InlineData("2026-11-21T08:00:00Z", "\"2026-11-21T08:00:00Z\"")]
    [InlineData("1.", "1")]
    [InlineData(".5", "0.5")]
    [InlineData("-.5e3", "-0.5e3")]
    [InlineData("1e3", "1e3")]
    [InlineData("1e", "\"1e\"")]
    [InlineData(".", "\".\"")]
    [InlineData("-", "\"-\"", true)]
    [InlineData("+", "\"\\u002B\"")]
    [InlineData("9223372036854775808", "9223372036854775808")]
    [InlineData("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827")]
    [InlineData("\"NO\"", "\"NO\"")]
    [InlineData("'1'", "\"1\"")]
    [InlineData("!!str 1", "\"1\"")]
    [InlineData("<<", "\"\\u003C\\u003C\"")]
    public void Scalars_follow_the_core_schema(string yaml, string json, bool quote = false)
    {
        var problems = new List<FileProblem>();
        var node = DocumentReader.Read($"x: {(quote ? $"'{yaml}'" : yaml)}\n", "f", problems);
        problems.ShouldBeEmpty();
        ((ObjectNode)node!).Properties[0].Value.ToJson().GetRawText().ShouldBe(json);
    }

    [Fact]
    public void Norway_and_switches_are_names_of_keys_too() =>
        Read("NO: 1\non: 2\n1: 3\ntrue: 4\n~: 5\n").ShouldBe("""{"NO":1,"on":2,"1":3,"true":4,"~":5}""");

    [Fact]
    public void Block_texts_are_text() => Read("a: |\n  1\nb: >-\n  x\n  y\n").ShouldBe("""{"a":"1\n","b":"x y"}""");

    [Fact]
    public void Aliases_are_understood() => Read("a: &x {n: 1}\nb: *x\n").ShouldBe("""{"a":{"n":1},"b":{"n":1}}""");

    [Theory]
    [InlineData("a: 1\nb: 2\na: 3\n", "f:3:1 a: \"a\" stands here twice; the first is in line 1")]
    [InlineData("a: {b: 1, b: 2}\n", "f:1:11 a.b: \"b\" stands here twice; the first is in line 1")]
    [InlineData("a: &x [*x]\n", "f:1:8 a[0]: \"*x\" contains itself")]
    [InlineData("a: *y\n", "f:1:4 a: there is no \"&y\" before it")]
    [InlineData("a: 1\n---\nb: 2\n", "f:2:1 a file holds one document; what follows \"---\" is a second one")]
    [InlineData("a: !!python/object x\n", "f:1:4 a: the tag tag:yaml.org,2002:python/object is not known: tags are not used in this format")]
    [InlineData("a: .inf\n", "f:1:4 a: .inf cannot be used here: write a number, or text in quotes")]
    [InlineData("? [a]\n: 1\n", "f:1:3 a key should be a plain name")]
    [InlineData("a: {<<: {b: 1}}\n", "f:1:5 a.<<: merge keys (<<) are not part of YAML 1.2: write the properties out, or use an alias for the whole value")]
    [InlineData("", "f:1:1 the file is empty")]
    [InlineData("# nothing\n", "f:1:1 the file is empty")]
    public void What_is_not_taken_is_told_with_its_place(string yaml, string problem)
    {
        var problems = new List<FileProblem>();
        DocumentReader.Read(yaml, "f", problems);
        problems.Select(found => found.ToString()).ShouldBe([problem]);
    }

    [Theory]
    [InlineData("a: [1\nb: 2\n", 2)]
    [InlineData("a: 1\n\tb: 2\n", 2)]
    [InlineData("a: \"x\n", 1)]
    [InlineData("a: b: c\n", 1)]
    public void Broken_syntax_is_a_problem_near_its_place(string yaml, int line)
    {
        var problems = new List<FileProblem>();
        DocumentReader.Read(yaml, "f", problems).ShouldBeNull();
        var problem = problems.ShouldHaveSingleItem();
        problem.Line.ShouldBeInRange(line - 1, line + 1, problem.ToString());
        problem.Message.ShouldStartWith("this is no YAML");
    }

    [Fact]
    public void A_billion_laughs_are_not_laughed()
    {
        var bomb = new StringBuilder("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
        for (var level = 1; level < 30; level++)
        {
            bomb.Append(CultureInfo.InvariantCulture, $"a{level}: &a{level} [{string.Join(", ", Enumerable.Repeat($"*a{level - 1}", 10))}]\n");
        }

        Refused(bomb.ToString()).ShouldContain("aliases expanded");
    }

    [Fact]
    public void Depth_and_size_are_limited()
    {
        Refused(new string('[', 100_000)).ShouldContain("nested deeper");
        Refused("a: " + string.Concat(Enumerable.Repeat("{a: ", 5_000))).ShouldContain("nested deeper");
        Refused(new string('{', 100_000)).ShouldNotBeEmpty();
        Refused(string.Concat(Enumerable.Repeat("- ", 20_000))).ShouldContain("nested deeper");
        Refused("a: " + new string('x', 2_000_000)).ShouldContain("at most");
        Refused(string.Concat(Enumerable.Repeat("- 1\n", 150_000))).ShouldContain("more than");
    }

    [Fact]
    public void Any_text_is_read_or_refused_and_soon()
    {
        var token = Gen.OneOf("a", "b: ", ": ", "- ", "? ", "\n", "\n  ", "    ", "[", "]", "{", "}", ", ", "&x ", "*x", "!!str ", "!", "|", ">", "'", "\"", "\\", "#",
            "\t", "%", "---", "...", "1", "~", "\r\n", "\u0085", "\ud83d\ude00", "\ud800", "\0", "\uFEFF", "steps", "uses", "${", "qualiz: 1\n", "when: ");
        Gen.OneOf<string>(token.Array[0, 40].Select(string.Concat), Gen.String).Sample(text =>
        {
            var file = PipelineFile.Parse(text, "f");
            (file.Problems.Count > 0).ShouldBeTrue();
            file.Problems.ShouldAllBe(problem => problem.Line >= 1 && problem.Column >= 1 && problem.Message.Length > 0);
        }, iter: 20_000);
    }

    [Fact]
    public void Damage_to_a_good_file_is_survived()
    {
        var golden = PipelineFileTests.Golden;
        Gen.Select(Gen.Int[0, golden.Length - 1], Gen.Int[0, 20], Gen.OneOf("", "\n", ": ", "}", "\"", "&a *a", "\t", "${")).Sample((at, length, put) =>
        {
            var text = golden[..at] + put + golden[Math.Min(golden.Length, at + length)..];
            PipelineFile.Parse(text, "f").Problems.ShouldAllBe(problem => problem.Line >= 1);
        }, iter: 500);
    }

    [Fact]
    public void A_large_file_is_read_fast()
    {
        var text = new StringBuilder("qualiz: 1\npipeline: p\nsteps:\n");
        for (var step = 0; step < 500; step++)
        {
            text.Append(CultureInfo.InvariantCulture, $"  s{step}: {{uses: noop, inputs: [{string.Join(", ", Enumerable.Range(Math.Max(0, step - 20), Math.Min(step, 20)).Select(input => $"s{input}"))}], when: \"{(step == 0 ? "run.day > 'x'" : $"s{step - 1}.rows > 0")}\"}}\n");
        }

        var clock = Stopwatch.StartNew();
        PipelineFile.Parse(text.ToString(), "f").Problems.ShouldBeEmpty();
        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(10));
    }

    private static string Read(string yaml)
    {
        var problems = new List<FileProblem>();
        var node = DocumentReader.Read(yaml, "f", problems);
        problems.ShouldBeEmpty();
        return node!.ToJson().GetRawText();
    }

    private static string Refused(string yaml)
    {
        var problems = new List<FileProblem>();
        DocumentReader.Read(yaml, "f", problems).ShouldBeNull();
        return problems.ShouldHaveSingleItem().Message;
    }
}
