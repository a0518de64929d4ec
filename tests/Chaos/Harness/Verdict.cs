using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Npgsql;
using Qualiz.TestKit;

namespace Qualiz.Chaos.Tests.Harness;

/// <summary>Whether all is as if nothing had happened. Reads databases and files itself; asks Qualiz nothing.</summary>
/// <param name="patience">How long what follows a run's end (messages, versions, quarantine) may take.</param>
internal sealed class Verdict(Instance instance, Workload workload, TimeSpan patience) : IAsyncDisposable
{
    private readonly NpgsqlDataSource _database = instance.OpenDatabase();
    private readonly NpgsqlDataSource _target = instance.OpenTarget();

    public async Task ShouldBeAsIfNothingHappenedAsync()
    {
        await EveryRunIsCompletedAsync();
        await EveryMessageArrivedAsync();
        await EventsAreGaplessAsync();
        await TablesAreRightAsync();
        await FilesAreRightAsync();
        await EveryFileWasReadOnceAsync();
        await DatasetsAreRightAsync();
        await RejectedRowsAreKeptAsync();
        await StoredFilesAreWholeAsync();
        await PeopleAreRightAsync();
        await FamiliesAreRightAsync();
        EveryRunWasTold();
    }

    private async Task EveryRunIsCompletedAsync()
    {
        var runs = await ReadAsync(_database, "SELECT id, state, coalesce(failed_step, '-'), coalesce(error::text, '-') FROM runs.run WHERE pipeline IN ('orders', 'fresh', 'people', 'parts', 'family')");
        runs.Count.ShouldBe(workload.Runs, "one run for each idempotency key");
        runs.Where(run => (string)run[1] != "Completed").Select(run => string.Join(' ', run)).ShouldBeEmpty();
        (await ReadAsync(_database, """
            SELECT s.run_id, s.step_id, s.state FROM runs.step s JOIN runs.run r ON r.id = s.run_id WHERE r.pipeline IN ('orders', 'fresh', 'people', 'parts', 'family') AND s.state <> 'Completed'
            """)).Select(step => string.Join(' ', step)).ShouldBeEmpty();
    }

    /// <summary>All that was committed was sent, and every queue with an inbox has handled it.</summary>
    private async Task EveryMessageArrivedAsync()
    {
        const string Unsent = "SELECT count(*) FROM bus.outbox WHERE sent_at IS NULL AND endpoints IS NULL";
        const string Unhandled = """
            SELECT coalesce(string_agg(DISTINCT w.type || ' at ' || w.queue, ', '), '') FROM (
                SELECT o.message_id, o.type, unnest(coalesce(o.endpoints, CASE
                    WHEN o.queue IN ('runs.saga', 'runs.commands') THEN ARRAY[o.queue]
                    -- A run that publishes nothing does not concern it (Queues.Concerns).
                    WHEN o.type LIKE '%RunCompleted%' AND json_array_length(o.body->'published') > 0 THEN ARRAY['datasets.events'] END)) AS queue
                FROM bus.outbox AS o) AS w
            WHERE NOT EXISTS (SELECT FROM bus.inbox AS i WHERE i.message_id = w.message_id AND i.endpoint = w.queue)
            """;
        await TestHost.UntilAsync(async () =>
        {
            var unsent = (long)(await ReadAsync(_database, Unsent))[0][0];
            var unhandled = (string)(await ReadAsync(_database, Unhandled))[0][0];
            return unsent == 0 && unhandled.Length == 0 ? null : $"{unsent} messages sent; handled: {unhandled}";
        }, patience);
        // A step that was called back before its next look leaves that look's timer: it will fire and mean nothing.
        (await ReadAsync(_database, """
            SELECT count(*) FROM bus.timer t WHERE NOT EXISTS (SELECT FROM runs.run r WHERE r.id::text = t.body->>'runId' AND r.finished_at IS NOT NULL)
            """))[0][0].ShouldBe(0L, "timers that are left");
    }

    private async Task EventsAreGaplessAsync()
    {
        var runs = await ReadAsync(_database, """
            SELECT e.run_id, count(*), min(e.sequence), max(e.sequence), min(r.sequence), count(DISTINCT e.body->>'id')
            FROM runs.event e JOIN runs.run r ON r.id = e.run_id WHERE r.pipeline IN ('orders', 'fresh', 'people', 'parts', 'family') GROUP BY e.run_id
            """);
        runs.Count.ShouldBe(workload.Runs);
        foreach (var run in runs)
        {
            var numbers = run[1..].Select(value => (long)value).ToArray();
            numbers.ShouldBe([numbers[0], 1, numbers[0], numbers[0], numbers[0]], $"events of run {run[0]}: count, first, last, the run's counter, distinct ids");
        }
        (await ReadAsync(_database, """
            SELECT e.run_id, e.type, count(*) FROM runs.event e JOIN runs.run r ON r.id = e.run_id
            WHERE r.pipeline IN ('orders', 'fresh', 'people', 'parts', 'family') AND e.type IN ('RunQueued', 'RunStarted', 'RunCompleted') GROUP BY 1, 2 HAVING count(*) <> 1
            """))
            .Select(row => string.Join(' ', row)).ShouldBeEmpty("a run begins and ends once");
    }

    private async Task TablesAreRightAsync()
    {
        Same(await TableAsync("orders"), workload.OrderRuns.Values.SelectMany(run => run.Rows), "table orders");
        Same(await TableAsync("fresh"), workload.FreshRuns.Values.SelectMany(rows => rows), "table fresh");
        var records = await ReadAsync(_target, "SELECT run_id, step, target, rows FROM qualiz_delivery WHERE target NOT LIKE '%held%' AND target NOT LIKE '%parts%' AND target NOT LIKE '%mended%'");
        records.Select(record => (Guid)record[0]).Order().ShouldBe(workload.OrderRuns.Keys.Concat(workload.FreshRuns.Keys).Concat(workload.PeopleRuns.Keys).Order(), "each run delivered once");
        foreach (var record in records.Where(record => workload.OrderRuns.ContainsKey((Guid)record[0])))
            ((long)record[3]).ShouldBe(workload.OrderRuns[(Guid)record[0]].Rows.Count);
        records.Where(record => workload.FreshRuns.ContainsKey((Guid)record[0])).Sum(record => (long)record[3])
            .ShouldBe(workload.FreshRuns.Values.Sum(rows => (long)rows.Count));
    }

    private async Task<IEnumerable<Order>> TableAsync(string table) =>
        (await ReadAsync(_target, $"SELECT to_regclass('public.{table}') IS NOT NULL"))[0][0] is false ? []
        : (await ReadAsync(_target, $"SELECT id, customer, email, amount::text FROM public.{table}"))
        .Select(row => new Order((long)row[0], (string)row[1], (string)row[2], (string)row[3]));

    private Task FilesAreRightAsync()
    {
        foreach (var (file, rows, _) in workload.OrderRuns.Values)
        {
            var lines = Csv.Read(File.ReadAllText(Path.Combine(instance.Delivered, file)));
            lines[0].ShouldBe(["id", "customer", "email", "amount"]);
            Same(lines.Skip(1).Select(line => new Order(long.Parse(line[0], CultureInfo.InvariantCulture), line[1], line[2], line[3])), rows, $"file {file}");
        }
        Directory.EnumerateFiles(instance.Delivered).Select(Path.GetFileName).Where(name => !name!.StartsWith('.')).Order()
            .ShouldBe(workload.OrderRuns.Values.Select(run => run.File).Order(), "delivered files, and nothing half-written beside them");
        return Task.CompletedTask;
    }

    private async Task PeopleAreRightAsync()
    {
        if (workload.PeopleRuns.IsEmpty)
            return;
        var found = (await ReadAsync(_target, "SELECT id, customer, label, tag FROM public.people"))
            .Select(row => new Person((long)row[0], (string)row[1], (string)row[2], (string)row[3]));
        Same(found, workload.PeopleRuns.Values.SelectMany(people => people), "table people");
        (await ReadAsync(_target, "SELECT count(*) - count(DISTINCT entity_id) FROM public.people"))[0][0].ShouldBe(0L, "entities with the id of another one");
    }

    /// <summary>Each run has started one other, whose elements are read and delivered once.</summary>
    private async Task FamiliesAreRightAsync()
    {
        if (workload.FamilyRuns.IsEmpty)
            return;
        var children = (await ReadAsync(_database, "SELECT id, parent_run_id FROM runs.run WHERE pipeline = 'parts'")).Select(row => (Id: (Guid)row[0], Parent: (Guid)row[1])).ToArray();
        children.Select(child => child.Parent).Order().ShouldBe(workload.FamilyRuns.Keys.Order(), "one run below each");
        foreach (var copy in (string[])["first", "second"])
            Same(await TableAsync($"parts_{copy}"), workload.FamilyRuns.Values.SelectMany(rows => rows), $"table parts_{copy}");
        (await ReadAsync(_target, "SELECT run_id, step, rows FROM qualiz_delivery WHERE target LIKE '%parts%'")).Select(row => $"{row[0]} {row[1]} {row[2]}").Order()
            .ShouldBe(children.SelectMany(child => new[] { 1, 2 }.Select(element => $"{child.Id} table.{element} {workload.FamilyRuns[child.Parent].Count}")).Order(), "each element delivered once");
        var elements = await ReadAsync(_database, """
            SELECT s.run_id, s.parent, count(*), max(p.outcome->'counts'->>'items') FROM runs.step s JOIN runs.run r ON r.id = s.run_id
            JOIN runs.step p ON p.run_id = s.run_id AND p.step_id = s.parent WHERE r.pipeline = 'parts' GROUP BY 1, 2
            """);
        elements.Select(row => $"{row[0]} {row[1]} {row[2]} {row[3]}").Order()
            .ShouldBe(children.SelectMany(child => new[] { $"{child.Id} read 3 3", $"{child.Id} table 2 2" }).Order(), "elements");
    }

    /// <summary>A message that may have gone out before a kill goes out again, but under the same key.</summary>
    private void EveryRunWasTold()
    {
        workload.Receiver.Contradictions.ShouldBeEmpty();
        workload.Receiver.Messages.Values.OrderBy(told => told.Run).ShouldBe(
            workload.PeopleRuns.Select(run => (run.Key, (long)run.Value.Count)).OrderBy(told => told.Key), "one message for each run");
    }

    /// <summary>The state that the last run left names every file, and each was in exactly one run.</summary>
    private async Task EveryFileWasReadOnceAsync()
    {
        if (workload.FreshRuns.IsEmpty)
            return;
        var files = Directory.EnumerateFiles(Path.Combine(instance.Landing, "fresh")).Select(Path.GetFileName).Order().ToArray();
        var state = JsonSerializer.Deserialize<JsonElement>((string)(await ReadAsync(_database, """
            SELECT s.value::text FROM runs.state s JOIN runs.run r ON r.pipeline_id = s.pipeline_id WHERE r.pipeline = 'fresh' AND s.step_id = 'read' LIMIT 1
            """)).Single()[0]);
        var seen = state.GetProperty("files").EnumerateArray().Select(file => (
            Name: Path.GetFileName(file.GetProperty("path").GetString()!), Size: file.GetProperty("size").GetInt64())).ToArray();
        seen.Select(file => file.Name).Order().SequenceEqual(files).ShouldBeTrue($"files in the state: {string.Join(' ', seen.Select(file => file.Name))}");
        foreach (var (name, size) in seen)
            size.ShouldBe(new FileInfo(Path.Combine(instance.Landing, "fresh", name)).Length, name);
    }

    private async Task DatasetsAreRightAsync()
    {
        List<object[]> versions = [];
        await TestHost.UntilAsync(async () =>
        {
            versions = await ReadAsync(_database, """
                SELECT v.number, v.run_id, v.rows, d.latest FROM datasets.version v JOIN datasets.dataset d ON d.id = v.dataset_id
                WHERE d.name = 'orders' ORDER BY v.number
                """);
            return versions.Count >= workload.OrderRuns.Count ? null : $"{workload.OrderRuns.Count} versions of dataset orders (there are {versions.Count})";
        }, patience);
        versions.Select(version => (int)version[0]).ShouldBe(Enumerable.Range(1, workload.OrderRuns.Count));
        versions.Select(version => (Guid)version[1]).Order().ShouldBe(workload.OrderRuns.Keys.Order(), "one version for each run");
        versions.Select(version => (int)version[3]).Distinct().ShouldBe(versions.Take(1).Select(_ => versions.Count), "latest");
        foreach (var version in versions)
            ((long)version[2]).ShouldBe(workload.OrderRuns[(Guid)version[1]].Rows.Count);
    }

    /// <summary>What was not delivered is in the quarantine, once, under the run and the step that rejected it.</summary>
    private async Task RejectedRowsAreKeptAsync()
    {
        var expected = workload.OrderRuns.SelectMany(run => run.Value.Rejected.Select(rejected => $"{run.Key} {rejected.Step} {rejected.Row}")).ToList();
        List<string> found = [];
        await TestHost.UntilAsync(async () =>
        {
            found = [.. (await ReadAsync(_database, """
                SELECT b.run_id, s.step, i.row FROM datasets.quarantine_occurrence o JOIN datasets.quarantine_batch b ON b.id = o.batch_id
                JOIN datasets.quarantine_step s ON s.id = b.step_id JOIN datasets.quarantine_item i ON i.id = o.item_id WHERE s.pipeline = 'orders'
                """)).Select(row => $"{row[0]} {row[1]} {row[2]}")];
            return found.Count >= expected.Count ? null : $"{expected.Count} rejected rows in the quarantine (there are {found.Count})";
        }, patience);
        Same(found, expected, "quarantine");
    }

    /// <summary>Every file that anybody may read is there, with the size and hash that were written down for it.</summary>
    private async Task StoredFilesAreWholeAsync()
    {
        var listed = await ReadAsync(_database, """
            SELECT f->>'key', (f->>'bytes')::bigint, f->>'sha256' FROM (
                SELECT jsonb_array_elements(o.value->'files') AS f FROM runs.step s, jsonb_each(s.outcome->'outputs') AS o
                UNION ALL SELECT jsonb_array_elements(v.content->'files') FROM datasets.version v) AS files
            """);
        listed.Count.ShouldBeGreaterThanOrEqualTo(workload.OrderRuns.Count * 3);
        foreach (var file in listed.DistinctBy(file => file[0]))
        {
            var path = instance.FileOf((string)file[0]);
            new FileInfo(path).Length.ShouldBe((long)file[1], path);
            Hash(path).ShouldBe(((string)file[2]).ToLowerInvariant(), path);
        }
    }

    private static string Hash(string path) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));

    private static void Same<T>(IEnumerable<T> found, IEnumerable<T> expected, string what) where T : notnull
    {
        var counts = found.GroupBy(row => row).ToDictionary(group => group.Key, group => group.Count());
        foreach (var group in expected.GroupBy(row => row))
            counts[group.Key] = counts.GetValueOrDefault(group.Key) - group.Count();
        var missing = counts.Where(pair => pair.Value < 0).ToList();
        var tooMany = counts.Where(pair => pair.Value > 0).ToList();
        (missing.Count + tooMany.Count).ShouldBe(
            0, $"{what}: {missing.Count} rows missing ({missing.FirstOrDefault().Key}), {tooMany.Count} too many ({tooMany.FirstOrDefault().Key})");
    }

    public static async Task<List<object[]>> ReadAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<object[]>();
        while (await reader.ReadAsync())
        {
            var row = new object[reader.FieldCount];
            reader.GetValues(row);
            rows.Add(row);
        }
        return rows;
    }

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        await _target.DisposeAsync();
    }
}

/// <summary>A reader of its own, so that not the writer's mistakes are repeated.</summary>
internal static class Csv
{
    public static List<string[]> Read(string text)
    {
        var lines = new List<string[]>();
        var fields = new List<string>();
        var field = new StringBuilder();
        var quoted = false;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (quoted && c == '"' && i + 1 < text.Length && text[i + 1] == '"')
                field.Append(text[++i]);
            else if (c == '"')
                quoted = !quoted;
            else if (!quoted && c is ',' or '\n' && !quoted)
            {
                fields.Add(field.ToString());
                field.Clear();
                if (c == '\n')
                {
                    lines.Add([.. fields]);
                    fields.Clear();
                }
            }
            else
                field.Append(c);
        }
        (field.Length + fields.Count).ShouldBe(0, "the last line is whole");
        return lines;
    }
}
