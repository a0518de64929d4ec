namespace Qualiz.Datasets.Retention;

/// <summary>Options of the collector, section <c>Retention</c>. A pipeline's <c>keep:</c> comes before them.</summary>
internal sealed class RetentionOptions
{
    /// <summary>The newest runs of a pipeline keep what their steps wrote, however old they are ...</summary>
    public int IntermediateRuns { get; set; } = 3;

    /// <summary>... and all runs keep it so long after their end.</summary>
    public TimeSpan Intermediate { get; set; } = TimeSpan.FromDays(7);

    /// <summary>How many versions of a dataset are kept.</summary>
    public int Versions { get; set; } = 10;

    /// <summary>Of how many versions of a dataset the figures are kept; they outlive the rows.</summary>
    public int MetricVersions { get; set; } = 1000;

    /// <summary>How long rejected rows are kept after the last of them is settled.</summary>
    public TimeSpan Rejected { get; set; } = TimeSpan.FromDays(90);

    /// <summary>Files of an execution that nobody completed are older than any lease before they go.</summary>
    public TimeSpan OrphanAge { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Files of which nobody knows whose they are may be about to be told of.</summary>
    public TimeSpan UnknownAge { get; set; } = TimeSpan.FromDays(1);

    /// <summary>How often the collector looks; zero: only when it is asked to.</summary>
    public TimeSpan Every { get; set; } = TimeSpan.FromHours(1);
}
