using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using Qualiz.Contracts;

namespace Qualiz.Platform.Messaging;

/// <param name="Queue">Null: published.</param>
/// <param name="Endpoints">In-process bus: the queues that must handle it before it is done.</param>
internal sealed record OutgoingMessage(Guid Id, string Service, object Body, string? Queue, string? TraceParent, string[]? Endpoints)
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter() } };
    private static readonly ConcurrentDictionary<string, Type?> s_types = new();

    public string TypeName => NameOf(Body.GetType());

    public static string ToJson(object body) => JsonSerializer.Serialize(body, body.GetType(), s_json);

    public static string NameOf(Type type) => $"{type.FullName}, {type.Assembly.GetName().Name}";

    /// <summary>Null when this process does not know the type: a newer version of the service wrote it.</summary>
    public static object? BodyOf(string typeName, string json) =>
        s_types.GetOrAdd(typeName, static name => Type.GetType(name)) is { } type ? JsonSerializer.Deserialize(json, type, s_json) : null;

    /// <summary>An event is identified by its own id wherever it goes; anything else by a new one.</summary>
    public static Guid NewId(object message) => message is IEvent { Id: var id } && id != Guid.Empty ? id : Guid.CreateVersion7();

    public static string? CurrentTrace() => Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity ? activity.Id : null;
}

internal sealed record OutgoingTimer(Guid Id, DateTimeOffset DueAt, string Queue, object Body, string? TraceParent);
