using System.Diagnostics;

namespace Qualiz.Chaos.Tests.Harness;

/// <summary>A small disk of its own in memory, to be filled up. Only root may mount it.</summary>
internal static class Disk
{
    public static void Mount(string folder) => Run("mount", "-t", "tmpfs", "-o", "size=96m,mode=755", "qualiz-chaos", folder);

    public static void Unmount(string folder) => Run("umount", "-l", folder);

    /// <returns>What takes all the space; dispose of it to give it back.</returns>
    public static IDisposable Fill(string folder)
    {
        var filler = new Filler(Path.Combine(folder, "filler"));
        using var file = new FileStream(filler.Path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
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
        return filler;
    }

    private static void Run(string command, params string[] arguments)
    {
        using var process = Process.Start(command, arguments);
        process.WaitForExit(TimeSpan.FromSeconds(30)).ShouldBeTrue();
        process.ExitCode.ShouldBe(0, $"{command} {string.Join(' ', arguments)} (these tests run as root)");
    }

    private sealed class Filler(string path) : IDisposable
    {
        public string Path => path;

        public void Dispose() => File.Delete(path);
    }
}
