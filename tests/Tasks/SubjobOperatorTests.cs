using Microsoft.Extensions.Time.Testing;
using Qualiz.Contracts;
using Qualiz.Contracts.Runs.V1;
using Qualiz.OperatorKit;
using Qualiz.Platform.Messaging;
using Qualiz.Platform.Operators;
using Qualiz.Tasks.Subjob;

namespace Qualiz.Tasks.Tests;

public sealed class SubjobOperatorTests : IDisposable
{
    private static readonly Guid Child = Guid.CreateVersion7();
    private readonly OperatorBench _bench = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 22, 10, 0, 0, TimeSpan.Zero));
    private readonly Runs _runs = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void A_form_can_be_made_of_the_configuration() => FormCheck.Problems<SubjobConfig>().ShouldBeEmpty();

    [Fact]
    public async Task It_starts_the_run_waits_ever_longer_and_ends_with_it()
    {
        _runs.Answer = Standing("running");
        (await RunAsync("""{"pipeline": "child", "params": {"country": "NO"}}""")).ShouldBeOfType<StepResult.Deferred>().NextCheck.ShouldBe(_time.GetUtcNow().AddSeconds(2));
        _runs.Asked!.Params!.Value.GetRawText().ShouldBe("""{"country":"NO"}""");
        (_runs.Asked.Pipeline, _runs.Asked.Fence, _runs.Asked.StepId).ShouldBe(("child", 7, "step"));
        (await RunAsync("""{"pipeline": "child"}""", new Deferral(Child.ToString(), 3))).ShouldBeOfType<StepResult.Deferred>().NextCheck.ShouldBe(_time.GetUtcNow().AddSeconds(16));
        (await RunAsync("""{"pipeline": "child"}""", new Deferral(Child.ToString(), 300))).ShouldBeOfType<StepResult.Deferred>().NextCheck.ShouldBe(_time.GetUtcNow().AddMinutes(1));
        _runs.Answer = Standing("completed");
        (await RunAsync("""{"pipeline": "child"}""", new Deferral(Child.ToString(), 4))).ShouldBeOfType<StepResult.Completed>();
    }

    [Fact]
    public async Task It_fails_with_the_run_or_goes_on()
    {
        _runs.Answer = Standing("failed");
        var error = (await RunAsync("""{"pipeline": "child"}""")).ShouldBeOfType<StepResult.Failed>().Error;
        (error.Code, error.Message).ShouldBe(("childFailed", $"Run {Child} of child failed in clean: It went boom."));
        (await RunAsync("""{"pipeline": "child", "onFailure": "continue"}""")).ShouldBeOfType<StepResult.Completed>().Outcome.Warnings.ShouldBe([error.Message]);
        _runs.Answer = Standing("cancelled");
        (await RunAsync("""{"pipeline": "child"}""")).ShouldBeOfType<StepResult.Failed>().Error.Code.ShouldBe("childCancelled");
        _runs.Answer = new(null, new ChildRunRefused { Error = new StepError { Code = "recursion", Message = "no", Path = "pipeline" } });
        (await RunAsync("""{"pipeline": "child"}""")).ShouldBeOfType<StepResult.Failed>().Error.Code.ShouldBe("recursion");
    }

    private Task<StepResult> RunAsync(string config, Deferral? deferral = null) =>
        new SubjobOperator(_runs, _time).ExecuteAsync(OperatorBench.Config<SubjobConfig>(config), _bench.Step(new StepSetup { Fence = 7, Deferral = deferral }), default);

    private static Answer<ChildRun, ChildRunRefused> Standing(string state) => new(
        new ChildRun
        {
            RunId = Child,
            PipelineVersion = 1,
            State = state,
            FailedStep = state == "failed" ? "clean" : null,
            Error = state == "failed" ? new StepError { Code = "boom", Message = "It went boom." } : null,
        }, null);

    private sealed class Runs : IRequests
    {
        public Answer<ChildRun, ChildRunRefused> Answer { get; set; } = new(null, null);
        public StartChildRun? Asked { get; private set; }

        public Task<TAnswer> AskAsync<TAnswer>(string queue, object request, CancellationToken ct) where TAnswer : class => throw new InvalidOperationException();

        public Task<Answer<TFirst, TSecond>> AskAsync<TFirst, TSecond>(string queue, object request, CancellationToken ct)
            where TFirst : class
            where TSecond : class
        {
            queue.ShouldBe(Queues.RunClaims);
            Asked = (StartChildRun)request;
            return Task.FromResult((Answer<TFirst, TSecond>)(object)Answer);
        }
    }
}
