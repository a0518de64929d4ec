using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Qualiz.Cli.Running;

namespace Qualiz.Cli;

/// <summary>The commands that put something there.</summary>
internal static class Changes
{
    private static readonly string[] SecretNames = ["password", "secretKey", "secret", "token"];

    public static async Task<int> SetConnectionAsync(
        CommandContext context, string name, string type, IReadOnlyList<string> settings, bool fromInput, string? fromVariable, CancellationToken ct)
    {
        if (RunCommand.Parameters(settings, out var values) is { } wrong)
        {
            throw new BadInputException(wrong);
        }
        if (values.FirstOrDefault(value => SecretNames.Contains(value.Key, StringComparer.OrdinalIgnoreCase)).Key is { } exposed)
        {
            throw new BadInputException($"--set {exposed}: a secret does not belong on the command line, where others can read it; use --secret-stdin or --secret-env NAME");
        }
        var secrets = await SecretsOfAsync(context, type, ct);
        if (values.FirstOrDefault(value => secrets?.Contains(value.Key) == true).Key is { } said)
        {
            throw new BadInputException($"--set {said}: this is a secret of a {type} connection, and others can read the command line; use --secret-stdin or --secret-env NAME");
        }
        var secret = fromInput
            ? (await Console.In.ReadToEndAsync(ct)).TrimEnd('\r', '\n')
            : fromVariable is null ? null : Environment.GetEnvironmentVariable(fromVariable) ?? throw new BadInputException($"--secret-env {fromVariable}: no such environment variable");
        if (secret is not null)
        {
            // Of a type that the server does not know, it will say so itself.
            values[secrets is [] ? throw new BadInputException($"a {type} connection has no secret") : secrets?[0] ?? "secret"] = secret;
        }
        await PutConnectionAsync(context, name, type, values, ct);
        context.Terminal.Line($"connection {name} is set");
        return ExitCode.Done;
    }

    /// <summary>The names of the settings that are secret; null: there is no such type.</summary>
    private static async Task<IReadOnlyList<string>?> SecretsOfAsync(CommandContext context, string type, CancellationToken ct)
    {
        var types = await context.Client.GetAsync("api/v1/connection-types", ct);
        return types.List("items").Where(item => item.Text("type") == type)
            .Select(item => (IReadOnlyList<string>)[.. item.GetProperty("schema").GetProperty("properties").EnumerateObject()
                .Where(property => property.Value.TryGetProperty("format", out var format) && format.GetString() == "secret").Select(property => property.Name)])
            .FirstOrDefault();
    }

    public static Task PutConnectionAsync(CommandContext context, string name, string type, JsonObject settings, CancellationToken ct) =>
        context.Client.PutAsync($"{context.ProjectPath}/connections/{Uri.EscapeDataString(name)}", new JsonObject { ["type"] = type, ["settings"] = settings }, ct);

    public static async Task<int> CreateProjectAsync(CommandContext context, string slug, string? name, string? timeZone, CancellationToken ct)
    {
        var created = await context.Client.PostAsync("api/v1/projects", new { slug, name, timeZone }, ct);
        if (context.Json)
        {
            context.Terminal.Json(created);
        }
        else
        {
            context.Terminal.Line($"project {slug} is there; commands work on it with --project {slug} or QUALIZ_PROJECT={slug}");
        }
        return ExitCode.Done;
    }

    /// <summary>True when it was not there before.</summary>
    public static async Task<bool> EnsureProjectAsync(QualizClient client, string project, string? name, string? description, CancellationToken ct)
    {
        try
        {
            await client.GetAsync(CommandContext.ProjectPathOf(project), ct);
            return false;
        }
        catch (ProblemException missing) when (missing.Status == System.Net.HttpStatusCode.NotFound)
        {
            await client.PostAsync("api/v1/projects", new { slug = project, name, description }, ct);
            return true;
        }
    }

    /// <param name="dataset">Not null: the upload becomes this dataset's next version.</param>
    public static async Task<int> UploadAsync(CommandContext context, string file, string? name, string? dataset, CancellationToken ct)
    {
        var answer = await SendFileAsync(context, file, name, ct);
        var id = answer.Text("id")!;
        var version = dataset is null ? default : await AddVersionAsync(context, dataset, id, ct);
        if (context.Json)
        {
            context.Terminal.Json(dataset is null ? answer : version);
        }
        else if (dataset is null)
        {
            context.Terminal.Line($"uploaded {file}: {id}");
        }
        else
        {
            context.Terminal.Line($"uploaded {file}: dataset:{dataset}@{version.Text("version")}, {StepView.Number(long.Parse(version.Text("rows")!, System.Globalization.CultureInfo.InvariantCulture))} rows");
        }
        return ExitCode.Done;
    }

    public static void CheckFile(string file)
    {
        if (!File.Exists(file))
        {
            throw new BadInputException(Directory.Exists(file) ? $"{file} is a folder; give a file" : $"{file}: no such file");
        }
    }

    public static async Task<JsonElement> SendFileAsync(CommandContext context, string file, string? name, CancellationToken ct)
    {
        CheckFile(file);
        await using var stream = File.OpenRead(file);
        using var content = new StreamContent(stream);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return await context.Client.PostContentAsync($"{context.ProjectPath}/uploads?name={Uri.EscapeDataString(name ?? Path.GetFileName(file))}", content, ct);
    }

    public static Task<JsonElement> AddVersionAsync(CommandContext context, string dataset, string upload, CancellationToken ct) =>
        context.Client.PostAsync($"{context.ProjectPath}/datasets/{Uri.EscapeDataString(dataset)}/versions", new { upload }, ct);
}
