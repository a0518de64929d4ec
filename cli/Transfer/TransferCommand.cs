using System.Net;

namespace Qualiz.Cli.Transfer;

/// <summary><c>export</c>, <c>plan</c> and <c>apply</c>.</summary>
internal sealed class TransferCommand(CommandContext context)
{
    private Terminal Terminal => context.Terminal;

    public async Task<int> ExportAsync(string project, string folder, CancellationToken ct)
    {
        var snapshot = await new RemoteProject(context.Client, project).ReadAsync(ct);
        if (snapshot.Settings is null)
        {
            throw new BadInputException($"There is no project \"{project}\"; ./qualiz projects list lists them.");
        }
        await new ProjectFolder(folder).WriteAsync(snapshot, ct);
        var holes = snapshot.Connections.SelectMany(connection => connection.Value.Secrets.Select(secret => ConnectionSettings.Hole(connection.Key, secret))).ToList();
        if (context.Json)
        {
            Terminal.Json(new { project, folder, pipelines = snapshot.Pipelines.Count, connections = snapshot.Connections.Count, datasets = snapshot.Datasets.Count, holes, leftOut = snapshot.LeftOut });
            return ExitCode.Done;
        }
        Terminal.Line($"{folder}: {snapshot.Pipelines.Count} pipelines, {snapshot.Connections.Count} connections, {snapshot.Datasets.Count} reference datasets of project {project}");
        foreach (var left in snapshot.LeftOut)
        {
            Terminal.Line($"left out: {left}");
        }
        if (holes.Count > 0)
        {
            Terminal.Line($"secrets are not in it; apply takes them from {string.Join(", ", holes)}");
        }
        return ExitCode.Done;
    }

    public async Task<int> PlanAsync(string folder, bool strict, CancellationToken ct)
    {
        var wanted = await new ProjectFolder(folder).ReadAsync(ct);
        var plan = ProjectPlan.Between(wanted, await new RemoteProject(context.Client, context.Project).ReadAsync(ct), context.Project);
        Show(plan, folder);
        return strict && plan.Changes.Count > 0 ? ExitCode.Warnings : ExitCode.Done;
    }

    public async Task<int> ApplyAsync(string folder, bool yes, string? secretsFile, CancellationToken ct)
    {
        var source = new ProjectFolder(folder);
        var wanted = await source.ReadAsync(ct);
        var remote = new RemoteProject(context.Client, context.Project);
        var there = await remote.ReadAsync(ct);
        var plan = ProjectPlan.Between(wanted, there, context.Project);
        Show(plan, folder);
        if (plan.Changes.Count == 0)
        {
            return ExitCode.Done;
        }
        var values = await SecretsAsync(secretsFile, ct);
        var open = plan.Holes.Where(hole => hole.Needed && !values.ContainsKey(hole.Name)).ToList();
        if (open.Count > 0)
        {
            throw new BadInputException(
                $"nothing was changed: {string.Join(", ", open.Select(hole => $"{hole.Name} ({hole.Secret} of connection {hole.Connection})"))} {(open.Count == 1 ? "is" : "are")} not given. "
                + "Set it as an environment variable, or as a line NAME=VALUE in a file for --secrets.");
        }
        if (!yes)
        {
            if (!Terminal.Interactive)
            {
                throw new BadInputException("nothing was changed: without a terminal, apply needs --yes");
            }
            if (Terminal.Ask($"Apply {(plan.Changes.Count == 1 ? "this change" : $"these {plan.Changes.Count} changes")} to project {context.Project}? [y/N] ")?.Trim() is not ("y" or "Y" or "yes"))
            {
                Terminal.Line("nothing was changed");
                return ExitCode.Cancelled;
            }
        }
        return await ApplyAsync(plan, source, wanted, there, remote, values, ct);
    }

    private async Task<int> ApplyAsync(
        ProjectPlan plan, ProjectFolder source, ProjectSnapshot wanted, ProjectSnapshot there, RemoteProject remote, IReadOnlyDictionary<string, string> values, CancellationToken ct)
    {
        var (done, isChecked) = (0, false);
        foreach (var change in plan.Changes)
        {
            try
            {
                // All pipelines are checked, now that their connections are there, before the first one is saved.
                if (change.Kind == "pipeline" && !isChecked)
                {
                    if (!await CheckAsync(plan, source, wanted, remote, ct))
                    {
                        return Stopped(plan, done, null);
                    }
                    isChecked = true;
                }
                await ApplyAsync(change, source, wanted, there, remote, plan, values, ct);
            }
            catch (ProblemException problem)
            {
                var file = change.Kind == "pipeline" ? source.PipelineFile(change.Name) : null;
                Terminal.Error(problem.Status == HttpStatusCode.PreconditionFailed
                    ? $"{change.Kind} {change.Name}: somebody has changed it since the plan was made; apply again to see the new difference"
                    : $"{change.Kind} {change.Name}: {problem.Message}");
                foreach (var error in problem.Errors)
                {
                    Terminal.Error($"  {error.Describe(file)}");
                }
                return Stopped(plan, done, change);
            }
            catch (UnreachableException lost)
            {
                Terminal.Error($"{change.Kind} {change.Name}: {lost.Message}");
                Stopped(plan, done, change);
                return ExitCode.NoConnection;
            }
            done++;
            if (context.Json)
            {
                Terminal.Json(new { done = change.Change, kind = change.Kind, name = change.Name });
            }
            else
            {
                Terminal.Line($"{Terminal.Good("done")}  {change.Kind} {change.Name} {change.Change}d");
            }
        }
        return ExitCode.Done;
    }

    private static async Task ApplyAsync(
        PlannedChange change, ProjectFolder source, ProjectSnapshot wanted, ProjectSnapshot there, RemoteProject remote, ProjectPlan plan, IReadOnlyDictionary<string, string> values, CancellationToken ct)
    {
        switch (change.Kind)
        {
            case "project":
                await remote.SaveProjectAsync(wanted.Settings!, there.Settings?.Tag, ct);
                break;
            case "connection":
                var secrets = plan.Holes.Where(hole => hole.Connection == change.Name && values.ContainsKey(hole.Name)).ToDictionary(hole => hole.Secret, hole => values[hole.Name]);
                await remote.SaveConnectionAsync(change.Name, wanted.Connections[change.Name], secrets, there.Connections.GetValueOrDefault(change.Name)?.Tag, ct);
                break;
            case "dataset":
                var dataset = wanted.Datasets[change.Name];
                await remote.SaveDatasetAsync(change.Name, dataset, there.Datasets.GetValueOrDefault(change.Name)?.Sha256 != dataset.Sha256, ct);
                break;
            default:
                await remote.SavePipelineAsync(change.Name, wanted.Pipelines[change.Name], source.PipelineFile(change.Name), there.Pipelines.GetValueOrDefault(change.Name)?.Tag, ct);
                break;
        }
    }

    private async Task<bool> CheckAsync(ProjectPlan plan, ProjectFolder source, ProjectSnapshot wanted, RemoteProject remote, CancellationToken ct)
    {
        var good = true;
        foreach (var change in plan.Changes.Where(change => change.Kind == "pipeline"))
        {
            var file = source.PipelineFile(change.Name);
            foreach (var problem in await remote.CheckPipelineAsync(wanted.Pipelines[change.Name], file, ct))
            {
                good = false;
                Terminal.Error(problem.Describe(file));
            }
        }
        return good;
    }

    /// <summary>Whoever reads it knows what is there now, and that applying again goes on.</summary>
    private int Stopped(ProjectPlan plan, int done, PlannedChange? failed)
    {
        var left = plan.Changes.Skip(done).Where(change => change != failed).Select(change => $"{change.Kind} {change.Name}").ToList();
        Terminal.Error($"stopped: {done} of {plan.Changes.Count} changes are done"
            + (failed is null ? "" : $", {failed.Kind} {failed.Name} failed")
            + (left.Count == 0 ? "" : $", not tried: {string.Join(", ", left)}")
            + ". What is done stays; apply again goes on from here.");
        return ExitCode.Failed;
    }

    private static async Task<IReadOnlyDictionary<string, string>> SecretsAsync(string? file, CancellationToken ct)
    {
        var values = Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
            .Where(variable => variable.Value is string { Length: > 0 }).ToDictionary(variable => (string)variable.Key, variable => (string)variable.Value!, StringComparer.Ordinal);
        if (file is null)
        {
            return values;
        }
        var number = 0;
        foreach (var line in (await Running.RunCommand.ReadAsync(file, ct)).ReplaceLineEndings("\n").Split('\n'))
        {
            number++;
            if (line.Length == 0 || line.StartsWith('#'))
            {
                continue;
            }
            var at = line.IndexOf('=', StringComparison.Ordinal);
            // The line itself is not shown: it may be the secret.
            values[at > 0 ? line[..at].Trim() : throw new BadInputException($"{file}:{number}: expected NAME=VALUE")] = line[(at + 1)..];
        }
        return values;
    }

    private void Show(ProjectPlan plan, string folder)
    {
        if (context.Json)
        {
            foreach (var change in plan.Changes)
            {
                Terminal.Json(new { change = change.Change, kind = change.Kind, name = change.Name, details = change.Details });
            }
            return;
        }
        foreach (var change in plan.Changes)
        {
            var sign = change.Change == "create" ? Terminal.Good("+") : Terminal.Doubtful("~");
            Terminal.Line($"{sign} {change.Kind,-10}  {change.Name}");
            foreach (var detail in change.Details)
            {
                Terminal.Line($"    {(detail.StartsWith('+') ? Terminal.Good(detail) : detail.StartsWith('-') ? Terminal.Bad(detail) : detail)}");
            }
        }
        if (plan.Extra.Count > 0)
        {
            Terminal.Line($"only in the project, left as they are: {string.Join(", ", plan.Extra)}");
        }
        Terminal.Line(plan.Changes.Count == 0
            ? $"project {context.Project} is what {folder} says ({plan.Same} things compared)"
            : $"{plan.Changes.Count} to change, {plan.Same} the same in project {context.Project}");
    }
}
