using System.Text.Json;
using Qualiz.Cli.Running;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Runs.V1;

namespace Qualiz.Cli.Tests;

public class RunViewTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    private readonly StringWriter _output = new();
    private readonly RunView _view;

    public RunViewTests() =>
        _view = new RunView(new Terminal(_output, TextWriter.Null, colour: false, interactive: false), new Dictionary<string, string> { ["crm"] = "ingest", ["clean"] = "cleanse", ["warehouse"] = "deliver" });

    [Fact]
    public void A_run_prints_a_line_for_each_step_and_one_for_its_end()
    {
        Show(Header<RunStarted>(0));
        Show(Started("crm", 0));
        Show(Completed("crm", 0.8, Outcome(new StepLedger { Input = "crm", In = 12_410, Out = 12_410 })));
        Show(Started("clean", 0.8));
        Show(Completed("clean", 1.7, Outcome(new StepLedger
        {
            Input = "crm",
            In = 12_410,
            Out = 11_986,
            Rejected = 412,
            Filtered = 12,
            Reasons = [new LedgerReason("rejected", "email", 371), new LedgerReason("rejected", "birth_date", 41), new LedgerReason("filtered", "filter", 12)],
        })));
        Show(Started("warehouse", 1.7));
        Show(Completed("warehouse", 2.2, Outcome(new StepLedger { Input = "clean", In = 11_986, Out = 11_986 }) with
        {
            Counts = new Dictionary<string, long> { ["new"] = 11_000, ["same"] = 986 },
        }));
        Show(Header<RunCompleted>(4.6));

        var lines = _output.ToString().Split('\n');
        lines[0].ShouldMatch(@"^ok    crm         12,410 read +0\.8 s$");
        lines[1].ShouldMatch(@"^warn  clean       12,410 in  11,986 out  412 rejected \(3\.3 %\)  12 filtered +0\.9 s   email 371, birth_date 41$");
        lines[2].ShouldMatch(@"^ok    warehouse   11,986 upserted: 11,000 new, 986 same +0\.5 s$");
        lines[3].ShouldStartWith("completed in 4.6 s. 412 rows wait in quarantine: ./qualiz quarantine list --run 00000000");
        lines[0].IndexOf("0.8 s", StringComparison.Ordinal).ShouldBe(lines[1].IndexOf("0.9 s", StringComparison.Ordinal), "the times stand below each other");
        _view.Exit.ShouldBe(ExitCode.Done);
        _view.Warned.ShouldBeTrue();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_retry_is_only_offered_where_there_is_something_to_retry(bool once)
    {
        var view = new RunView(new Terminal(_output, TextWriter.Null, colour: false, interactive: false), new Dictionary<string, string>(), once: once);
        view.Show(nameof(RunFailed), JsonSerializer.Serialize(new RunFailed
        {
            Id = Guid.NewGuid(),
            OccurredAt = Noon,
            ProjectId = Guid.Empty,
            Actor = "system",
            RunId = Guid.Empty,
            Sequence = 1,
            Project = "demo",
            PipelineId = Guid.Empty,
            Pipeline = "one",
            StepId = "a",
            Error = new StepError { Code = "empty", Message = "No file was found" },
        }, ApiJson.Options));
        _output.ToString().Contains("./qualiz retry", StringComparison.Ordinal).ShouldBe(!once);
        _output.ToString().ShouldContain("./qualiz logs 00000000 a");
    }

    [Fact]
    public void A_run_that_has_become_late_says_so()
    {
        Show(Header<RunStarted>(0));
        Show(nameof(RunLate), new RunLate
        {
            Id = Guid.NewGuid(),
            OccurredAt = Noon,
            ProjectId = Guid.Empty,
            Actor = "system",
            RunId = Guid.Empty,
            Sequence = 2,
            Project = "default",
            Pipeline = "customers",
            PipelineId = Guid.Empty,
            PipelineVersion = 1,
            Expected = Noon,
            Reason = "It is not done by 12:00 (UTC).",
        });

        _output.ToString().Trim().ShouldBe("late: It is not done by 12:00 (UTC).");
    }

    [Fact]
    public void Elements_of_a_step_make_one_line_and_those_that_fail_are_named()
    {
        Show(Header<RunStarted>(0));
        Show(nameof(StepSpread), new StepSpread { Id = Guid.NewGuid(), OccurredAt = Noon, ProjectId = Guid.Empty, Actor = "system", RunId = Guid.Empty, Sequence = 2, StepId = "shop", Attempt = 1, Items = 3 });
        foreach (var item in new[] { "shop.1", "shop.2" })
        {
            Show(nameof(StepCompleted), Event("shop", item) with { Outcome = Outcome(new StepLedger { Input = item, In = 5, Out = 4, Rejected = 1 }) });
        }
        Show(nameof(StepFailed), new StepFailed
        {
            Id = Guid.NewGuid(),
            OccurredAt = Noon,
            ProjectId = Guid.Empty,
            Actor = "w",
            RunId = Guid.Empty,
            Sequence = 5,
            StepId = "shop.3",
            ItemOf = "shop",
            Attempt = 1,
            Error = new StepError { Code = "boom", Message = "No such file." },
        });
        Show(nameof(StepCompleted), Event(null, "shop") with
        {
            Outcome = Outcome(new StepLedger { Input = "shop", In = 10, Out = 8, Rejected = 2 }) with
            {
                Counts = new Dictionary<string, long> { ["items"] = 3, ["itemsFailed"] = 1 },
                Warnings = ["1 of 3 elements failed; shop.3: No such file."],
            },
        });
        Show(Header<RunCompleted>(1));

        var lines = _output.ToString().Split('\n');
        lines[0].ShouldMatch("^fail  shop.3 +No such file.");
        lines[1].ShouldMatch("^warn  shop 2/3 +10 in  8 out  2 rejected");
        lines[3].ShouldContain("2 rows wait in quarantine");
    }

    private static StepCompleted Event(string? itemOf, string step) => new()
    {
        Id = Guid.NewGuid(),
        OccurredAt = Noon.AddSeconds(0.5),
        ProjectId = Guid.Empty,
        Actor = "w",
        RunId = Guid.Empty,
        Sequence = 3,
        StepId = step,
        ItemOf = itemOf,
        Attempt = 1,
        Fence = 1,
        Outcome = Outcome(new StepLedger { Input = step, In = 0, Out = 0 }),
    };

    [Fact]
    public void A_failed_run_says_where_and_why()
    {
        Show(Header<RunStarted>(0));
        Show(nameof(StepFailed), new StepFailed
        {
            Id = Guid.NewGuid(),
            OccurredAt = Noon.AddSeconds(1),
            ProjectId = Guid.Empty,
            Actor = "local",
            RunId = Guid.Empty,
            Sequence = 3,
            StepId = "clean",
            Attempt = 1,
            Error = new StepError { Code = "tooManyRejected", Message = "7.2 % of the rows were rejected, the limit is 5 %." },
        });
        Show(Header<RunFailed>(1.5));

        _output.ToString().ShouldContain("fail  clean");
        _output.ToString().ShouldContain("failed in clean in 1.5 s: 7.2 % of the rows were rejected, the limit is 5 %.");
        _view.Exit.ShouldBe(ExitCode.Failed);
    }

    [Fact]
    public void A_cancelled_run_has_its_own_exit_code()
    {
        Show(Header<RunCancelled>(1));

        _view.Exit.ShouldBe(ExitCode.Cancelled);
    }

    [Fact]
    public void An_event_of_a_later_version_is_passed_over()
    {
        _view.Show("SomethingNew", """{"id": 1}""");

        _output.ToString().ShouldBeEmpty();
    }

    private void Show((string Type, object Body) item) => Show(item.Type, item.Body);

    private void Show(string type, object body) => _view.Show(type, JsonSerializer.Serialize(body, body.GetType(), ApiJson.Options));

    private static (string, object) Started(string step, double at) => (nameof(StepStarted), new
    {
        id = Guid.NewGuid(),
        occurredAt = Noon.AddSeconds(at),
        projectId = Guid.Empty,
        actor = "local",
        runId = Guid.Empty,
        sequence = 1,
        stepId = step,
        attempt = 1,
        fence = 1,
        worker = "test",
    });

    private static (string, object) Completed(string step, double at, StepOutcome outcome) => (nameof(StepCompleted), new
    {
        id = Guid.NewGuid(),
        occurredAt = Noon.AddSeconds(at),
        projectId = Guid.Empty,
        actor = "local",
        runId = Guid.Empty,
        sequence = 1,
        stepId = step,
        attempt = 1,
        fence = 1,
        outcome,
    });

    private static (string, object) Header<T>(double at) => (typeof(T).Name, new
    {
        id = Guid.NewGuid(),
        occurredAt = Noon.AddSeconds(at),
        projectId = Guid.Empty,
        actor = "local",
        runId = Guid.Empty,
        sequence = 1,
        project = "demo",
        pipeline = "customers",
        pipelineId = Guid.Empty,
        pipelineVersion = 1,
        stepId = "clean",
        error = new { code = "tooManyRejected", message = "7.2 % of the rows were rejected, the limit is 5 %." },
    });

    private static StepOutcome Outcome(StepLedger ledger) => new() { Outputs = new Dictionary<string, DatasetRef>(), Ledger = [ledger] };
}
