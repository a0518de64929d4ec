using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Qualiz.Cli.Transfer;

/// <summary>
/// A project as files that can be kept under version control: the same project gives the same bytes.
/// <c>project.json</c>, <c>pipelines/NAME.yaml</c>, <c>connections/NAME.json</c>, <c>datasets/NAME.json</c> with its data beside it.
/// </summary>
internal sealed class ProjectFolder(string folder)
{
    private const string Pipelines = "pipelines";
    private const string Connections = "connections";
    private const string Datasets = "datasets";

    private static readonly JsonSerializerOptions Written = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private static readonly string[] PipelineExtensions = [".yaml", ".yml", ".json"];

    private string ProjectFile => Path.Combine(folder, "project.json");

    /// <summary>The file of a pipeline, for messages.</summary>
    public string PipelineFile(string name) => PipelineExtensions.Select(extension => Path.Combine(folder, Pipelines, name + extension)).FirstOrDefault(File.Exists)
        ?? Path.Combine(folder, Pipelines, name + ".yaml");

    /// <summary>Replaces an earlier export and takes away what only that one wrote; a folder with anything else in it is not touched.</summary>
    public async Task WriteAsync(ProjectSnapshot project, CancellationToken ct)
    {
        Directory.CreateDirectory(folder);
        var before = File.Exists(ProjectFile) ? ReadObject(ProjectFile, []) : [];
        if (before is null || (File.Exists(ProjectFile) ? !IsOurs(before) : Directory.EnumerateFileSystemEntries(folder).Any(entry => !Path.GetFileName(entry).StartsWith('.'))))
        {
            throw new BadInputException($"{folder} holds something else than an exported project; give an empty or a new folder");
        }
        var earlier = FilesOf(before);
        var written = new HashSet<string>(StringComparer.Ordinal);
        // First of all, with what is to be written: that belongs to an export, even to a torn one.
        await WriteHeadAsync([.. earlier, .. FilesOf(project)]);
        foreach (var (name, pipeline) in project.Pipelines)
        {
            await WriteAsync(Path.Combine(folder, Pipelines, name + ExtensionOf(pipeline)), new MemoryStream(Utf8.GetBytes(pipeline.Text)), written, ct);
        }
        foreach (var (name, connection) in project.Connections)
        {
            var secrets = new JsonObject(connection.Secrets.Order(StringComparer.Ordinal)
                .Select(secret => KeyValuePair.Create(secret, (JsonNode?)$"${{{ConnectionSettings.Hole(name, secret)}}}")));
            var body = new JsonObject { ["type"] = connection.Type, ["settings"] = connection.Settings.DeepClone() };
            if (secrets.Count > 0)
            {
                body["secrets"] = secrets;
            }
            await WriteAsync(Path.Combine(folder, Connections, name + ".json"), body, written, ct);
        }
        foreach (var (name, dataset) in project.Datasets)
        {
            await using var content = await dataset.Open(ct);
            await WriteAsync(Path.Combine(folder, Datasets, name + dataset.Extension), content, written, ct);
            await WriteAsync(
                Path.Combine(folder, Datasets, name + ".json"),
                new JsonObject { ["owner"] = dataset.Owner, ["description"] = dataset.Description, ["file"] = name + dataset.Extension }, written, ct);
        }
        foreach (var gone in earlier.Select(file => Path.Combine(folder, file)).Where(file => !written.Contains(file)))
        {
            File.Delete(gone);
        }
        await WriteHeadAsync(FilesOf(project));

        Task WriteHeadAsync(IEnumerable<string> files)
        {
            var settings = project.Settings!;
            return WriteAsync(
                ProjectFile,
                new JsonObject
                {
                    ["qualiz"] = 1,
                    ["name"] = settings.Name,
                    ["description"] = settings.Description,
                    ["timeZone"] = settings.TimeZone,
                    ["files"] = new JsonArray([.. files.Distinct().Order(StringComparer.Ordinal).Select(file => (JsonNode)file)]),
                },
                written, ct);
        }
    }

    private static bool IsOurs(JsonObject head) => head["qualiz"]?.ToJsonString() == "1";

    private static string ExtensionOf(PipelineText pipeline) => pipeline.Text.AsSpan().TrimStart().StartsWith("{") ? ".json" : ".yaml";

    /// <summary>What an export of the project writes beside project.json.</summary>
    private static IEnumerable<string> FilesOf(ProjectSnapshot project) =>
    [
        .. project.Pipelines.Select(pipeline => $"{Pipelines}/{pipeline.Key}{ExtensionOf(pipeline.Value)}"),
        .. project.Connections.Keys.Select(name => $"{Connections}/{name}.json"),
        .. project.Datasets.SelectMany(dataset => (string[])[$"{Datasets}/{dataset.Key}{dataset.Value.Extension}", $"{Datasets}/{dataset.Key}.json"]),
    ];

    /// <summary>What an earlier export wrote and is still there. The list is a file that anybody may have changed: it names nothing outside the three folders.</summary>
    private List<string> FilesOf(JsonObject head) =>
    [
        .. (head["files"] as JsonArray ?? []).OfType<JsonValue>().Where(file => file.GetValueKind() == JsonValueKind.String).Select(file => file.GetValue<string>())
            .Where(file => file.Split('/') is [Pipelines or Connections or Datasets, { Length: > 0 } name] && name == Path.GetFileName(name) && !name.StartsWith('.') && File.Exists(Path.Combine(folder, file))),
    ];

    /// <exception cref="BadInputException">All that is wrong with it, a line each.</exception>
    public async Task<ProjectSnapshot> ReadAsync(CancellationToken ct)
    {
        if (!File.Exists(ProjectFile))
        {
            throw new BadInputException($"{folder} is no exported project: there is no project.json (./qualiz export PROJECT {folder} makes one)");
        }
        var wrong = new List<string>();
        var head = ReadObject(ProjectFile, wrong);
        if (head is not null && !IsOurs(head))
        {
            wrong.Add($"{ProjectFile}: \"qualiz\": 1 is missing; an export of another version cannot be read");
        }
        var project = new ProjectSnapshot
        {
            Settings = new ProjectSettings(Text(head, "name", ProjectFile, wrong) ?? "", Text(head, "description", ProjectFile, wrong), Text(head, "timeZone", ProjectFile, wrong) ?? "UTC"),
        };
        foreach (var file in Files(Pipelines, PipelineExtensions))
        {
            var text = ReadText(file, wrong);
            var name = Path.GetFileNameWithoutExtension(file);
            if (Contracts.Files.PipelineFile.Parse(text, file).Model is { Pipeline: var given } && given != name)
            {
                wrong.Add($"{file}: the file is named {name}, its pipeline \"{given}\"; name them alike");
            }
            else if (!project.Pipelines.TryAdd(name, new PipelineText(text)))
            {
                wrong.Add($"{file}: there is another file for the pipeline \"{name}\"");
            }
        }
        foreach (var file in Files(Connections, ".json"))
        {
            if (ReadObject(file, wrong) is not { } body)
            {
                continue;
            }
            var secrets = body["secrets"] as JsonObject ?? [];
            foreach (var (secret, hole) in secrets)
            {
                var expected = $"${{{ConnectionSettings.Hole(Path.GetFileNameWithoutExtension(file), secret)}}}";
                if (hole is not JsonValue value || value.ToString() != expected)
                {
                    wrong.Add($"{file}: secrets.{secret} should be the hole {expected}; a secret itself does not belong in a file");
                }
            }
            project.Connections[Path.GetFileNameWithoutExtension(file)] = new ConnectionSettings(
                Text(body, "type", file, wrong) ?? "", Sorted(body["settings"] as JsonObject ?? []), [.. secrets.Select(secret => secret.Key).Order(StringComparer.Ordinal)]);
        }
        foreach (var file in Files(Datasets, ".json"))
        {
            if (ReadObject(file, wrong) is not { } body)
            {
                continue;
            }
            var name = Path.GetFileNameWithoutExtension(file);
            var data = Text(body, "file", file, wrong) is { } given && given == Path.GetFileName(given) && given.StartsWith(name + ".", StringComparison.Ordinal) ? Path.Combine(folder, Datasets, given) : null;
            if (data is null || !File.Exists(data))
            {
                wrong.Add($"{file}: \"file\" should name the data beside it, like \"{name}.csv\"");
                continue;
            }
            await using var content = File.OpenRead(data);
            var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(content, ct));
            project.Datasets[name] = new ReferenceDataset(
                Text(body, "owner", file, wrong), Text(body, "description", file, wrong), Path.GetFileName(data)[name.Length..], hash, content.Length,
                _ => Task.FromResult<Stream>(File.OpenRead(data)));
        }
        return wrong.Count == 0 ? project : throw new BadInputException(string.Join('\n', wrong));
    }

    private static async Task WriteAsync(string path, Stream content, HashSet<string> written, CancellationToken ct)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await using (var file = File.Create(path + ".partial"))
        {
            await content.CopyToAsync(file, ct);
        }
        File.Move(path + ".partial", path, overwrite: true);
        written.Add(path);
    }

    private static Task WriteAsync(string path, JsonObject body, HashSet<string> written, CancellationToken ct)
    {
        foreach (var empty in body.Where(property => property.Value is null).Select(property => property.Key).ToList())
        {
            body.Remove(empty);
        }
        return WriteAsync(path, new MemoryStream(Utf8.GetBytes(body.ToJsonString(Written) + "\n")), written, ct);
    }

    private IEnumerable<string> Files(string kind, params string[] extensions) => Directory.Exists(Path.Combine(folder, kind))
        ? Directory.EnumerateFiles(Path.Combine(folder, kind)).Where(file => extensions.Contains(Path.GetExtension(file)) && !Path.GetFileName(file).StartsWith('.')).Order(StringComparer.Ordinal)
        : [];

    private static string ReadText(string file, List<string> wrong)
    {
        try
        {
            return Utf8.GetString(File.ReadAllBytes(file));
        }
        catch (DecoderFallbackException)
        {
            wrong.Add($"{file}: this is no UTF-8 text");
            return "";
        }
    }

    private static JsonObject? ReadObject(string file, List<string> wrong)
    {
        try
        {
            if (JsonNode.Parse(ReadText(file, wrong)) is JsonObject body)
            {
                return body;
            }
            wrong.Add($"{file}: an object in braces is expected");
        }
        catch (JsonException error)
        {
            wrong.Add($"{file}:{error.LineNumber + 1}:{error.BytePositionInLine + 1} this is no JSON");
        }
        return null;
    }

    private static string? Text(JsonObject? body, string name, string file, List<string> wrong)
    {
        switch (body?[name])
        {
            case null:
                return null;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                return value.GetValue<string>();
            default:
                wrong.Add($"{file}: \"{name}\" should be a text");
                return null;
        }
    }

    public static JsonObject Sorted(JsonObject settings) =>
        new(settings.OrderBy(setting => setting.Key, StringComparer.Ordinal).Select(setting => KeyValuePair.Create(setting.Key, setting.Value?.DeepClone())));
}
