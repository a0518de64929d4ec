using System.Text.Json;
using Qualiz.Contracts.Conditions;
using Qualiz.Contracts.Plans;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Runs.Model;
using Qualiz.Runs.Planning;

namespace Qualiz.Runs.Tests;

public sealed class RunPlanTests
{
    private static readonly StepError s_boom = new() { Code = "boom", Message = "It went boom." };

    [Fact]
    public void Fresh_run_dispatches_every_step_without_dependencies_at_once() =>
        Next(Plan(Step("a"), Step("b"), Step("c", inputs: ["a"])))
            .ShouldBe([new Transition.Dispatch("a"), new Transition.Dispatch("b")]);

    [Fact]
    public void Step_waits_until_all_its_inputs_and_needs_are_completed()
    {
        var plan = Plan(Step("a"), Step("b"), Step("c", inputs: ["a"], needs: ["b"]));

        Next(plan, ("a", StepStatus.Completed), ("b", StepStatus.Running)).ShouldBeEmpty();
        Next(plan, ("a", StepStatus.Completed), ("b", StepStatus.Completed)).ShouldBe([new Transition.Dispatch("c")]);
    }

    [Theory]
    [InlineData(nameof(StepStatus.Failed), "a failed")]
    [InlineData(nameof(StepStatus.Skipped), "a was skipped")]
    public void Step_behind_one_that_did_not_succeed_is_skipped_with_the_reason(string status, string reason) =>
        Next(Plan(Step("a"), Step("b", inputs: ["a"])), ("a", Enum.Parse<StepStatus>(status)))
            .ShouldBe([new Transition.Skip("b", reason)]);

    [Fact]
    public void Independent_branch_goes_on_when_another_failed() =>
        Next(Plan(Step("a"), Step("b"), Step("c", inputs: ["b"])), ("a", StepStatus.Failed), ("b", StepStatus.Completed))
            .ShouldBe([new Transition.Dispatch("c")]);

    [Fact]
    public void False_condition_skips_the_step_and_true_dispatches_it()
    {
        var plan = Plan(Step("a"), Step("b", inputs: ["a"], when: "a.rejectedShare < 0.02"));

        Next(plan, """{"steps": {"a": {"rejectedShare": 0.01}}}""", ("a", StepStatus.Completed)).ShouldBe([new Transition.Dispatch("b")]);
        Next(plan, """{"steps": {"a": {"rejectedShare": 0.5}}}""", ("a", StepStatus.Completed))
            .ShouldBe([new Transition.Skip("b", "condition is false: a.rejectedShare < 0.02")]);
    }

    [Theory]
    [InlineData("a.status == 'failed'", nameof(StepStatus.Failed), "failed", true)]
    [InlineData("steps.a.status = 'failed'", nameof(StepStatus.Failed), "failed", true)]
    [InlineData("a.status == 'failed'", nameof(StepStatus.Completed), "completed", false)]
    [InlineData("a.status != ''", nameof(StepStatus.Skipped), "skipped", true)]
    [InlineData("a.rejected > 0", nameof(StepStatus.Failed), "failed", false)]
    public void Condition_that_reads_how_a_step_ended_decides_itself_what_a_failure_means(string when, string status, string word, bool runs)
    {
        var scope = """{"steps": {"a": {"status": "WORD", "rejected": 5}}}""".Replace("WORD", word, StringComparison.Ordinal);
        var next = Next(Plan(Step("a"), Step("b", inputs: ["a"], when: when)), scope, ("a", Enum.Parse<StepStatus>(status))).ShouldHaveSingleItem();
        (next is Transition.Dispatch).ShouldBe(runs);
    }

    [Fact]
    public void Error_branch_waits_for_all_its_steps_and_another_ones_failure_still_skips_it()
    {
        var plan = Plan(Step("a"), Step("b"), Step("c", needs: ["a", "b"], when: "a.status == 'failed'"));

        Next(plan, """{"steps": {"a": {"status": "failed"}}}""", ("a", StepStatus.Failed), ("b", StepStatus.Running)).ShouldBeEmpty();
        Next(plan, """{"steps": {"a": {"status": "failed"}}}""", ("a", StepStatus.Failed), ("b", StepStatus.Failed)).ShouldBe([new Transition.Skip("c", "b failed")]);
    }

    [Fact]
    public void Retry_does_again_what_did_not_complete_and_what_completed_after_it()
    {
        var plan = Plan(Step("a"), Step("b", inputs: ["a"]), Step("alarm", needs: ["b"], when: "b.status == 'failed'"), Step("told", needs: ["alarm"]), Step("other"));
        var status = new Dictionary<string, StepStatus>
        {
            ["a"] = StepStatus.Completed,
            ["b"] = StepStatus.Failed,
            ["alarm"] = StepStatus.Completed,
            ["told"] = StepStatus.Completed,
            ["other"] = StepStatus.Completed,
        };
        RunPlan.Again(plan, id => status[id]).ShouldBe(["b", "alarm", "told"], ignoreOrder: true);
    }

    [Fact]
    public void Paused_run_begins_nothing_and_ends_only_when_nothing_is_left()
    {
        var plan = Plan(Step("a"), Step("b", inputs: ["a"]));
        RunPlan.Next(new RunSnapshot(plan, Snapshots(plan, [("a", StepStatus.Completed)]), false, null, Scope("{}"), Paused: true)).ShouldBeEmpty();
        RunPlan.Next(new RunSnapshot(plan, Snapshots(plan, [("a", StepStatus.Completed), ("b", StepStatus.Completed)]), false, null, Scope("{}"), Paused: true))
            .ShouldBe([new Transition.End(RunOutcome.Completed, null, null)]);
    }

    [Fact]
    public void Condition_without_an_answer_fails_the_step_and_names_its_place()
    {
        var failed = Next(Plan(Step("a", when: "params.missing == 1")), """{"params": {}}""").ShouldHaveSingleItem().ShouldBeOfType<Transition.Fail>();

        failed.Error.Code.ShouldBe("conditionInvalid");
        failed.Error.Path.ShouldBe("when");
    }

    [Fact]
    public void Run_ends_completed_when_nothing_is_left_even_if_steps_were_skipped() =>
        Next(Plan(Step("a"), Step("b")), ("a", StepStatus.Completed), ("b", StepStatus.Skipped))
            .ShouldBe([new Transition.End(RunOutcome.Completed, null, null)]);

    [Fact]
    public void Run_ends_failed_and_names_the_first_failed_step()
    {
        var plan = Plan(Step("a"), Step("b"));
        var steps = new Dictionary<string, StepSnapshot> { ["a"] = new(StepStatus.Completed, null), ["b"] = new(StepStatus.Failed, s_boom) };

        RunPlan.Next(new RunSnapshot(plan, steps, false, null, Scope("{}"))).ShouldBe([new Transition.End(RunOutcome.Failed, "b", s_boom)]);
    }

    [Theory]
    [InlineData(nameof(StepStatus.Running))]
    [InlineData(nameof(StepStatus.Dispatched))]
    [InlineData(nameof(StepStatus.Deferred))]
    [InlineData(nameof(StepStatus.BackingOff))]
    [InlineData(nameof(StepStatus.Ready))]
    public void Run_does_not_end_while_a_step_is_under_way(string status) =>
        Next(Plan(Step("a"), Step("b")), ("a", StepStatus.Failed), ("b", Enum.Parse<StepStatus>(status))).ShouldBeEmpty();

    [Fact]
    public void Cancelling_run_stops_all_that_has_no_worker_and_waits_for_those_that_have()
    {
        var plan = Plan(Step("a"), Step("b"), Step("c"), Step("d"), Step("e", inputs: ["a"]));

        Next(plan, cancelling: true, null, ("a", StepStatus.Running), ("b", StepStatus.Dispatched), ("c", StepStatus.BackingOff), ("d", StepStatus.Completed))
            .ShouldBe([new Transition.Cancel("b"), new Transition.Cancel("c"), new Transition.Cancel("e")]);
        Next(plan, cancelling: true, null, ("a", StepStatus.Cancelled), ("b", StepStatus.Cancelled), ("c", StepStatus.Cancelled), ("d", StepStatus.Completed), ("e", StepStatus.Cancelled))
            .ShouldBe([new Transition.End(RunOutcome.Cancelled, null, null)]);
    }

    [Fact]
    public void Run_whose_time_is_up_ends_failed_with_that_error() =>
        Next(Plan(Step("a")), cancelling: true, s_boom, ("a", StepStatus.Cancelled)).ShouldBe([new Transition.End(RunOutcome.Failed, null, s_boom)]);

    [Fact]
    public void Every_plan_reaches_its_end_whatever_the_steps_do()
    {
        // A random graph, random outcomes: asking again and again must dispatch every step at most once and always end.
        for (var seed = 0; seed < 500; seed++)
        {
            var random = new Random(seed);
            var ids = Enumerable.Range(0, random.Next(1, 30)).Select(i => $"s{i}").ToArray();
            var plan = Plan([.. ids.Select((id, i) => Step(id, inputs: [.. ids.Take(i).Where(_ => random.Next(4) == 0)]))]);
            var steps = ids.ToDictionary(id => id, _ => new StepSnapshot(StepStatus.Pending, null));
            var dispatched = new HashSet<string>();
            RunOutcome? end = null;
            for (var turn = 0; end is null; turn++)
            {
                turn.ShouldBeLessThan(1000, $"seed {seed} does not end");
                foreach (var transition in RunPlan.Next(new RunSnapshot(plan, steps, false, null, Scope("{}"))))
                {
                    switch (transition)
                    {
                        case Transition.Dispatch(var id):
                            dispatched.Add(id).ShouldBeTrue($"seed {seed} dispatches {id} twice");
                            plan.Step(id).Dependencies.ShouldAllBe(on => steps[on].Status == StepStatus.Completed);
                            steps[id] = new StepSnapshot(StepStatus.Running, null);
                            break;
                        case Transition.Skip(var id, _):
                            steps[id] = new StepSnapshot(StepStatus.Skipped, null);
                            break;
                        case Transition.End ended:
                            end = ended.Outcome;
                            break;
                    }
                }

                if (steps.FirstOrDefault(step => step.Value.Status == StepStatus.Running) is { Key: { } running })
                {
                    steps[running] = random.Next(8) == 0 ? new StepSnapshot(StepStatus.Failed, s_boom) : new StepSnapshot(StepStatus.Completed, null);
                }
            }

            end.ShouldBe(steps.Values.Any(step => step.Status == StepStatus.Failed) ? RunOutcome.Failed : RunOutcome.Completed);
        }
    }

    [Fact]
    public void Transient_error_is_tried_again_with_growing_waits_until_the_retries_are_used_up()
    {
        var retry = new RetryPolicy(3, TimeSpan.FromSeconds(10), 2, RetryOn.Transient);
        var transient = s_boom with { Transient = true };

        RunPlan.RetryAfter(retry, 0, transient).ShouldBe(TimeSpan.FromSeconds(10));
        RunPlan.RetryAfter(retry, 2, transient).ShouldBe(TimeSpan.FromSeconds(40));
        RunPlan.RetryAfter(retry, 3, transient).ShouldBeNull();
    }

    [Fact]
    public void Lasting_error_is_tried_again_only_where_the_policy_says_any()
    {
        RunPlan.RetryAfter(new RetryPolicy(3, TimeSpan.Zero, 1, RetryOn.Transient), 0, s_boom).ShouldBeNull();
        RunPlan.RetryAfter(new RetryPolicy(3, TimeSpan.Zero, 1, RetryOn.Any), 0, s_boom).ShouldBe(TimeSpan.Zero);
    }

    private static IReadOnlyList<Transition> Next(PipelinePlan plan, params (string Step, StepStatus Status)[] known) => Next(plan, false, null, known);

    private static IReadOnlyList<Transition> Next(PipelinePlan plan, string scope, params (string Step, StepStatus Status)[] known) =>
        RunPlan.Next(new RunSnapshot(plan, Snapshots(plan, known), false, null, Scope(scope)));

    private static IReadOnlyList<Transition> Next(PipelinePlan plan, bool cancelling, StepError? expired, params (string Step, StepStatus Status)[] known) =>
        RunPlan.Next(new RunSnapshot(plan, Snapshots(plan, known), cancelling, expired, Scope("{}")));

    private static Dictionary<string, StepSnapshot> Snapshots(PipelinePlan plan, (string Step, StepStatus Status)[] known)
    {
        var steps = plan.Steps.ToDictionary(step => step.Id, _ => new StepSnapshot(StepStatus.Pending, null));
        foreach (var (step, status) in known)
        {
            steps[step] = new StepSnapshot(status, status == StepStatus.Failed ? s_boom : null);
        }

        return steps;
    }

    private static Lazy<IScope> Scope(string json) => new(() => new JsonScope(JsonSerializer.Deserialize<JsonElement>(json)));

    private static PipelinePlan Plan(params PlanStep[] steps) =>
        new() { Pipeline = "p", Params = [], Limits = new PlanLimits(null, WhenBusy.Queue, null), Steps = steps };

    private static PlanStep Step(string id, string[]? inputs = null, string[]? needs = null, string? when = null) => new()
    {
        Id = id,
        Operator = "log",
        Major = 1,
        Config = JsonSerializer.SerializeToElement(new { }),
        Inputs = [.. (inputs ?? []).Select(input => new PlanInput(input, input, null, null))],
        Needs = needs ?? [],
        When = when,
        Retry = RetryPolicy.None,
    };
}
