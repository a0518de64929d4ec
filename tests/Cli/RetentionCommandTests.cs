namespace Qualiz.Cli.Tests;

public sealed class RetentionCommandTests
{
    private const string Report =
        """
        {"project":"demo","files":3,"bytes":3500000,"quarantineItems":7,"versions":[{"dataset":"customers","versions":[1,2]}],
        "removed":[{"kind":"intermediate","pipeline":"customers","step":"clean","files":3,"bytes":3500000}],
        "kept":[{"kind":"published","pipeline":"customers","step":"enriched","files":1,"bytes":744}]}
        """;

    [Fact]
    public async Task A_preview_says_what_would_go_and_what_stays()
    {
        using var instance = new InstanceStub(_ => (200, Report));

        var (code, output, _) = await instance.RunAsync("retention", "preview");

        code.ShouldBe(ExitCode.Done);
        output.ShouldBe(
            """
                      what          pipeline   step      files  size
            would go  intermediate  customers  clean         3  3.5 MB
            stays     published     customers  enriched      1  744 B
            dataset customers: versions 1, 2 would go
            7 rejected rows that were settled long ago would go
            3 files (3.5 MB) would go

            """.ReplaceLineEndings("\n"));
        instance.Requests.Single().Request.ShouldBe("GET retention/preview");
    }

    [Fact]
    public async Task A_collection_says_what_went()
    {
        using var instance = new InstanceStub(_ => (200, Report));

        var (code, output, _) = await instance.RunAsync("retention", "run");

        code.ShouldBe(ExitCode.Done);
        output.ShouldEndWith("3 files (3.5 MB) went\n");
        instance.Requests.Single().Request.ShouldBe("POST retention/run");
    }

    [Fact]
    public async Task A_project_that_is_not_there_is_bad_usage()
    {
        using var instance = new InstanceStub(_ => (404, """{"title":"Not found","detail":"There is no project \"demo\".","status":404}"""));

        var (code, _, error) = await instance.RunAsync("retention", "preview", "--json");

        code.ShouldBe(ExitCode.BadInput);
        error.ShouldContain("./qualiz projects create demo makes it");
    }
}
