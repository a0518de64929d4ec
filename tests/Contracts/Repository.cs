namespace Qualiz.Contracts.Tests;

/// <summary>Finds files of the repository from wherever the tests run.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    /// <summary>Set <c>QUALIZ_REGENERATE=1</c> and run the tests of this project to write generated files anew.</summary>
    public static bool Regenerate => Environment.GetEnvironmentVariable("QUALIZ_REGENERATE") == "1";

    public const string HowToRegenerate = "If the change is meant, run: QUALIZ_REGENERATE=1 dotnet test tests/Contracts, and commit what it writes.";

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Qualiz.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("Qualiz.sln is in no folder above the tests.");
    }
}
