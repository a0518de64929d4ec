using System.Text.Json;
using System.Text.Json.Serialization;

namespace Qualiz.Contracts.Schemas;

/// <summary>How an operator's configuration is read: strictly. An unknown or missing property is an error, never ignored.</summary>
public static class ConfigJson
{
    public static readonly JsonSerializerOptions Options = Create();

    /// <summary>Binds a configuration that <see cref="SchemaValidator"/> has accepted.</summary>
    /// <exception cref="JsonException">It does not fit <typeparamref name="T"/>.</exception>
    public static T Bind<T>(JsonElement config) where T : class =>
        config.Deserialize<T>(Options) ?? throw new JsonException("the configuration is null");

    private static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.General)
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
            RespectNullableAnnotations = true,
            RespectRequiredConstructorParameters = true,
            // A person writes the discriminator where they like.
            AllowOutOfOrderMetadataProperties = true,
            AllowDuplicateProperties = false,
            Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
        };
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
