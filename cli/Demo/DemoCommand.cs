namespace Qualiz.Cli.Demo;

internal sealed class DemoCommand(CommandContext context)
{
    public Task<int> ExecuteAsync(string definition, string landing, string delivered, string postgres, CancellationToken ct) => throw new BadInputException(context.Project + definition + landing + delivered + postgres + ct);
}
