using Microsoft.EntityFrameworkCore;
using Qualiz.Notify.Channels;
using Qualiz.Notify.Records;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Outbound;

namespace Qualiz.Notify.Notices;

/// <summary>Sends what is due: digests of one address together, everything else by itself. What cannot be sent is tried again for a day.</summary>
internal sealed class NoticeSender(IServiceScopeFactory scopes, MessageSenders senders, IConnectionExchange connections, NoticeOptions options, TimeProvider time, ILogger<NoticeSender> log)
    : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromDays(1);
    private const int MostTogether = 200;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, time);
        do
        {
            try
            {
                while (await SendNextAsync(stoppingToken))
                {
                }
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                log.LogWarning(exception, "Messages about runs wait: they cannot be read or sent now.");
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>One message; false when nothing is due. Its rows are held meanwhile, so that of several senders one sends it.</summary>
    internal async Task<bool> SendNextAsync(CancellationToken ct)
    {
        var now = time.GetUtcNow();
        // Whatever became due before: a retry, or what waited while nobody was there to send it.
        if (options.AfterQuiet(now) > now)
            return false;
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<NotifyDb>();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var first = await db.Notices.FromSql($"select * from notify.notice where state = 'waiting' and due_at <= {now} order by due_at, id limit 1 for update skip locked").FirstOrDefaultAsync(ct);
        if (first is null)
            return false;
        var notices = new List<Notice> { first };
        if (first.Digest)
        {
            notices.AddRange(await db.Notices.FromSql(
                $"select * from notify.notice where state = 'waiting' and due_at <= {now} and digest and target = {first.Target} and project = {first.Project} and id <> {first.Id} order by id limit {MostTogether} for update skip locked").ToListAsync(ct));
        }

        var (subject, text) = Compose(notices);
        try
        {
            await SendAsync(first, subject, text, ct);
            foreach (var notice in notices)
                notice.State = NoticeState.Sent;
        }
        catch (Exception exception) when (!ct.IsCancellationRequested)
        {
            // Whatever it is, it is this message's: thrown on, it would be first in line again, and no other message would ever leave.
            var hopeless = exception is SendingException { Transient: false } or ConnectionException or OutboundRefusedException;
            var again = !hopeless && now - first.CreatedAt < GiveUpAfter;
            foreach (var notice in notices)
            {
                notice.Error = exception.Message;
                notice.State = again ? NoticeState.Waiting : NoticeState.NotSent;
                var wait = TimeSpan.FromSeconds(30 * Math.Pow(2, Math.Min(notice.Attempts, 10)));
                notice.DueAt = again ? now + (wait < LongestWait ? wait : LongestWait) : notice.DueAt;
            }

            log.LogWarning("A message about {Project}/{Pipeline} to {Target} was not sent: {Reason}", first.Project, first.Pipeline, first.Target.Split(':')[0], exception.Message);
        }

        foreach (var notice in notices)
            notice.Attempts++;
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return true;
    }

    private async Task SendAsync(Notice notice, string subject, string text, CancellationToken ct)
    {
        var at = notice.Target.IndexOf(':', StringComparison.Ordinal);
        var (channel, name) = (notice.Target[..at], notice.Target[(at + 1)..]);
        if (channel == "email")
        {
            var mail = options.Mail ?? throw new SendingException(options.Hindrance(notice.Target)!, certain: true, transient: false);
            await senders.SendMailAsync(mail, new Mail([name], subject, text, null), notice.Id, ct);
            return;
        }

        var connection = await connections.ExchangeAsync(
            new ConnectionRequest { Project = notice.Project, Connection = name, RunId = notice.RunId, StepId = "", Fence = 0, VersionId = notice.VersionId }, ct);
        if (channel == "slack")
        {
            await senders.SendSlackAsync(connection, Templates.Encode($"*{subject}*\n{text}", TextKind.Slack), notice.Id, ct);
            return;
        }

        var body = System.Text.Json.JsonSerializer.Serialize(new { project = notice.Project, pipeline = notice.Pipeline, run = notice.RunId, kind = notice.Kind.ToLowerInvariant(), subject, text });
        await senders.SendWebhookAsync(connection, body, notice.Id, ct);
    }

    private static (string Subject, string Text) Compose(List<Notice> notices) => notices is [var one]
        ? (one.Subject, one.Body)
        : ($"{notices[0].Project}: {notices.Count} messages", string.Join("\n\n", notices.Select(notice => $"{notice.Subject}\n{notice.Body}")));
}
