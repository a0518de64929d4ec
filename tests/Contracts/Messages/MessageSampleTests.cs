using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Qualiz.Contracts.Tests.Messages;

/// <summary>
/// Messages outlive the version that sent them: in queues, in the outbox, in the ledger. Each type has a stored sample of what
/// was once sent; it must be read for ever, with every value that it holds.
/// </summary>
public sealed class MessageSampleTests
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter() },
        RespectRequiredConstructorParameters = true,
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static string Folder => Path.Combine(Repository.Root, "tests", "Contracts", "Samples");

    /// <summary>Every record in a versioned namespace is a message or a part of one.</summary>
    private static IEnumerable<Type> MessageTypes => typeof(IEvent).Assembly.GetExportedTypes()
        .Where(type => type.Namespace!.EndsWith(".V1", StringComparison.Ordinal) && type is { IsClass: true, IsAbstract: false, IsGenericType: false } && type.GetMethod("<Clone>$") is not null);

    public static TheoryData<string> Names => new(MessageTypes.Select(NameOf).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Names))]
    public void A_message_that_was_sent_once_is_read_with_all_that_it_says(string name)
    {
        var type = MessageTypes.Single(candidate => NameOf(candidate) == name);
        var path = Path.Combine(Folder, $"{name}.json");
        if (!File.Exists(path) && Repository.Regenerate)
        {
            Directory.CreateDirectory(Folder);
            File.WriteAllText(path, Sample(type, name)!.ToJsonString(Json) + "\n");
        }

        File.Exists(path).ShouldBeTrue($"There is no sample of {name}. {Repository.HowToRegenerate}");
        var sample = JsonNode.Parse(File.ReadAllText(path));
        var read = JsonSerializer.SerializeToNode(sample.Deserialize(type, Json), type, Json);
        Lost(sample, read, "").ShouldBeEmpty($"{name} no longer reads what was sent as {Path.GetFileName(path)}. A breaking change is a new version of the message, not a new sample.");
    }

    [Fact]
    public void Every_sample_belongs_to_a_message()
    {
        var names = MessageTypes.Select(NameOf).ToHashSet();
        Directory.GetFiles(Folder, "*.json").Select(path => Path.GetFileNameWithoutExtension(path)).Where(name => !names.Contains(name))
            .ShouldBeEmpty("These messages are gone or renamed; whoever still sends them is not understood.");
    }

    [Fact]
    public void Events_say_what_all_events_say()
    {
        foreach (var type in MessageTypes.Where(type => type.IsAssignableTo(typeof(IEvent))))
        {
            var sample = JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, $"{NameOf(type)}.json")))!.AsObject();
            foreach (var property in typeof(IEvent).GetProperties())
            {
                sample.ContainsKey(JsonNamingPolicy.CamelCase.ConvertName(property.Name)).ShouldBeTrue($"{NameOf(type)}.{property.Name}");
            }
        }
    }

    /// <summary>Paths whose values did not survive; what was added since is no matter.</summary>
    private static IEnumerable<string> Lost(JsonNode? sample, JsonNode? read, string path)
    {
        switch (sample, read)
        {
            case (JsonObject from, JsonObject to):
                return from.SelectMany(property => Lost(property.Value, to[property.Key], $"{path}.{property.Key}"));
            case (JsonArray from, JsonArray to) when from.Count == to.Count:
                return from.SelectMany((item, at) => Lost(item, to[at], $"{path}[{at}]"));
            default:
                return JsonNode.DeepEquals(sample, read) ? [] : [path];
        }
    }

    private static string NameOf(Type type) => $"{type.Namespace!["Qualiz.Contracts.".Length..]}.{type.Name}";

    /// <summary>A message with every property set, made from its type; values depend on names alone, so that the same type gives the same sample.</summary>
    /// <param name="within">The types that the value is inside of: a list of one of them is empty, or there would be no end.</param>
    private static JsonNode? Sample(Type type, string name, params IReadOnlyList<Type> within)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(string))
        {
            return name == "Version" ? "1.2" : name;
        }

        if (type == typeof(Guid))
        {
            return new Guid(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(name)).AsSpan(0, 16));
        }

        if (type == typeof(DateTimeOffset))
        {
            return new DateTimeOffset(2026, 11, 21, 8, 30, 0, TimeSpan.Zero);
        }

        if (type == typeof(JsonElement))
        {
            return new JsonObject { ["any"] = new JsonArray(1, "two", null) };
        }

        if (type.IsEnum)
        {
            return Enum.GetNames(type)[^1];
        }

        object? simple = type == typeof(DateOnly) ? new DateOnly(2026, 11, 21)
            : type == typeof(TimeSpan) ? TimeSpan.FromSeconds(90)
            : type == typeof(bool) ? true
            : type == typeof(double) ? 0.25
            : type == typeof(long) ? 9_007_199_254_740_993
            : type == typeof(int) ? 7
            : null;
        if (simple is not null)
        {
            return JsonSerializer.SerializeToNode(simple, type, Json);
        }

        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>))
        {
            return new JsonObject { ["key"] = Sample(type.GetGenericArguments()[1], name, within) };
        }

        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>))
        {
            return within.Contains(type.GetGenericArguments()[0]) ? new JsonArray() : new JsonArray(Sample(type.GetGenericArguments()[0], name, within));
        }

        var sample = new JsonObject();
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite))
        {
            sample[JsonNamingPolicy.CamelCase.ConvertName(property.Name)] = Sample(property.PropertyType, property.Name, [.. within, type]);
        }

        return sample;
    }
}
