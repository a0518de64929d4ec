using System.Collections.Concurrent;
using Microsoft.Extensions.Configuration;
using Qualiz.Contracts;

namespace Qualiz.Platform.Messaging;

/// <summary>
/// On the in-process bus: which of this process's queues a message concerns. A broker knows that itself, so with one every
/// message is stored and sent.
/// </summary>
internal sealed class MessageRoutes(BusRegistrations registrations, IConfiguration configuration)
{
    private static readonly string[] s_none = [];
    private readonly ConcurrentDictionary<Type, (string[] Endpoints, bool Heard)> _byType = new();
    private readonly Dictionary<string, string[]> _byQueue = registrations.Queues
        .Where(queue => queue.HasInbox).Select(queue => queue.Queue).Distinct().ToDictionary(queue => queue, queue => new[] { queue });

    public bool InProcess { get; } = BusTransport.Of(configuration) == BusTransport.InProcess;

    /// <summary>The queues of this process that keep an inbox; what a durable message in it waits for.</summary>
    public string[] TrackedQueues => [.. _byQueue.Keys];

    /// <summary>Null with a broker.</summary>
    public string[]? EndpointsOf(object message)
    {
        if (!InProcess)
            return null;
        var endpoints = Route(message.GetType()).Endpoints;
        return Array.TrueForAll(endpoints, queue => Queues.Concerns(queue, message)) ? endpoints : Array.FindAll(endpoints, queue => Queues.Concerns(queue, message));
    }

    public string[]? EndpointsOfQueue(string queue) => InProcess ? _byQueue.GetValueOrDefault(queue, s_none) : null;

    /// <summary>
    /// Whether the row must be stored. In-process, a message that no inbox waits for is gone with the process whether it is
    /// stored or not: who sends it sends it again (operators' queues), or it only matters now (live updates).
    /// </summary>
    public static bool IsDurable(OutgoingMessage message) => message.Endpoints is not { Length: 0 };

    /// <summary>Whether publishing it would reach anybody.</summary>
    public bool IsHeard(OutgoingMessage message) => !InProcess || message.Queue is not null || Route(message.Body.GetType()).Heard;

    private (string[] Endpoints, bool Heard) Route(Type message) => _byType.GetOrAdd(message, type =>
    {
        var hearing = registrations.Queues.Where(queue => queue.Kind != QueueKind.Requests && queue.MessageTypes.Any(Hears)).ToList();
        return ([.. hearing.Where(queue => queue.HasInbox).Select(queue => queue.Queue).Distinct()],
            hearing.Count > 0 || registrations.Broadcasts.Any(consumer => QueueRegistration.MessageTypesOf(consumer).Any(Hears)));
        bool Hears(Type heard) => heard.IsAssignableFrom(type);
    });
}
