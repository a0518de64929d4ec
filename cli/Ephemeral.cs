namespace Qualiz.Cli;

/// <summary>The instance was started for this one command and goes with it: nothing can be looked up there afterwards.</summary>
internal static class Ephemeral
{
    public static bool Is { get; } = Environment.GetEnvironmentVariable("QUALIZ_EPHEMERAL") is { Length: > 0 };
}
