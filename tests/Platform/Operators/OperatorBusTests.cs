using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Qualiz.Contracts;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Messaging;
using Qualiz.TestKit;

namespace Qualiz.Platform.Tests.Operators;

public sealed class InProcessOperatorTests() : OperatorBusTests(TestBus.InProcess);

public sealed class RabbitMqOperatorTests() : OperatorBusTests(TestBus.RabbitMq)
{
    [Fact]
    public async Task A_host_that_stops_gives_its_step_to_another_one()
    {
        await using var first = await StartAsync();
        var command = ExecutorRig.Command("hostprobe", new { @do = "sleep", number = 3000 });
        await SendAsync(first, command);
        await TestHost.UntilAsync(() => Runs.Claims.IsEmpty ? "a claim" : null);
        await using var second = await StartAsync();
        await first.DisposeAsync();
        await UntilReportsAsync(1);
        var back = Runs.Reports.ShouldHaveSingleItem().ShouldBeOfType<LoseStep>();
        (back.Fence, back.HostRestarted).ShouldBe((1, true), "handed back, and nobody died");

        // What Runs does then: the next dispatch.
        await SendAsync(second, command with { Dispatch = 2 });
        await UntilReportsAsync(2);
        Runs.Reports.Last().ShouldBeOfType<CompleteStep>().Fence.ShouldBe(2);
        Runs.Claims.Select(claim => claim.Dispatch).ShouldBe([1, 2], "the command itself does not come again");
    }

    [Fact]
    public async Task A_connection_that_is_cut_in_the_middle_of_a_step_ends_in_one_completion_that_counts()
    {
        await using var host = await StartAsync();
        await SendAsync(host, ExecutorRig.Command("hostprobe", new { @do = "sleep", number = 2000 }));
        await TestHost.UntilAsync(() => Runs.Claims.IsEmpty ? "a claim" : null);
        var broker = await RabbitMqServer.SharedAsync();
        await broker.ControlAsync("--quiet", "close_all_connections", "-p", new Uri(host.Surroundings.Settings["Bus:Uri"]!).AbsolutePath.TrimStart('/'), "test");
        await TestHost.UntilAsync(() => Runs.Counting.IsEmpty ? "a completion with the current fence" : null, TimeSpan.FromSeconds(60));
        Runs.Counting.Count.ShouldBe(1);
    }
}

/// <summary>Operators on a real bus, with stand-ins for the services they talk to.</summary>
public abstract class OperatorBusTests(TestBus bus) : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("qualiz-bus-").FullName;
    private TestSurroundings _surroundings = null!;

    internal FakeRuns Runs { get; } = new();

    public async Task InitializeAsync() =>
        _surroundings = TestSurroundings.Create(bus, "", bus == TestBus.RabbitMq ? await (await RabbitMqServer.SharedAsync()).CreateVirtualHostAsync() : null);

    public Task DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return Task.CompletedTask;
    }

    [Fact]
    public async Task A_command_is_claimed_done_and_reported()
    {
        await using var host = await StartAsync();
        var command = ExecutorRig.Command("hostprobe", new { @do = "complete", text = "hello" });
        await SendAsync(host, command);
        await UntilReportsAsync(1);
        var done = Runs.Reports.ShouldHaveSingleItem().ShouldBeOfType<CompleteStep>();
        done.RunId.ShouldBe(command.RunId);
        done.Outcome.LogKey.ShouldNotBeNull();
    }

    [Fact]
    public async Task A_command_runs_in_an_engine_worker()
    {
        await using var host = await StartAsync();
        await SendAsync(host, ExecutorRig.Command("probe", new { @do = "complete" }));
        await UntilReportsAsync(1);
        Runs.Reports.ShouldHaveSingleItem().ShouldBeOfType<CompleteStep>().Outcome.Counts["pid"].ShouldNotBe(Environment.ProcessId);
    }

    [Fact]
    public async Task A_command_that_comes_twice_is_done_once()
    {
        await using var host = await StartAsync();
        var command = ExecutorRig.Command("hostprobe", new { @do = "sleep", number = 300 });
        await SendAsync(host, command);
        await SendAsync(host, command);
        await TestHost.UntilAsync(() => Runs.Claims.Count == 2 ? null : "two claims");
        await UntilReportsAsync(1);
        await SendAsync(host, command);
        await TestHost.UntilAsync(() => Runs.Claims.Count == 3 ? null : "three claims");
        Runs.Reports.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_stop_is_heard()
    {
        await using var host = await StartAsync();
        var command = ExecutorRig.Command("hostprobe", new { @do = "sleep" });
        await SendAsync(host, command);
        await TestHost.UntilAsync(() => Runs.Claims.IsEmpty ? "a claim" : null);
        await TestHost.UntilAsync(async () =>
        {
            await host.Services.GetRequiredService<IMessageSender>().PublishAsync(new StopStep { RunId = command.RunId, StepId = command.StepId, Fence = 1 }, default);
            return Runs.Reports.IsEmpty ? "the end of the step" : null;
        });
        Runs.Reports.First().ShouldBeOfType<FailStep>().Error.Code.ShouldBe("cancelled");
    }

    [Fact]
    public async Task Operators_announce_themselves()
    {
        await using var host = await StartAsync();
        await TestHost.UntilAsync(() => Runs.Announced.Count >= 2 ? null : "two announcements");
        var probe = Runs.Announced.First(announced => announced.Manifest.Kind == "probe").Manifest;
        probe.Major.ShouldBe(1);
        probe.ConfigSchema.GetProperty("properties").GetProperty("do").GetProperty("enum").EnumerateArray().Select(word => word.GetString()).ShouldContain("storeAway");
    }

    [Fact]
    public async Task Health_and_metrics_answer()
    {
        await using var host = await StartAsync();
        await SendAsync(host, ExecutorRig.Command("hostprobe", new { @do = "complete" }));
        await UntilReportsAsync(1);
        (await host.Client.GetAsync("/health/live")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await TestHost.UntilAsync(async () => (await host.Client.GetAsync("/health/ready")).StatusCode == HttpStatusCode.OK ? null : await host.Client.GetStringAsync("/health/ready"));
        await TestHost.UntilAsync(async () => (await host.Client.GetStringAsync("/metrics")) is var text && text.Contains("qualiz_steps") && text.Contains("operator=\"hostprobe\"") && text.Contains("qualiz_step_duration") ? null : text);

        Directory.Delete(Path.Combine(_folder, "store"), recursive: true);
        var sick = await host.Client.GetAsync("/health/ready");
        sick.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        var store = JsonDocument.Parse(await sick.Content.ReadAsStringAsync()).RootElement.GetProperty("checks").GetProperty("store");
        store.GetProperty("status").GetString().ShouldBe("unhealthy");
        store.GetProperty("message").GetString()!.ShouldContain("is not there");
        (await host.Client.GetAsync("/health/live")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private protected Task<TestHost> StartAsync() => TestHost.StartAsync(_surroundings, builder =>
    {
        builder.Services.AddSingleton(Runs);
        builder.AddProbes();
        builder.AddRequestConsumer<FakeClaims>(Queues.RunClaims);
        builder.AddBusConsumer<FakeSaga>(Queues.RunSaga);
        builder.AddBusConsumer<FakePalette>(Queues.PipelineOperators);
    }, settings: ExecutorRig.Settings(_folder));

    private protected static Task SendAsync(TestHost host, ExecuteStep command) =>
        host.Services.GetRequiredService<IMessageSender>().SendAsync(Queues.Operator(command.Operator, command.Major), command, default);

    private protected Task UntilReportsAsync(int count) =>
        TestHost.UntilAsync(() => Runs.Reports.Count >= count ? null : $"{count} reports; there are {Runs.Reports.Count}", TimeSpan.FromSeconds(60));

    /// <summary>Answers claims as Runs does: one holder per step, a redelivery of the same command takes over.</summary>
    internal sealed class FakeRuns
    {
        private readonly Lock _lock = new();
        private readonly Dictionary<Guid, (Guid Command, long Fence, bool Ended)> _holders = [];
        private long _fence;

        public ConcurrentQueue<ClaimStep> Claims { get; } = [];
        public ConcurrentQueue<object> Reports { get; } = [];
        public ConcurrentQueue<OperatorAnnounced> Announced { get; } = [];
        public ConcurrentQueue<CompleteStep> Counting { get; } = [];

        public StepClaimed? Claim(ClaimStep claim)
        {
            lock (_lock)
            {
                Claims.Enqueue(claim);
                if (_holders.TryGetValue(claim.RunId, out var holder) && (holder.Ended || !claim.Redelivered || holder.Command != claim.CommandId))
                    return null;
                _holders[claim.RunId] = (claim.CommandId, ++_fence, false);
                return new StepClaimed { Fence = _fence, Lease = TimeSpan.FromSeconds(3) };
            }
        }

        public bool Holds(Guid run, long fence)
        {
            lock (_lock)
                return _holders.TryGetValue(run, out var holder) && holder.Fence == fence && !holder.Ended;
        }

        public void Lose(LoseStep lost)
        {
            lock (_lock)
            {
                if (_holders.TryGetValue(lost.RunId, out var holder) && holder.Fence == lost.Fence)
                    _holders.Remove(lost.RunId);
            }
        }

        public void Complete(CompleteStep done)
        {
            lock (_lock)
            {
                if (!_holders.TryGetValue(done.RunId, out var holder) || holder.Fence != done.Fence || holder.Ended)
                    return;
                _holders[done.RunId] = holder with { Ended = true };
                Counting.Enqueue(done);
            }
        }
    }

    internal sealed class FakeClaims(FakeRuns runs) : IConsumer<ClaimStep>, IConsumer<RenewLease>
    {
        public Task Consume(ConsumeContext<ClaimStep> context) => runs.Claim(context.Message) is { } claimed
            ? context.RespondAsync(claimed)
            : context.RespondAsync(new ClaimRefused { Reason = "taken" });

        public Task Consume(ConsumeContext<RenewLease> context) => context.RespondAsync(new LeaseAnswer(runs.Holds(context.Message.RunId, context.Message.Fence)));
    }

    internal sealed class FakeSaga(FakeRuns runs) : IConsumer<CompleteStep>, IConsumer<FailStep>, IConsumer<LoseStep>
    {
        public Task Consume(ConsumeContext<CompleteStep> context)
        {
            runs.Complete(context.Message);
            return Keep(context.Message);
        }

        public Task Consume(ConsumeContext<FailStep> context) => Keep(context.Message);

        public Task Consume(ConsumeContext<LoseStep> context)
        {
            runs.Lose(context.Message);
            return Keep(context.Message);
        }

        private Task Keep(object report)
        {
            runs.Reports.Enqueue(report);
            return Task.CompletedTask;
        }
    }

    internal sealed class FakePalette(FakeRuns runs) : IConsumer<OperatorAnnounced>
    {
        public Task Consume(ConsumeContext<OperatorAnnounced> context)
        {
            runs.Announced.Enqueue(context.Message);
            return Task.CompletedTask;
        }
    }
}
