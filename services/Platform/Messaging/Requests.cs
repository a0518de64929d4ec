using System.Collections.Concurrent;
using System.Reflection;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Qualiz.Platform.Messaging;

internal sealed class Requests(IServiceProvider services, BusRegistrations registrations, MessageRoutes routes, ILogger<Requests> logger) : IRequests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    /// <summary>After it MassTransit forgets the question, and cancels what of its sending is left: by then nothing is.</summary>
    private static readonly RequestTimeout s_forgotten = RequestTimeout.After(m: 1);
    private static readonly MethodInfo s_create = typeof(Requests).GetMethod(nameof(CreateAsker), BindingFlags.NonPublic | BindingFlags.Instance)!;
    private readonly ConcurrentDictionary<(string Queue, Type Request, Type First, Type Second), object> _askers = new();
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _slots = new();
    private readonly Lazy<IBus> _bus = new(services.GetRequiredService<IBus>);

    public async Task<TAnswer> AskAsync<TAnswer>(string queue, object request, CancellationToken ct) where TAnswer : class =>
        (await AskAsync<TAnswer, NoAnswer>(queue, request, ct)).First!;

    public async Task<Answer<TFirst, TSecond>> AskAsync<TFirst, TSecond>(string queue, object request, CancellationToken ct)
        where TFirst : class
        where TSecond : class
    {
        var asker = (Asker<TFirst, TSecond>)_askers.GetOrAdd((queue, request.GetType(), typeof(TFirst), typeof(TSecond)),
            key => s_create.MakeGenericMethod(key.Request, key.First, key.Second).Invoke(this, [key.Queue])!);
        for (var backOff = new BackOff(); ;)
        {
            try
            {
                return await asker(request, ct);
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

    private delegate Task<Answer<TFirst, TSecond>> Asker<TFirst, TSecond>(object request, CancellationToken ct)
        where TFirst : class
        where TSecond : class;

    private Asker<TFirst, TSecond> CreateAsker<TRequest, TFirst, TSecond>(string queue)
        where TRequest : class
        where TFirst : class
        where TSecond : class =>
        routes.InProcess && registrations.Queues.FirstOrDefault(other => other.Queue == queue && other.Consumer.IsAssignableTo(typeof(IAnswers<TRequest>))) is { } here
            ? CreateCaller<TRequest, TFirst, TSecond>(here)
            : CreateSender<TRequest, TFirst, TSecond>(queue);

    private Asker<TFirst, TSecond> CreateSender<TRequest, TFirst, TSecond>(string queue)
        where TRequest : class
        where TFirst : class
        where TSecond : class
    {
        var client = _bus.Value.CreateRequestClient<TRequest>(new Uri($"queue:{queue}"), s_forgotten);
        return async (request, ct) =>
        {
            if (typeof(TSecond) == typeof(NoAnswer))
                return new((await client.GetResponse<TFirst>((TRequest)request, CancellationToken.None).WaitAsync(s_patience, ct)).Message, null);
            var response = await client.GetResponse<TFirst, TSecond>((TRequest)request, CancellationToken.None).WaitAsync(s_patience, ct);
            return Sorted<TFirst, TSecond>(queue, request, response.Message);
        };
    }

    /// <summary>No answer is lost on the way and nobody is away, so the call is neither given up nor repeated unless it fails.</summary>
    private Asker<TFirst, TSecond> CreateCaller<TRequest, TFirst, TSecond>(QueueRegistration here)
        where TRequest : class
        where TFirst : class
        where TSecond : class
    {
        // No more at once than the queue would let in: each may hold a connection.
        var slots = _slots.GetOrAdd(here.Queue, _ => new SemaphoreSlim(here.Concurrency));
        return async (request, ct) =>
        {
            await slots.WaitAsync(ct);
            try
            {
                await using var scope = services.CreateAsyncScope();
                var answers = (IAnswers<TRequest>)scope.ServiceProvider.GetRequiredService(here.Consumer);
                return Sorted<TFirst, TSecond>(here.Queue, request, await answers.AnswerAsync((TRequest)request, ct));
            }
            catch (Exception exception) when (exception is not (OperationCanceledException or RequestFailedException) && !InfrastructureFault.Is(exception))
            {
                throw new RequestFailedException($"{request.GetType().Name} failed at '{here.Queue}': {exception.Message}", exception);
            }
            finally
            {
                slots.Release();
            }
        };
    }

    private static Answer<TFirst, TSecond> Sorted<TFirst, TSecond>(string queue, object request, object answer)
        where TFirst : class
        where TSecond : class => answer switch
        {
            TFirst first => new(first, null),
            TSecond second => new(null, second),
            _ => throw new RequestFailedException($"'{queue}' answered {request.GetType().Name} with neither {typeof(TFirst).Name} nor {typeof(TSecond).Name}."),
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
