using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;

namespace Qualiz.Benchmarks.Orchestration;

/// <summary>Starts runs over HTTP and says how long each took from the request to its end.</summary>
internal static class Load
{
    /// <summary>One run after the other: seconds from the request to the run's end.</summary>
    public static async Task<IReadOnlyList<double>> OneByOneAsync(Instance instance, string pipeline, int count, CancellationToken ct)
    {
        var seconds = new List<double>();
        for (var i = 0; i < count; i++)
        {
            var sent = DateTimeOffset.UtcNow;
            var id = await StartAsync(instance, pipeline, ct);
            while (true)
            {
                var run = (await instance.Runs.GetFromJsonAsync<JsonElement>($"/api/v1/projects/{Instance.Project}/runs/{id}", ct)).GetProperty("run");
                var state = run.GetProperty("state").GetString();
                if (state is "failed" or "cancelled")
                    throw new InvalidOperationException($"The run {state}: {run.GetRawText()}");
                if (state is "completed")
                {
                    seconds.Add((run.GetProperty("finishedAt").GetDateTimeOffset() - sent).TotalSeconds);
                    break;
                }

                await Task.Delay(50, ct);
            }
        }

        return seconds;
    }

    /// <summary>
    /// Open loop: a run is started at its time whether or not the earlier ones are done, so that a slow server is not spared.
    /// </summary>
    public static async Task<RateResult> AtRateAsync(Instance instance, string pipeline, int perMinute, TimeSpan duration, CancellationToken ct)
    {
        // Warm up: the first hundred runs pay for compilation and connections.
        await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => OneByOneAsync(instance, pipeline, 10, ct)));

        var sent = new ConcurrentDictionary<Guid, DateTimeOffset>();
        var failed = 0;
        var count = (int)(perMinute * duration.TotalMinutes);
        var cpuBefore = Cpu(instance);
        var begun = DateTimeOffset.UtcNow;
        var clock = Stopwatch.StartNew();
        var starts = new List<Task>(count);
        for (var i = 0; i < count; i++)
        {
            var due = TimeSpan.FromMinutes((double)i / perMinute);
            while (clock.Elapsed < due)
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Max(1, (due - clock.Elapsed).TotalMilliseconds)), ct);
            starts.Add(Task.Run(async () =>
            {
                try
                {
                    var at = DateTimeOffset.UtcNow;
                    sent[await StartAsync(instance, pipeline, ct)] = at;
                }
                catch (HttpRequestException)
                {
                    Interlocked.Increment(ref failed);
                }
            }, ct));
        }

        await Task.WhenAll(starts);
        var behind = clock.Elapsed - duration;
        var finished = await FinishedAsync(instance, begun, sent, ct);
        var cpu = Cpu(instance) - cpuBefore;
        var latencies = sent.Select(run => (finished[run.Key] - run.Value).TotalSeconds).Order().ToList();
        return new RateResult(perMinute, latencies.Count, failed, latencies, cpu / latencies.Count, behind, await StagesAsync(instance, begun, ct));
    }

    private static async Task<Guid> StartAsync(Instance instance, string pipeline, CancellationToken ct)
    {
        using var response = await instance.Runs.PostAsJsonAsync($"/api/v1/projects/{Instance.Project}/runs", new { pipeline }, ct);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<JsonElement>(ct)).GetProperty("id").GetGuid();
    }

    /// <summary>Waits for all to end; read from the database, so that looking costs the server next to nothing.</summary>
    private static async Task<Dictionary<Guid, DateTimeOffset>> FinishedAsync(
        Instance instance, DateTimeOffset begun, ConcurrentDictionary<Guid, DateTimeOffset> sent, CancellationToken ct)
    {
        await using var database = NpgsqlDataSource.Create(instance.Database);
        for (var waited = Stopwatch.StartNew(); ; await Task.Delay(500, ct))
        {
            await using var command = database.CreateCommand("select id, finished_at from runs.run where created_at >= $1 and state = 'Completed'");
            command.Parameters.AddWithValue(begun);
            var finished = new Dictionary<Guid, DateTimeOffset>();
            await using (var reader = await command.ExecuteReaderAsync(ct))
            {
                while (await reader.ReadAsync(ct))
                    finished[reader.GetGuid(0)] = reader.GetFieldValue<DateTimeOffset>(1);
            }

            if (sent.Keys.All(finished.ContainsKey))
                return finished;
            if (waited.Elapsed > TimeSpan.FromMinutes(3))
                throw new TimeoutException($"{sent.Keys.Count(id => !finished.ContainsKey(id))} of {sent.Count} runs have not completed.");
        }
    }

    /// <summary>Where a run's time goes, as averages in milliseconds.</summary>
    private static async Task<IReadOnlyDictionary<string, double>> StagesAsync(Instance instance, DateTimeOffset begun, CancellationToken ct)
    {
        await using var database = NpgsqlDataSource.Create(instance.Database);
        await using var command = database.CreateCommand(
            """
            select avg(extract(epoch from r.started_at - r.created_at)) * 1000,
                   avg(s.waited), avg(s.worked)
              from runs.run r
              join (select run_id,
                           avg(extract(epoch from started_at - dispatched_at)) * 1000 as waited,
                           avg(extract(epoch from finished_at - started_at)) * 1000 as worked
                      from runs.step group by run_id) s on s.run_id = r.id
             where r.created_at >= $1
            """);
        command.Parameters.AddWithValue(begun);
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        return new Dictionary<string, double>
        {
            ["admission (start to saga)"] = (double)reader.GetDecimal(0),
            ["a step's relay, queue and claim"] = (double)reader.GetDecimal(1),
            ["a step's operator, report and saga"] = (double)reader.GetDecimal(2),
        };
    }

    /// <summary>CPU seconds so far of the instance's processes, of the PostgreSQL backends of its database, and of RabbitMQ.</summary>
    private static double Cpu(Instance instance)
    {
        var database = new NpgsqlConnectionStringBuilder(instance.Database).Database!;
        var ticks = 0L;
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
                continue;
            try
            {
                var stat = File.ReadAllText(Path.Combine(folder, "stat"));
                var name = stat[(stat.IndexOf('(', StringComparison.Ordinal) + 1)..stat.LastIndexOf(')')];
                var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                if (name == "beam.smp" || instance.ProcessIds.Contains(id)
                    || (name == "postgres" && File.ReadAllText(Path.Combine(folder, "cmdline")).Contains($" {database} ", StringComparison.Ordinal)))
                    ticks += long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
            }
            catch (IOException)
            {
                // It ended while we looked.
            }
        }

        return ticks / 100.0;
    }
}

/// <param name="Latencies">Seconds from the request to the run's end, ascending.</param>
/// <param name="CpuSeconds">CPU seconds a run: services, PostgreSQL and RabbitMQ.</param>
/// <param name="Behind">How much later than planned the last start was sent: near zero, or the load generator was the bottleneck.</param>
internal sealed record RateResult(
    int PerMinute, int Runs, int Failed, IReadOnlyList<double> Latencies, double CpuSeconds, TimeSpan Behind, IReadOnlyDictionary<string, double> Stages)
{
    public double Percentile(double share) => Latencies[Math.Min(Latencies.Count - 1, (int)Math.Ceiling(Latencies.Count * share) - 1)];
}
