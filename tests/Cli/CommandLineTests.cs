using System.CommandLine;

namespace Qualiz.Cli.Tests;

public class CommandLineTests
{
    public static TheoryData<string> Leaves()
    {
        var leaves = new TheoryData<string>();
        foreach (var (path, _) in LeavesOf(CommandLine.Root(), ""))
        {
            leaves.Add(path);
        }
        return leaves;
    }

    [Theory]
    [MemberData(nameof(Leaves))]
    public void Every_command_says_what_it_does_and_has_examples_that_can_be_typed(string path)
    {
        var root = CommandLine.Root();
        var command = LeavesOf(root, "").Single(leaf => leaf.Path == path).Command.ShouldBeOfType<ClientCommand>();

        command.Description.ShouldNotBeNullOrWhiteSpace();
        command.Examples.ShouldNotBeEmpty();
        foreach (var example in command.Examples)
        {
            example.ShouldStartWith(path);
            root.Parse(example.Split('>')[0]).Errors.ShouldBeEmpty(example);
        }
        foreach (var symbol in command.Arguments.Cast<Symbol>().Concat(command.Options))
        {
            symbol.Description.ShouldNotBeNullOrWhiteSpace($"{path} {symbol.Name}");
        }
    }

    [Fact]
    public void Help_ends_with_the_examples()
    {
        var output = new StringWriter();

        CommandLine.Root().Parse(["cancel", "--help"]).Invoke(new InvocationConfiguration { Output = output });

        output.ToString().ShouldContain("Usage:");
        output.ToString().TrimEnd().ShouldEndWith("./qualiz cancel 4d8a2b11");
    }

    [Fact]
    public async Task A_mistyped_command_is_bad_usage() => (await CommandLine.RunAsync(["rnu"])).ShouldBe(ExitCode.BadInput);

    [Theory]
    [InlineData("rnu x.yaml", "There is no command rnu; did you mean run?")]
    [InlineData("connections lst", "There is no command lst; did you mean list?")]
    [InlineData("frobnicate", "There is no command frobnicate.")]
    public void A_mistyped_command_is_told_with_the_nearest(string line, string expected) =>
        CommandLine.Mistakes(CommandLine.Root().Parse(line)).ShouldBe([expected]);

    [Fact]
    public async Task What_does_not_go_as_things_stand_is_no_bad_usage()
    {
        using var instance = new InstanceStub(_ => (409, """{"title": "The run is completed."}"""));
        (await instance.RunAsync("cancel", $"{Guid.NewGuid()}")).Code.ShouldBe(ExitCode.Failed);
    }

    [Theory]
    [InlineData("./qualiz conn", "connections")]
    [InlineData("./qualiz connections ", "set")]
    [InlineData("./qualiz do", "down")]
    [InlineData("./qualiz run x.yaml --str", "--strict")]
    [InlineData("./qualiz run x.yaml --format ", "parquet")]
    public void A_line_can_be_completed(string line, string expected) => CommandLine.SuggestionsFor(line).ShouldContain(expected);

    private static IEnumerable<(string Path, Command Command)> LeavesOf(Command command, string path) => command.Subcommands.Count == 0
        ? [(path, command)]
        : command.Subcommands.SelectMany(child => LeavesOf(child, path.Length == 0 ? child.Name : $"{path} {child.Name}"));
}
