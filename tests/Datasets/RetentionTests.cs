using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using Qualiz.Contracts;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Datasets.V1;
using Qualiz.Contracts.Pipelines.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Datasets.Model;
using Qualiz.Datasets.Retention;
using Qualiz.Platform.Data;
using Qualiz.Platform.Storage;
using Qualiz.TestKit;
using Xunit.Abstractions;

namespace Qualiz.Datasets.Tests;

/// <summary>The collector on a real store and database; Runs is played by <see cref="Ledger"/>.</summary>
public sealed class RetentionTests(DatasetsHost host, ITestOutputHelper output) : IClassFixture<DatasetsHost>
{
    private static readonly DateTime LongAgo = DateTime.UtcNow.AddDays(-30);

    [Fact]
    public async Task What_a_released_run_wrote_goes_but_not_what_is_published_rejected_or_logged()
    {
        var ledger = new Ledger(host);
        var run = await ledger.RunAsync(finished: true);
        await ledger.PublishAsync(run, "golden");
        await ledger.QuarantineAsync(run);
        run.Keep = false;
        await ledger.WriteAsync($"{run.Id}/clean/3/out-0001.parquet");
        var preview = await host.GetAsync(ledger.Project, "retention/preview");
        preview.GetProperty("preview").GetBoolean().ShouldBeTrue();
        preview.GetProperty("files").GetInt64().ShouldBe(2);
        ledger.Released.ShouldBeEmpty();
        ledger.Exists(run.Intermediate).ShouldBeTrue();

        var report = await CollectAsync(ledger);
        report.Removed.Select(line => (line.Kind, line.Pipeline, line.Files)).ShouldBe([("intermediate", "p", 1), ("orphan", "p", 1)], ignoreOrder: true);
        report.Runs.ShouldBe(1);
        ledger.Exists(run.Intermediate).ShouldBeFalse();
        ledger.Exists(run.Published).ShouldBeTrue();
        ledger.Exists(run.Rejected).ShouldBeTrue();
        ledger.Exists(run.Log).ShouldBeTrue();
        (await CollectAsync(ledger)).Files.ShouldBe(0);

        var storage = await host.GetAsync(ledger.Project, "storage");
        storage.GetProperty("files").GetInt64().ShouldBe(3);
        storage.GetProperty("lines").EnumerateArray().Select(line => line.GetProperty("kind").GetString()).ShouldBe(["published", "rejected", "log"], ignoreOrder: true);
        await TestHost.UntilAsync(() => host.Fakes.Events.OfType<DataCollected>().Any(happened => happened.Project == ledger.Project && happened.Files == 2) ? null : "the event");
    }

    [Fact]
    public async Task What_a_pipeline_remembers_stays_when_its_run_and_even_the_runs_history_is_gone()
    {
        var ledger = new Ledger(host);
        var run = await ledger.RunAsync(finished: true, files: false);
        run.Keep = false;
        foreach (var owner in new[] { run.Id, Guid.CreateVersion7() })
        {
            await ledger.WriteAsync($"{owner}/people/1/ids-0001.parquet");
            await ledger.WriteAsync($"{owner}/people/1/ids-0002.parquet");
            ledger.Remembered.Add($"{ledger.Project}/{owner}/people/1/ids-0001.parquet");
        }
        (await CollectAsync(ledger)).Files.ShouldBe(2);
        ledger.Files().Select(file => $"{ledger.Project}/{file[(ledger.Project.Length + 1)..]}").ShouldBe(ledger.Remembered, ignoreOrder: true);
        ledger.Remembered.Clear();
        (await CollectAsync(ledger)).Files.ShouldBe(2);
        ledger.Files().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_run_whose_end_has_not_arrived_here_is_passed_over()
    {
        var ledger = new Ledger(host);
        var publishes = await ledger.RunAsync(finished: true);
        publishes.Keep = false;
        publishes.Publishes = true;
        var rejects = await ledger.RunAsync(finished: true);
        rejects.Keep = false;
        rejects.Rejects = true;
        (await CollectAsync(ledger)).Files.ShouldBe(0);
        await ledger.PublishAsync(publishes, "golden");
        await ledger.QuarantineAsync(rejects);
        (await CollectAsync(ledger)).Files.ShouldBe(4);
        ledger.Exists(publishes.Published).ShouldBeTrue();
    }

    [Fact]
    public async Task Executions_that_nobody_completed_go_when_they_are_older_than_any_lease_and_the_one_under_way_stays()
    {
        var ledger = new Ledger(host);
        var run = await ledger.RunAsync(finished: false);
        run.Active.Add(new ActiveFence("clean", 9));
        await ledger.WriteAsync($"{run.Id}/clean/7/out-0001.parquet");
        await ledger.WriteAsync($"{run.Id}/clean/9/out-0001.parquet");
        await ledger.WriteAsync($"{run.Id}/clean/8/out-0001.parquet", DateTime.UtcNow);
        await ledger.WriteAsync($"patches/{run.Id}/clean-1.parquet");
        var stranger = Guid.CreateVersion7();
        await ledger.WriteAsync($"{stranger}/clean/1/out-0001.parquet");
        await ledger.WriteAsync($"{stranger}/clean/2/out-0001.parquet", DateTime.UtcNow);
        var report = await CollectAsync(ledger);
        report.Removed.Select(line => (line.Kind, line.Files)).ShouldBe([("orphan", 1), ("unknown", 1)], ignoreOrder: true);
        ledger.Exists($"{ledger.Project}/{run.Id}/clean/7/out-0001.parquet").ShouldBeFalse();
        ledger.Exists($"{ledger.Project}/{run.Id}/clean/9/out-0001.parquet").ShouldBeTrue();
        ledger.Exists($"{ledger.Project}/{run.Id}/clean/8/out-0001.parquet").ShouldBeTrue();
        ledger.Exists($"{ledger.Project}/patches/{run.Id}/clean-1.parquet").ShouldBeTrue();
        ledger.Exists($"{ledger.Project}/{stranger}/clean/2/out-0001.parquet").ShouldBeTrue();
        run.Finished = true;
        run.Active.Clear();
        (await CollectAsync(ledger)).Removed.Select(line => (line.Kind, line.Files)).ShouldBe([("orphan", 1), ("patch", 1)], ignoreOrder: true);
    }

    [Fact]
    public async Task Of_a_dataset_the_newest_versions_stay_and_those_that_are_pinned_or_read()
    {
        var ledger = new Ledger(host);
        var runs = new List<FakeRun>();
        for (var i = 1; i <= 15; i++)
        {
            runs.Add(await ledger.RunAsync(finished: true));
            runs[^1].Keep = false;
            await ledger.PublishAsync(runs[^1], "golden", i);
        }
        var reader = await ledger.RunAsync(finished: false);
        await ledger.ResolveAsync(reader, "dataset:golden@2");
        await PinAsync(ledger, 4, HttpMethod.Put, 204);
        await PinAsync(ledger, 99, HttpMethod.Put, 404);

        var preview = await host.GetAsync(ledger.Project, "retention/preview");
        preview.GetProperty("versions")[0].GetProperty("versions").EnumerateArray().Select(number => number.GetInt32()).ShouldBe([1, 3, 5]);
        var report = await CollectAsync(ledger);
        report.Versions.ShouldHaveSingleItem().Versions.ShouldBe([1, 3, 5]);
        foreach (var (run, number) in runs.Select((run, i) => (run, i + 1)))
            ledger.Exists(run.Published).ShouldBe(number is not (1 or 3 or 5), $"version {number}");
        var (status, problem) = await host.RefusalAsync(ledger.Project, "datasets/golden/versions/3");
        status.ShouldBe(404);
        problem.GetProperty("detail").GetString()!.ShouldContain("has been removed (retention)");
        (await host.GetAsync(ledger.Project, "datasets/golden/versions?limit=50")).GetProperty("items").EnumerateArray().Count(item => item.GetProperty("removedAt").ValueKind == JsonValueKind.String).ShouldBe(3);
        await PinAsync(ledger, 3, HttpMethod.Put, 404);

        reader.Finished = true;
        reader.Keep = false;
        await PinAsync(ledger, 4, HttpMethod.Delete, 204);
        (await CollectAsync(ledger)).Versions.ShouldHaveSingleItem().Versions.ShouldBe([2, 4]);
        ledger.Exists(runs[^1].Published).ShouldBeTrue();
    }

    [Fact]
    public async Task Rows_settled_long_ago_go_and_then_their_files_and_open_ones_stay()
    {
        var ledger = new Ledger(host);
        var (settled, open, repaired) = (await ledger.RunAsync(finished: true), await ledger.RunAsync(finished: true), await ledger.RunAsync(finished: true));
        var dismissed = await ledger.RunAsync(finished: true);
        foreach (var run in new[] { settled, open, repaired, dismissed })
        {
            run.Keep = false;
            await ledger.QuarantineAsync(run);
        }
        await ledger.SqlAsync($"update datasets.quarantine_item set state = 'dismissed', at = now() - interval '91 days' where last_run in ('{settled.Id}', '{dismissed.Id}')"); // the second one's rejection itself is of today
        // Reinjected long ago, but its repair is still used every day.
        await ledger.SqlAsync($"""
            with p as (insert into datasets.patch (step_id, key, hash, changes, state, actor, created_at, applied_at)
                select step_id, key, hash, '[]', 'active', 'test', now() - interval '200 days', now() from datasets.quarantine_item where last_run = '{repaired.Id}' returning id)
            update datasets.quarantine_item set state = 'reinjected', at = now() - interval '100 days', patch_id = (select id from p) where last_run = '{repaired.Id}'
            """);
        await ledger.SqlAsync($"update datasets.quarantine_batch set filled_at = now() - interval '91 days' where run_id in ('{settled.Id}', '{open.Id}', '{repaired.Id}')");
        (await host.GetAsync(ledger.Project, "retention/preview")).GetProperty("quarantineItems").GetInt64().ShouldBe(1);
        (await CollectAsync(ledger)).QuarantineItems.ShouldBe(1);
        ledger.Exists(settled.Rejected).ShouldBeFalse();
        ledger.Exists(open.Rejected).ShouldBeTrue();
        ledger.Exists(repaired.Rejected).ShouldBeTrue();
        ledger.Exists(dismissed.Rejected).ShouldBeTrue();
    }

    [Fact]
    public async Task A_deleted_project_goes_whole_but_for_what_still_runs()
    {
        var ledger = new Ledger(host);
        var (done, running) = (await ledger.RunAsync(finished: true), await ledger.RunAsync(finished: false));
        await ledger.PublishAsync(done, "golden");
        await ledger.QuarantineAsync(done);
        await ledger.WriteAsync("uploads/x/file.csv");
        done.Keep = false;
        var report = await CollectAsync(ledger, new ListedProject(host.Fakes.Projects[ledger.Project], ledger.Project, true, []));
        report.Versions.Single().Versions.ShouldBe([1]);
        ledger.Files().Where(file => !file.EndsWith(".ndjson", StringComparison.Ordinal)).ShouldBe([running.Intermediate, running.Published, running.Rejected], ignoreOrder: true);
    }

    [Fact]
    public async Task A_collection_that_is_cut_short_is_finished_by_the_next()
    {
        var ledger = new Ledger(host);
        var runs = new List<FakeRun>();
        for (var i = 0; i < 12; i++)
        {
            runs.Add(await ledger.RunAsync(finished: true));
            await ledger.PublishAsync(runs[i], "golden", i + 1);
            runs[i].Keep = i >= 9;
        }
        for (var after = 0; ; after += 2)
        {
            var store = new CutStore(host.Store, after);
            try
            {
                await CollectAsync(ledger, store: store);
                break;
            }
            catch (CutException)
            {
                // At every moment what may be read is there: kept runs whole, readable versions, and logs.
                foreach (var kept in runs.Skip(9))
                    new[] { kept.Intermediate, kept.Published, kept.Log }.ShouldAllBe(file => ledger.Exists(file));
                foreach (var version in await ledger.ReadableAsync())
                    ledger.Exists(version).ShouldBeTrue();
            }
        }
        runs.Take(9).ShouldAllBe(run => !ledger.Exists(run.Intermediate));
        runs.Take(2).ShouldAllBe(run => !ledger.Exists(run.Published));
        runs.Skip(2).ShouldAllBe(run => ledger.Exists(run.Published));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Whatever_the_history_nothing_goes_that_may_be_read_and_all_else_does(int seed)
    {
        var random = new Random(seed);
        var ledger = new Ledger(host) { Options = new RetentionOptions { Versions = random.Next(1, 4), UnknownAge = TimeSpan.FromHours(2) } };
        var runs = new List<FakeRun>();
        var versions = 0;
        for (var step = 0; step < 120; step++)
        {
            switch (random.Next(10))
            {
                case 0 or 1 or 2:
                    runs.Add(await ledger.RunAsync(finished: false));
                    break;
                case 3 or 4 when runs.Count > 0:
                    var ending = Pick();
                    if (!ending.Finished)
                    {
                        ending.Finished = true;
                        // The end may take a while to arrive here.
                        ending.Publishes = random.Next(2) == 0;
                        ending.Rejects = random.Next(2) == 0;
                    }
                    break;
                case 5 when runs.Find(run => run is { Finished: true, Publishes: true, Told: false }) is { } told:
                    told.Told = true;
                    await ledger.PublishAsync(told, "golden", ++versions);
                    break;
                case 6 when runs.Find(run => run is { Finished: true, Rejects: true, Quarantined: false }) is { } rejecting:
                    rejecting.Quarantined = true;
                    await ledger.QuarantineAsync(rejecting);
                    break;
                case 7 when runs.Count > 0 && versions > 0 && Pick() is { Finished: false } reading:
                    await ledger.TryResolveAsync(reading, $"dataset:golden@{random.Next(1, versions + 1).ToString(CultureInfo.InvariantCulture)}");
                    break;
                case 8 when runs.Count > 0:
                    var old = Pick();
                    old.Keep = random.Next(3) == 0;
                    break;
                case 9:
                    await CollectAsync(ledger);
                    await CheckAsync(all: false);
                    break;
            }
        }
        await CollectAsync(ledger);
        await CheckAsync(all: true);
        output.WriteLine($"{runs.Count} runs, {versions} versions, {ledger.Files().Count} files left");

        FakeRun Pick() => runs[random.Next(runs.Count)];

        async Task CheckAsync(bool all)
        {
            var readable = await ledger.ReadableAsync();
            foreach (var run in runs)
            {
                var released = ledger.Released.Contains(run.Id);
                if (!run.Finished || !released)
                    new[] { run.Intermediate, run.Published, run.Rejected }.ShouldAllBe(file => ledger.Exists(file), $"run {run.Id} may be read");
                ledger.Exists(run.Log).ShouldBeTrue();
                var pending = (run.Publishes && !run.Told) || (run.Rejects && !run.Quarantined);
                if (all && released && !pending)
                {
                    ledger.Exists(run.Intermediate).ShouldBeFalse();
                    ledger.Exists(run.Published).ShouldBe(readable.Contains(run.Published));
                    ledger.Exists(run.Rejected).ShouldBe(run.Quarantined);
                }
            }
            readable.ShouldAllBe(file => ledger.Exists(file));
            foreach (var reader in runs.Where(run => !run.Finished || !ledger.Released.Contains(run.Id)))
            {
                foreach (var file in reader.Read)
                    ledger.Exists(file).ShouldBeTrue($"run {reader.Id} reads it");
            }
        }
    }

    [Fact]
    public async Task Whoever_is_given_a_version_while_it_is_being_removed_can_read_it()
    {
        var ledger = new Ledger(host) { Options = new RetentionOptions { Versions = 1 } };
        var read = new ConcurrentBag<(FakeRun Run, string File)>();
        var published = 0;
        using var stop = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await Task.Yield();
                var run = await ledger.RunAsync(finished: false, files: false);
                if (Volatile.Read(ref published) is var count and > 0 && await ledger.TryResolveAsync(run, $"dataset:golden@{Random.Shared.Next(Math.Max(1, count - 2), count + 1).ToString(CultureInfo.InvariantCulture)}"))
                    read.Add((run, run.Read.Single()));
            }
        })).ToList();
        for (var i = 1; i <= 25; i++)
        {
            var run = await ledger.RunAsync(finished: true);
            run.Keep = false;
            await ledger.PublishAsync(run, "golden", i);
            Volatile.Write(ref published, i);
            await CollectAsync(ledger);
        }
        await stop.CancelAsync();
        await Task.WhenAll(readers);
        output.WriteLine($"{read.Count} reads");
        read.ShouldAllBe(reading => ledger.Exists(reading.File));
        read.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Settings_that_make_no_sense_are_refused_at_start() =>
        (await Should.ThrowAsync<OptionsValidationException>(async () =>
        {
            await using var other = await TestHost.StartAsync(builder => builder.AddDatasets(), settings: new Dictionary<string, string?> { ["Store:Root"] = host.StoreRoot, ["Retention:Versions"] = "0" });
        })).Message.ShouldContain("at least one version");

    [Fact]
    public async Task Only_one_collects_at_a_time()
    {
        var ledger = new Ledger(host);
        await using var database = NpgsqlDataSource.Create(host.Database);
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.ExecuteAsync("select pg_advisory_xact_lock(x'51756C7A436F6C6C'::bigint)", transaction: transaction);
        using var busy = await host.Client.PostAsync(new Uri(DatasetsHost.Url(ledger.Project, "retention/run"), UriKind.Relative), null);
        ((int)busy.StatusCode).ShouldBe(409);
        await transaction.RollbackAsync();
        using var free = await host.Client.PostAsync(new Uri(DatasetsHost.Url(ledger.Project, "retention/run"), UriKind.Relative), null);
        ((int)free.StatusCode).ShouldBe(200);
        (await host.RefusalAsync("nowhere", "retention/preview")).Status.ShouldBe(404);
        (await host.RefusalAsync("nowhere", "storage")).Status.ShouldBe(404);
    }

    private async Task PinAsync(Ledger ledger, int version, HttpMethod method, int expected)
    {
        using var request = new HttpRequestMessage(method, DatasetsHost.Url(ledger.Project, $"datasets/golden/versions/{version}/pin"));
        using var response = await host.Client.SendAsync(request);
        ((int)response.StatusCode).ShouldBe(expected, await response.Content.ReadAsStringAsync());
    }

    private async Task<RetentionReport> CollectAsync(Ledger ledger, ListedProject? project = null, IObjectStore? store = null)
    {
        await using var scope = host.Services.CreateAsyncScope();
        var services = scope.ServiceProvider;
        var collector = new Collector(
            services.GetRequiredKeyedService<NpgsqlDataSource>("datasets"), store ?? host.Store, services.GetRequiredService<VersionRetention>(), services.GetRequiredService<RunReviews>(),
            services.GetRequiredService<IUnitOfWork<DatasetsDb>>(), Options.Create(ledger.Options), TimeProvider.System, NullLogger<Collector>.Instance);
        RetentionReport? report = null;
        // Other tests of this class collect too.
        await TestHost.UntilAsync(async () =>
        {
            report = await collector.CollectAsync(project ?? new ListedProject(host.Fakes.Projects[ledger.Project], ledger.Project, false, []), preview: false, default);
            return report is null ? "its turn to collect" : null;
        });
        return report!;
    }

    private sealed class FakeRun(Guid id, string project)
    {
        public Guid Id => id;
        public bool Finished { get; set; }
        public bool Keep { get; set; } = true;
        public bool Publishes { get; set; }
        public bool Rejects { get; set; }
        public bool Told { get; set; }
        public bool Quarantined { get; set; }
        public List<ActiveFence> Active { get; } = [];
        public List<string> Read { get; } = [];
        public string Intermediate => $"{project}/{id}/clean/1/out-0001.parquet";
        public string Rejected => $"{project}/{id}/clean/1/rejected-0001.parquet";
        public string Log => $"{project}/{id}/clean/1/log.ndjson";
        public string Published => $"{project}/{id}/golden/2/out-0001.parquet";
    }

    /// <summary>A project, its runs as Runs would know them, and its files.</summary>
    private sealed class Ledger
    {
        private static readonly ConcurrentDictionary<string, Ledger> s_all = new();
        private readonly DatasetsHost _host;
        private readonly ConcurrentDictionary<Guid, FakeRun> _runs = new();

        public Ledger(DatasetsHost host)
        {
            _host = host;
            Project = host.NewProject();
            s_all[Project] = this;
            host.Fakes.Review = asked => s_all[asked.Project].Review(asked);
        }

        public string Project { get; }
        public RetentionOptions Options { get; init; } = new();
        public HashSet<Guid> Released { get; } = [];

        /// <summary>Keys that pipelines' state names.</summary>
        public HashSet<string> Remembered { get; } = [];

        public async Task<FakeRun> RunAsync(bool finished, bool files = true)
        {
            var run = new FakeRun(Guid.CreateVersion7(), Project) { Finished = finished };
            _runs[run.Id] = run;
            foreach (var file in files ? new[] { run.Intermediate, run.Rejected, run.Log, run.Published } : [])
                await WriteAsync(file[(Project.Length + 1)..]);
            return run;
        }

        public async Task WriteAsync(string rest, DateTime? at = null)
        {
            var key = $"{Project}/{rest}";
            using var content = new MemoryStream(new byte[100]);
            await _host.Store.PutAsync(key, content, default);
            File.SetLastWriteTimeUtc(Path.Combine(_host.StoreRoot, key), at ?? LongAgo);
        }

        public bool Exists(string key) => File.Exists(Path.Combine(_host.StoreRoot, key));

        public List<string> Files() => [.. Directory.EnumerateFiles(Path.Combine(_host.StoreRoot, Project), "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(_host.StoreRoot, path))];

        public async Task PublishAsync(FakeRun run, string dataset, int expected = 1)
        {
            await _host.Sender.PublishAsync(_host.Completed(Project, run.Id, new PublishedOutput(dataset, "golden", Content(run.Published), null)), default);
            await _host.UntilVersionAsync(Project, dataset, expected);
            run.Publishes = run.Told = true;
        }

        /// <summary>One open row of this run.</summary>
        public async Task QuarantineAsync(FakeRun run)
        {
            run.Rejects = run.Quarantined = true;
            await SqlAsync(
                $"""
                with s as (insert into datasets.quarantine_step (project_id, project, pipeline_id, pipeline, step) values (gen_random_uuid(), '{Project}', gen_random_uuid(), 'p', 'clean') returning id),
                b as (insert into datasets.quarantine_batch (step_id, run_id, stamp, files, rejected, filled_at) select id, '{run.Id}', 'x', array['{run.Rejected}'], 1, now() from s returning id),
                i as (insert into datasets.quarantine_item (step_id, key, hash, ordinal, source, row, ingested, rejected, reasons, rules, columns, first_run, last_run, times, state, actor, at, created_at)
                    select id, '{run.Id}', 'h', 1, 's', 1, '[]', '[]', '[]', '[]'::text::text[], '[]'::text::text[], '{run.Id}', '{run.Id}', 1, 'open', 'system', now(), now() from s returning id)
                insert into datasets.quarantine_occurrence select b.id, i.id from b, i
                """.Replace("'[]'::text::text[]", "array[]::text[]", StringComparison.Ordinal));
        }

        public async Task ResolveAsync(FakeRun run, string reference) => (await TryResolveAsync(run, reference)).ShouldBeTrue();

        public async Task<bool> TryResolveAsync(FakeRun run, string reference)
        {
            var answer = await _host.Requests.AskAsync<DatasetResolved, DatasetUnknown>(
                Queues.DatasetRequests, new ResolveDataset { Project = Project, RunId = run.Id, Reference = reference }, new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token);
            if (answer.First is { } found)
                run.Read.Add(found.Content.Files[0].Key);
            return answer.First is not null;
        }

        /// <summary>The files of the versions that people can open.</summary>
        public async Task<List<string>> ReadableAsync()
        {
            await using var database = NpgsqlDataSource.Create(_host.Database);
            await using var connection = await database.OpenConnectionAsync();
            return [.. await connection.QueryAsync<string>(
                "select f ->> 'key' from datasets.version v join datasets.dataset d on d.id = v.dataset_id, lateral jsonb_array_elements(v.content -> 'files') f where d.project = @Project and v.removed_at is null", new { Project })];
        }

        public async Task SqlAsync(string sql)
        {
            await using var database = NpgsqlDataSource.Create(_host.Database);
            await using var command = database.CreateCommand(sql);
            await command.ExecuteNonQueryAsync();
        }

        private RunsReviewed Review(ReviewRuns asked) => new()
        {
            Runs =
            [
                .. asked.RunIds.Select(id =>
                {
                    if (!_runs.TryGetValue(id, out var run))
                        return new ReviewedRun { RunId = id, Known = false, Remembered = [.. Remembered] };
                    bool keep;
                    lock (Released)
                    {
                        keep = !run.Finished || (run.Keep && !Released.Contains(id));
                        if (!keep && asked.Release)
                            Released.Add(id);
                    }
                    return new ReviewedRun
                    {
                        RunId = id,
                        Known = true,
                        Pipeline = "p",
                        Finished = run.Finished,
                        Keep = keep,
                        Files = [run.Intermediate, run.Rejected, run.Published, run.Log],
                        Logs = [run.Log],
                        Remembered = [.. Remembered],
                        Active = [.. run.Active],
                        Published = run.Publishes ? [new PublishedStep("golden", "golden")] : [],
                        Rejecting = run.Rejects ? ["clean"] : [],
                    };
                }),
            ],
        };

        private static DatasetRef Content(string key) => new()
        {
            Files = [new DataFile { Key = key, Rows = 1, Bytes = 100, Sha256 = new string('0', 64) }],
            Schema = new DatasetSchema { Columns = [DatasetsHost.Column("id", "int64")] },
            Rows = 1,
            Bytes = 100,
        };
    }

    private sealed class CutException : Exception;

    /// <summary>Deletes some files, and then the process is gone.</summary>
    private sealed class CutStore(IObjectStore store, int after) : IObjectStore
    {
        private int _left = after;

        public Task<Stream> OpenReadAsync(string key, CancellationToken ct) => store.OpenReadAsync(key, ct);

        public Task<int> ReadAsync(string key, long from, Memory<byte> into, CancellationToken ct) => store.ReadAsync(key, from, into, ct);

        public Task<string> GetLocalPathAsync(string key, string scratch, CancellationToken ct) => store.GetLocalPathAsync(key, scratch, ct);

        public Task<StoredObject> PutFileAsync(string key, string path, CancellationToken ct) => store.PutFileAsync(key, path, ct);

        public Task<StoredObject> PutAsync(string key, Stream content, CancellationToken ct) => store.PutAsync(key, content, ct);

        public string GetStagingPath(string key, string scratch) => store.GetStagingPath(key, scratch);

        public Task<bool> ExistsAsync(string key, CancellationToken ct) => store.ExistsAsync(key, ct);

        public IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken ct) => store.ListAsync(prefix, ct);

        public Task RemoveUnfinishedAsync(string prefix, DateTimeOffset before, CancellationToken ct) => store.RemoveUnfinishedAsync(prefix, before, ct);

        public Task DeleteAsync(string key, CancellationToken ct) => _left-- > 0 ? store.DeleteAsync(key, ct) : throw new CutException();
    }
}
