using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Npgsql;
using Qualiz.Chaos.Tests.Harness;
using Qualiz.TestKit;
using Xunit.Abstractions;

namespace Qualiz.Chaos.Tests;

/// <summary>kill -9 while repaired rows go into the results of runs that are over: each is there once.</summary>
[Collection(nameof(Standalone))]
public sealed class ReinjectionKillTests(StandaloneFixture fixture, ITestOutputHelper output)
{
    private const int Rounds = 4;
    private const int RowsPerFile = 500;
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(4);

    private const string Mended = """
        qualiz: 1
        pipeline: mended
        params:
          file: {type: text}
        retry: {times: 30, wait: 1s, backoff: 1, on: transient}
        steps:
          read:
            uses: ingest
            with:
              from: {connection: landing, files: "mended/${params.file}"}
              format: {type: csv}
              types: {id: int64, email: text}
          clean:
            uses: cleanse
            inputs: [read]
            with: {checks: [{check: notNull, columns: [email], else: reject}]}
            publish: mended
          more:
            uses: enrich
            inputs: [clean]
            with: {derive: [{column: half, expression: "id / 2"}]}
          table:
            uses: deliver
            inputs: [more]
            with: {to: {connection: dwh, table: public.mended}}
        """;

    [Fact]
    public Task Rows_that_are_re_injected_while_the_host_is_killed_are_in_the_result_once() => fixture.ProveAsync(async () =>
    {
        var api = fixture.Api;
        Directory.CreateDirectory(Path.Combine(fixture.Instance.Landing, "mended"));
        await api.SaveAsync("mended", Mended);
        using var done = new CancellationTokenSource();
        var chaos = Task.Run(() => KillAsync(done.Token));
        var runs = new List<Guid>();
        try
        {
            for (var round = 0; round < Rounds; round++)
                runs.Add(await RoundAsync(round));
        }
        finally
        {
            await done.CancelAsync();
            await chaos;
        }

        // Each ordinary run's version, and after it the one with its repaired rows.
        var versions = await ReadAsync(fixture.Instance.Database, "SELECT v.rows FROM datasets.version v JOIN datasets.dataset d ON d.id = v.dataset_id WHERE d.name = 'mended' ORDER BY v.number");
        versions.ShouldBe(Enumerable.Range(0, Rounds).SelectMany(_ => new long[] { RowsPerFile * 9 / 10, RowsPerFile }));
        (await ReadAsync(fixture.Instance.Target, "SELECT id FROM public.mended ORDER BY id")).ShouldBe(Enumerable.Range(0, Rounds).SelectMany(round => Ids(round)));
        (await ReadAsync(fixture.Instance.Target, "SELECT rows FROM qualiz_delivery WHERE target LIKE '%mended%' ORDER BY rows"))
            .ShouldBe([.. Enumerable.Repeat(RowsPerFile / 10L, Rounds), .. Enumerable.Repeat(RowsPerFile * 9 / 10L, Rounds)], "each run delivered once");
    });

    private async Task<Guid> RoundAsync(int round)
    {
        var file = $"mended-{round}.csv";
        var text = new StringBuilder("id,email\n");
        foreach (var id in Ids(round))
            text.Append(CultureInfo.InvariantCulture, $"{id},{(id % 10 == 0 ? "" : $"u{id}@example.org")}\n");
        await File.WriteAllTextAsync(Path.Combine(fixture.Instance.Landing, "mended", file), text.ToString());
        var run = await fixture.Api.StartRunAsync("mended", file, new { file });
        await fixture.Api.UntilEndAsync(run, s_patience);
        await UntilAccountAsync(run, @"^50 rejected = 50 open$");
        var quarantine = $"/api/v1/projects/{Api.Project}/quarantine";
        await fixture.Api.PostAsync("Datasets", $"{quarantine}/bulk?run={run}", new { action = "repair", changes = new { email = "mended@example.org" } }, $"{file} repair");
        await fixture.Api.PostAsync("Datasets", $"{quarantine}/reinject?run={run}", new { }, $"{file} reinject");
        await UntilAccountAsync(run, @"^50 rejected = 50 repaired \(run [0-9a-f-]{36}\)$");
        output.WriteLine($"{DateTime.UtcNow:HH:mm:ss} round {round} is done");
        return run;
    }

    private static IEnumerable<long> Ids(int round) => Enumerable.Range(1, RowsPerFile).Select(i => (round * 10_000L) + i);

    private Task UntilAccountAsync(Guid run, string expected) => TestHost.UntilAsync(async () =>
    {
        // Nobody has filled it in yet: that is no error, and asked again.
        var (status, body) = await Try(() => fixture.Api.TryGetAsync("Datasets", $"/api/v1/projects/{Api.Project}/runs/{run}/quarantine"));
        var sentence = status == System.Net.HttpStatusCode.OK ? System.Text.Json.JsonDocument.Parse(body).RootElement.GetProperty("sentence").GetString()! : $"{status}";
        return Regex.IsMatch(sentence, expected) ? null : $"account {expected}; it is {sentence}";
    }, s_patience);

    private static async Task<(System.Net.HttpStatusCode Status, string Body)> Try(Func<Task<(System.Net.HttpStatusCode, string)>> ask)
    {
        try
        {
            return await ask();
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or OperationCanceledException)
        {
            return (System.Net.HttpStatusCode.ServiceUnavailable, exception.Message);
        }
    }

    private async Task KillAsync(CancellationToken done)
    {
        var random = new Random(InstanceFixture.Seed);
        while (!done.IsCancellationRequested)
        {
            // Long enough that something gets done in between.
            await Task.Delay(random.Next(1500, 7000), CancellationToken.None);
            output.WriteLine($"{DateTime.UtcNow:HH:mm:ss} kill standalone");
            await fixture.Instance.Host.KillAsync();
            fixture.Instance.Host.Start();
            await fixture.Instance.UntilReadyAsync(fixture.Instance.Host);
        }
    }

    private static async Task<List<long>> ReadAsync(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var values = new List<long>();
        while (await reader.ReadAsync())
            values.Add(reader.GetInt64(0));
        return values;
    }
}
