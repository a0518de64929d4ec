using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Qualiz.Contracts.Values;

namespace Qualiz.Contracts.Schemas;

/// <summary>
/// JSON Schema (2020-12, the subset of docs/operators.md) of a configuration record. It is read from the serializer's own
/// contract of the type, so that what the schema accepts is what binds.
/// </summary>
public static class ConfigSchema
{
    private static readonly ConcurrentDictionary<Type, JsonElement> Cache = new();

    public static JsonElement For<T>() where T : class => For(typeof(T));

    /// <exception cref="NotSupportedException">The type uses something that a form cannot show, e.g. a recursive record.</exception>
    public static JsonElement For(Type type) =>
        Cache.GetOrAdd(type, static root => JsonSerializer.SerializeToElement(Describe(root, null, [])));

    private static JsonObject Describe(Type type, FieldAttribute? field, List<Type> path)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        var schema = Known(type) ?? (type.IsEnum ? DescribeEnum(type) : DescribeStructure(type, path));
        Annotate(schema, field);
        return schema;
    }

    private static JsonObject? Known(Type type)
    {
        if (type == typeof(Duration))
        {
            return new JsonObject { ["type"] = "string", ["format"] = FieldFormat.Duration };
        }

        if (type == typeof(Share))
        {
            return new JsonObject { ["type"] = "string", ["format"] = FieldFormat.Share };
        }

        if (type == typeof(ColumnSelection))
        {
            return new JsonObject
            {
                ["type"] = new JsonArray("array", "string"),
                ["format"] = FieldFormat.Columns,
                ["items"] = new JsonObject { ["type"] = "string" },
            };
        }

        if (type == typeof(Scalar))
        {
            return new JsonObject { ["type"] = new JsonArray("string", "number", "boolean") };
        }

        if (type == typeof(TimeSpan))
        {
            throw new NotSupportedException($"a duration is written 10s: use {nameof(Duration)}, not TimeSpan");
        }

        if (type == typeof(JsonElement) || type == typeof(JsonNode) || type == typeof(object))
        {
            return [];
        }

        if (type == typeof(DateOnly))
        {
            return new JsonObject { ["type"] = "string", ["format"] = "date" };
        }

        if (type == typeof(DateTimeOffset))
        {
            return new JsonObject { ["type"] = "string", ["format"] = "date-time" };
        }

        if (type == typeof(Uri))
        {
            return new JsonObject { ["type"] = "string", ["format"] = "uri" };
        }

        return Type.GetTypeCode(type) switch
        {
            TypeCode.String or TypeCode.Char => new JsonObject { ["type"] = "string" },
            TypeCode.Boolean => new JsonObject { ["type"] = "boolean" },
            TypeCode.Int16 or TypeCode.Int32 or TypeCode.Int64 or TypeCode.Byte when !type.IsEnum => new JsonObject { ["type"] = "integer" },
            TypeCode.Single or TypeCode.Double or TypeCode.Decimal => new JsonObject { ["type"] = "number" },
            _ => null,
        };
    }

    private static JsonObject DescribeEnum(Type type)
    {
        var names = new JsonArray();
        var titles = new JsonObject();
        var descriptions = new JsonObject();
        foreach (var member in type.GetFields(BindingFlags.Public | BindingFlags.Static))
        {
            var name = JsonSerializer.SerializeToElement(member.GetValue(null), type, ConfigJson.Options).GetString()!;
            names.Add(name);
            var field = member.GetCustomAttribute<FieldAttribute>();
            titles[name] = field?.Title ?? Words(member.Name);
            if (field?.Description is { } description)
            {
                descriptions[name] = description;
            }
        }

        var schema = new JsonObject { ["type"] = "string", ["enum"] = names, ["x-enumTitles"] = titles };
        if (descriptions.Count > 0)
        {
            schema["x-enumDescriptions"] = descriptions;
        }

        return schema;
    }

    private static JsonObject DescribeStructure(Type type, List<Type> path)
    {
        if (path.Contains(type))
        {
            throw new NotSupportedException($"{type.Name} contains itself; a form cannot show that");
        }

        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(OneOrMany<>))
        {
            var one = Describe(type.GetGenericArguments()[0], null, path);
            return new JsonObject { ["anyOf"] = new JsonArray(one, new JsonObject { ["type"] = "array", ["items"] = one.DeepClone(), ["minItems"] = 1 }) };
        }

        if (type.GetCustomAttribute<SchemaAsAttribute>() is { } other)
        {
            return Describe(other.Type, null, path);
        }

        path.Add(type);
        var info = ConfigJson.Options.GetTypeInfo(type);
        var schema = info.Kind switch
        {
            JsonTypeInfoKind.Enumerable => new JsonObject { ["type"] = "array", ["items"] = Describe(info.ElementType!, null, path) },
            JsonTypeInfoKind.Dictionary => new JsonObject { ["type"] = "object", ["additionalProperties"] = Describe(info.ElementType!, null, path) },
            JsonTypeInfoKind.Object when info.PolymorphismOptions is { } variants => DescribeVariants(type, variants, path),
            JsonTypeInfoKind.Object => DescribeObject(type, info, null, path),
            _ => throw new NotSupportedException($"{type.Name} has a converter of its own; give it a schema in {nameof(ConfigSchema)}"),
        };
        path.RemoveAt(path.Count - 1);
        return schema;
    }

    private static JsonObject DescribeVariants(Type type, JsonPolymorphismOptions variants, List<Type> path)
    {
        var discriminator = variants.TypeDiscriminatorPropertyName;
        var branches = new JsonArray();
        foreach (var variant in variants.DerivedTypes)
        {
            if (variant.DerivedType.IsAssignableFrom(type) && variant.DerivedType != type)
            {
                continue;
            }

            var info = ConfigJson.Options.GetTypeInfo(variant.DerivedType);
            branches.Add(DescribeObject(variant.DerivedType, info, (discriminator, (string)variant.TypeDiscriminator!), path));
        }

        return new JsonObject { ["type"] = "object", ["x-discriminator"] = discriminator, ["oneOf"] = branches };
    }

    private static JsonObject DescribeObject(Type type, JsonTypeInfo info, (string Name, string Value)? discriminator, List<Type> path)
    {
        var schema = new JsonObject { ["type"] = "object" };
        Annotate(schema, type.GetCustomAttribute<FieldAttribute>(inherit: false));
        var required = new JsonArray();
        var properties = new JsonObject();
        if (discriminator is { } constant)
        {
            properties[constant.Name] = new JsonObject { ["const"] = constant.Value };
            required.Add(constant.Name);
        }

        var defaults = Defaults(type);
        var order = 0;
        foreach (var property in info.Properties.Where(property => property.Set is not null || property.AssociatedParameter is not null))
        {
            var field = property.AttributeProvider?.GetCustomAttributes(typeof(FieldAttribute), inherit: true).OfType<FieldAttribute>().FirstOrDefault();
            var described = Describe(property.PropertyType, field, path);
            described["x-order"] = field is { Order: > 0 } ? field.Order : ++order;
            if (property.IsRequired)
            {
                required.Add(property.Name);
            }
            else if (defaults(property) is { } value)
            {
                described["default"] = JsonSerializer.SerializeToNode(value, value.GetType(), ConfigJson.Options);
            }

            properties[property.Name] = described;
        }

        schema["properties"] = properties;
        if (required.Count > 0)
        {
            schema["required"] = required;
        }

        schema["additionalProperties"] = false;
        return schema;
    }

    /// <summary>Defaults as the record has them, so that documentation cannot drift from behaviour.</summary>
    private static Func<JsonPropertyInfo, object?> Defaults(Type type)
    {
        // "required" is the compiler's rule, not the runtime's: an empty instance shows what its initializers set.
        var instance = !type.IsAbstract && type.GetConstructor(Type.EmptyTypes) is not null ? Activator.CreateInstance(type) : null;
        return property => property.AssociatedParameter is { } parameter
            ? parameter.HasDefaultValue ? parameter.DefaultValue : null
            : instance is null ? null : property.Get?.Invoke(instance);
    }

    private static void Annotate(JsonObject schema, FieldAttribute? field)
    {
        if (field is null)
        {
            return;
        }

        SetText("title", field.Title);
        SetText("description", field.Description);
        if (field.Format == FieldFormat.Email && schema["items"] is JsonObject items)
        {
            items["format"] = field.Format;
        }
        else
        {
            SetText("format", field.Format);
        }

        SetText("x-group", field.Group);
        SetText("pattern", field.Pattern);
        if (field.Example is not null)
        {
            schema["examples"] = new JsonArray(JsonSerializer.SerializeToNode(field.Example, field.Example.GetType(), ConfigJson.Options));
        }
        else if (field.ExampleJson is not null)
        {
            schema["examples"] = new JsonArray(JsonNode.Parse(field.ExampleJson));
        }

        SetNumber("minimum", field.Minimum);
        SetNumber("maximum", field.Maximum);
        SetCount("minLength", field.MinLength);
        SetCount("maxLength", field.MaxLength);
        SetCount("minItems", field.MinItems);
        SetCount("maxItems", field.MaxItems);
        if (field.VisibleIf is { } visibleIf)
        {
            var equals = visibleIf.IndexOf('=', StringComparison.Ordinal);
            var values = visibleIf[(equals + 1)..].Split(',', StringSplitOptions.TrimEntries).Select(value => (JsonNode)value);
            schema["x-visibleIf"] = new JsonObject { [visibleIf[..equals].Trim()] = new JsonArray([.. values]) };
        }

        void SetText(string keyword, string? value)
        {
            if (value is not null)
            {
                schema[keyword] = value;
            }
        }

        void SetNumber(string keyword, double value)
        {
            if (!double.IsNaN(value))
            {
                schema[keyword] = value == Math.Floor(value) ? JsonValue.Create((long)value) : JsonValue.Create(value);
            }
        }

        void SetCount(string keyword, int value)
        {
            if (value >= 0)
            {
                schema[keyword] = value;
            }
        }
    }

    private static string Words(string name) =>
        string.Concat(name.Select((letter, at) => at > 0 && char.IsUpper(letter) ? " " + char.ToLower(letter, CultureInfo.InvariantCulture) : letter.ToString()));
}
