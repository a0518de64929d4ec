namespace Qualiz.Platform.Operators;

/// <summary>The child process that runs an operator's native work.</summary>
internal static class EngineWorker
{
    public const string Argument = "engine-worker";

    /// <summary>Works until its parent closes the pipe.</summary>
    /// <param name="services">The modules' services; nothing is started: no bus, no web.</param>
    public static Task<int> RunAsync(IServiceProvider services, string[] args) => Task.FromResult(0);
}
