using System.Globalization;
using System.Text;

namespace Qualiz.Chaos.Tests.Harness;

/// <summary>What /proc says.</summary>
internal static class Processes
{
    public static IReadOnlyList<int> ChildrenOf(int parent, string argument) =>
        [.. All().Where(pid => ParentOf(pid) == parent && Read(pid, "cmdline").Split('\0').Contains(argument))];

    /// <summary>All with this text in their environment; zombies have none.</summary>
    public static IReadOnlyList<int> With(string variable) => [.. All().Where(pid => Read(pid, "environ").Split('\0').Contains(variable))];

    private static IEnumerable<int> All() =>
        from folder in Directory.EnumerateDirectories("/proc")
        let name = Path.GetFileName(folder)
        where name.All(char.IsAsciiDigit)
        select int.Parse(name, CultureInfo.InvariantCulture);

    private static int ParentOf(int pid)
    {
        // The second field is the program's name in brackets and may hold anything.
        var stat = Read(pid, "stat");
        var fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > 1 ? int.Parse(fields[1], CultureInfo.InvariantCulture) : 0;
    }

    private static string Read(int pid, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/{file}", Encoding.Latin1);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}

internal static class Builds
{
    /// <summary>A service's program: its output lies beside the tests' (artifacts/bin/PROJECT/CONFIGURATION).</summary>
    public static string Assembly(string name)
    {
        var mine = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/'));
        var path = Path.Combine(mine.Parent!.Parent!.FullName, name, mine.Name, $"{name}.dll");
        return File.Exists(path) ? path : throw new InvalidOperationException($"{path} is not built.");
    }
}
