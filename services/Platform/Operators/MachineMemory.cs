using System.Globalization;

namespace Qualiz.Platform.Operators;

/// <summary>How much memory this process may count on: the machine's, or its control group's when that is less.</summary>
internal static class MachineMemory
{
    public static long Bytes()
    {
        var machine = MeminfoTotal() ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return Math.Min(machine, ControlGroupLimit("/proc/self/cgroup", "/sys/fs/cgroup") ?? long.MaxValue);
    }

    /// <summary>The smallest limit from this process's group up to the root; null when there is none.</summary>
    internal static long? ControlGroupLimit(string membership, string mount)
    {
        if (!File.Exists(membership))
            return null;
        long? least = null;
        foreach (var line in File.ReadLines(membership))
        {
            // Version 2: "0::/path"; version 1: "9:memory:/path".
            var parts = line.Split(':', 3);
            if (parts.Length != 3)
                continue;
            var (folder, file) = parts switch
            {
                ["0", "", _] => (mount, "memory.max"),
                [_, var controllers, _] when controllers.Split(',').Contains("memory") => (Path.Combine(mount, "memory"), "memory.limit_in_bytes"),
                _ => (null, ""),
            };
            if (folder is null)
                continue;
            for (var group = parts[2].Trim('/'); ; group = Path.GetDirectoryName(group) ?? "")
            {
                var path = Path.Combine(folder, group, file);
                if (File.Exists(path) && long.TryParse(File.ReadAllText(path).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var limit))
                    least = Math.Min(least ?? long.MaxValue, limit);
                if (group.Length == 0)
                    break;
            }
        }

        return least;
    }

    /// <summary>Memory of a process that is its own: not files it has mapped. Null when it is gone.</summary>
    public static long? Anonymous(int processId) => Field($"/proc/{processId}/status", "RssAnon:");

    private static long? MeminfoTotal() => Field("/proc/meminfo", "MemTotal:");

    private static long? Field(string path, string name)
    {
        try
        {
            foreach (var line in File.ReadLines(path))
            {
                if (line.StartsWith(name, StringComparison.Ordinal))
                    return long.Parse(line.AsSpan(name.Length, line.Length - name.Length - 2).Trim(), NumberStyles.None, CultureInfo.InvariantCulture) * 1024;
            }
        }
        catch (IOException)
        {
        }

        return null;
    }
}
