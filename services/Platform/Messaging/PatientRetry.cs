using MassTransit;
using MassTransit.RetryPolicies;

namespace Qualiz.Platform.Messaging;

/// <summary>
/// An endpoint's kill switch: while its surroundings are broken it lets only those messages try that it holds already, each
/// after its back-off, and takes up no other.
/// </summary>
internal sealed class EndpointGate(CancellationToken stopping)
{
    private long _closedUntil;

    public CancellationToken Stopping => stopping;

    public void Close(TimeSpan time) => Interlocked.Exchange(ref _closedUntil, Environment.TickCount64 + (long)time.TotalMilliseconds);

    public void Open()
    {
        if (Volatile.Read(ref _closedUntil) != 0)
            Interlocked.Exchange(ref _closedUntil, 0);
    }

    public async ValueTask WaitAsync()
    {
        while (Interlocked.Read(ref _closedUntil) - Environment.TickCount64 is var left and > 0)
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(left, 100)), stopping);
    }
}

/// <summary>Before the handler: waits while the endpoint's gate is closed.</summary>
internal sealed class GateFilter(EndpointGate gate) : IFilter<ConsumeContext>
{
    public async Task Send(ConsumeContext context, IPipe<ConsumeContext> next)
    {
        await gate.WaitAsync();
        await next.Send(context);
        gate.Open();
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("gate");
}

/// <summary>
/// Broken infrastructure is waited for without limit, so that it never uses up a message; any other failure is tried three
/// times more and then goes to the queue's <c>_error</c>.
/// </summary>
internal sealed class PatientRetryPolicy(EndpointGate gate) : IRetryPolicy
{
    private static readonly TimeSpan[] s_others = [TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(2)];

    public bool IsHandled(Exception exception) => exception is not OperationCanceledException;

    public RetryPolicyContext<T> CreatePolicyContext<T>(T context) where T : class, PipeContext => new PolicyContext<T>(this, gate, context);

    public void Probe(ProbeContext context) => context.Set(new { Policy = "patient" });

    private sealed class PolicyContext<T>(PatientRetryPolicy policy, EndpointGate gate, T context) : BaseRetryPolicyContext<T>(policy, context)
        where T : class, PipeContext
    {
        protected override RetryContext<T> CreateRetryContext(Exception exception, CancellationToken cancellationToken) =>
            Attempt<T>.After(gate, Context, exception, 0, 0, 0);
    }

    private sealed class Attempt<T> : BaseRetryContext<T>, RetryContext<T> where T : class, PipeContext
    {
        private readonly EndpointGate _gate;
        private readonly TimeSpan _wait;
        private readonly int _away;
        private readonly int _others;

        // No cancellation token: when it is cancelled MassTransit's loop may end as if the message had been handled.
        // The wait below ends with an exception instead, which gives the message back to the queue.
        private Attempt(EndpointGate gate, T context, Exception exception, int count, int away, int others, TimeSpan wait)
            : base(context, exception, count, CancellationToken.None)
        {
            _gate = gate;
            _wait = wait;
            _away = away;
            _others = others;
        }

        public static Attempt<T> After(EndpointGate gate, T context, Exception exception, int count, int away, int others)
        {
            if (!InfrastructureFault.Is(exception))
                return new Attempt<T>(gate, context, exception, count, 0, others + 1, s_others[Math.Min(others, s_others.Length - 1)]);
            var wait = BackOff.After(away);
            gate.Close(wait);
            return new Attempt<T>(gate, context, exception, count, away + 1, others, wait);
        }

        public override async Task PreRetry() => await Task.Delay(_wait, _gate.Stopping);

        public bool CanRetry(Exception exception, out RetryContext<T> retryContext)
        {
            retryContext = After(_gate, Context, exception, RetryCount + 1, _away, _others);
            return exception is not OperationCanceledException && (InfrastructureFault.Is(exception) || _others < s_others.Length);
        }
    }
}

/// <summary>The last net: a message that failed for broken infrastructure (the host is stopping) goes back to its queue, never to <c>_error</c>.</summary>
internal sealed class KeepMessageFilter : IFilter<ExceptionReceiveContext>
{
    public Task Send(ExceptionReceiveContext context, IPipe<ExceptionReceiveContext> next) =>
        InfrastructureFault.Is(context.Exception) || context.Exception is OperationCanceledException
            ? Task.FromException(context.Exception)
            : next.Send(context);

    public void Probe(ProbeContext context) => context.CreateFilterScope("keep");
}
