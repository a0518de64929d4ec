namespace Qualiz.Cli.Tests;

public sealed class MetricCommandTests
{
    [Fact]
    public async Task Figures_are_listed_as_asked_for()
    {
        using var instance = new InstanceStub(_ => (200, """{"items":[{"version":2,"at":"x","column":"email","metric":"completeness","value":0.975}],"next":null}"""));

        var (code, output, _) = await instance.RunAsync("metrics", "customers", "--column", "email", "--metric", "completeness");

        code.ShouldBe(ExitCode.Done);
        output.Split('\n')[1].Split(' ', StringSplitOptions.RemoveEmptyEntries).ShouldBe(["2", "x", "email", "completeness", "0.975"]);
        instance.Requests.Single().Request.ShouldStartWith("GET datasets/customers/metrics?column=email&metric=completeness");
    }

    [Fact]
    public async Task Findings_say_what_was_expected()
    {
        using var instance = new InstanceStub(_ => (200,
            """{"items":[{"version":2,"at":"x","kind":"anomaly","column":"","metric":"rows","expected":1000.00001,"score":-12.34},{"version":2,"at":"x","kind":"columnType","column":"n","metric":"","detail":"int64 before, text now"}],"next":null}"""));

        var (code, output, _) = await instance.RunAsync("findings", "customers");

        code.ShouldBe(ExitCode.Done);
        output.Split('\n')[1].Split(' ', StringSplitOptions.RemoveEmptyEntries).ShouldBe(["2", "x", "anomaly", "rows", "1000", "-12.3"]);
        output.ShouldContain("int64 before, text now");
        instance.Requests.Single().Request.ShouldStartWith("GET datasets/customers/findings");
    }
}
