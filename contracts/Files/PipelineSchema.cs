using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Qualiz.Contracts.Schemas;

namespace Qualiz.Contracts.Files;

/// <summary>pipeline.schema.json: what an editor needs to complete and check a pipeline file. Operators' settings are open in it; they are checked by the server.</summary>
public static class PipelineSchema
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n" };

    public static string Generate()
    {
        var schema = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["$id"] = "https://qualiz.dev/schemas/pipeline-1.json",
        };
        foreach (var (keyword, value) in JsonObject.Create(ConfigSchema.For<PipelineModel>())!.ToList())
        {
            schema[keyword] = value?.DeepClone();
        }

        return schema.ToJsonString(Readable) + "\n";
    }
}
