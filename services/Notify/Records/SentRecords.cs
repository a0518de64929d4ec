using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;

namespace Qualiz.Notify.Records;

/// <summary>What is known of a message before it is sent.</summary>
internal enum SendingState
{
    /// <summary>It was never sent.</summary>
    New,

    /// <summary>An earlier execution began to send it and was not heard of again: it may have gone out.</summary>
    Unknown,

    /// <summary>It has gone out.</summary>
    Sent,
}

/// <summary>Remembers which messages have gone out. No transaction spans the sending, so between the two marks lies the doubt.</summary>
internal sealed class SentRecords(NotifyDb db, TimeProvider time)
{
    /// <summary>The same message has the same key, whichever execution sends it.</summary>
    public static Guid KeyOf(params IEnumerable<string> parts) =>
        new(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\u001f', parts))).AsSpan(0, 16), bigEndian: true);

    public async Task<SendingState> BeginAsync(Guid key, string project, string channel, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var attempts = await db.Database.SqlQuery<int>(
            $"""
            insert into notify.sent as s (key, project, channel, state, attempts, at) values ({key}, {project}, {channel}, 'sending', 1, {now})
            on conflict (key) do update set attempts = s.attempts + 1, at = excluded.at where s.state = 'sending'
            returning attempts as "Value"
            """).ToListAsync(ct);
        return attempts switch
        {
            [] => SendingState.Sent,
            [1] => SendingState.New,
            _ => SendingState.Unknown,
        };
    }

    public Task SentAsync(Guid key, CancellationToken ct) =>
        db.Sent.Where(message => message.Key == key).ExecuteUpdateAsync(update => update.SetProperty(message => message.State, "sent").SetProperty(message => message.At, time.GetUtcNow()), ct);

    /// <summary>It certainly did not go out.</summary>
    public Task NotSentAsync(Guid key, CancellationToken ct) => db.Sent.Where(message => message.Key == key && message.State == "sending").ExecuteDeleteAsync(ct);
}
