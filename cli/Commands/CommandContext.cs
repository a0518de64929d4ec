using System.CommandLine;
using Qualiz.Cli.Running;

namespace Qualiz.Cli;

/// <summary>What a command works with.</summary>
internal sealed record CommandContext(ParseResult Parsed, QualizClient Client, Terminal Terminal, string Project, bool Json)
{
    public string ProjectPath => ProjectPathOf(Project);

    public static string ProjectPathOf(string project) => $"api/v1/projects/{Uri.EscapeDataString(project)}";

    public T? Get<T>(Option<T> option) => Parsed.GetValue(option);

    public T? Get<T>(Argument<T> argument) => Parsed.GetValue(argument);

    /// <summary>The address of a run that a person named: whole, by the end that is shown, or <c>latest</c>.</summary>
    public async Task<string> RunPathAsync(string run, CancellationToken ct) => $"{ProjectPath}/runs/{await RunIds.ResolveAsync(Client, ProjectPath, run, ct)}";
}
