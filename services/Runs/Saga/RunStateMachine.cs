using MassTransit;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Runs.Model;
using Qualiz.Runs.Planning;

namespace Qualiz.Runs.Saga;

/// <summary>
/// A run's life: Queued, Running (or Paused), then Completed, Failed or Cancelled. Which step is next is not decided here but by
/// <see cref="RunPlan"/>; this says which message means something in which state. What comes late or twice is ignored
/// (the run's row is there for ever, a step's fence and dispatch number tell old from new).
/// </summary>
internal sealed class RunStateMachine : MassTransitStateMachine<RunState>
{
    /// <summary>Timers go by the database's clock, the deadline by ours.</summary>
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromSeconds(5);

    public RunStateMachine(TimeProvider time)
    {
        InstanceState(run => run.CurrentState);

        Correlate(() => AdmitRun, message => message.RunId);
        Correlate(() => CompleteStep, message => message.RunId);
        Correlate(() => FailStep, message => message.RunId);
        Correlate(() => DeferStep, message => message.RunId);
        Correlate(() => SkipStep, message => message.RunId);
        Correlate(() => ResumeStep, message => message.RunId);
        Correlate(() => LoseStep, message => message.RunId);
        Correlate(() => PauseRun, message => message.RunId);
        Correlate(() => ResumeRun, message => message.RunId);
        Correlate(() => CancelRun, message => message.RunId);
        Correlate(() => RetryRun, message => message.RunId);
        Correlate(() => ExpireRun, message => message.RunId);
        Correlate(() => ReportLate, message => message.RunId);

        During(Queued, Running, Paused, Cancelling,
            When(ReportLate).Then(run => Transitions(run).TellLate(run.Saga, run.Message)));

        During(Queued,
            // One that was on its way when the run was paused finds no place kept for it.
            When(AdmitRun, run => run.Saga.AdmittedAt is not null).TransitionTo(Running).ThenAsync(run => Advance(run, (on, ct) => on.StartAsync(run.Saga, ct))),
            When(CancelRun).TransitionTo(Cancelling).ThenAsync(run => Advance(run, (on, ct) => on.CancelAsync(run.Saga, run.Message.Actor, run.Message.Reason, ct))),
            Ignore(CompleteStep), Ignore(FailStep), Ignore(DeferStep), Ignore(SkipStep), Ignore(ResumeStep), Ignore(LoseStep), Ignore(RetryRun), Ignore(ExpireRun),
            When(PauseRun).TransitionTo(Paused).ThenAsync(run => Transitions(run).PauseAsync(run.Saga, run.Message, waited: true, run.CancellationToken)),
            Ignore(ResumeRun));

        During(Running,
            When(CompleteStep).ThenAsync(run => Advance(run, (on, ct) => on.CompleteAsync(run.Saga, run.Message, ct))),
            When(FailStep).ThenAsync(run => Advance(run, (on, ct) => on.FailAsync(run.Saga, run.Message, ct))),
            When(DeferStep).ThenAsync(run => Advance(run, (on, ct) => on.DeferAsync(run.Saga, run.Message, ct))),
            When(SkipStep).ThenAsync(run => Advance(run, (on, ct) => on.SkipAsync(run.Saga, run.Message, ct))),
            When(ResumeStep).ThenAsync(run => Advance(run, (on, ct) => on.ResumeAsync(run.Saga, run.Message, ct))),
            When(LoseStep).ThenAsync(run => Advance(run, (on, ct) => on.LoseAsync(run.Saga, run.Message, ct))),
            When(CancelRun).TransitionTo(Cancelling).ThenAsync(run => Advance(run, (on, ct) => on.CancelAsync(run.Saga, run.Message.Actor, run.Message.Reason, ct))),
            // The timer of an earlier start (before a retry) is not this start's deadline.
            When(ExpireRun, run => run.Saga.Deadline <= time.GetUtcNow() + ClockTolerance).TransitionTo(Cancelling).ThenAsync(run => Advance(run, (on, ct) => on.ExpireAsync(run.Saga, ct))),
            When(PauseRun).TransitionTo(Paused).ThenAsync(run => Transitions(run).PauseAsync(run.Saga, run.Message, waited: false, run.CancellationToken)),
            Ignore(ResumeRun), Ignore(AdmitRun), Ignore(RetryRun));

        // What runs may finish; what would begin waits. The run ends here only when nothing is left to begin.
        // Paused before it began, it has no slot; resuming puts it into the queue again.
        During(Paused,
            When(CompleteStep).ThenAsync(run => Advance(run, (on, ct) => on.CompleteAsync(run.Saga, run.Message, ct))),
            When(FailStep).ThenAsync(run => Advance(run, (on, ct) => on.FailAsync(run.Saga, run.Message, ct))),
            When(DeferStep).ThenAsync(run => Advance(run, (on, ct) => on.DeferAsync(run.Saga, run.Message, ct))),
            When(SkipStep).ThenAsync(run => Advance(run, (on, ct) => on.SkipAsync(run.Saga, run.Message, ct))),
            When(ResumeStep).ThenAsync(run => Advance(run, (on, ct) => on.ResumeAsync(run.Saga, run.Message, ct))),
            When(LoseStep).ThenAsync(run => Advance(run, (on, ct) => on.LoseAsync(run.Saga, run.Message, ct))),
            When(ResumeRun, run => run.Saga.AdmittedAt is null).TransitionTo(Queued).Then(run => Transitions(run).QueueAgain(run.Saga, run.Message)),
            When(ResumeRun, run => run.Saga.AdmittedAt is not null).TransitionTo(Running).ThenAsync(run => Advance(run, (on, ct) => on.ResumeRunAsync(run.Saga, run.Message, ct))),
            When(CancelRun).TransitionTo(Cancelling).ThenAsync(run => Advance(run, (on, ct) => on.CancelAsync(run.Saga, run.Message.Actor, run.Message.Reason, ct))),
            // The time that a run is paused is not its own: resuming it sets a new deadline.
            Ignore(ExpireRun), Ignore(PauseRun), Ignore(AdmitRun), Ignore(RetryRun));

        During(Cancelling,
            When(CompleteStep).ThenAsync(run => Advance(run, (on, ct) => on.CompleteAsync(run.Saga, run.Message, ct))),
            When(FailStep).ThenAsync(run => Advance(run, (on, ct) => on.FailAsync(run.Saga, run.Message, ct))),
            When(DeferStep).ThenAsync(run => Advance(run, (on, ct) => on.DeferAsync(run.Saga, run.Message, ct))),
            When(SkipStep).ThenAsync(run => Advance(run, (on, ct) => on.SkipAsync(run.Saga, run.Message, ct))),
            When(LoseStep).ThenAsync(run => Advance(run, (on, ct) => on.LoseAsync(run.Saga, run.Message, ct))),
            Ignore(AdmitRun), Ignore(ResumeStep), Ignore(CancelRun), Ignore(RetryRun), Ignore(ExpireRun), Ignore(PauseRun), Ignore(ResumeRun));

        During(Completed, Ignore(RetryRun));
        During(Failed, Cancelled,
            When(RetryRun, run => run.Saga.CollectedAt is null).TransitionTo(Queued).ThenAsync(run => Transitions(run).RetryAsync(run.Saga, run.Message.Actor, run.CancellationToken)));
        During(Completed, Failed, Cancelled,
            Ignore(AdmitRun), Ignore(CompleteStep), Ignore(FailStep), Ignore(DeferStep), Ignore(SkipStep), Ignore(ResumeStep), Ignore(LoseStep),
            Ignore(CancelRun), Ignore(ExpireRun), Ignore(ReportLate), Ignore(PauseRun), Ignore(ResumeRun));
    }

    public State Queued { get; } = null!;
    public State Running { get; } = null!;
    public State Paused { get; } = null!;
    public State Cancelling { get; } = null!;
    public State Completed { get; } = null!;
    public State Failed { get; } = null!;
    public State Cancelled { get; } = null!;

    public Event<AdmitRun> AdmitRun { get; } = null!;
    public Event<CompleteStep> CompleteStep { get; } = null!;
    public Event<FailStep> FailStep { get; } = null!;
    public Event<DeferStep> DeferStep { get; } = null!;
    public Event<SkipStep> SkipStep { get; } = null!;
    public Event<ResumeStep> ResumeStep { get; } = null!;
    public Event<LoseStep> LoseStep { get; } = null!;
    public Event<PauseRun> PauseRun { get; } = null!;
    public Event<ResumeRun> ResumeRun { get; } = null!;
    public Event<CancelRun> CancelRun { get; } = null!;
    public Event<RetryRun> RetryRun { get; } = null!;
    public Event<ExpireRun> ExpireRun { get; } = null!;
    public Event<ReportLate> ReportLate { get; } = null!;

    /// <summary>The row of a run is written before any message about it is sent; a message without one is about a run that was removed since.</summary>
    private void Correlate<T>(System.Linq.Expressions.Expression<Func<Event<T>>> which, Func<T, Guid> id) where T : class =>
        Event(which, on =>
        {
            on.CorrelateById(context => id(context.Message));
            on.OnMissingInstance(missing => missing.Discard());
        });

    private async Task Advance<T>(BehaviorContext<RunState, T> context, Func<RunTransitions, CancellationToken, Task<RunOutcome?>> on) where T : class
    {
        if (await on(Transitions(context), context.CancellationToken) is { } end)
        {
            await context.TransitionToState(end switch
            {
                RunOutcome.Completed => Completed,
                RunOutcome.Failed => Failed,
                RunOutcome.Cancelled => Cancelled,
                _ => throw new InvalidOperationException($"A run cannot end as {end}."),
            });
        }
    }

    /// <summary>From the saga's own scope, whose transaction it shares.</summary>
    private static RunTransitions Transitions<T>(BehaviorContext<RunState, T> context) where T : class =>
        context.GetPayload<IServiceProvider>().GetRequiredService<RunTransitions>();
}
