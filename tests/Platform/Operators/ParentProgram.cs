using System.Globalization;

namespace Qualiz.Platform.Tests.Operators;

/// <summary>A host of one step in a process of its own, so that a test can kill it.</summary>
internal static class ParentProgram
{
    public const string Argument = "parent";

    public static async Task<int> RunAsync(string[] args)
    {
        await using var rig = new ExecutorRig();
        rig.Line.Lease = TimeSpan.FromSeconds(3);
        var step = rig.ExecuteAsync(ExecutorRig.Command("probe", new { @do = args[0] }));
        var ids = await Processes.FromProgressAsync(rig.Line, 2);
        Console.WriteLine(string.Join(' ', ids.Select(id => id.ToString(CultureInfo.InvariantCulture))));
        await Console.Out.FlushAsync();
        await step;
        return 0;
    }
}
