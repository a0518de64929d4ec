using System.CommandLine;
using Qualiz.Cli.Transfer;

namespace Qualiz.Cli.Commands;

/// <summary>Projects leave and arrive.</summary>
internal static class TransferCommands
{
    private static readonly Argument<string> Folder = new("DIR") { Description = "The folder of an exported project" };

    public static IEnumerable<Command> All() => [Export(), Plan(), Apply()];

    private static ClientCommand Export()
    {
        var project = new Argument<string>("PROJECT") { Description = "Which project" };
        return new ClientCommand(
            "export", "Write a project's pipelines, connections (secrets as named holes) and reference datasets under 10 MB to a folder", "export crm crm-project")
        {
            project, Folder,
        }.Doing((context, ct) => new TransferCommand(context).ExportAsync(context.Get(project)!, context.Get(Folder)!, ct));
    }

    private static ClientCommand Plan()
    {
        var strict = new Option<bool>("--strict") { Description = "Exit 3 when there is a difference" };
        return new ClientCommand("plan", "Show what apply would change in the project; changes nothing", "plan crm-project --project crm-test") { Folder, strict }
            .Doing((context, ct) => new TransferCommand(context).PlanAsync(context.Get(Folder)!, context.Get(strict), ct));
    }

    private static ClientCommand Apply()
    {
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask" };
        var secrets = new Option<string?>("--secrets") { Description = "A file of lines NAME=VALUE (or -) for the holes; those that are not in it are looked up in the environment" };
        return new ClientCommand(
            "apply", "Make the project like the folder: create and update, never delete. Shows the plan and asks first. Applying twice changes nothing the second time.",
            "apply crm-project --project crm-test",
            "apply crm-project --project crm-prod --secrets prod.secrets --yes")
        {
            Folder, yes, secrets,
        }.Doing((context, ct) => new TransferCommand(context).ApplyAsync(context.Get(Folder)!, context.Get(yes), context.Get(secrets), ct));
    }
}
