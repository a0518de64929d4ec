using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Qualiz.Integration.Tests;

/// <summary>A project that is not there is told everywhere, not taken for an empty one.</summary>
public sealed class UnknownProjectTests(InProcessHost host) : IClassFixture<InProcessHost>
{
    private static readonly JsonElement Document = JsonDocument.Parse(File.ReadAllText(Path.Combine(Root(), "contracts", "openapi.json"))).RootElement;

    [Fact]
    public async Task Every_operation_on_an_unknown_project_is_answered_with_404()
    {
        using var client = new HttpClient { BaseAddress = host.Address };
        var wrong = new List<string>();
        var asked = 0;
        foreach (var path in Document.GetProperty("paths").EnumerateObject().Where(path => path.Name.Contains("{project}", StringComparison.Ordinal)))
        {
            foreach (var operation in path.Value.EnumerateObject().Where(member => member.Value.TryGetProperty("operationId", out _)))
            {
                using var request = Request(path.Name, operation);
                using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
                asked++;
                var body = response.Content.Headers.ContentType?.MediaType == "application/problem+json" ? await response.Content.ReadFromJsonAsync<JsonElement>() : default;
                if (response.StatusCode != HttpStatusCode.NotFound || body.ValueKind != JsonValueKind.Object)
                    wrong.Add($"{operation.Name.ToUpperInvariant()} {path.Name}: {(int)response.StatusCode} {(body.ValueKind == JsonValueKind.Object ? body.GetRawText() : "")}");
            }
        }

        wrong.ShouldBeEmpty();
        asked.ShouldBeGreaterThan(60);
    }

    private static HttpRequestMessage Request(string path, JsonProperty operation)
    {
        var parameters = operation.Value.TryGetProperty("parameters", out var listed) ? listed.EnumerateArray().ToList() : [];
        // Who deletes a project repeats its name.
        var query = operation.Name == "delete" && path.EndsWith("/{project}", StringComparison.Ordinal) ? new List<string> { "confirm=nowhere" } : [];
        foreach (var parameter in parameters)
        {
            var name = parameter.GetProperty("name").GetString()!;
            var value = name == "project" ? "nowhere" : Sample(parameter.GetProperty("schema"))?.ToString() ?? "x";
            if (parameter.GetProperty("in").GetString() == "path")
                path = path.Replace($"{{{name}}}", value, StringComparison.Ordinal);
            else if (parameter.GetProperty("in").GetString() == "query" && parameter.TryGetProperty("required", out var required) && required.GetBoolean())
                query.Add($"{name}={value}");
        }
        var request = new HttpRequestMessage(new HttpMethod(operation.Name.ToUpperInvariant()), new Uri(path.Replace("{project}", "nowhere", StringComparison.Ordinal) + (query.Count == 0 ? "" : $"?{string.Join("&", query)}"), UriKind.Relative));
        request.Headers.TryAddWithoutValidation("If-Match", "\"1\"");
        if (operation.Value.TryGetProperty("requestBody", out var body))
        {
            var content = body.GetProperty("content");
            request.Content = content.TryGetProperty("application/yaml", out _)
                ? new StringContent("qualiz: 1\npipeline: x\nsteps: {a: {uses: log, with: {message: x}}}\n", Encoding.UTF8, "application/yaml")
                : new StringContent(Sample(content.GetProperty("application/json").GetProperty("schema"))?.ToJsonString() ?? "{}", Encoding.UTF8, "application/json");
        }
        return request;
    }

    /// <summary>The least that the schema takes.</summary>
    private static JsonNode? Sample(JsonElement schema)
    {
        if (schema.TryGetProperty("$ref", out var reference))
        {
            var at = Document;
            foreach (var part in reference.GetString()!.Split('/').Skip(1))
                at = at.GetProperty(part);
            return Sample(at);
        }
        foreach (var choice in (string[])["oneOf", "anyOf", "allOf"])
        {
            if (schema.TryGetProperty(choice, out var choices))
                return Sample(choices.EnumerateArray().First(one => !(one.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String && type.GetString() == "null")));
        }
        if (schema.TryGetProperty("enum", out var words))
            return JsonNode.Parse(words[0].GetRawText());
        var types = !schema.TryGetProperty("type", out var stated) ? [] : stated.ValueKind == JsonValueKind.String ? [stated.GetString()] : stated.EnumerateArray().Select(type => type.GetString()).ToList();
        if (types.Contains("object") || schema.TryGetProperty("properties", out _))
        {
            var required = schema.TryGetProperty("required", out var names) ? names.EnumerateArray().Select(name => name.GetString()!).ToList() : [];
            return new JsonObject(required.Select(name => KeyValuePair.Create(name, Sample(schema.GetProperty("properties").GetProperty(name)))));
        }
        return types.Contains("integer") || types.Contains("number") ? 1
            : types.Contains("boolean") ? true
            : types.Contains("array") ? new JsonArray()
            : schema.TryGetProperty("format", out var format) && format.GetString() is "uuid" or "date" ? format.GetString() == "uuid" ? "0198a7b0-0000-7000-8000-000000000001" : "2026-12-01"
            : types.Contains("string") ? "x" : new JsonObject();
    }

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Qualiz.sln")))
            folder = Path.GetDirectoryName(folder)!;
        return folder;
    }
}
