using System.Text.RegularExpressions;

namespace Qualiz.Cli.Tests;

public sealed partial class PipelineCommandTests : IDisposable
{
    private readonly List<string> _versions = ["a: 1\n", "a: 1\nb: 2\n", "a: 1\nb: 2\nc: 3\n"];
    private readonly InstanceStub _instance;

    public PipelineCommandTests() => _instance = new InstanceStub(Answer);

    public void Dispose() => _instance.Dispose();

    [Fact]
    public async Task One_undo_after_another_goes_back_change_by_change_and_each_can_be_taken_back()
    {
        var (_, output, _) = await _instance.RunAsync("pipelines", "undo", "p");
        output.ShouldContain("- c: 3\n");
        output.ShouldContain("p is as in version 2 again: version 4. To take that back: pipelines undo p --to 3");
        _versions[^1].ShouldBe(_versions[1]);

        await _instance.RunAsync("pipelines", "undo", "p");
        _versions.Count.ShouldBe(5);
        _versions[^1].ShouldBe(_versions[0]);

        var (code, _, error) = await _instance.RunAsync("pipelines", "undo", "p");
        (code, _versions.Count).ShouldBe((ExitCode.BadInput, 5));
        error.ShouldContain("there is nothing to undo");

        await _instance.RunAsync("pipelines", "undo", "p", "--to", "3");
        _versions[^1].ShouldBe(_versions[2]);
    }

    [Fact]
    public async Task A_dry_run_shows_what_would_change_and_changes_nothing()
    {
        var (code, output, _) = await _instance.RunAsync("pipelines", "undo", "p", "--to", "1", "--dry-run");

        (code, _versions.Count).ShouldBe((ExitCode.Done, 3));
        output.ShouldContain("- b: 2\n- c: 3\n");
        output.ShouldContain("nothing was changed");
        _instance.Requests.ShouldAllBe(asked => asked.Request.StartsWith("GET ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_version_is_shown_as_written_and_compared_with_another()
    {
        (await _instance.RunAsync("pipelines", "show", "p", "--version", "2")).Output.ShouldBe("a: 1\nb: 2\n");
        (await _instance.RunAsync("pipelines", "diff", "p")).Output.ShouldContain("+ c: 3");
        (await _instance.RunAsync("pipelines", "diff", "p", "--since", "1")).Output.ShouldContain("+ b: 2\n+ c: 3");
        (await _instance.RunAsync("pipelines", "diff", "p", "--version", "1")).Error.ShouldContain("there is no version before 1 of p");
    }

    private (int Status, string Body) Answer(string request)
    {
        if (request == "PUT pipelines/p")
        {
            _versions.Add(_instance.Requests[^1].Body);
            return (200, $$"""{"version": {{_versions.Count}}}""");
        }
        if (VersionText().Match(request) is { Success: true } one)
        {
            return (200, _versions[int.Parse(one.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture) - 1]);
        }
        return request == "GET pipelines/p/text" ? (200, _versions[^1]) : (200, $$"""{"version": {{_versions.Count}}}""");
    }

    [GeneratedRegex("^GET pipelines/p/versions/([0-9]+)/text$")]
    private static partial Regex VersionText();
}
