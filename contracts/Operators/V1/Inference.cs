using System.Text.Json;
using Qualiz.Contracts.Data;

namespace Qualiz.Contracts.Operators.V1;

/// <summary>
/// Request to an operator's service, before any run: which columns would this step give, and does its configuration fit the
/// columns it gets? Answered by <see cref="OutputInferred"/>. Nothing is changed by it, and no secret travels with it.
/// </summary>
public sealed record InferOutput
{
    public required string Project { get; init; }
    public required string Operator { get; init; }
    public required int Major { get; init; }

    /// <summary>The <c>with:</c> block; every <c>${...}</c> in it is filled in.</summary>
    public required JsonElement Config { get; init; }

    /// <summary>True when <see cref="Config"/> was filled in with defaults: a run may have other values.</summary>
    public bool Assumed { get; init; }

    /// <summary>In the order of the file.</summary>
    public required IReadOnlyList<InferInput> Inputs { get; init; }

    /// <summary>The datasets that the configuration names beside the inputs (fields of format <c>dataset</c>), by reference.</summary>
    public IReadOnlyList<InferInput> Datasets { get; init; } = [];

    /// <summary>What each port gave in the last completed run, if the step was the same then; null: there is none.</summary>
    public IReadOnlyDictionary<string, DatasetSchema>? Last { get; init; }

    /// <summary>Those that the configuration names and that hold no secret; the others are only opened in a run.</summary>
    public IReadOnlyList<OpenConnection> Connections { get; init; } = [];
}

/// <param name="Name">As written in the pipeline file.</param>
/// <param name="Schema">Null: not known.</param>
public sealed record InferInput(string Name, DatasetSchema? Schema);

/// <param name="Settings">All of them: it has no secret ones.</param>
public sealed record OpenConnection(string Name, string Type, IReadOnlyDictionary<string, string> Settings);

/// <summary>What an operator can say of a step without running it.</summary>
public sealed record OutputInferred
{
    /// <summary>The schema of each port that is known; a port that is missing here is unknown.</summary>
    public IReadOnlyDictionary<string, DatasetSchema> Outputs { get; init; } = new Dictionary<string, DatasetSchema>();

    /// <summary>How well <see cref="Outputs"/> is known, given that the inputs are known well.</summary>
    public SchemaCertainty Certainty { get; init; } = SchemaCertainty.Exact;
    public IReadOnlyList<ConfigProblem> Problems { get; init; } = [];

    /// <summary>Set when the step could not be checked: why, as the end of "not checked: ...".</summary>
    public string? NotChecked { get; init; }

    public static OutputInferred Unknown(string why) => new() { NotChecked = why };
}

/// <summary>How well a schema is known before the run.</summary>
public enum SchemaCertainty
{
    /// <summary>It was so the last time, or in a part of the data: a run may meet other columns.</summary>
    Guess,

    /// <summary>These are the columns, but their types come from a part of the data.</summary>
    Names,

    /// <summary>These are the columns and types.</summary>
    Exact,
}

/// <summary>Something wrong in a step's configuration.</summary>
public sealed record ConfigProblem
{
    /// <summary>Stable and machine-readable, e.g. <c>columnUnknown</c>: the code the step would fail with.</summary>
    public required string Code { get; init; }

    /// <summary>Within the configuration: <c>rules[2].columns[0]</c>; empty for the whole of it.</summary>
    public required string Path { get; init; }

    /// <summary>For a person; it names the suggestion.</summary>
    public required string Message { get; init; }

    /// <summary>The name that was probably meant.</summary>
    public string? Suggestion { get; init; }

    /// <summary>The character (from 0) within the text at <see cref="Path"/> at which the problem lies, if one is meant.</summary>
    public int? Position { get; init; }

    /// <summary>How well the columns must be known for this to be an error and not just a warning; null: it is wrong whatever the columns are.</summary>
    public SchemaCertainty? Needs { get; init; }
}
