using System.Text.Json;
using System.Text.Json.Serialization;
using Qualiz.Contracts.Schemas;
using Qualiz.Contracts.Values;

namespace Qualiz.Contracts.Files;

/// <summary>
/// The pipeline file as written: every key of the format is a property here. The structural check and pipeline.schema.json
/// are both made from these records.
/// </summary>
[Field(Title = "Qualiz pipeline", Description = "Steps that take data from somewhere, improve it, and put it somewhere.")]
public sealed record PipelineModel
{
    [Field(Title = "Format", Description = "The version of this file format; the first line of the file.", Example = 1, Minimum = 1, Maximum = 1)]
    public required int Qualiz { get; init; }

    [Field(Title = "Name", Description = "Names the pipeline within its project, in addresses and on screen.", Example = "customers-golden", Pattern = Names.Pattern)]
    public required string Pipeline { get; init; }

    [Field(Title = "Description", Description = "What it is for.", Example = "One golden record per customer.", MaxLength = 2000)]
    public string? Description { get; init; }

    [Field(Title = "Owner", Description = "The person or team that is told when it fails.", Example = "crm-team", MaxLength = 200)]
    public string? Owner { get; init; }

    [Field(Title = "Parameters", Description = "What a run can be given. Read with ${params.name}.", ExampleJson = """{"day": {"type": "date", "default": "${run.day}"}}""")]
    public IReadOnlyDictionary<string, ParamModel> Params { get; init; } = new Dictionary<string, ParamModel>();

    [Field(Title = "Limits", Description = "How many runs at a time, and how long one may take.", ExampleJson = """{"concurrency": 1, "whenBusy": "queue", "timeout": "45m"}""")]
    public LimitsModel? Limits { get; init; }

    [Field(Title = "Retry", Description = "How a failed step is tried again; holds for every step unless it says otherwise.", ExampleJson = """{"times": 3, "wait": "10s", "backoff": 2}""")]
    public RetryModel? Retry { get; init; }

    [Field(Title = "Keep", Description = "How long temporary data and the history of runs are kept.", ExampleJson = """{"intermediate": "7d", "runs": "90d"}""")]
    public KeepModel? Keep { get; init; }

    [Field(Title = "Notify", Description = "Who is told about the run, even if no step got to start.", ExampleJson = """[{"when": ["failed"], "to": ["email:crm-team@example.org"]}]""")]
    public IReadOnlyList<NotifyModel> Notify { get; init; } = [];

    [Field(Title = "Late", Description = "When a run counts as late, for those who are told so; without it, when it takes more than three times as long as usual.", ExampleJson = """{"by": "07:00", "times": 2}""")]
    public LateModel? Late { get; init; }

    [Field(Title = "Steps", Description = "What is done, by name. Inputs say what comes before what.", ExampleJson = """{"crm": {"uses": "ingest"}}""")]
    public required IReadOnlyDictionary<string, StepModel> Steps { get; init; }
}

public sealed record ParamModel
{
    [Field(Title = "Type", Description = "What values it takes.", Example = "date")]
    public ParamType Type { get; init; } = ParamType.Text;

    [Field(Title = "Of", Description = "The type of a list's elements.", Example = "text", VisibleIf = "type=list")]
    public ParamType? Of { get; init; }

    [Field(Title = "Default", Description = "Taken when a run gives no value; without it every run must give one. May use ${run...}.", Example = "${run.day}")]
    public JsonElement? Default { get; init; }

    [Field(Title = "Title", Description = "Stands beside the field when a run is started by hand.", Example = "Business day", MaxLength = 200)]
    public string? Title { get; init; }

    [Field(Title = "Description", Description = "Explains the parameter.", Example = "The day whose files are read.", MaxLength = 2000)]
    public string? Description { get; init; }
}

public enum ParamType
{
    Text,
    Bool,

    [JsonStringEnumMemberName("int64")]
    WholeNumber,

    [JsonStringEnumMemberName("decimal")]
    ExactNumber,

    [JsonStringEnumMemberName("double")]
    FloatingNumber,
    Date,
    Timestamp,
    List,
}

public sealed record LimitsModel
{
    [Field(Title = "Runs at a time", Description = "More starts wait or are refused. Without it there is no limit.", Example = 1, Minimum = 1, Maximum = 1000)]
    public int? Concurrency { get; init; }

    [Field(Title = "When busy", Description = "What a start does when that many runs are active.", Example = "queue")]
    public WhenBusyModel WhenBusy { get; init; }

    [Field(Title = "Time limit", Description = "A run that takes longer is ended as failed.", Example = "45m", Format = FieldFormat.Duration)]
    public Duration? Timeout { get; init; }
}

public enum WhenBusyModel
{
    [Field(Title = "Wait its turn")]
    Queue,

    [Field(Title = "Refuse the start")]
    Reject,
}

public sealed record RetryModel
{
    [Field(Title = "Times", Description = "How many more attempts after the first.", Example = 3, Minimum = 0, Maximum = 100)]
    public int? Times { get; init; }

    [Field(Title = "Wait", Description = "Before the first retry.", Example = "10s")]
    public Duration? Wait { get; init; }

    [Field(Title = "Back-off", Description = "Each wait is this many times the one before, at most an hour.", Example = 2, Minimum = 1, Maximum = 100)]
    public double? Backoff { get; init; }

    [Field(Title = "On", Description = "Which errors are worth another attempt.", Example = "transient")]
    public RetryOnModel? On { get; init; }
}

public enum RetryOnModel
{
    [Field(Title = "What may heal by itself", Description = "A lost connection, a busy server.")]
    Transient,

    [Field(Title = "Any error")]
    Any,
}

public sealed record KeepModel
{
    [Field(Title = "Intermediate data", Description = "The outputs of steps that are not published.", Example = "7d")]
    public Duration? Intermediate { get; init; }

    [Field(Title = "Runs", Description = "The history of runs.", Example = "90d")]
    public Duration? Runs { get; init; }

    [Field(Title = "Quarantine", Description = "Whether rejected rows wait for a person. If not, they are kept no longer than the other intermediate data of their run.", Example = false)]
    public bool Quarantine { get; init; } = true;
}

public sealed record NotifyModel
{
    [Field(Title = "When", Description = "The changes that are told.", ExampleJson = """["failed", "recovered"]""")]
    public required OneOrMany<NotifyOn> When { get; init; }

    [Field(Title = "To", Description = "Addresses: email:..., slack:..., webhook:...", ExampleJson = """["email:crm-team@example.org"]""", MinItems = 1)]
    public required IReadOnlyList<string> To { get; init; }

    [Field(Title = "Digest", Description = "Collects messages and sends them together.", Example = "daily")]
    public Digest? Digest { get; init; }
}

public sealed record LateModel
{
    [Field(Title = "By", Description = "A time of day, in the project's time zone: a run that has begun before is late when it is not done by then.", Example = "07:00", Pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    public string? By { get; init; }

    [Field(Title = "Times", Description = "Late when it takes more than so many times the median of the last ten completed runs.", Example = 2, Minimum = 1.1, Maximum = 1000)]
    public double Times { get; init; } = 3;
}

public enum NotifyOn
{
    [Field(Title = "A run failed")]
    Failed,

    [Field(Title = "A run succeeded after a failure")]
    Recovered,

    [Field(Title = "A run is late")]
    Late,

    [Field(Title = "Rows or pairs wait for a person")]
    Attention,
}

public enum Digest
{
    Hourly,
    Daily,
    Weekly,
}

public sealed record StepModel
{
    [Field(Title = "Operator", Description = "What the step does; a major version may follow: ingest@1.", Example = "ingest", Pattern = "^[a-z][a-zA-Z0-9-]*(@[1-9][0-9]{0,3})?$")]
    public required string Uses { get; init; }

    [Field(Title = "Title", Description = "What the canvas shows instead of the name.", Example = "Customers from the CRM", MaxLength = 200)]
    public string? Title { get; init; }

    [Field(Title = "Inputs", Description = "Where its rows come from: step, step.port, dataset:name, dataset:name@version. Several are stacked by column name.", ExampleJson = """["crm", "shop"]""")]
    public IReadOnlyList<string> Inputs { get; init; } = [];

    [Field(Title = "Needs", Description = "Steps that must succeed first although no data flows from them.", ExampleJson = """["prepare"]""")]
    public IReadOnlyList<string> Needs { get; init; } = [];

    [Field(Title = "When", Description = "A condition; the step is skipped when it is false.", Example = "clean.rejectedShare < 0.02")]
    public string? When { get; init; }

    [Field(Title = "For each", Description = "Does the step once for every element of a list.", ExampleJson = """{"items": "${params.countries}", "as": "country"}""")]
    public ForEachModel? ForEach { get; init; }

    [Field(Title = "Settings", Description = "The operator's own configuration.", ExampleJson = "{}")]
    public IReadOnlyDictionary<string, JsonElement>? With { get; init; }

    [Field(Title = "Retry", Description = "Overrides the pipeline's retry, key by key.", ExampleJson = """{"times": 0}""")]
    public RetryModel? Retry { get; init; }

    [Field(Title = "Time limit", Description = "For one attempt.", Example = "10m")]
    public Duration? Timeout { get; init; }

    [Field(Title = "Publish", Description = "The named dataset that the output becomes a new version of when the run completes.", Example = "customers", Pattern = Files.Names.Pattern)]
    public string? Publish { get; init; }
}

public sealed record ForEachModel
{
    [Field(Title = "Items", Description = "A list, or ${...} that gives one.", Example = "${params.countries}")]
    public required JsonElement Items { get; init; }

    [Field(Title = "As", Description = "The name of the element in ${...}.", Example = "country", Pattern = "^[a-zA-Z_][a-zA-Z0-9_-]*$")]
    public string As { get; init; } = "item";

    [Field(Title = "Parallel", Description = "How many at a time.", Example = 2, Minimum = 1, Maximum = 100)]
    public int Parallel { get; init; } = 1;

    [Field(Title = "On error", Description = "Whether the others go on when one fails.", Example = "continue")]
    public ForEachOnError OnError { get; init; }
}

public enum ForEachOnError
{
    Fail,
    Continue,
}

/// <summary>How things are named in a pipeline file.</summary>
public static class Names
{
    /// <summary>The folder of the object store that all projects deliver to; therefore no project's slug.</summary>
    public const string Exports = "exports";

    /// <summary>Pipelines, datasets, connections, projects: they stand in addresses.</summary>
    public const string Pattern = "^[a-z][a-z0-9_-]{0,62}$";

    /// <summary>First names of the condition language and its keywords; no step or element may take one.</summary>
    public static readonly IReadOnlySet<string> Reserved = new HashSet<string>
    {
        "params", "run", "item", "event", "steps", "and", "or", "not", "true", "false", "null",
    };

    public static bool IsName(string text) =>
        text.Length is > 0 and <= 63 && char.IsAsciiLetterLower(text[0]) && text.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter is '_' or '-');

    /// <summary>Steps and parameters: names of the condition language.</summary>
    public static bool IsIdentifier(string text) =>
        text.Length is > 0 and <= 63 && char.IsAsciiLetter(text[0]) && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-');
}
