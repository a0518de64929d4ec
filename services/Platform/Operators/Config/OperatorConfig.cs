using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Qualiz.Contracts.Runs.V1;

namespace Qualiz.Platform.Operators.Config;

/// <summary>
/// Binds a step's <c>with:</c> block to its config record and refuses what does not fit, naming the place and the nearest
/// right word. The block is walked before it is bound, because the serializer's own errors name neither.
/// </summary>
public static class OperatorConfig
{
    /// <summary>How config records are read: camelCase names, enums as camelCase text, durations as <c>10s</c>.</summary>
    public static JsonSerializerOptions Json { get; } = CreateOptions();

    public static JsonElement Schema(Type configType)
    {
        var node = Json.GetJsonSchemaAsNode(configType, new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true });
        return JsonSerializer.SerializeToElement(node);
    }

    /// <summary>Null when <paramref name="value"/> was bound; else the first thing that is wrong, with code <c>configInvalid</c>.</summary>
    public static StepError? TryBind<TConfig>(JsonElement config, out TConfig? value) where TConfig : class
    {
        value = null;
        if (config.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
            config = JsonSerializer.SerializeToElement(new Dictionary<string, string>());
        var found = Walk(config, Json.GetTypeInfo(typeof(TConfig)), "");
        if (found is null)
        {
            try
            {
                value = config.Deserialize<TConfig>(Json)!;
            }
            catch (JsonException exception)
            {
                found = new Problem(exception.Path?.TrimStart('$', '.') ?? "", "the value does not fit");
            }
        }

        found ??= Annotations(value!, "");
        if (found is null)
            return null;
        value = null;
        return new StepError
        {
            Code = "configInvalid",
            Message = found.Path.Length == 0 ? $"with: {found.Message}." : $"with.{found.Path}: {found.Message}.",
            Path = found.Path,
        };
    }

    private static Problem? Walk(JsonElement element, JsonTypeInfo type, string path)
    {
        if (element.ValueKind == JsonValueKind.Null)
            return null;
        switch (type.Kind)
        {
            case JsonTypeInfoKind.Object:
                return WalkObject(element, type, path);
            case JsonTypeInfoKind.Enumerable:
                if (element.ValueKind != JsonValueKind.Array)
                    return new Problem(path, $"a list is expected, not {Describe(element)}");
                var elementType = Json.GetTypeInfo(type.ElementType!);
                var index = 0;
                foreach (var item in element.EnumerateArray())
                {
                    if (Walk(item, elementType, $"{path}[{index++}]") is { } problem)
                        return problem;
                }

                return null;
            case JsonTypeInfoKind.Dictionary:
                if (element.ValueKind != JsonValueKind.Object)
                    return new Problem(path, $"names with values are expected, not {Describe(element)}");
                var valueType = Json.GetTypeInfo(type.ElementType!);
                foreach (var entry in element.EnumerateObject())
                {
                    if (Walk(entry.Value, valueType, Join(path, entry.Name)) is { } problem)
                        return problem;
                }

                return null;
            default:
                return WalkValue(element, type, path);
        }
    }

    private static Problem? WalkObject(JsonElement element, JsonTypeInfo type, string path)
    {
        if (element.ValueKind != JsonValueKind.Object)
            return new Problem(path, $"a block of fields is expected, not {Describe(element)}");
        string? discriminator = null;
        if (type.PolymorphismOptions is { } variants)
        {
            discriminator = variants.TypeDiscriminatorPropertyName;
            var names = variants.DerivedTypes.Select(derived => derived.TypeDiscriminator).OfType<string>().ToList();
            if (!element.TryGetProperty(discriminator, out var word))
                return new Problem(Join(path, discriminator), $"it is missing; one of {string.Join(", ", names)} is expected");
            var name = word.ValueKind == JsonValueKind.String ? word.GetString()! : word.GetRawText();
            var variant = variants.DerivedTypes.FirstOrDefault(derived => name.Equals(derived.TypeDiscriminator as string, StringComparison.Ordinal));
            if (variant.DerivedType is null)
                return new Problem(Join(path, discriminator), $"\"{Shorten(name)}\" is no {discriminator}{NearestName.Hint(name, names)}");
            type = Json.GetTypeInfo(variant.DerivedType);
        }

        foreach (var member in element.EnumerateObject())
        {
            if (member.Name == discriminator)
                continue;
            var property = type.Properties.FirstOrDefault(candidate => candidate.Name == member.Name);
            if (property is null)
            {
                var hint = NearestName.Hint(member.Name, [.. type.Properties.Select(candidate => candidate.Name)]);
                return new Problem(Join(path, member.Name), $"\"{Shorten(member.Name)}\" is no field here{hint}");
            }

            if (member.Value.ValueKind == JsonValueKind.Null && (property.IsRequired || !property.IsSetNullable))
                return new Problem(Join(path, member.Name), "a value is expected");
            if (property.CustomConverter is null && Walk(member.Value, Json.GetTypeInfo(property.PropertyType), Join(path, member.Name)) is { } problem)
                return problem;
        }

        var missing = type.Properties.FirstOrDefault(property => property.IsRequired && !element.TryGetProperty(property.Name, out _));
        return missing is null ? null : new Problem(Join(path, missing.Name), "it is missing");
    }

    private static Problem? WalkValue(JsonElement element, JsonTypeInfo type, string path)
    {
        try
        {
            element.Deserialize(type);
            return null;
        }
        catch (JsonException exception)
        {
            var target = Nullable.GetUnderlyingType(type.Type) ?? type.Type;
            if (target.IsEnum && element.ValueKind == JsonValueKind.String)
            {
                var names = Enum.GetNames(target).Select(JsonNamingPolicy.CamelCase.ConvertName).ToList();
                return new Problem(path, $"\"{Shorten(element.GetString()!)}\" is none of {string.Join(", ", names)}{NearestName.Hint(element.GetString()!, names)}");
            }

            return new Problem(path, exception is ConfigValueException own ? own.Message : $"{Expected(target)} is expected, not {Describe(element)}");
        }
    }

    private static Problem? Annotations(object value, string path)
    {
        var type = Json.GetTypeInfo(value.GetType());
        if (type.Kind == JsonTypeInfoKind.Enumerable || (type.Kind == JsonTypeInfoKind.Dictionary && value is IDictionary))
        {
            IEnumerable items = value is IDictionary map ? map.Values : (IEnumerable)value;
            var index = 0;
            foreach (var item in items)
            {
                if (item is not null && Annotations(item, $"{path}[{index++}]") is { } problem)
                    return problem;
            }

            return null;
        }

        if (type.Kind != JsonTypeInfoKind.Object)
            return null;
        foreach (var property in type.Properties)
        {
            if (property.Get is null)
                continue;
            var member = property.Get(value);
            foreach (var rule in property.AttributeProvider?.GetCustomAttributes(typeof(ValidationAttribute), inherit: true).Cast<ValidationAttribute>() ?? [])
            {
                var context = new ValidationContext(value) { MemberName = property.Name, DisplayName = property.Name };
                if (rule.GetValidationResult(member, context) is { } failure && failure != ValidationResult.Success)
                    return new Problem(Join(path, property.Name), Sentence(failure.ErrorMessage));
            }

            if (member is not null && member is not string && Annotations(member, Join(path, property.Name)) is { } problem)
                return problem;
        }

        if (value is IValidatableObject whole)
        {
            foreach (var failure in whole.Validate(new ValidationContext(value)))
            {
                var place = failure.MemberNames.FirstOrDefault();
                var member = place is null ? path : Join(path, JsonNamingPolicy.CamelCase.ConvertName(place));
                return new Problem(member, Sentence(failure.ErrorMessage));
            }
        }

        return null;
    }

    private static string Expected(Type type) => type switch
    {
        _ when type == typeof(string) => "text",
        _ when type == typeof(bool) => "true or false",
        _ when type == typeof(TimeSpan) => "a duration such as 10s, 5m or 2h",
        _ when type == typeof(DateOnly) => "a date such as 2026-11-20",
        _ when type == typeof(DateTimeOffset) || type == typeof(DateTime) => "a timestamp such as 2026-11-20T08:00:00Z",
        _ when type.IsEnum => "a word",
        _ when type == typeof(int) || type == typeof(long) => "a whole number",
        _ when type.IsPrimitive || type == typeof(decimal) => "a number",
        _ => "something else",
    };

    private static string Describe(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => "a block of fields",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => $"\"{Shorten(element.GetString()!)}\"",
        _ => Shorten(element.GetRawText()),
    };

    private static string Sentence(string? message) => (message ?? "the value is not allowed").TrimEnd('.');

    private static string Shorten(string text) => text.Length <= 60 ? text : string.Concat(text.AsSpan(0, 57), "...");

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    private static JsonSerializerOptions CreateOptions()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web)
        {
            PropertyNameCaseInsensitive = false,
            NumberHandling = JsonNumberHandling.Strict,
            UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
            RespectNullableAnnotations = true,
            RespectRequiredConstructorParameters = true,
            AllowOutOfOrderMetadataProperties = true,
            TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
            Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false), new DurationConverter() },
        };
        options.MakeReadOnly();
        return options;
    }

    private sealed record Problem(string Path, string Message);
}

/// <summary>Thrown by a converter of config values; its message is shown as it is.</summary>
public sealed class ConfigValueException(string message) : JsonException(message);
