using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Dapper;
using Npgsql;
using Qualiz.Contracts.Runs.V1;

namespace Qualiz.Runs.Api;

/// <summary>
/// The events of runs as they happen, whichever process made them. However many people watch, one query looks for news of
/// all watched runs, and none does while nobody watches.
/// </summary>
internal sealed class RunEventFeed([FromKeyedServices(RunsModule.Service)] NpgsqlDataSource database, TimeProvider time)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    /// <summary>A comment this often keeps proxies from closing a quiet connection.</summary>
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    private const int MostAtOnce = 5_000;

    private readonly Dictionary<Guid, Watched> _watched = [];
    private bool _looking;

    /// <summary>Everything after event number <paramref name="after"/>, then what follows, up to and with the run's end.</summary>
    public async IAsyncEnumerable<SseItem<string>> FollowAsync(Guid runId, long after, [EnumeratorCancellation] CancellationToken ct)
    {
        var watched = Watch(runId);
        try
        {
            var quietSince = time.GetTimestamp();
            while (true)
            {
                // Taken before reading, so that what is committed during the read wakes the next wait.
                var news = watched.News;
                var ended = false;
                var rows = await ReadAsync(runId, after, ct);
                foreach (var row in rows)
                {
                    after = row.Sequence;
                    quietSince = time.GetTimestamp();
                    ended = row.Type is nameof(RunCompleted) or nameof(RunFailed) or nameof(RunCancelled);
                    yield return new SseItem<string>(row.Body, row.Type) { EventId = row.Sequence.ToString(System.Globalization.CultureInfo.InvariantCulture) };
                }

                // A retried run has an end in its middle; the reader of the whole history is past it when more follows.
                if (ended)
                {
                    yield break;
                }

                // A run with many elements has more events than are read at a time; what is there already brings no news.
                while (rows.Count < MostAtOnce && !news.Task.IsCompleted)
                {
                    await Task.WhenAny(news.Task, Task.Delay(KeepAlive, time, ct));
                    ct.ThrowIfCancellationRequested();
                    if (!news.Task.IsCompleted && time.GetElapsedTime(quietSince) >= KeepAlive)
                    {
                        quietSince = time.GetTimestamp();
                        yield return new SseItem<string>("{}", "keepAlive");
                    }
                }
            }
        }
        finally
        {
            Unwatch(runId);
        }
    }

    public async Task<IReadOnlyList<StoredEvent>> ReadAsync(Guid runId, long after, CancellationToken ct, int limit = MostAtOnce)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return (await connection.QueryAsync<StoredEvent>(new CommandDefinition(
            "select sequence, type, body::text as body from runs.event where run_id = @runId and sequence > @after order by sequence limit @limit",
            new { runId, after, limit }, cancellationToken: ct))).AsList();
    }

    private Watched Watch(Guid runId)
    {
        lock (_watched)
        {
            if (!_watched.TryGetValue(runId, out var watched))
            {
                _watched[runId] = watched = new Watched();
            }

            watched.Watchers++;
            if (!_looking)
            {
                _looking = true;
                _ = Task.Run(LookAsync);
            }

            return watched;
        }
    }

    private void Unwatch(Guid runId)
    {
        lock (_watched)
        {
            if (--_watched[runId].Watchers == 0)
            {
                _watched.Remove(runId);
            }
        }
    }

    private async Task LookAsync()
    {
        while (true)
        {
            Guid[] ids;
            lock (_watched)
            {
                if (_watched.Count == 0)
                {
                    _looking = false;
                    return;
                }

                ids = [.. _watched.Keys];
            }

            try
            {
                await using var connection = await database.OpenConnectionAsync();
                var latest = await connection.QueryAsync<(Guid RunId, long Sequence)>("select id, sequence from runs.run where id = any(@ids)", new { ids });
                lock (_watched)
                {
                    foreach (var (runId, sequence) in latest)
                    {
                        _watched.GetValueOrDefault(runId)?.Saw(sequence);
                    }
                }
            }
            catch (NpgsqlException)
            {
                // The database is away; the watchers wait like everything else.
            }

            await Task.Delay(LookEvery, time);
        }
    }

    private sealed class Watched
    {
        private long _seen = -1;
        private TaskCompletionSource _news = New();

        public int Watchers { get; set; }

        public TaskCompletionSource News => Volatile.Read(ref _news);

        public void Saw(long sequence)
        {
            if (sequence > _seen)
            {
                _seen = sequence;
                Interlocked.Exchange(ref _news, New()).TrySetResult();
            }
        }

        private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

internal sealed record StoredEvent(long Sequence, string Type, string Body);
