using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Qualiz.Cli.Running;

namespace Qualiz.Cli;

/// <summary>The commands that put something there.</summary>
internal static class Changes
{
    public static async Task<int> SetConnectionAsync(
        CommandContext context, string name, string type, IReadOnlyList<string> settings, bool fromInput, string? fromVariable, CancellationToken ct)
    {
        if (RunCommand.Parameters(settings, out var values) is { } wrong)
        {
            throw new BadInputException(wrong);
        }
        if (values.Any(value => value.Key is "password" or "secret" or "secretKey"))
        {
            throw new BadInputException("a secret does not belong on the command line, where others can read it: use --secret-stdin or --secret-env NAME");
        }
        string? secret = null;
        if (fromInput)
        {
            secret = (await Console.In.ReadToEndAsync(ct)).TrimEnd('\r', '\n');
        }
        else if (fromVariable is not null)
        {
            secret = Environment.GetEnvironmentVariable(fromVariable) ?? throw new BadInputException($"--secret-env {fromVariable}: no such environment variable");
        }
        await PutConnectionAsync(context, name, type, values, secret, ct);
        context.Terminal.Line($"connection {name} is set");
        return ExitCode.Done;
    }

    public static Task PutConnectionAsync(CommandContext context, string name, string type, JsonObject settings, string? secret, CancellationToken ct)
    {
        var body = new JsonObject { ["type"] = type, ["settings"] = settings };
        if (secret is not null)
        {
            body["secret"] = secret;
        }
        return context.Client.PutAsync($"{context.ProjectPath}/connections/{Uri.EscapeDataString(name)}", body, ct);
    }

    public static async Task<int> UploadAsync(CommandContext context, string file, string? name, CancellationToken ct)
    {
        if (!File.Exists(file))
        {
            throw new BadInputException($"{file}: no such file");
        }
        await using var stream = File.OpenRead(file);
        using var content = new StreamContent(stream);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        var answer = await context.Client.PostContentAsync(
            $"{context.ProjectPath}/uploads?name={Uri.EscapeDataString(name ?? Path.GetFileName(file))}", content, ct);
        if (context.Json)
        {
            context.Terminal.Json(answer);
        }
        else
        {
            context.Terminal.Line($"uploaded {file}: {answer.Text("id")}");
        }
        return ExitCode.Done;
    }
}
