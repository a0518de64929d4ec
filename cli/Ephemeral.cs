namespace Qualiz.Cli;

/// <summary>The instance was started for this one command and goes with it: nothing can be looked up there afterwards.</summary>
internal static class Ephemeral
{
    /// <summary>Only what can be seen without an instance is looked at: whether it is worth starting one.</summary>
    public static bool IsWeighed => Environment.GetEnvironmentVariable("QUALIZ_WEIGH") is { Length: > 0 };

    public static bool Is { get; } = Environment.GetEnvironmentVariable("QUALIZ_EPHEMERAL") is { Length: > 0 };
}
