namespace Qualiz.Contracts.Runs.V1;

/// <summary>
/// Request to Runs: bring rows that a run rejected and somebody repaired into its result now, by a run of its own from the rejecting step on. Answered by
/// <see cref="ReinjectionStarted"/> or <see cref="ReinjectionRefused"/>.
/// </summary>
public sealed record StartReinjection
{
    /// <summary>The new run's id; asked again with the same one, it is the same run.</summary>
    public required Guid RunId { get; init; }
    public required string Project { get; init; }

    /// <summary>The run that rejected the rows.</summary>
    public required Guid Of { get; init; }

    /// <summary>The step that rejected them.</summary>
    public required string StepId { get; init; }

    /// <summary>Another version of the pipeline than that run's.</summary>
    public int? Version { get; init; }
    public bool LatestVersion { get; init; }

    /// <summary>Do the step and all that follow with all rows, even where the repaired ones alone would do.</summary>
    public bool Whole { get; init; }
    public required string Actor { get; init; }
    public string? IdempotencyKey { get; init; }
}

/// <param name="State">queued, running, ...: where it is asked for again, the run may have gone on.</param>
public sealed record ReinjectionStarted(Guid RunId, int PipelineVersion, string State);

/// <param name="Code">Stable, for programs.</param>
public sealed record ReinjectionRefused(string Code, string Message);

/// <summary>What a run that re-injects rows is about: a part of <see cref="StartRun"/>.</summary>
/// <param name="Of">The run that rejected them.</param>
public sealed record ReinjectedRows(Guid Of, string StepId, bool Whole);

/// <summary>To the step that rejected the rows: which repairs are for its inputs with <see cref="StepInput.OnlyPatched"/>.</summary>
/// <param name="Of">Those of rows that wait with a repair since this run rejected them,</param>
/// <param name="Since">and those that these earlier re-injections have let through.</param>
/// <param name="Ended">Runs whose rejected rows must be in the quarantine before it is asked.</param>
public sealed record Reinjection(Guid Of, IReadOnlyList<Guid> Since, IReadOnlyList<Guid> Ended);
