namespace Qualiz.Cli;

/// <summary>The instance was started for this one command and goes with it: nothing can be looked up there afterwards.</summary>
internal static class Ephemeral
{
    public static bool Is { get; } = Environment.GetEnvironmentVariable("QUALIZ_EPHEMERAL") is { Length: > 0 };

    /// <summary>A new instance holds nothing, not even the project.</summary>
    public static Task PrepareAsync(QualizClient client, string project, CancellationToken ct) => Is ? Changes.EnsureProjectAsync(client, project, null, null, ct) : Task.CompletedTask;
}
