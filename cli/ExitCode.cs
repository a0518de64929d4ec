namespace Qualiz.Cli;

/// <summary>What scripts go by.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;

    /// <summary>The file or the command line is wrong.</summary>
    public const int BadInput = 2;

    /// <summary>Done with warnings, and <c>--strict</c> was given.</summary>
    public const int Warnings = 3;
    public const int Cancelled = 4;
    public const int NoConnection = 5;
}
