using System.Text.Json;

namespace Qualiz.Contracts.Plans;

/// <summary>A pipeline version as the run engine needs it: checked, with its defaults applied. Immutable.</summary>
public sealed record PipelinePlan
{
    public required string Pipeline { get; init; }
    public required IReadOnlyList<PlanParam> Params { get; init; }
    public required PlanLimits Limits { get; init; }

    /// <summary>How long data and history are kept; null: as the instance says.</summary>
    public PlanKeep? Keep { get; init; }

    /// <summary>In the order of the file; the graph is in <see cref="PlanStep.Inputs"/> and <see cref="PlanStep.Needs"/>.</summary>
    public required IReadOnlyList<PlanStep> Steps { get; init; }

    /// <summary>What the file is called where it was written; null in plans of earlier versions.</summary>
    public string? FileName { get; init; }

    /// <summary>Who is told what about the runs.</summary>
    public IReadOnlyList<PlanNotification> Notify { get; init; } = [];

    /// <summary>When a run is late; null: nobody wants to know.</summary>
    public PlanLate? Late { get; init; }

    public PlanStep Step(string id) => Steps.First(step => step.Id == id);
}

/// <param name="Type">text, bool, int64, decimal, double, date, timestamp, list.</param>
/// <param name="Of">The element type of a list.</param>
/// <param name="Default">A JSON value or a quoted expression; undefined when the parameter is required.</param>
public sealed record PlanParam(string Name, string Type, string? Of, JsonElement? Default, string? Title);

/// <param name="Concurrency">How many runs of this pipeline may be active; null means no limit.</param>
/// <param name="WhenBusy">What a start does when that many are active.</param>
public sealed record PlanLimits(int? Concurrency, WhenBusy WhenBusy, TimeSpan? Timeout);

/// <param name="Intermediate">How long after its end a run keeps what its steps wrote.</param>
/// <param name="Runs">How long the history of runs is kept.</param>
public sealed record PlanKeep(TimeSpan? Intermediate, TimeSpan? Runs)
{
    /// <summary>Rejected rows wait in the quarantine for a person; else they are intermediate data as others.</summary>
    public bool Quarantine { get; init; } = true;
}

/// <param name="To"><c>email:address</c>, <c>slack:connection</c> or <c>webhook:connection</c>.</param>
/// <param name="Every">Collect for so long and send together; null: at once.</param>
public sealed record PlanNotification(IReadOnlyList<PlanNotifyOn> When, IReadOnlyList<string> To, TimeSpan? Every);

/// <param name="By">Not done by this time of day, in the project's time zone; null: no such time.</param>
/// <param name="Times">Longer than so many times the median of the last completed runs.</param>
public sealed record PlanLate(TimeOnly? By, double Times);

public enum PlanNotifyOn
{
    Failed,
    Recovered,
    Late,
    Attention,
}

public enum WhenBusy
{
    /// <summary>Wait in the pipeline's queue.</summary>
    Queue,

    /// <summary>Refuse the start.</summary>
    Reject,
}

public sealed record PlanStep
{
    public required string Id { get; init; }
    public required string Operator { get; init; }
    public required int Major { get; init; }

    /// <summary>The <c>with:</c> block; may hold <c>${...}</c>, which are filled in when the step is dispatched.</summary>
    public required JsonElement Config { get; init; }
    public IReadOnlyList<PlanInput> Inputs { get; init; } = [];

    /// <summary>Steps that must have succeeded although no data flows from them.</summary>
    public IReadOnlyList<string> Needs { get; init; } = [];

    /// <summary>The condition, as text of the condition language, or null.</summary>
    public string? When { get; init; }

    /// <summary>Set: the step is done once for each element of a list.</summary>
    public PlanForEach? ForEach { get; init; }
    public required RetryPolicy Retry { get; init; }
    public TimeSpan? Timeout { get; init; }

    /// <summary>The named dataset that the step's <c>out</c> port becomes a version of when the run completes.</summary>
    public string? Publish { get; init; }

    /// <summary>True when repaired rows may run through it alone; null in plans of earlier versions, which did not say.</summary>
    public bool? Delta { get; init; }

    /// <summary>True when rows that it is given again come twice: they are added where they are delivered to.</summary>
    public bool Adds { get; init; }

    /// <summary>
    /// Where its parts stand in the file, by path from the step on: <c>with.rules[2].columns</c> to <c>35:18</c>, the step itself
    /// under <c>.</c>. So that an error found by a run has its place although the run has no file.
    /// </summary>
    public IReadOnlyDictionary<string, string> Places { get; init; } = new Dictionary<string, string>();

    public IEnumerable<string> Dependencies =>
        Inputs.Where(input => input.Step is not null).Select(input => input.Step!).Concat(Needs).Distinct();
}

/// <param name="Items">A list, or one <c>${...}</c> that gives a list, or a number n for 1 to n.</param>
/// <param name="As">The element's name in <c>${...}</c>, besides <c>item</c>.</param>
/// <param name="Parallel">How many elements are worked on at a time.</param>
public sealed record PlanForEach(JsonElement Items, string As, int Parallel, OnItemError OnError);

public enum OnItemError
{
    /// <summary>No further element begins; the step fails when those under way have ended.</summary>
    Fail,

    /// <summary>The others go on; the step fails only when every element failed.</summary>
    Continue,
}

/// <summary>Exactly one of <see cref="Step"/> and <see cref="Dataset"/> is set.</summary>
/// <param name="Name">As written: <c>clean</c>, <c>people.entities</c>, <c>dataset:countries@12</c>.</param>
public sealed record PlanInput(string Name, string? Step, string? Port, string? Dataset);

/// <param name="Times">How many retries after the first attempt.</param>
public sealed record RetryPolicy(int Times, TimeSpan Wait, double Backoff, RetryOn On)
{
    public static readonly RetryPolicy None = new(0, TimeSpan.Zero, 1, RetryOn.Transient);

    /// <summary>The wait before attempt <paramref name="attempt"/> (2 is the first retry), at most one hour.</summary>
    public TimeSpan WaitBefore(int attempt) =>
        TimeSpan.FromSeconds(Math.Min(3600, Wait.TotalSeconds * Math.Pow(Backoff, Math.Max(0, attempt - 2))));
}

public enum RetryOn
{
    /// <summary>Only errors that may heal by themselves (a lost connection, a busy server).</summary>
    Transient,
    Any,
}
