using System.CommandLine;
using Qualiz.Cli.Running;

namespace Qualiz.Cli;

/// <summary>What a command works with.</summary>
internal sealed record CommandContext(ParseResult Parsed, QualizClient Client, Terminal Terminal, string Project, bool Json)
{
    public string ProjectPath => ProjectPathOf(Project);

    /// <summary>
    /// The project that nobody has named is made when it is not there: whoever tries a first file need not know of projects. So is
    /// any project of an instance that was started for this command.
    /// </summary>
    public async Task EnsureProjectAsync(CancellationToken ct)
    {
        var isNamed = Parsed.GetResult(CommandLine.Project) is { Implicit: false } || Environment.GetEnvironmentVariable("QUALIZ_PROJECT") is { Length: > 0 };
        if (!isNamed || Ephemeral.Is)
        {
            await Changes.EnsureProjectAsync(Client, Project, null, null, ct);
        }
    }

    public static string ProjectPathOf(string project) => $"api/v1/projects/{Uri.EscapeDataString(project)}";

    public T? Get<T>(Option<T> option) => Parsed.GetValue(option);

    public T? Get<T>(Argument<T> argument) => Parsed.GetValue(argument);

    /// <summary>The address of a run that a person named: whole, by the end that is shown, or <c>latest</c>.</summary>
    public async Task<string> RunPathAsync(string run, CancellationToken ct) => $"{ProjectPath}/runs/{await RunIds.ResolveAsync(Client, ProjectPath, run, ct)}";
}
