using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Qualiz.Cli.Running;

namespace Qualiz.Cli.Commands;

/// <summary>What a pipeline remembers from run to run.</summary>
internal static class StateCommands
{
    private const int Shown = 120;

    private static readonly Argument<string> Pipeline = new("PIPELINE") { Description = "The pipeline's name" };

    public static IEnumerable<Command> All() =>
        [new Command("state", "What a pipeline remembers from run to run: cursors, seen files. Only a completed run writes it.") { Show(), Reset(), Set() }];

    private static ClientCommand Show() => new ClientCommand("show", "Show what each step remembers", "state show customers", "state show customers --json") { Pipeline }
        .Doing(async (context, ct) =>
        {
            var shown = 0;
            await foreach (var item in context.Client.ListAsync(Path(context), int.MaxValue, ct))
            {
                shown++;
                if (context.Json)
                {
                    context.Terminal.Json(item);
                    continue;
                }
                context.Terminal.Line($"{item.Text("step")}  {context.Terminal.Faint($"{(item.Text("runId") is { } run ? $"by run {RunIds.Short(run)}" : "by hand")}, {item.Text("updatedAt")}")}");
                foreach (var property in item.GetProperty("value").EnumerateObject())
                {
                    if (property.Value.ValueKind == JsonValueKind.Null || (property.Value.ValueKind == JsonValueKind.Array && property.Value.GetArrayLength() == 0))
                    {
                        continue;
                    }
                    var text = JsonSerializer.Serialize(property.Value, ApiJson.Options);
                    context.Terminal.Line($"    {property.Name}: {(text.Length <= Shown ? text
                        : property.Value.ValueKind == JsonValueKind.Array ? $"{property.Value.GetArrayLength()} entries (all of them: --json)"
                        : $"{text[..Shown]}... (all of it: --json)")}");
                }
            }
            if (shown == 0 && !context.Json)
            {
                context.Terminal.Line("nothing is remembered: the next run begins anew");
            }
            return ExitCode.Done;
        });

    private static ClientCommand Reset()
    {
        var step = new Argument<string?>("STEP") { Arity = ArgumentArity.ZeroOrOne, Description = "Which step forgets" };
        var all = new Option<bool>("--all") { Description = "All steps forget" };
        return new ClientCommand("reset", "Make a step forget, so that its next run reads everything again", "state reset customers crm", "state reset customers --all") { Pipeline, step, all }
            .Doing(async (context, ct) =>
            {
                if (context.Get(step) is null != context.Get(all))
                {
                    throw new BadInputException("name a step, or give --all");
                }
                var steps = new List<string>();
                if (context.Get(step) is { } one)
                {
                    steps.Add(one);
                }
                else
                {
                    await foreach (var item in context.Client.ListAsync(Path(context), int.MaxValue, ct))
                    {
                        steps.Add(item.Text("step")!);
                    }
                }
                foreach (var id in steps)
                {
                    await context.Client.DeleteAsync($"{Path(context)}/{Uri.EscapeDataString(id)}", ct);
                    context.Terminal.Line($"{id} begins anew with the next run");
                }
                return ExitCode.Done;
            });
    }

    private static ClientCommand Set()
    {
        var step = new Argument<string>("STEP") { Description = "Which step remembers it" };
        var file = new Argument<string>("FILE") { Description = "A JSON object as show --json gives it under value, or - for standard input" };
        return new ClientCommand("set", "Make a step remember something else", "state set customers crm cursor.json") { Pipeline, step, file }
            .Doing(async (context, ct) =>
            {
                JsonNode? value;
                try
                {
                    value = JsonNode.Parse(await RunCommand.ReadAsync(context.Get(file)!, ct));
                }
                catch (JsonException wrong)
                {
                    throw new BadInputException($"{context.Get(file)}:{wrong.LineNumber + 1}:{wrong.BytePositionInLine + 1} this is no JSON");
                }
                await context.Client.PutAsync($"{Path(context)}/{Uri.EscapeDataString(context.Get(step)!)}", value, ct);
                context.Terminal.Line($"{context.Get(step)} remembers it from the next run on");
                return ExitCode.Done;
            });
    }

    private static string Path(CommandContext context) => $"{context.ProjectPath}/pipelines/{Uri.EscapeDataString(context.Get(Pipeline)!)}/state";
}
