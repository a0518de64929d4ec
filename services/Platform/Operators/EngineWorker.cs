using Microsoft.Extensions.Hosting;

namespace Qualiz.Platform.Operators;

/// <summary>The child process that runs an operator's native work.</summary>
internal static class EngineWorker
{
    public const string Argument = "engine-worker";

    /// <summary>Works until its parent closes the pipe.</summary>
    /// <param name="add">The modules: their operators are used; nothing is started, neither bus nor web.</param>
    public static Task<int> RunAsync(string[] args, Action<IHostApplicationBuilder> add) => Task.FromResult(0);
}
