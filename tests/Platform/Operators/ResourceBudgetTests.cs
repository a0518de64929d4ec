using Qualiz.Platform.Operators;

namespace Qualiz.Platform.Tests.Operators;

public sealed class ResourceBudgetTests
{
    private static readonly EngineOptions Options = new() { Workers = 4, MemoryBytes = 1000, Threads = 4, ScratchBytes = 8000, ScratchRoot = "/tmp" };

    [Fact]
    public async Task A_step_gets_an_equal_share_of_memory_and_all_free_threads()
    {
        var budget = new ResourceBudget(Options);
        using var first = await budget.AcquireAsync(Operator(), default);
        using var second = await budget.AcquireAsync(Operator(), default);
        first.Grant.ShouldBe(new ResourceGrant(250, 4, 2000));
        second.Grant.ShouldBe(new ResourceGrant(250, 1, 2000));
        budget.Granted.ShouldBe(500);
    }

    [Fact]
    public async Task A_large_step_waits_its_turn_and_is_not_overtaken()
    {
        var budget = new ResourceBudget(Options);
        var first = await budget.AcquireAsync(Operator(0.5), default);
        var large = budget.AcquireAsync(Operator(1), default);
        var small = budget.AcquireAsync(Operator(0.1), default);
        large.IsCompleted.ShouldBeFalse();
        small.IsCompleted.ShouldBeFalse();
        first.Dispose();
        (await large).Grant.MemoryBytes.ShouldBe(1000);
        small.IsCompleted.ShouldBeFalse();
        (await large).Dispose();
        (await small).Dispose();
        budget.Granted.ShouldBe(0);
    }

    [Fact]
    public async Task Who_stops_waiting_gives_way()
    {
        var budget = new ResourceBudget(Options);
        var first = await budget.AcquireAsync(Operator(1), default);
        using var impatient = new CancellationTokenSource();
        var second = budget.AcquireAsync(Operator(1), impatient.Token);
        var third = budget.AcquireAsync(Operator(1), default);
        await impatient.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(second);
        first.Dispose();
        first.Dispose();
        (await third).Dispose();
        budget.Granted.ShouldBe(0);
    }

    [Fact]
    public void The_smallest_limit_of_the_control_groups_counts()
    {
        var folder = Directory.CreateTempSubdirectory("qualiz-cgroup-").FullName;
        Directory.CreateDirectory(Path.Combine(folder, "a/b"));
        File.WriteAllText(Path.Combine(folder, "self"), "0::/a/b\n");
        File.WriteAllText(Path.Combine(folder, "a/b/memory.max"), "max\n");
        MachineMemory.ControlGroupLimit(Path.Combine(folder, "self"), folder).ShouldBeNull();
        File.WriteAllText(Path.Combine(folder, "a/memory.max"), "500000\n");
        MachineMemory.ControlGroupLimit(Path.Combine(folder, "self"), folder).ShouldBe(500000);
        MachineMemory.Bytes().ShouldBeGreaterThan(100_000_000);
        Directory.Delete(folder, recursive: true);
    }

    private static OperatorDescription Operator(double? share = null) => new() { Kind = "x", Title = "x", Description = "x", Icon = "x", MemoryShare = share };
}
