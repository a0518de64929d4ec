using System.Collections.Concurrent;
using System.Text.Json;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Qualiz.Contracts;
using Qualiz.Contracts.Datasets.V1;
using Qualiz.Contracts.Pipelines.V1;
using Qualiz.Contracts.Plans;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Notify.Channels;
using Qualiz.Notify.Notices;
using Qualiz.Notify.Records;
using Qualiz.Platform.Messaging;
using Qualiz.Platform.Operators;
using Qualiz.TestKit;

namespace Qualiz.Notify.Tests;

/// <summary>Messages about pipelines' runs: on a change, once, to whom the pipeline names.</summary>
public sealed class NoticeTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("qualiz-test-notices-").FullName;
    private readonly Neighbours _neighbours = new();
    private TestHost _host = null!;
    private SmtpServer _smtp = null!;

    public async Task InitializeAsync()
    {
        _smtp = await SmtpServer.SharedAsync();
        _host = await StartAsync(new Dictionary<string, string?>
        {
            ["Notify:Smtp:Host"] = _smtp.Host,
            ["Notify:Smtp:Port"] = _smtp.Port,
            ["Notify:Smtp:From"] = "qualiz@example.org",
            ["Notify:Smtp:Encryption"] = "none",
        });
    }

    private Task<TestHost> StartAsync(Dictionary<string, string?> mail) => TestHost.StartAsync(
        builder =>
        {
            builder.AddNotify();
            builder.Services.AddSingleton(_neighbours);
            builder.Services.AddSingleton<IConnectionExchange>(_neighbours);
            builder.AddRequestConsumer<FakePipelines>(Queues.PipelineRequests);
            builder.AddRequestConsumer<FakeRuns>(Queues.RunClaims);
        },
        app => app.MapNotify(), TestBus.InProcess, new Dictionary<string, string?>(mail)
        {
            ["Store:Root"] = Path.Combine(_folder, "store"),
            ["Engine:Scratch"] = Path.Combine(_folder, "scratch"),
            ["Outbound:Allow:0"] = "127.0.0.1",
            ["Notify:Address"] = "https://qualiz.example.org",
            ["Notify:Mute"] = "quiet demo/hushed",
        });

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_failure_is_told_once_per_cause_and_so_is_the_recovery()
    {
        var pipeline = Pipeline([PlanNotifyOn.Failed, PlanNotifyOn.Recovered]);
        var first = Failed(pipeline, 1, "clean", "tooManyRejected", "7.2 % of rows rejected, limit 5 %");
        await PublishAsync(first);
        await PublishAsync(Failed(pipeline, 2, "clean", "tooManyRejected", "7.3 % of rows rejected, limit 5 %"));
        await PublishAsync(Failed(pipeline, 3, "warehouse", "schemaChanged", "The table has no such column."));
        await PublishAsync(Completed(pipeline, 4));
        await PublishAsync(Completed(pipeline, 5));
        var mails = await MailsAsync(pipeline, 3);
        mails.Count(mail => mail.Contains($"Subject: {pipeline.Name} failed", StringComparison.Ordinal)).ShouldBe(2);
        mails.Count(mail => mail.Contains($"Subject: {pipeline.Name} runs again", StringComparison.Ordinal)).ShouldBe(1);
        mails.ShouldContain(mail => mail.Contains("It failed in clean: 7.2 % of rows rejected, limit 5 %", StringComparison.Ordinal)
            && mail.Contains($"https://qualiz.example.org/p/demo/runs/{first.RunId}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_delivery_that_comes_twice_or_late_tells_nothing_more()
    {
        var pipeline = Pipeline([PlanNotifyOn.Failed, PlanNotifyOn.Recovered]);
        await PublishAsync(Completed(pipeline, 5));
        // A run that ended earlier is heard of later.
        await PublishAsync(Failed(pipeline, 4, "clean", "x", "late news"));
        var failed = Failed(pipeline, 6, "clean", "x", "real news");
        await PublishAsync(failed);
        await PublishAsync(failed);
        (await MailsAsync(pipeline, 1)).ShouldHaveSingleItem().ShouldContain("real news");
    }

    [Fact]
    public async Task What_waits_for_a_person_is_told_in_a_digest()
    {
        var pipeline = Pipeline([PlanNotifyOn.Attention], every: TimeSpan.FromDays(1));
        await PublishAsync(Completed(pipeline, 1) with { Rejected = 1412, ToReview = 57 });
        await PublishAsync(Completed(pipeline, 2) with { ToReview = 3 });
        await UntilAsync(pipeline, 2);
        (await _smtp.MailsWithAsync(pipeline.Name)).ShouldBeEmpty();
        await using (var scope = _host.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<NotifyDb>();
            (await db.Notices.Where(notice => notice.Pipeline == pipeline.Name).Select(notice => notice.DueAt).Distinct().SingleAsync()).TimeOfDay.ShouldBe(TimeSpan.Zero);
            await db.Notices.Where(notice => notice.Pipeline == pipeline.Name).ExecuteUpdateAsync(update => update.SetProperty(notice => notice.DueAt, DateTimeOffset.UtcNow));
        }

        var mail = (await MailsAsync(pipeline, 1)).ShouldHaveSingleItem();
        mail.ShouldContain("Subject: demo: 2 messages");
        mail.ShouldContain("1,412 rows and 57 pairs wait for a person");
        mail.ShouldContain("3 pairs wait for a person");
    }

    [Fact]
    public async Task A_version_that_is_not_as_usual_is_told_to_whom_its_pipeline_names_once_and_one_from_an_upload_to_nobody()
    {
        var pipeline = Pipeline([PlanNotifyOn.Attention]);
        var found = Findings(_neighbours.Run(pipeline), new DatasetFinding("anomaly", "", "rows"), new DatasetFinding("columnGone", "email", ""), new DatasetFinding("anomaly", "age", "mean"));
        await PublishAsync(found);
        await PublishAsync(found with { SourceRunId = null, Id = Guid.CreateVersion7() });
        await PublishAsync(found with { SourceRunId = Guid.CreateVersion7(), Id = Guid.CreateVersion7() });
        await PublishAsync(found with { Id = Guid.CreateVersion7() });

        var mail = (await MailsAsync(pipeline, 1)).ShouldHaveSingleItem();
        mail.ShouldContain($"Subject: {pipeline.Name}: customers@41 is not as usual");
        mail.ReplaceLineEndings("").ShouldContain("rows off its course, column email is gone, mean of age off its course.");
        await UntilAsync(pipeline, 1);
    }

    [Fact]
    public async Task A_late_run_is_told_to_who_wants_to_know_and_changes_nothing_of_how_the_pipeline_stands()
    {
        var pipeline = Pipeline([PlanNotifyOn.Late, PlanNotifyOn.Recovered]);
        var late = Late(pipeline, 1);
        await PublishAsync(late);
        await PublishAsync(late with { Id = Guid.CreateVersion7() });
        (await MailsAsync(pipeline, 1)).ShouldHaveSingleItem().ShouldContain("It is not done by 07:00 (UTC).");
        await PublishAsync(Completed(pipeline, 2));
        await UntilAsync(pipeline, 1);
        var silent = Pipeline([PlanNotifyOn.Failed]);
        await PublishAsync(Late(silent, 1));
        await UntilAsync(silent, 0);
    }

    [Fact]
    public async Task A_muted_pipeline_tells_nothing()
    {
        var pipeline = Pipeline([PlanNotifyOn.Failed], name: "hushed");
        await PublishAsync(Failed(pipeline, 1, "a", "x", "hush"));
        var other = Pipeline([PlanNotifyOn.Failed]);
        await PublishAsync(Failed(other, 1, "a", "x", "loud"));
        await MailsAsync(other, 1);
        await UntilAsync(pipeline, 0);
    }

    [Fact]
    public async Task A_connection_is_asked_for_in_the_name_of_the_version_and_a_refusal_is_kept()
    {
        var pipeline = Pipeline([PlanNotifyOn.Failed], to: "slack:data");
        await PublishAsync(Failed(pipeline, 1, "a", "x", "no"));
        await TestHost.UntilAsync(async () => await StateAsync(pipeline) == "given up" ? null : "the notice to be given up");
        var asked = _neighbours.Asked.Single(request => request.Connection == "data");
        (asked.Project, asked.StepId, asked.VersionId).ShouldBe(("demo", "", pipeline.VersionId));
    }

    [Theory]
    [InlineData("email:a@x.org,b@x.org", "given up")]
    [InlineData("email:a@b@c", "given up")]
    [InlineData("slack:odd", "waiting")]
    public async Task What_cannot_be_sent_is_that_messages_own_failure_and_stops_no_other(string to, string state)
    {
        var pipeline = Pipeline([PlanNotifyOn.Failed], to: to);
        await PublishAsync(Failed(pipeline, 1, "a", "x", "no"));
        var other = Pipeline([PlanNotifyOn.Failed]);
        await PublishAsync(Failed(other, 1, "a", "x", "yes"));
        await MailsAsync(other, 1);
        await TestHost.UntilAsync(async () => await NoticeAsync(pipeline) is { Attempts: > 0 } ? null : "the try of the first message to be counted");
        var notice = await NoticeAsync(pipeline);
        (notice.State, notice.Attempts).ShouldBe((state, 1));
        notice.Error.ShouldNotBeNullOrEmpty();
        if (state == "waiting")
            notice.DueAt.ShouldBeGreaterThan(notice.CreatedAt.AddSeconds(20));
    }

    [Fact]
    public async Task Without_a_mail_server_a_message_is_on_record_as_not_sent_and_waits_for_nothing()
    {
        await _host.DisposeAsync();
        _host = await StartAsync([]);
        var pipeline = Pipeline([PlanNotifyOn.Failed, PlanNotifyOn.Late], every: TimeSpan.FromDays(1));
        await PublishAsync(Failed(pipeline, 1, "a", "x", "no"));
        var notice = (await ListAsync($"pipeline={pipeline.Name}")).ShouldHaveSingleItem();
        (notice.GetProperty("state").GetString(), notice.GetProperty("to").GetString(), notice.GetProperty("kind").GetString()).ShouldBe(("notSent", "email:crm@example.org", "failed"));
        notice.GetProperty("reason").GetString()!.ShouldContain("Notify__Smtp__Host");
        (notice.GetProperty("dueAt").ValueKind, notice.GetProperty("attempts").GetInt32()).ShouldBe((JsonValueKind.Null, 0));
    }

    [Fact]
    public async Task Messages_are_listed_newest_first_by_what_became_of_them()
    {
        var (sent, later) = (Pipeline([PlanNotifyOn.Failed]), Pipeline([PlanNotifyOn.Failed], every: TimeSpan.FromDays(7)));
        await PublishAsync(Failed(sent, 1, "a", "x", "no"));
        await MailsAsync(sent, 1);
        await TestHost.UntilAsync(async () => await StateAsync(sent) == "sent" ? null : "the first message to be sent");
        var event2 = Failed(later, 1, "a", "x", "no");
        await PublishAsync(event2);

        (await ListAsync("")).Select(notice => notice.GetProperty("pipeline").GetString()).ShouldBe([later.Name, sent.Name]);
        (await ListAsync("state=sent")).ShouldHaveSingleItem().GetProperty("reason").ValueKind.ShouldBe(JsonValueKind.Null);
        var waiting = (await ListAsync($"run={event2.RunId}")).ShouldHaveSingleItem();
        (waiting.GetProperty("state").GetString(), waiting.GetProperty("digest").GetBoolean()).ShouldBe(("waiting", true));
        waiting.GetProperty("dueAt").GetDateTimeOffset().ShouldBeGreaterThan(DateTimeOffset.UtcNow);
        using var wrong = await _host.Client.GetAsync(new Uri("/api/v1/projects/demo/notifications?state=done", UriKind.Relative));
        wrong.StatusCode.ShouldBe(System.Net.HttpStatusCode.BadRequest);
        (await wrong.Content.ReadAsStringAsync()).ShouldContain("waiting, sent, notSent");
    }

    private async Task<List<JsonElement>> ListAsync(string query) =>
        [.. JsonDocument.Parse(await _host.Client.GetStringAsync($"/api/v1/projects/demo/notifications?{query}")).RootElement.GetProperty("items").EnumerateArray()];

    [Fact]
    public async Task A_mail_server_without_a_senders_address_sends_nothing_and_says_what_is_missing()
    {
        var server = new Connection("Notify:Smtp", "smtp", new Dictionary<string, string> { ["host"] = _smtp.Host, ["port"] = _smtp.Port });
        var senders = _host.Services.GetRequiredService<MessageSenders>();
        (await Should.ThrowAsync<SendingException>(() => senders.SendMailAsync(server, new Mail(["a@example.org"], "s", "t", null), Guid.NewGuid(), default)))
            .Message.ShouldBe("Notify:Smtp lacks the setting \"from\".");
    }

    [Theory]
    [InlineData("2026-11-22T21:30:00Z", "2026-11-23T06:00:00Z")]
    [InlineData("2026-11-23T05:59:00Z", "2026-11-23T06:00:00Z")]
    [InlineData("2026-11-23T06:00:00Z", "2026-11-23T06:00:00Z")]
    [InlineData("2026-11-22T20:59:00Z", "2026-11-22T20:59:00Z")]
    public void Quiet_hours_put_a_message_off_until_their_end(string at, string due)
    {
        var options = NoticeOptions.From(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Notify:QuietHours"] = "22:00-07:00", ["Notify:TimeZone"] = "Europe/Oslo" }).Build());
        options.AfterQuiet(DateTimeOffset.Parse(at, System.Globalization.CultureInfo.InvariantCulture)).ShouldBe(DateTimeOffset.Parse(due, System.Globalization.CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData("2026-11-22T23:00:00Z", false)]
    [InlineData("2026-11-22T12:00:00Z", true)]
    public async Task In_quiet_hours_nothing_is_sent_however_long_it_is_due(string now, bool looks)
    {
        var options = NoticeOptions.From(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Notify:QuietHours"] = "22:00-07:00" }).Build());
        var scopes = new CountedScopes(_host.Services.GetRequiredService<IServiceScopeFactory>());
        using var sender = ActivatorUtilities.CreateInstance<NoticeSender>(
            _host.Services, options, scopes, new FixedTime(DateTimeOffset.Parse(now, System.Globalization.CultureInfo.InvariantCulture)));
        (await sender.SendNextAsync(default)).ShouldBeFalse();
        (scopes.Made > 0).ShouldBe(looks);
    }

    private sealed class CountedScopes(IServiceScopeFactory inner) : IServiceScopeFactory
    {
        public int Made { get; private set; }

        public IServiceScope CreateScope()
        {
            Made++;
            return inner.CreateScope();
        }
    }

    private sealed class FixedTime(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }

    private Known Pipeline(PlanNotifyOn[] when, TimeSpan? every = null, string? name = null, string to = "email:crm@example.org") =>
        _neighbours.Add(new Known(name ?? $"p{Guid.NewGuid():N}", Guid.NewGuid(), Guid.NewGuid(), [new PlanNotification(when, [to], every)]));

    private Task PublishAsync<T>(T happened) where T : class, IEvent => PublishAsync(happened, happened.Id);

    /// <summary>One after the other, as runs of one pipeline end.</summary>
    private async Task PublishAsync<T>(T happened, Guid id) where T : class
    {
        var before = await TakenAsync();
        await _host.Services.GetRequiredService<IMessageSender>().PublishAsync(happened, default);
        if (happened is RunLate or DatasetFindings)
        {
            await TestHost.UntilAsync(async () => await TakenAsync() > before ? null : $"event {id} to be taken");
            return;
        }

        var (pipeline, at) = happened switch
        {
            RunFailed failed => (failed.PipelineId, failed.OccurredAt),
            RunCompleted completed => (completed.PipelineId, completed.OccurredAt),
            _ => throw new ArgumentOutOfRangeException(nameof(happened)),
        };
        await TestHost.UntilAsync(async () =>
        {
            await using var scope = _host.Services.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<NotifyDb>();
            return await db.Pipelines.AnyAsync(row => row.PipelineId == pipeline && row.At >= at) ? null : $"event {id} to be taken";
        });
    }

    private async Task<long> TakenAsync()
    {
        await using var scope = _host.Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<NotifyDb>().Database.SqlQuery<long>($"select count(*) as \"Value\" from bus.inbox").SingleAsync();
    }

    private static RunFailed Failed(Known pipeline, int minute, string step, string code, string message) => new()
    {
        Id = Guid.CreateVersion7(),
        OccurredAt = At(minute),
        ProjectId = Guid.Empty,
        Actor = "service:runs",
        RunId = Guid.CreateVersion7(),
        Project = "demo",
        Pipeline = pipeline.Name,
        PipelineId = pipeline.Id,
        StepId = step,
        Error = new StepError { Code = code, Message = message },
    };

    private static DatasetFindings Findings(Guid run, params DatasetFinding[] findings) => new()
    {
        Id = Guid.CreateVersion7(),
        OccurredAt = At(1),
        ProjectId = Guid.Empty,
        Actor = "system",
        SourceRunId = run,
        Project = "demo",
        Dataset = "customers",
        Version = 41,
        Findings = findings,
    };

    private static RunLate Late(Known pipeline, int minute) => new()
    {
        Id = Guid.CreateVersion7(),
        OccurredAt = At(minute),
        ProjectId = Guid.Empty,
        Actor = "system",
        RunId = Guid.CreateVersion7(),
        Project = "demo",
        Pipeline = pipeline.Name,
        PipelineId = pipeline.Id,
        PipelineVersion = 1,
        Expected = At(minute),
        Reason = "It is not done by 07:00 (UTC).",
    };

    private static RunCompleted Completed(Known pipeline, int minute) => new()
    {
        Id = Guid.CreateVersion7(),
        OccurredAt = At(minute),
        ProjectId = Guid.Empty,
        Actor = "service:runs",
        RunId = Guid.CreateVersion7(),
        Project = "demo",
        Pipeline = pipeline.Name,
        PipelineId = pipeline.Id,
        PipelineVersion = 1,
    };

    private static DateTimeOffset At(int minute) => new(2026, 11, 22, 10, minute, 0, TimeSpan.Zero);

    private async Task<IReadOnlyList<string>> MailsAsync(Known pipeline, int count)
    {
        await TestHost.UntilAsync(async () => (await _smtp.MailsWithAsync(pipeline.Name)).Count is var now && now >= count ? null : $"{count} mails about {pipeline.Name} (there are {now})");
        return await _smtp.MailsWithAsync(pipeline.Name);
    }

    private async Task UntilAsync(Known pipeline, int notices)
    {
        await using var scope = _host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<NotifyDb>();
        (await db.Notices.CountAsync(notice => notice.Pipeline == pipeline.Name)).ShouldBe(notices);
    }

    private async Task<Notice> NoticeAsync(Known pipeline)
    {
        await using var scope = _host.Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<NotifyDb>().Notices.AsNoTracking().SingleAsync(notice => notice.Pipeline == pipeline.Name);
    }

    private async Task<string?> StateAsync(Known pipeline)
    {
        await using var scope = _host.Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<NotifyDb>().Notices.Where(notice => notice.Pipeline == pipeline.Name).Select(notice => notice.State).FirstOrDefaultAsync();
    }

    internal sealed record Known(string Name, Guid Id, Guid VersionId, IReadOnlyList<PlanNotification> Notify);

    internal sealed class Neighbours : IConnectionExchange
    {
        private readonly ConcurrentDictionary<string, Known> _pipelines = new();

        public ConcurrentQueue<ConnectionRequest> Asked { get; } = [];

        public Known Add(Known pipeline) => _pipelines[pipeline.Name] = pipeline;

        /// <summary>A run of the pipeline.</summary>
        public Guid Run(Known pipeline)
        {
            var run = Guid.CreateVersion7();
            Runs[run] = pipeline;
            return run;
        }

        public ConcurrentDictionary<Guid, Known> Runs { get; } = new();

        public Known? Find(string name) => _pipelines.GetValueOrDefault(name);

        public Known? Find(Guid version) => _pipelines.Values.FirstOrDefault(pipeline => pipeline.VersionId == version);

        public Task<Connection> ExchangeAsync(ConnectionRequest request, CancellationToken ct)
        {
            Asked.Enqueue(request);
            if (request.Connection == "odd")
                throw new InvalidOperationException("Nobody has thought of this.");
            throw new Platform.Operators.ConnectionException("This pipeline version does not name the connection.");
        }
    }

    internal sealed class FakeRuns(Neighbours neighbours) : IConsumer<GetRunOutputs>
    {
        public Task Consume(ConsumeContext<GetRunOutputs> context) => neighbours.Runs.TryGetValue(context.Message.RunId, out var known)
            ? context.RespondAsync(new RunOutputsFound { ProjectId = Guid.Empty, PipelineId = known.Id, Pipeline = known.Name, PipelineVersion = 1, Finished = true, Steps = [] })
            : context.RespondAsync(new RunUnknown { Message = "no" });
    }

    internal sealed class FakePipelines(Neighbours neighbours) : IConsumer<ResolvePipeline>, IConsumer<GetPipelinePlan>
    {
        public Task Consume(ConsumeContext<ResolvePipeline> context) => neighbours.Find(context.Message.Pipeline) is { } known
            ? context.RespondAsync(new PipelineResolved { ProjectId = Guid.Empty, PipelineId = known.Id, VersionId = known.VersionId, Version = 1 })
            : context.RespondAsync(new PipelineUnknown { Message = "no" });

        public Task Consume(ConsumeContext<GetPipelinePlan> context) => neighbours.Find(context.Message.VersionId) is { } known
            ? context.RespondAsync(new PipelinePlanFound { Plan = new PipelinePlan { Pipeline = known.Name, Params = [], Limits = new PlanLimits(null, WhenBusy.Queue, null), Steps = [], Notify = known.Notify } })
            : context.RespondAsync(new PipelineUnknown { Message = "no" });
    }
}
