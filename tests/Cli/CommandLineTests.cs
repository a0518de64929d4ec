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
