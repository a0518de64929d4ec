using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Qualiz.Cli.Files;

namespace Qualiz.Cli.Transfer;

/// <summary>A project of an instance: read as a whole, changed thing by thing.</summary>
internal sealed class RemoteProject(QualizClient client, string project)
{
    /// <summary>Larger datasets are data, not configuration.</summary>
    public const long MostBytes = 10_000_000;

    private const int Everything = int.MaxValue;

    private string Root => CommandContext.ProjectPathOf(project);

    public async Task<ProjectSnapshot> ReadAsync(CancellationToken ct)
    {
        if (await FindAsync(Root, ct) is not { } found)
        {
            return new ProjectSnapshot { Settings = null };
        }
        var head = JsonDocument.Parse(found.Text).RootElement;
        var snapshot = new ProjectSnapshot
        {
            Settings = new ProjectSettings(head.Text("name") ?? project, Filled(head, "description"), head.Text("timeZone") ?? "UTC", found.Tag),
        };
        await foreach (var pipeline in client.ListAsync($"{Root}/pipelines", Everything, ct))
        {
            var name = pipeline.Text("name")!;
            if (!FileRun.Pipelines.Contains(name))
            {
                var (text, tag) = await client.GetTaggedAsync($"{Root}/pipelines/{name}/text", ct);
                snapshot.Pipelines[name] = new PipelineText(text, tag);
            }
        }
        await foreach (var item in client.ListAsync($"{Root}/connections", Everything, ct))
        {
            var name = item.Text("name")!;
            var (text, tag) = await client.GetTaggedAsync($"{Root}/connections/{name}", ct);
            var connection = JsonNode.Parse(text)!.AsObject();
            snapshot.Connections[name] = new ConnectionSettings(
                (string)connection["type"]!, ProjectFolder.Sorted(connection["settings"]!.AsObject()), [.. connection["secrets"]!.AsArray().Select(secret => (string)secret!)], tag);
        }
        if (snapshot.Connections.Count > 0 && await FindAsync("api/v1/connection-types", ct) is { } types)
        {
            foreach (var type in JsonDocument.Parse(types.Text).RootElement.List("items").Where(type => type.TryGetProperty("address", out _)))
            {
                snapshot.Addresses[type.Text("type")!] = [.. type.List("address").Select(name => name.GetString()!)];
            }
        }
        await foreach (var dataset in client.ListAsync($"{Root}/datasets", Everything, ct))
        {
            await ReadDatasetAsync(snapshot, dataset, ct);
        }
        return snapshot;
    }

    private async Task ReadDatasetAsync(ProjectSnapshot snapshot, JsonElement dataset, CancellationToken ct)
    {
        var name = dataset.Text("name")!;
        // What a pipeline has made, a pipeline makes again.
        if (!dataset.TryGetProperty("latest", out var latest) || latest.Text("uploadId") is not { } upload)
        {
            return;
        }
        var (owner, description) = (Filled(dataset, "owner"), Filled(dataset, "description"));
        if (await FindAsync($"{Root}/uploads/{upload}", ct) is { } found)
        {
            var file = JsonDocument.Parse(found.Text).RootElement;
            var bytes = file.GetProperty("bytes").GetInt64();
            if (bytes >= MostBytes)
            {
                snapshot.LeftOut.Add($"dataset {name}: {bytes / 1e6:0} MB; datasets of 10 MB and more stay where they are");
                return;
            }
            snapshot.Datasets[name] = new ReferenceDataset(
                owner, description, Extension(file.Text("name") ?? ""), file.Text("sha256") ?? "", bytes, cancel => OpenAsync($"{Root}/uploads/{upload}/content", cancel));
        }
        else if (latest.TryGetProperty("bytes", out var size) && size.GetInt64() < MostBytes)
        {
            // The upload was taken away; the version holds the same rows.
            var path = $"{Root}/datasets/{name}/versions/{latest.Text("version")}/download?format=parquet&unmask=true";
            await using var content = await OpenAsync(path, ct);
            var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(content, ct));
            snapshot.Datasets[name] = new ReferenceDataset(owner, description, ".parquet", hash, content.Length, cancel => OpenAsync(path, cancel));
        }
    }

    public async Task SaveProjectAsync(ProjectSettings settings, EntityTagHeaderValue? seen, CancellationToken ct)
    {
        if (seen is null)
        {
            await client.PostAsync("api/v1/projects", new { slug = project, name = settings.Name.Length == 0 ? null : settings.Name, description = settings.Description, timeZone = settings.TimeZone }, ct);
        }
        else
        {
            await client.ChangeAsync(HttpMethod.Patch, Root, QualizClient.Json(new { name = settings.Name, description = settings.Description ?? "", timeZone = settings.TimeZone }), seen, ct);
        }
    }

    public Task SavePipelineAsync(string name, PipelineText pipeline, string file, EntityTagHeaderValue? seen, CancellationToken ct) => client.ChangeAsync(
        HttpMethod.Put, $"{Root}/pipelines/{Uri.EscapeDataString(name)}?file={Uri.EscapeDataString(Path.GetFileName(file))}", new StringContent(pipeline.Text, Encoding.UTF8, "application/yaml"), seen, ct);

    /// <summary>What the instance finds wrong with the file now, warnings left out.</summary>
    public async Task<IReadOnlyList<ProblemError>> CheckPipelineAsync(PipelineText pipeline, string file, CancellationToken ct)
    {
        var answer = await client.PostTextAsync($"{Root}/pipelines/validate?file={Uri.EscapeDataString(Path.GetFileName(file))}", pipeline.Text, "application/yaml", ct);
        return [.. answer.List("problems").Select(problem => problem.Deserialize<ProblemError>(ApiJson.Options)!).Where(problem => !problem.IsWarning)];
    }

    /// <param name="secrets">Those to set; others stay.</param>
    public Task SaveConnectionAsync(string name, ConnectionSettings connection, IReadOnlyDictionary<string, string> secrets, EntityTagHeaderValue? seen, CancellationToken ct)
    {
        var settings = connection.Settings.DeepClone().AsObject();
        foreach (var (secret, value) in secrets)
        {
            settings[secret] = value;
        }
        return client.ChangeAsync(
            HttpMethod.Put, $"{Root}/connections/{Uri.EscapeDataString(name)}", QualizClient.Json(new JsonObject { ["type"] = connection.Type, ["settings"] = settings }), seen, ct);
    }

    /// <param name="content">False: only what is said about it has changed.</param>
    public async Task SaveDatasetAsync(string name, ReferenceDataset dataset, bool content, CancellationToken ct)
    {
        if (content)
        {
            await using var stream = await dataset.Open(ct);
            using var body = new StreamContent(stream);
            body.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
            var upload = await client.PostContentAsync($"{Root}/uploads?name={Uri.EscapeDataString(name + dataset.Extension)}", body, ct);
            await client.PostAsync($"{Root}/datasets/{Uri.EscapeDataString(name)}/versions", new { upload = upload.Text("id") }, ct);
        }
        var (text, tag) = await client.GetTaggedAsync($"{Root}/datasets/{Uri.EscapeDataString(name)}", ct);
        var now = JsonDocument.Parse(text).RootElement;
        if (Filled(now, "owner") != dataset.Owner || Filled(now, "description") != dataset.Description)
        {
            await client.ChangeAsync(HttpMethod.Patch, $"{Root}/datasets/{Uri.EscapeDataString(name)}", QualizClient.Json(new { owner = dataset.Owner, description = dataset.Description }), tag, ct);
        }
    }

    private async Task<(string Text, EntityTagHeaderValue? Tag)?> FindAsync(string path, CancellationToken ct)
    {
        try
        {
            return await client.GetTaggedAsync(path, ct);
        }
        catch (ProblemException missing) when (missing.Status == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    private async Task<Stream> OpenAsync(string path, CancellationToken ct)
    {
        var content = new MemoryStream();
        await client.DownloadAsync(path, content, ct);
        content.Position = 0;
        return content;
    }

    /// <summary>Nothing and an empty text are the same to people.</summary>
    private static string? Filled(JsonElement element, string name) => element.Text(name) is { Length: > 0 } text ? text : null;

    private static string Extension(string file)
    {
        var packed = file.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? file[^3..] : "";
        var extension = Path.GetExtension(file[..^packed.Length]);
        return (extension.Length == 0 ? ".csv" : extension).ToLowerInvariant() + packed.ToLowerInvariant();
    }
}
