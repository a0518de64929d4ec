using System.CommandLine;
using System.CommandLine.Help;
using Qualiz.Cli.Commands;
using Qualiz.Contracts.Text;

namespace Qualiz.Cli;

/// <summary>All commands, the options they share, and what becomes of their errors.</summary>
internal static class CommandLine
{
    internal static readonly Option<string> Url = new("--url")
    {
        Description = "Address of the instance (QUALIZ_URL)",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("QUALIZ_URL") is { Length: > 0 } url ? url : "http://127.0.0.1:5080",
        Recursive = true,
    };

    internal static readonly Option<string> Project = new("--project", "-p")
    {
        Description = "Project (QUALIZ_PROJECT)",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("QUALIZ_PROJECT") is { Length: > 0 } project ? project : "demo",
        Recursive = true,
    };

    internal static readonly Option<bool> Json = new("--json") { Description = "One JSON object a line", Recursive = true };

    internal static readonly Option<int> Limit = new("--limit") { Description = "At most so many", DefaultValueFactory = _ => 50 };

    public static async Task<int> RunAsync(string[] args)
    {
        var parsed = Root().Parse(args);
        // Whoever asks for help need not have the rest right.
        if (parsed.Errors.Count > 0 && parsed.Action is not HelpWithExamples)
        {
            foreach (var mistake in Mistakes(parsed))
            {
                await Console.Error.WriteLineAsync(mistake);
            }
            var path = string.Join(' ', parsed.CommandResult.Path());
            await Console.Error.WriteLineAsync($"How it is used: {path} --help");
            return ExitCode.BadInput;
        }
        Console.OutputEncoding = System.Text.Encoding.UTF8;
        return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
    }

    internal static IEnumerable<string> Mistakes(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        // The parser's first word on it would be that a command is missing.
        if (command.Subcommands.Count > 0 && parsed.UnmatchedTokens is [var unknown, ..] && !unknown.StartsWith('-'))
        {
            var nearest = NearestName.Find(unknown, command.Subcommands.Where(known => !known.Hidden).Select(known => known.Name));
            return [$"There is no command {unknown}{(nearest is null ? "." : $"; did you mean {nearest}?")}"];
        }
        return parsed.Errors.Select(error => error.Message);
    }

    internal static Command Root()
    {
        var root = new Command(
            "./qualiz",
            "Qualiz: run pipelines and look at what they did.\nExit codes: 0 done, 1 failed, 2 bad file or usage, 3 done with warnings and --strict, 4 cancelled, 5 no connection.")
        {
            Url, Project, Json,
        };
        root.Options.Add(new VersionOption());
        var help = new HelpOption();
        help.Action = new HelpWithExamples((HelpAction)help.Action!);
        root.Options.Add(help);
        IEnumerable<Command> commands =
        [
            .. RunCommands.All(),
            .. FileCommands.All(),
            .. PipelineCommands.All(),
            .. DatasetCommands.All(),
            .. QuarantineCommands.All(),
            .. RetentionCommands.All(),
            .. StateCommands.All(),
            .. TransferCommands.All(),
            .. InstanceCommands.All(),
        ];
        foreach (var command in commands)
        {
            root.Subcommands.Add(command);
        }
        return root;
    }

    /// <summary>The commands of the script around this program.</summary>
    private static readonly string[] ScriptCommands = ["up", "down", "reset", "status", "doctor", "test", "bench", "openapi", "help", "commands"];

    /// <param name="line">A command line up to the cursor, the program's own name first.</param>
    internal static IEnumerable<string> SuggestionsFor(string line)
    {
        var words = line.TrimStart();
        var start = words.IndexOf(' ', StringComparison.Ordinal);
        if (start < 0)
        {
            return [];
        }
        var rest = words[start..].TrimStart();
        var found = Root().Parse(rest).GetCompletions(rest.Length).Select(item => item.InsertText ?? item.Label);
        var isFirst = !rest.Contains(' ', StringComparison.Ordinal);
        return found.Concat(isFirst ? ScriptCommands.Where(name => name.StartsWith(rest, StringComparison.Ordinal)) : []).Distinct().Order(StringComparer.Ordinal);
    }

    /// <summary>Runs the action with a client, and turns what can go wrong into words and an exit code.</summary>
    /// <param name="file">The file that the server's line and column numbers are about.</param>
    /// <param name="check">What can be wrong with the words and the files that they name: done first, and without an instance.</param>
    internal static ClientCommand Doing(
        this ClientCommand command, Func<CommandContext, CancellationToken, Task<int>> action, Argument<string>? file = null, Action<CommandContext>? check = null)
    {
        command.SetAction(async (parsed, ct) =>
        {
            var terminal = Terminal.For(parsed.InvocationConfiguration);
            try
            {
                if (!Uri.TryCreate(parsed.GetValue(Url)!.TrimEnd('/') + "/", UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
                {
                    throw new BadInputException($"--url {parsed.GetValue(Url)}: expected an address like http://127.0.0.1:5080");
                }
                using var client = new QualizClient(address);
                var context = new CommandContext(parsed, client, terminal, parsed.GetValue(Project)!, parsed.GetValue(Json));
                check?.Invoke(context);
                return Ephemeral.IsWeighed ? ExitCode.Done : await action(context, ct);
            }
            catch (ProblemException problem)
            {
                if (problem.Errors.Count == 0 && problem.Status == System.Net.HttpStatusCode.NotFound && problem.Message.Contains($"project \"{parsed.GetValue(Project)}\"", StringComparison.Ordinal))
                {
                    terminal.Error($"{problem.Message} ./qualiz projects list lists them; ./qualiz projects create {parsed.GetValue(Project)} makes it.");
                }
                // Of a file that was sent, the places say it all.
                else if (problem.Errors.All(error => error.Line is null))
                {
                    terminal.Error($"{problem.Title}{(problem.Message == problem.Title ? "" : $": {problem.Message}")}");
                }
                foreach (var error in problem.Errors.Where(error => error.Message != problem.Message))
                {
                    terminal.Error(error.Describe(file is null ? null : parsed.GetValue(file)));
                }
                // What is asked for is right, but not as things stand.
                var stands = problem.Status is System.Net.HttpStatusCode.Conflict or System.Net.HttpStatusCode.PreconditionFailed;
                return (int)problem.Status is >= 400 and < 500 && !stands ? ExitCode.BadInput : ExitCode.Failed;
            }
            catch (BadInputException wrong)
            {
                terminal.Error(wrong.Message);
                return ExitCode.BadInput;
            }
            catch (UnreachableException unreachable)
            {
                terminal.Error($"{unreachable.Message}\nIs it running? ./qualiz up starts it; --url or QUALIZ_URL names another one.");
                return ExitCode.NoConnection;
            }
            catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
            {
                // A folder that is not there, a full disk, an answer that breaks off.
                terminal.Error(refused.Message);
                return ExitCode.Failed;
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return ExitCode.Cancelled;
            }
        });
        return command;
    }

    /// <summary>The words that lead to the command.</summary>
    private static Stack<string> Path(this System.CommandLine.Parsing.CommandResult result)
    {
        var names = new Stack<string>();
        for (System.CommandLine.Parsing.SymbolResult? at = result; at is not null; at = at.Parent)
        {
            if (at is System.CommandLine.Parsing.CommandResult command)
            {
                names.Push(command.Command.Name);
            }
        }
        return names;
    }
}
