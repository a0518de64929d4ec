using Npgsql;
using Qualiz.Chaos.Tests.Harness;

namespace Qualiz.Chaos.Tests;

/// <summary>A verdict that cannot fail proves nothing: each kind of harm is done by hand, must be noticed, and is undone.</summary>
[Collection(nameof(Standalone))]
public sealed class VerdictTests(StandaloneFixture fixture) : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);
    private readonly NpgsqlDataSource _database = fixture.Instance.OpenDatabase();
    private readonly NpgsqlDataSource _target = fixture.Instance.OpenTarget();

    [Fact]
    public Task Whatever_is_lost_doubled_or_half_written_is_noticed() => fixture.ProveAsync(async () =>
    {
        var workload = fixture.Workload;
        for (var pipeline = 0; pipeline < 4; pipeline++)
            await fixture.Api.UntilEndAsync(await workload.StartAsync(workload.Next()), TimeSpan.FromMinutes(2));
        await fixture.AllShouldBeAsIfNothingHappenedAsync();

        var run = workload.OrderRuns.Keys.First();
        var delivered = Path.Combine(fixture.Instance.Delivered, workload.OrderRuns[run].File);
        var stored = fixture.Instance.FileOf((string)(await Verdict.ReadAsync(
            _database, $"SELECT o.value->'files'->0->>'key' FROM runs.step s, jsonb_each(s.outcome->'outputs') AS o WHERE s.run_id = '{run}' LIMIT 1")).Single()[0]);
        var told = workload.Receiver.Messages.First();
        (string What, Func<Task<Func<Task>>> Do)[] harm =
        [
            ("a run that failed", () => ChangeAsync(_database, "runs.run", $"id = '{run}'", "state = 'Failed'")),
            ("a run that nobody started", () => RepeatAsync(_database, "runs.run", $"id = '{run}'", "id = gen_random_uuid(), idempotency_key = null")),
            ("a step that did not end", () => ChangeAsync(_database, "runs.step", $"run_id = '{run}' AND step_id = 'clean'", "state = 'Failed'")),
            ("an event that is lost", () => RemoveAsync(_database, "runs.event", $"run_id = '{run}' AND sequence = 3")),
            ("a run that ended twice", () => RepeatAsync(_database, "runs.event", $"run_id = '{run}' AND type = 'RunCompleted'", "sequence = 1000000")),
            ("a message that nobody handled", () => RemoveAsync(_database, "bus.inbox", "(message_id, endpoint) = (SELECT message_id, o.queue FROM bus.outbox o WHERE o.queue = 'runs.saga' LIMIT 1)")),
            ("a timer of a run that goes on", async () =>
            {
                await ExecuteAsync(_database, "INSERT INTO bus.timer VALUES (gen_random_uuid(), 'runs', now() + interval '1 hour', 'none', 'none', '{}')");
                return () => ExecuteAsync(_database, "DELETE FROM bus.timer WHERE queue = 'none'");
            }),
            ("a delivered row that is lost", () => RemoveAsync(_target, "public.orders", "id = (SELECT max(id) FROM public.orders)")),
            ("a delivered row that came twice", () => RepeatAsync(_target, "public.orders", "id = (SELECT max(id) FROM public.orders)")),
            ("a delivered value that is wrong", () => ChangeAsync(_target, "public.fresh", "id = (SELECT max(id) FROM public.fresh)", "amount = amount + 1")),
            ("a delivery that is recorded twice", () => RepeatAsync(_target, "public.qualiz_delivery", $"run_id = '{run}' AND step = 'table'", "step = 'again'")),
            ("two people with one id", () => ChangeAsync(_target, "public.people", "id = (SELECT max(id) FROM public.people)", "entity_id = (SELECT entity_id FROM public.people ORDER BY id LIMIT 1)")),
            ("a row of an element that is lost", () => RemoveAsync(_target, "public.parts_second", "id = (SELECT max(id) FROM public.parts_second)")),
            ("an element delivered twice", () => RepeatAsync(_target, "public.qualiz_delivery", "ctid = (SELECT ctid FROM public.qualiz_delivery WHERE step = 'table.1' LIMIT 1)", "run_id = gen_random_uuid()")),
            ("a delivered file that lacks its last line", () => CutAsync(delivered, File.ReadAllText(delivered).TrimEnd('\n').LastIndexOf('\n') + 1)),
            ("a half-written file beside it", () =>
            {
                File.Copy(delivered, delivered + ".part");
                return Task.FromResult<Func<Task>>(() => { File.Delete(delivered + ".part"); return Task.CompletedTask; });
            }),
            ("a stored file that lacks its last byte", () => CutAsync(stored, File.ReadAllBytes(stored).Length - 1)),
            ("a stored file with another byte", async () =>
            {
                var whole = await File.ReadAllBytesAsync(stored);
                await File.WriteAllBytesAsync(stored, [.. whole[..100], (byte)~whole[100], .. whole[101..]]);
                return () => File.WriteAllBytesAsync(stored, whole);
            }),
            ("a cursor that forgets a file", () => ChangeAsync(
                _database, "runs.state", "step_id = 'read' AND value ? 'files'", "value = jsonb_set(value, '{files}', (value->'files') - 0)")),
            ("a version of a dataset that is lost", () => RemoveAsync(_database, "datasets.version", $"run_id = '{run}'")),
            ("a dataset whose latest is an old one", () => ChangeAsync(_database, "datasets.dataset", "name = 'orders'", "latest = 0")),
            ("a rejected row that is lost", () => RemoveAsync(
                _database, "datasets.quarantine_occurrence", "item_id = (SELECT max(i.id) FROM datasets.quarantine_item i JOIN datasets.quarantine_step s ON s.id = i.step_id WHERE s.pipeline = 'orders')")),
            ("a message that told nobody", () =>
            {
                workload.Receiver.Messages.TryRemove(told.Key, out _);
                return Task.FromResult<Func<Task>>(() => { workload.Receiver.Messages[told.Key] = told.Value; return Task.CompletedTask; });
            }),
            ("a message that told it again under another key", () =>
            {
                workload.Receiver.Messages["another"] = told.Value;
                return Task.FromResult<Func<Task>>(() => { workload.Receiver.Messages.TryRemove("another", out _); return Task.CompletedTask; });
            }),
        ];
        var unnoticed = new List<string>();
        foreach (var (what, harmAsync) in harm)
        {
            var undoAsync = await harmAsync();
            try
            {
                await fixture.AllShouldBeAsIfNothingHappenedAsync(s_patience);
                unnoticed.Add(what);
            }
            catch (Exception exception) when (exception is ShouldAssertException or TimeoutException)
            {
                // As it should be.
            }
            finally
            {
                await undoAsync();
            }
        }
        unnoticed.ShouldBeEmpty();
        await fixture.AllShouldBeAsIfNothingHappenedAsync();
    });

    private static Task<Func<Task>> RemoveAsync(NpgsqlDataSource source, string table, string where) =>
        ReplaceAsync(source, table, where, $"DELETE FROM {table} WHERE {where}", "");

    /// <param name="set">No column that <paramref name="where"/> names.</param>
    private static Task<Func<Task>> ChangeAsync(NpgsqlDataSource source, string table, string where, string set) =>
        ReplaceAsync(source, table, where, $"UPDATE {table} SET {set} WHERE {where}", $"DELETE FROM {table} WHERE {where};");

    // As a replica, so that nothing cascades and what refers to a row that is gone for a moment stays.
    private static async Task<Func<Task>> ReplaceAsync(NpgsqlDataSource source, string table, string where, string harm, string undo)
    {
        await ExecuteAsync(source, $"SET session_replication_role = replica; CREATE TABLE public.kept AS SELECT * FROM {table} WHERE {where}; {harm}");
        (await Verdict.ReadAsync(source, "SELECT count(*) FROM public.kept"))[0][0].ShouldNotBe(0L, harm);
        return () => ExecuteAsync(source, $"""
            SET session_replication_role = replica; {undo}
            INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM public.kept; DROP TABLE public.kept
            """);
    }

    /// <summary>The same row once more, but for what is set.</summary>
    private static async Task<Func<Task>> RepeatAsync(NpgsqlDataSource source, string table, string where, string? set = null)
    {
        await ExecuteAsync(source, $"CREATE TABLE public.kept AS SELECT * FROM {table} WHERE {where}; {(set is null ? "" : $"UPDATE public.kept SET {set}")}");
        var place = (await Verdict.ReadAsync(source, $"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM public.kept RETURNING ctid::text")).Single()[0];
        return () => ExecuteAsync(source, $"DELETE FROM {table} WHERE ctid = '{place}'; DROP TABLE public.kept");
    }

    private static async Task<Func<Task>> CutAsync(string file, int length)
    {
        var whole = await File.ReadAllBytesAsync(file);
        await File.WriteAllBytesAsync(file, whole[..length]);
        return () => File.WriteAllBytesAsync(file, whole);
    }

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        await _target.DisposeAsync();
    }
}
