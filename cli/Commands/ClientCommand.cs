using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Qualiz.Cli;

/// <summary>A command that does something; its help ends with the examples.</summary>
internal sealed class ClientCommand(string name, string description, params string[] examples) : Command(name, description)
{
    public IReadOnlyList<string> Examples => examples;
}

/// <summary>The usual help, and the command's examples.</summary>
internal sealed class HelpWithExamples(HelpAction usual) : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        var result = usual.Invoke(parseResult);
        if (parseResult.CommandResult.Command is ClientCommand { Examples.Count: > 0 } command)
        {
            var output = parseResult.InvocationConfiguration.Output;
            output.WriteLine(command.Examples.Count == 1 ? "Example:" : "Examples:");
            foreach (var example in command.Examples)
            {
                output.WriteLine($"  ./qualiz {example}");
            }
            output.WriteLine();
        }
        return result;
    }
}
