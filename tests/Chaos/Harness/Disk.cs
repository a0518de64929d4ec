using System.Diagnostics;
using Qualiz.TestKit;

namespace Qualiz.Chaos.Tests.Harness;

/// <summary>A small disk of its own in memory, to be filled up, made read-only and taken away. Only root may mount it.</summary>
internal static class Disk
{
    /// <summary>The disk itself is mounted beside the folder, so that it survives being taken away from there.</summary>
    public static void Mount(string folder)
    {
        Directory.CreateDirectory(DiskOf(folder));
        Run("mount", "-t", "tmpfs", "-o", "size=96m,mode=755", "qualiz-chaos", DiskOf(folder));
        Attach(folder);
    }

    public static void Unmount(string folder)
    {
        Run("umount", "-l", folder);
        Run("umount", "-l", DiskOf(folder));
    }

    /// <summary>As when an administrator unmounts it, or a network disk goes: an empty folder is left.</summary>
    /// <returns>Dispose of it to bring the disk back.</returns>
    public static IDisposable TakeAway(string folder)
    {
        Run("umount", "-l", folder);
        return new Undo(() => Attach(folder));
    }

    /// <summary>As the kernel does it when a disk has errors.</summary>
    public static async Task<IDisposable> MakeReadOnlyAsync(string folder)
    {
        // Not while a file is open for writing.
        await TestHost.UntilAsync(() => TryRun("mount", "-o", "remount,bind,ro", folder) ? null : "a moment in which nobody writes");
        return new Undo(() => Run("mount", "-o", "remount,bind,rw", folder));
    }

    private static void Attach(string folder) => Run("mount", "--bind", DiskOf(folder), folder);

    private static string DiskOf(string folder) => $"{folder}-disk";

    /// <returns>What takes all the space; dispose of it to give it back.</returns>
    public static IDisposable Fill(string folder)
    {
        var filler = Path.Combine(folder, "filler");
        using var file = new FileStream(filler, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        for (var block = new byte[1 << 20]; block.Length > 0;)
        {
            try
            {
                file.Write(block);
            }
            catch (IOException)
            {
                block = new byte[block.Length / 2];
            }
        }
        return new Undo(() => File.Delete(filler));
    }

    private static void Run(string command, params string[] arguments) =>
        TryRun(command, arguments).ShouldBeTrue($"{command} {string.Join(' ', arguments)} (these tests run as root)");

    private static bool TryRun(string command, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true })!;
        process.WaitForExit(TimeSpan.FromSeconds(30)).ShouldBeTrue();
        return process.ExitCode == 0;
    }

    private sealed class Undo(Action action) : IDisposable
    {
        public void Dispose() => action();
    }
}
