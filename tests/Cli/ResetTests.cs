using System.Diagnostics;

namespace Qualiz.Cli.Tests;

/// <summary><c>./qualiz reset</c> on folders that are not an instance's alone.</summary>
public sealed class ResetTests : IDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("qualiz-reset-").FullName;

    public void Dispose()
    {
        if (Directory.Exists(_home))
            Directory.Delete(_home, recursive: true);
    }

    [Fact]
    public async Task A_folder_without_an_instance_is_left_alone()
    {
        Write("thesis.docx");
        Write("store/books.db");
        Write("logs/mine.txt");
        (await RunAsync("./qualiz reset --yes")).ShouldContain("nothing was removed");
        Files().ShouldBe(["logs/mine.txt", "store/books.db", "thesis.docx"]);
    }

    [Fact]
    public async Task Only_what_the_instance_made_is_removed()
    {
        Write("thesis.docx");
        Write("landing/mine.csv");
        await RunAsync(Sourced("lock; claim"));
        Make();
        Write("later.txt");
        (await RunAsync("./qualiz reset --yes")).ShouldContain("stays");
        Files().ShouldBe(["landing/mine.csv", "later.txt", "logs/mine.txt", "thesis.docx"]);
        // It may begin anew, and what was there before is still not its own.
        await RunAsync(Sourced("lock; claim"));
        Make();
        await RunAsync("./qualiz reset --yes");
        Files().ShouldBe(["landing/mine.csv", "later.txt", "logs/mine.txt", "thesis.docx"]);
    }

    [Fact]
    public async Task An_instance_with_a_folder_of_its_own_leaves_nothing()
    {
        await RunAsync(Sourced("lock; claim"));
        Write("store/.qualiz-store");
        Write("landing/orders.csv");
        Write("logs/standalone.log");
        (await RunAsync("./qualiz reset --yes")).ShouldEndWith("wiped\n");
        Directory.Exists(_home).ShouldBeFalse();
    }

    /// <summary>As older versions left it.</summary>
    [Fact]
    public async Task An_instance_without_a_mark_is_known_by_its_store()
    {
        Write("store/.qualiz-store");
        Write("secrets.key");
        Write("lock");
        await RunAsync("./qualiz reset --yes");
        Directory.Exists(_home).ShouldBeFalse();
    }

    [Fact]
    public async Task An_instance_does_not_write_over_what_others_noted()
    {
        Write("mode");
        (await RunAsync(Sourced("lock; claim"), code: 2)).ShouldContain("no instance made it");
        Files().ShouldBe(["lock", "mode"]);
    }

    private static string Sourced(string commands) => $"root=$PWD; . infra/local/common.sh; . infra/local/stack.sh; {commands}";

    private void Make()
    {
        foreach (var file in (string[])["store/.qualiz-store", "store/p/run/file.parquet", "secrets.key", "ports/public", "delivered/out.csv", "scratch/x", "logs/standalone.log", "logs/mine.txt"])
            Write(file);
    }

    private void Write(string file)
    {
        var path = Path.Combine(_home, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "1");
    }

    private IEnumerable<string> Files() =>
        Directory.EnumerateFiles(_home, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(_home, path)).Order(StringComparer.Ordinal);

    private async Task<string> RunAsync(string command, int code = 0)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "Qualiz.sln")))
            root = root.Parent!;
        using var process = Process.Start(new ProcessStartInfo("bash", ["-c", $"{command} 2>&1"])
        {
            WorkingDirectory = root.FullName,
            RedirectStandardOutput = true,
            Environment = { ["QUALIZ_HOME"] = _home },
        })!;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        process.ExitCode.ShouldBe(code, output);
        return output;
    }
}
