using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Contracts.Runs.V1;

namespace Qualiz.Platform.Operators.Workers;

/// <summary>
/// What a host and its engine workers say to each other: one JSON object a line, over the worker's standard input and
/// output. Secrets travel here and nowhere else: arguments and environments can be read by others.
/// </summary>
internal static class WorkerProtocol
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        AllowOutOfOrderMetadataProperties = true,
    };

    public static void Write<T>(Stream stream, T message)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(message, Options);
        var line = new byte[json.Length + 1];
        json.CopyTo(line, 0);
        line[^1] = (byte)'\n';
        // One write: a kill in between leaves a torn last line and never two mixed ones.
        stream.Write(line);
        stream.Flush();
    }

    /// <summary>Null when the line is torn, as the last one of a killed process may be.</summary>
    public static T? Read<T>(string line) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize<T>(line, Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(Hello), "hello")]
[JsonDerivedType(typeof(Job), "job")]
[JsonDerivedType(typeof(InferenceJob), "infer")]
[JsonDerivedType(typeof(ConnectionAnswer), "connection")]
[JsonDerivedType(typeof(DatasetAnswer), "dataset")]
internal abstract record ToWorker;

/// <summary>First of all: the settings that operators need (store, folders), and nothing else of the host's configuration.</summary>
internal sealed record Hello(string Application, IReadOnlyDictionary<string, string?> Settings) : ToWorker;

internal sealed record Job : ToWorker
{
    public required ExecuteStep Command { get; init; }
    public required long Fence { get; init; }
    public required IReadOnlyList<ResolvedInput> Inputs { get; init; }
    public required string Scratch { get; init; }
    public required ResourceGrant Grant { get; init; }
    public JsonElement? State { get; init; }
    public DatasetRef? Patches { get; init; }
    public string? TraceParent { get; init; }
}

/// <summary>A question about a step that is not run.</summary>
internal sealed record InferenceJob(InferOutput Request, string Scratch, ResourceGrant Grant, string? TraceParent) : ToWorker;

internal sealed record ConnectionAnswer(int Id, Connection? Connection, string? Error) : ToWorker;

internal sealed record DatasetAnswer(int Id, ResolvedDataset? Dataset, string? Error) : ToWorker;

[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(Ready), "ready")]
[JsonDerivedType(typeof(Accepted), "accepted")]
[JsonDerivedType(typeof(ProgressMade), "progress")]
[JsonDerivedType(typeof(Logged), "log")]
[JsonDerivedType(typeof(ConnectionWanted), "connection")]
[JsonDerivedType(typeof(DatasetWanted), "dataset")]
[JsonDerivedType(typeof(Done), "done")]
[JsonDerivedType(typeof(InferenceDone), "inferred")]
[JsonDerivedType(typeof(Crashed), "crashed")]
internal abstract record FromWorker;

internal sealed record Ready : FromWorker;

/// <summary>The job has arrived and begins; a worker that dies before this has done nothing.</summary>
internal sealed record Accepted : FromWorker;

internal sealed record ProgressMade(StepProgress Progress) : FromWorker;

internal sealed record Logged(DateTimeOffset Time, LogLevel Level, string Message) : FromWorker;

internal sealed record ConnectionWanted(int Id, string Name) : FromWorker;

internal sealed record DatasetWanted(int Id, string Reference) : FromWorker;

/// <summary>The operator returned.</summary>
internal sealed record Done : FromWorker
{
    public StepOutcome? Outcome { get; init; }
    public StepError? Error { get; init; }
    public string? DeferralKey { get; init; }
    public DateTimeOffset? NextCheck { get; init; }
    public string? SkipReason { get; init; }

    public static Done From(StepResult result) => result switch
    {
        StepResult.Completed completed => new Done { Outcome = completed.Outcome },
        StepResult.Failed failed => new Done { Error = failed.Error, Outcome = failed.Outcome },
        StepResult.Skipped skipped => new Done { SkipReason = skipped.Reason },
        StepResult.Deferred deferred => new Done { DeferralKey = deferred.Key, NextCheck = deferred.NextCheck },
        _ => throw new InvalidOperationException("An operator returned no result."),
    };

    public StepResult ToResult() => this switch
    {
        { DeferralKey: { } key, NextCheck: { } next } => new StepResult.Deferred(key, next),
        { SkipReason: { } reason } => new StepResult.Skipped(reason),
        { Error: { } error } => new StepResult.Failed(error, Outcome),
        _ => new StepResult.Completed(Outcome ?? throw new InvalidOperationException("The worker reported no outcome.")),
    };
}

internal sealed record InferenceDone(OutputInferred Answer) : FromWorker;

/// <summary>The operator threw.</summary>
internal sealed record Crashed(string ExceptionType, string Details, bool Infrastructure, string? InfrastructureMessage) : FromWorker;
