using System.Text.Json;

namespace Qualiz.Contracts.Operators.V1;

/// <summary>What an operator says of itself: enough for the palette, the form, the validator and the ledger.</summary>
public sealed record OperatorManifest
{
    /// <summary>The word after <c>uses:</c>, e.g. <c>cleanse</c>.</summary>
    public required string Kind { get; init; }

    /// <summary><c>major.minor</c>. The major number is part of the queue's name.</summary>
    public required string Version { get; init; }
    public required string Title { get; init; }
    public required string Description { get; init; }

    /// <summary>The name of an icon in the UI's set.</summary>
    public required string Icon { get; init; }

    /// <summary>How many inputs a step may have; null means any number.</summary>
    public int MinInputs { get; init; }
    public int? MaxInputs { get; init; }
    public required IReadOnlyList<OperatorPort> Outputs { get; init; }

    /// <summary>Which of added, rejected, merged and filtered the operator may produce; null when it is not accounted.</summary>
    public IReadOnlyList<string>? Accounts { get; init; }

    /// <summary>True when repaired rows may be run through it alone.</summary>
    public bool Delta { get; init; }

    /// <summary>
    /// The settings (<see cref="Schemas.ConfigSettings"/>) with any of which the operator has to see all rows after all, although it is <see cref="Delta"/>.
    /// </summary>
    public IReadOnlyList<string> Whole { get; init; } = [];

    /// <summary>Set: done again with rows that it has had, it adds them a second time, unless one of these settings is there.</summary>
    public IReadOnlyList<string>? AddsUnless { get; init; }

    /// <summary>
    /// The settings, as paths like <c>from.onlyNew</c>, with any of which the operator reads on from what the pipeline's last run left. Then one
    /// run of the pipeline at a time does such a step, and holds its turn to its end.
    /// </summary>
    public IReadOnlyList<string> KeepsState { get; init; } = [];

    /// <summary>True when its service answers <see cref="InferOutput"/> on <see cref="InferenceQueue"/>.</summary>
    public bool Infers { get; init; }

    /// <summary>JSON Schema (2020-12, the subset of docs/operators.md) of the <c>with:</c> block.</summary>
    public required JsonElement ConfigSchema { get; init; }

    public int Major => int.Parse(Version.AsSpan(0, Version.IndexOf('.', StringComparison.Ordinal)), System.Globalization.CultureInfo.InvariantCulture);

    public static string QueueName(string kind, int major) => $"operator.{kind}.v{major}";

    /// <summary>Where the operator's service answers what it can say of a step without running it.</summary>
    public static string InferenceQueue(string kind, int major) => $"{QueueName(kind, major)}.inference";
}

/// <param name="Name"><c>out</c> is the port that <c>inputs: [step]</c> means.</param>
public sealed record OperatorPort(string Name, string Title);

/// <summary>Announced at start and every 30 s; an operator silent for 90 s is unavailable.</summary>
public sealed record OperatorAnnounced
{
    public required OperatorManifest Manifest { get; init; }

    /// <summary>The announcing process.</summary>
    public required string Instance { get; init; }
    public required DateTimeOffset At { get; init; }
}
