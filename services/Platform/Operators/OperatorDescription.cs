using Qualiz.Contracts.Operators.V1;

namespace Qualiz.Platform.Operators;

/// <summary>What a service says of an operator when it registers it; the config schema comes from the config record.</summary>
public sealed record OperatorDescription
{
    /// <summary>The word after <c>uses:</c>.</summary>
    public required string Kind { get; init; }

    /// <summary><c>major.minor</c>.</summary>
    public string Version { get; init; } = "1.0";
    public required string Title { get; init; }
    public required string Description { get; init; }
    public required string Icon { get; init; }
    public int MinInputs { get; init; }

    /// <summary>Null: any number.</summary>
    public int? MaxInputs { get; init; }
    public IReadOnlyList<OperatorPort> Outputs { get; init; } = [];

    /// <summary>Which of added, rejected, merged and filtered it may produce; null when it is not accounted.</summary>
    public IReadOnlyList<string>? Accounts { get; init; }

    /// <summary>True when repaired rows may be run through it alone.</summary>
    public bool Delta { get; init; }

    /// <summary>The settings, as paths or <c>path=value</c>, with any of which it has to see all rows after all.</summary>
    public IReadOnlyList<string> Whole { get; init; } = [];

    /// <summary>Set: done again with rows that it has had, it adds them a second time, unless one of these settings is there.</summary>
    public IReadOnlyList<string>? AddsUnless { get; init; }

    /// <summary>True when it applies repairs of rows before its work (<see cref="StepContext.Patches"/>).</summary>
    public bool Patches { get; init; }

    /// <summary>
    /// The settings, as paths like <c>from.onlyNew</c>, with any of which a step reads on from what the last run left (<see cref="StepContext.State"/>).
    /// State of any other step is a hint: runs that overlap may read and write it as they come.
    /// </summary>
    public IReadOnlyList<string> KeepsState { get; init; } = [];

    public OperatorRunsIn RunsIn { get; init; } = OperatorRunsIn.EngineWorker;

    /// <summary>How many steps of it one process does at a time; null: <c>Engine:Workers</c> for engine workers, 64 in the host.</summary>
    public int? Slots { get; init; }

    /// <summary>The share of the host's memory budget that one step asks for; null: an equal share for every worker slot.</summary>
    public double? MemoryShare { get; init; }

    /// <summary>How many threads one step can use; null: all that are free.</summary>
    public int? Threads { get; init; }
}

public enum OperatorRunsIn
{
    /// <summary>A child process with a memory grant: everything that touches data.</summary>
    EngineWorker,

    /// <summary>The service's own process: steps that only wait or send a message.</summary>
    Host,
}
