using System.Collections.Concurrent;
using System.Reflection;
using MassTransit;
using Microsoft.Extensions.Logging;

namespace Qualiz.Platform.Messaging;

internal sealed class Requests(IBus bus, ILogger<Requests> logger) : IRequests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    /// <summary>After it MassTransit forgets the question, and cancels what of its sending is left: by then nothing is.</summary>
    private static readonly RequestTimeout s_forgotten = RequestTimeout.After(m: 1);
    private static readonly MethodInfo s_create = typeof(Requests).GetMethod(nameof(CreateAsker), BindingFlags.NonPublic | BindingFlags.Instance)!;
    private readonly ConcurrentDictionary<(Type Request, Type First, Type Second), object> _askers = new();
    private readonly ConcurrentDictionary<(string Queue, Type Request), object> _clients = new();

    public async Task<TAnswer> AskAsync<TAnswer>(string queue, object request, CancellationToken ct) where TAnswer : class =>
        (await AskAsync<TAnswer, NoAnswer>(queue, request, ct)).First!;

    public async Task<Answer<TFirst, TSecond>> AskAsync<TFirst, TSecond>(string queue, object request, CancellationToken ct)
        where TFirst : class
        where TSecond : class
    {
        var asker = (Asker<TFirst, TSecond>)_askers.GetOrAdd((request.GetType(), typeof(TFirst), typeof(TSecond)),
            key => s_create.MakeGenericMethod(key.Request, key.First, key.Second).Invoke(this, null)!);
        for (var backOff = new BackOff(); ;)
        {
            try
            {
                return await asker(queue, request, ct);
            }
            catch (RequestFaultException fault) when (!IsInfrastructure(fault.Fault?.Exceptions))
            {
                throw new RequestFailedException(
                    $"{request.GetType().Name} failed at '{queue}': {fault.Fault?.Exceptions?.FirstOrDefault()?.Message ?? fault.Message}", fault);
            }
            catch (Exception exception) when (!ct.IsCancellationRequested && (exception is RequestFaultException or OperationCanceledException or TimeoutException || InfrastructureFault.Is(exception)))
            {
                var wait = backOff.Next();
                logger.LogWarning("{Request} was not answered by '{Queue}'; asking again in {Wait}: {Reason}", request.GetType().Name, queue, wait, exception.Message);
                await Task.Delay(wait, ct);
            }
        }
    }

    private delegate Task<Answer<TFirst, TSecond>> Asker<TFirst, TSecond>(string queue, object request, CancellationToken ct)
        where TFirst : class
        where TSecond : class;

    private Asker<TFirst, TSecond> CreateAsker<TRequest, TFirst, TSecond>()
        where TRequest : class
        where TFirst : class
        where TSecond : class => async (queue, request, ct) =>
        {
            var client = (IRequestClient<TRequest>)_clients.GetOrAdd((queue, typeof(TRequest)),
                key => bus.CreateRequestClient<TRequest>(new Uri($"queue:{key.Queue}"), s_forgotten));
            if (typeof(TSecond) == typeof(NoAnswer))
                return new((await client.GetResponse<TFirst>((TRequest)request, CancellationToken.None).LeaveAloneAfter(s_patience, ct)).Message, null);
            var response = await client.GetResponse<TFirst, TSecond>((TRequest)request, CancellationToken.None).LeaveAloneAfter(s_patience, ct);
            return response.Is(out Response<TFirst>? first) ? new(first.Message, null)
                : response.Is(out Response<TSecond>? second) ? new(null, second.Message)
                : throw new RequestFailedException($"'{queue}' answered {typeof(TRequest).Name} with neither {typeof(TFirst).Name} nor {typeof(TSecond).Name}.");
        };

    /// <summary>The exception happened in another process: only its type's name is known.</summary>
    private static bool IsInfrastructure(ExceptionInfo[]? exceptions)
    {
        foreach (var exception in exceptions ?? [])
        {
            for (var info = exception; info is not null; info = info.InnerException)
            {
                if (info.ExceptionType == typeof(ServiceUnavailableException).FullName)
                    return true;
            }
        }
        return false;
    }

    private sealed class NoAnswer;
}

/// <summary>Stands in for an exception that the answering side has judged: it names what asking again may heal.</summary>
internal sealed class ServiceUnavailableException(Exception inner) : Exception(inner.Message, inner);
