using System.Text.Json;
using Npgsql;
using Qualiz.Contracts;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Plans;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Runs.Planning;
using static Qualiz.Runs.Tests.RunsFixture;

namespace Qualiz.Runs.Tests;

/// <summary>Runs that bring repaired rows into the result of earlier ones.</summary>
public sealed class ReinjectionTests
{
    private static PipelinePlan Rows(string name) => Plan(name, Delta(Step("read")), Delta(Step("clean", ["read"], publish: "people")), Delta(Step("table", ["clean"])) with { Adds = true });

    private static PlanStep Delta(PlanStep step) => step with { Delta = true };

    [Fact]
    public async Task Steps_before_are_taken_over_and_what_is_published_is_what_was_there_with_the_rows_added()
    {
        await using var runs = await StartAsync();
        runs.Publish(Rows("p"));
        var first = await CompleteAsync(runs, "p", 3, rows: 10);
        runs.Publish(Rows("p") with { Params = [] });

        var second = await ReinjectAsync(runs, first, "clean");
        var clean = await WorkAsync(runs, 2);
        var table = await WorkAsync(runs, 2);
        await runs.UntilAsync(second, "completed");

        (clean.StepId, clean.PipelineVersion, table.StepId).ShouldBe(("clean", 1, "table"));
        clean.Inputs.ShouldHaveSingleItem().OnlyPatched.ShouldBeTrue();
        clean.Reinjection.ShouldNotBeNull().Of.ShouldBe(first);
        (await runs.StepAsync(second, "read")).GetProperty("reason").GetString().ShouldBe($"taken over from run {first}");
        (await PublishedAsync(runs, second)).Rows.ShouldBe(12);

        var third = await ReinjectAsync(runs, first, "clean");
        await WorkAsync(runs, 1);
        await WorkAsync(runs, 1);
        await runs.UntilAsync(third, "completed");
        (await PublishedAsync(runs, third)).Rows.ShouldBe(13);
        var answer = await runs.Requests.AskAsync<RunOutputsFound, RunUnknown>(Queues.RunClaims, new GetRunOutputs { Project = Project, RunId = third }, default);
        (answer.First!.Completed, answer.First.Delta, string.Join(' ', answer.First.Steps.Select(step => step.StepId))).ShouldBe((true, true, "clean table"));
    }

    [Fact]
    public async Task The_columns_that_a_step_read_are_known_also_where_an_earlier_run_wrote_them()
    {
        await using var runs = await StartAsync();
        runs.Publish(Rows("p"));
        var first = await CompleteAsync(runs, "p", 3, rows: 10);
        var second = await ReinjectAsync(runs, first, "clean");
        await WorkAsync(runs, 1);
        await WorkAsync(runs, 1);
        await runs.UntilAsync(second, "completed");

        var asked = new GetStepInputs { Project = Project, RunId = second, StepId = "clean" };
        var found = (await runs.Requests.AskAsync<StepInputsFound, StepInputsUnknown>(Queues.RunClaims, asked, default)).First.ShouldNotBeNull().Inputs.ShouldHaveSingleItem();
        found.Name.ShouldBe("read");
        found.Schema.ShouldNotBeNull().Columns.Select(column => column.Name).ShouldBe(Outcome(1).Outputs["out"].Schema.Columns.Select(column => column.Name));
        foreach (var unknown in new[] { asked with { StepId = "claen" }, asked with { RunId = Guid.NewGuid() }, asked with { Project = "other" } })
            (await runs.Requests.AskAsync<StepInputsFound, StepInputsUnknown>(Queues.RunClaims, unknown, default)).Second.ShouldNotBeNull().Message.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task The_same_request_is_the_same_run_and_it_has_its_pipeline_for_itself()
    {
        await using var runs = await StartAsync();
        runs.Publish(Rows("p"));
        var first = await CompleteAsync(runs, "p", 3, rows: 10);
        var busy = await runs.StartRunAsync("p");
        var command = await runs.ReceiveAsync();
        var id = Guid.CreateVersion7();
        var second = await ReinjectAsync(runs, first, "clean", id);
        (await ReinjectAsync(runs, first, "clean", id)).ShouldBe(second);
        (await ReinjectAsync(runs, first, "clean")).ShouldBe(second, "one waits to do just that");
        var later = await runs.StartRunAsync("p");

        (await runs.StateAsync(second)).ShouldBe("queued");
        (await runs.StateAsync(later)).ShouldBe("queued");
        await runs.CompleteAsync(command.Command, (await runs.ClaimAsync(command))!.Fence, Outcome(20));
        await WorkAsync(runs, 20);
        await WorkAsync(runs, 20);
        await runs.UntilAsync(busy, "completed");
        await AdmitAsync(runs, second);
        await WorkAsync(runs, 1);
        (await runs.StateAsync(later)).ShouldBe("queued");
        await WorkAsync(runs, 1);
        await runs.UntilAsync(second, "completed");
        (await PublishedAsync(runs, second)).Rows.ShouldBe(21, "the run that completed meanwhile is what the rows are added to");
        (await WorkAsync(runs, 5)).RunId.ShouldBe(later);
    }

    [Fact]
    public async Task One_that_failed_goes_on_by_a_retry_unless_another_run_has_completed_since()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("p", [.. Rows("p").Steps, Delta(Step("after", needs: ["table"]))]));
        var first = await CompleteAsync(runs, "p", 4, rows: 10);
        var second = await ReinjectAsync(runs, first, "clean");
        await WorkAsync(runs, 2);
        await WorkAsync(runs, 2);
        var last = await runs.ReceiveAsync();
        await runs.FailAsync(last.Command, (await runs.ClaimAsync(last))!.Fence);
        await runs.UntilAsync(second, "failed");

        (await RefusalAsync(runs, first, "clean")).Code.ShouldBe("retryFirst");
        (await runs.PostAsync(second, "retry")).Dispose();
        (await WorkAsync(runs, 2)).StepId.ShouldBe("after");
        await runs.UntilAsync(second, "completed");

        var third = await ReinjectAsync(runs, first, "clean");
        var clean = await runs.ReceiveAsync();
        await runs.FailAsync(clean.Command, (await runs.ClaimAsync(clean))!.Fence);
        await runs.UntilAsync(third, "failed");
        await CompleteAsync(runs, "p", 4, rows: 12);
        (await runs.PostAsync(third, "retry")).Dispose();
        await runs.UntilAsync(third, "failed");
        (await runs.GetAsync(third)).GetProperty("run").GetProperty("error").GetProperty("code").GetString().ShouldBe("overtaken");
    }

    [Fact]
    public async Task Rows_are_not_brought_into_a_run_that_failed_nor_appended_a_second_time_nor_by_an_unknown_step()
    {
        await using var runs = await StartAsync();
        runs.Publish(Rows("p"));
        var failed = await runs.StartRunAsync("p");
        var read = await runs.ReceiveAsync();
        await runs.FailAsync(read.Command, (await runs.ClaimAsync(read))!.Fence);
        await runs.UntilAsync(failed, "failed");
        (await RefusalAsync(runs, failed, "clean")).Code.ShouldBe("wrongState");
        var first = await CompleteAsync(runs, "p", 3, rows: 10);
        (await RefusalAsync(runs, first, "claen")).Code.ShouldBe("cannotReinject");
        (await RefusalAsync(runs, first, "clean", whole: true)).Message.ShouldContain("\"table\" would deliver rows a second time");
        (await RefusalAsync(runs, Guid.NewGuid(), "clean")).Code.ShouldBe("notFound");
    }

    [Fact]
    public void All_rows_are_done_again_where_a_step_after_is_in_need_of_them()
    {
        PlanStep[] steps = [Delta(Step("read")), Delta(Step("other")), Delta(Step("clean", ["read"])), Delta(Step("more", ["clean"]))];
        ReinjectionPlan.Of(Plan("p", steps), "clean", whole: false).ShouldSatisfyAllConditions(
            plan => plan.Delta.ShouldBeTrue(), plan => plan.Objection.ShouldBeNull(), plan => plan.Again.Order().ShouldBe(["clean", "more"]));
        PlanStep[] needing =
        [
            Delta(Step("more", ["clean"])) with { Delta = false }, Delta(Step("more", ["clean", "other"])), Delta(Step("more", ["clean"], when: "clean.rejectedShare < 0.1")),
            ForEach(Delta(Step("more", ["clean"])), 2),
        ];
        foreach (var step in needing)
            ReinjectionPlan.Of(Plan("p", [.. steps[..3], step]), "clean", whole: false).Delta.ShouldBeFalse();
        ReinjectionPlan.Of(Plan("p", [.. steps[..3], Step("more", ["clean"])]), "clean", whole: false).Objection.ShouldNotBeNull().ShouldContain("Save it again");
    }

    /// <summary>A run through so many steps, each with so many rows.</summary>
    private static async Task<Guid> CompleteAsync(RunsFixture runs, string pipeline, int steps, long rows)
    {
        var run = await runs.StartRunAsync(pipeline);
        for (var i = 0; i < steps; i++)
            await WorkAsync(runs, rows);
        await runs.UntilAsync(run, "completed");
        return run;
    }

    private static Task<ExecuteStep> WorkAsync(RunsFixture runs, long rows) => runs.WorkAsync(Outcome(rows));

    private static async Task<DatasetRef> PublishedAsync(RunsFixture runs, Guid run) =>
        (await HeardAsync<RunCompleted>(runs, run)).Published.ShouldHaveSingleItem().Content;

    /// <summary>Runs without a limit tell nobody that they have ended: the reconciler looks.</summary>
    private static async Task AdmitAsync(RunsFixture runs, Guid run) =>
        await runs.Sender.SendAsync(Queues.RunCommands, new AdmitNext { PipelineId = (await HeardAsync<RunQueued>(runs, run)).PipelineId }, default);

    /// <summary>As it was written down; a listener to all events is handed what they have in common.</summary>
    private static async Task<T> HeardAsync<T>(RunsFixture runs, Guid run) where T : EventRecord
    {
        await using var source = NpgsqlDataSource.Create(runs.Host.Surroundings.Database);
        await using var command = source.CreateCommand("select body::text from runs.event where run_id = $1 and type = $2");
        command.Parameters.AddWithValue(run);
        command.Parameters.AddWithValue(typeof(T).Name);
        return JsonSerializer.Deserialize<T>((string)(await command.ExecuteScalarAsync()).ShouldNotBeNull(), JsonSerializerOptions.Web)!;
    }

    private static Task<Answer> AskAsync(RunsFixture runs, Guid of, string step, Guid? id, bool whole) => AnswerAsync(runs.Requests.AskAsync<ReinjectionStarted, ReinjectionRefused>(
        Queues.RunClaims, new StartReinjection { RunId = id ?? Guid.CreateVersion7(), Project = Project, Of = of, StepId = step, Whole = whole, Actor = "me" }, default));

    private static async Task<Answer> AnswerAsync(Task<Platform.Messaging.Answer<ReinjectionStarted, ReinjectionRefused>> asked) => new((await asked).First, (await asked).Second);

    private static async Task<Guid> ReinjectAsync(RunsFixture runs, Guid of, string step, Guid? id = null)
    {
        var answer = await AskAsync(runs, of, step, id, whole: false);
        return answer.Started.ShouldNotBeNull(answer.Refused?.Message).RunId;
    }

    private static async Task<ReinjectionRefused> RefusalAsync(RunsFixture runs, Guid of, string step, bool whole = false) => (await AskAsync(runs, of, step, null, whole)).Refused.ShouldNotBeNull();

    private sealed record Answer(ReinjectionStarted? Started, ReinjectionRefused? Refused);
}
