using System.Text.RegularExpressions;

namespace Qualiz.Architecture.Tests;

/// <summary>What must not stand in any file of the repository.</summary>
public partial class HygieneTests
{
    private static readonly string[] TextFiles = [".cs", ".csproj", ".props", ".targets", ".json", ".yaml", ".yml", ".md", ".sh", ".sql", ".config", ".sln", ".ts", ".tsx", ".mjs", ".js", ".toml", ".txt", ""];

    [Fact]
    public void No_package_registry_is_written_down() => Find(Registry()).ShouldBeEmpty();

    [Fact]
    public void No_path_of_somebodys_machine_is_written_down() => Find(MachinePath()).ShouldBeEmpty();

    [Fact]
    public void Nothing_is_left_for_later() => Find(Unfinished()).ShouldBeEmpty();

    /// <summary>Qualiz.Engine.Sessions.Scan says what has to be said with each of them.</summary>
    [Fact]
    public void Files_are_read_in_one_place() =>
        Find(FileReader()).Where(found => found.StartsWith("services/", StringComparison.Ordinal) || found.StartsWith("cli/", StringComparison.Ordinal))
            .ShouldAllBe(found => found.StartsWith("services/Engine/Sessions/Scan.cs:", StringComparison.Ordinal));

    /// <summary>Connections go back to their pool without a reset: a lock of a session would be held for ever. Migrations have a connection of their own, and end it.</summary>
    [Fact]
    public void No_lock_outlives_its_transaction() =>
        Find(SessionLock()).Where(found => found.StartsWith("services/", StringComparison.Ordinal))
            .ShouldAllBe(found => found.StartsWith("services/Platform/Data/MigrationRunner.cs:", StringComparison.Ordinal));

    [Fact]
    public void No_test_is_skipped() => Find(SkippedTest()).ShouldBeEmpty();

    private static List<string> Find(Regex pattern) =>
    [
        .. from path in Repository.Files("*")
           where TextFiles.Contains(Path.GetExtension(path)) && path != "tests/Architecture/HygieneTests.cs"
           from line in Repository.Read(path).Split('\n').Select((text, index) => (text, number: index + 1))
           where pattern.IsMatch(line.text)
           select $"{path}:{line.number}: {line.text.Trim()}",
    ];

    [GeneratedRegex(@"api\.nuget\.org|registry\.(npmjs|yarnpkg)\.|pypi\.org|files\.pythonhosted|proxy\.golang\.org|/nuget/v3|<add key=""nuget", RegexOptions.IgnoreCase)]
    private static partial Regex Registry();

    [GeneratedRegex(@"(?<![\w.$}/-])/(work|root|tmp/q)/|/home/[a-z]|[A-Z]:\\Users\\")]
    private static partial Regex MachinePath();

    [GeneratedRegex(@"\bTODO\b|\bFIXME\b|\bHACK\b|NotImplementedException")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"\bread_(parquet|csv|json\w*|ndjson\w*)\(")]
    private static partial Regex FileReader();

    [GeneratedRegex(@"\bpg_(try_)?advisory_(un)?lock(_shared|_all)?\b", RegexOptions.IgnoreCase)]
    private static partial Regex SessionLock();

    [GeneratedRegex(@"\b(Fact|Theory)\([^)]*Skip\s*=")]
    private static partial Regex SkippedTest();
}
