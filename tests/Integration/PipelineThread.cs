using System.Globalization;
using System.Text;
using System.Text.Json;
using Qualiz.TestKit;

namespace Qualiz.Integration.Tests;

public sealed class InProcessThread(InProcessHost host) : PipelineThread(host), IClassFixture<InProcessHost>;

public sealed class RabbitMqThread(RabbitMqHost host) : PipelineThread(host), IClassFixture<RabbitMqHost>;

/// <summary>The thread that everything hangs on: a file comes in, is cleansed, and is delivered; all of it over HTTP.</summary>
public abstract class PipelineThread(StandaloneHost host)
{
    private Api Api => host.Api;

    [Fact]
    public async Task A_file_comes_in_is_cleansed_published_and_delivered()
    {
        var (project, table) = await NewProjectAsync();
        var upload = await Api.UploadAsync(project, "customers.csv", Customers(200));
        await Api.SavePipelineAsync(project, "customers", CustomersPipeline(upload, table));

        var run = await Api.StartAsync(project, "customers");
        var events = await Api.FollowAsync(project, run);
        events[^1].Type.ShouldBe("RunCompleted", events[^1].Body.GetRawText());
        events.Select(seen => seen.Body.Long("sequence")).ShouldBe(Enumerable.Range(1, events.Count).Select(number => (long)number), "no event is lost or doubled");
        events.Count(seen => seen.Type == "StepCompleted").ShouldBe(3);

        // Every tenth row has no e-mail address; rows 3 and 4 have the same id.
        var details = await Api.GetAsync($"projects/{project}/runs/{run}");
        var ledger = details.Step("clean").List("ledger").Single();
        (ledger.Long("in"), ledger.Long("out"), ledger.Long("rejected"), ledger.Long("filtered")).ShouldBe((200, 178, 21, 1));
        (await host.CountAsync($"SELECT count(*) FROM {table}")).ShouldBe(178);
        (await host.CountAsync($"SELECT count(DISTINCT customer_id) FROM {table}")).ShouldBe(178);
        (await host.ScalarAsync($"SELECT name || '/' || balance FROM {table} WHERE customer_id = '00007'")).ShouldBe("Name 7/7.50");
        (await host.CountAsync($"SELECT count(*) FROM information_schema.tables WHERE table_schema = '{project}' AND table_name = 'qualiz_delivery'")).ShouldBe(1);

        var rejected = await Api.GetAsync($"projects/{project}/runs/{run}/steps/clean/rejected?limit=100");
        rejected.Long("rows").ShouldBe(21);
        var first = rejected.List("items").First();
        first.GetProperty("_row").GetInt64().ShouldBe(5);
        first.List("reasons").Single().Text("rule")!.ShouldContain("unique");
        first.GetProperty("ingested").Text("name").ShouldBe(" Name 4 ");
        // The address is personal; that it is missing is not.
        rejected.List("items").Last().GetProperty("ingested").GetProperty("email").ValueKind.ShouldBe(JsonValueKind.Null);
        first.GetProperty("ingested").Text("email").ShouldBe("•••");

        // Its publication follows the completion.
        await UntilVersionAsync(project, "customers", 1);
        var dataset = await Api.GetAsync($"projects/{project}/datasets/customers");
        dataset.GetProperty("latest").Text("runId").ShouldBe(run.ToString());
        dataset.GetProperty("latest").Long("rows").ShouldBe(178);
        var page = await Api.GetAsync($"projects/{project}/datasets/customers/versions/latest/rows?limit=2");
        page.List("items").First().GetRawText().ShouldBe("""{"customer_id":"00000","name":"Name 0","email":"•••","balance":"0.50","status":"live"}""");
        (await Api.TextAsync($"projects/{project}/runs/{run}/steps/crm/outputs/out/download?format=csv&columns=customer_id")).Split("\r\n").Length.ShouldBe(202);
    }

    [Fact]
    public async Task A_listener_goes_on_where_it_left_off()
    {
        var (project, _) = await NewProjectAsync();
        await Api.SavePipelineAsync(project, "short", "qualiz: 1\npipeline: short\nsteps:\n  say: {uses: log, with: {message: hello}}\n");
        var (run, details) = await Api.CompleteAsync(project, "short");
        var all = await Api.FollowAsync(project, run);
        (await Api.FollowAsync(project, run, after: 2)).Select(seen => seen.Type).ShouldBe(all.Skip(2).Select(seen => seen.Type));
        details.Step("say").Text("state").ShouldBe("completed");
        (await Api.TextAsync($"projects/{project}/runs/{run}/steps/say/log")).ShouldContain("hello");
    }

    [Fact]
    public async Task A_cancelled_run_stops_and_publishes_nothing()
    {
        var (project, table) = await NewProjectAsync();
        var upload = await Api.UploadAsync(project, "customers.csv", Customers(50));
        await Api.SavePipelineAsync(project, "waiting", $$"""
            qualiz: 1
            pipeline: waiting
            steps:
              crm:
                uses: ingest
                with: {from: {upload: "{{upload}}"} }
                publish: customers
              pause:
                uses: wait
                needs: [crm]
                with: {for: 10m}
              warehouse:
                uses: deliver
                inputs: [crm]
                needs: [pause]
                with: {to: {connection: dwh, table: {{table}} }, mode: append}
            """);
        var run = await Api.StartAsync(project, "waiting");
        await UntilStepAsync(project, run, "pause", "deferred");
        await Api.PostAsync($"projects/{project}/runs/{run}/cancel", new { reason = "enough" });
        var events = await Api.FollowAsync(project, run);
        events[^1].Type.ShouldBe("RunCancelled");
        (await Api.GetAsync($"projects/{project}/runs/{run}")).GetProperty("run").Text("state").ShouldBe("cancelled");
        (await Api.StatusAsync($"projects/{project}/datasets/customers")).ShouldBe(404);
        (await host.CountAsync($"SELECT count(*) FROM information_schema.tables WHERE table_schema || '.' || table_name = '{table}'")).ShouldBe(0);
    }

    [Fact]
    public async Task A_failed_run_goes_on_from_the_failed_step()
    {
        var (project, table) = await NewProjectAsync();
        await host.ScalarAsync($"CREATE TABLE {table} (customer_id text, name text, email text, balance numeric(18,2), status text)");
        var upload = await Api.UploadAsync(project, "customers.csv", Customers(200));
        // Without a unique key on the table there is nothing to update by.
        await Api.SavePipelineAsync(project, "customers", CustomersPipeline(upload, table, "mode: upsert, key: [customer_id]"));
        var run = await Api.StartAsync(project, "customers");
        var events = await Api.FollowAsync(project, run);
        events[^1].Type.ShouldBe("RunFailed", events[^1].Body.GetRawText());
        var failed = await Api.GetAsync($"projects/{project}/runs/{run}");
        failed.GetProperty("run").Text("failedStep").ShouldBe("warehouse");
        (await Api.StatusAsync($"projects/{project}/datasets/customers")).ShouldBe(404, "latest moves only with a completed run");

        await host.ScalarAsync($"ALTER TABLE {table} ADD PRIMARY KEY (customer_id)");
        await Api.PostAsync($"projects/{project}/runs/{run}/retry", new { });
        await TestHost.UntilAsync(async () => (await Api.GetAsync($"projects/{project}/runs/{run}")).Long("lastEvent") > failed.Long("lastEvent") ? null : "the retry's first event");
        events = await Api.FollowAsync(project, run, after: failed.Long("lastEvent"));
        events[^1].Type.ShouldBe("RunCompleted", events[^1].Body.GetRawText());
        events.Where(seen => seen.Type == "StepCompleted").Select(seen => seen.Body.Text("stepId")).ShouldBe(["warehouse"], "the outputs of good steps are used again");
        (await host.CountAsync($"SELECT count(*) FROM {table}")).ShouldBe(178);
        await UntilVersionAsync(project, "customers", 1);
    }

    [Fact]
    public async Task A_step_with_too_many_rejected_rows_fails_and_keeps_them()
    {
        var (project, table) = await NewProjectAsync();
        var upload = await Api.UploadAsync(project, "customers.csv", Customers(200));
        await Api.SavePipelineAsync(project, "customers", CustomersPipeline(upload, table).Replace("maxRejected: 20%", "maxRejected: 5%", StringComparison.Ordinal));
        var run = await Api.StartAsync(project, "customers");
        var events = await Api.FollowAsync(project, run);
        events[^1].Type.ShouldBe("RunFailed");
        events[^1].Body.GetProperty("error").Text("code").ShouldBe("tooManyRejected");
        (await Api.GetAsync($"projects/{project}/runs/{run}/steps/clean/rejected")).Long("rows").ShouldBe(21);
        (await Api.GetAsync($"projects/{project}/runs/{run}")).Step("warehouse").Text("state").ShouldBe("skipped");
    }

    [Fact]
    public async Task The_same_idempotency_key_starts_the_same_run()
    {
        var (project, table) = await NewProjectAsync();
        var upload = await Api.UploadAsync(project, "customers.csv", Customers(50));
        await Api.SavePipelineAsync(project, "customers", CustomersPipeline(upload, table));
        var runs = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Api.StartAsync(project, "customers", idempotencyKey: "order-1")));
        runs.Distinct().Count().ShouldBe(1);
        await Api.FollowAsync(project, runs[0]);
        (await Api.StartAsync(project, "customers", idempotencyKey: "order-1")).ShouldBe(runs[0]);
        (await Api.GetAsync($"projects/{project}/runs")).List("items").Count().ShouldBe(1);
        (await host.CountAsync($"SELECT count(*) FROM {table}")).ShouldBe(43);
    }

    [Fact]
    public async Task Runs_beyond_the_limit_wait_their_turn()
    {
        var (project, _) = await NewProjectAsync();
        await Api.SavePipelineAsync(project, "one-by-one", """
            qualiz: 1
            pipeline: one-by-one
            limits: {concurrency: 1, whenBusy: queue}
            steps:
              pause: {uses: wait, with: {for: 300ms}}
            """);
        var runs = new List<Guid>();
        for (var i = 0; i < 4; i++)
            runs.Add(await Api.StartAsync(project, "one-by-one"));
        var spans = new List<(DateTimeOffset From, DateTimeOffset To)>();
        foreach (var run in runs)
        {
            (await Api.FollowAsync(project, run))[^1].Type.ShouldBe("RunCompleted");
            var summary = (await Api.GetAsync($"projects/{project}/runs/{run}")).GetProperty("run");
            spans.Add((summary.GetProperty("startedAt").GetDateTimeOffset(), summary.GetProperty("finishedAt").GetDateTimeOffset()));
        }
        for (var i = 1; i < spans.Count; i++)
            spans[i].From.ShouldBeGreaterThanOrEqualTo(spans[i - 1].To, "in the order of their starts, one at a time");
    }

    [Fact]
    public async Task A_second_pipeline_reads_what_the_first_published()
    {
        var (project, table) = await NewProjectAsync();
        await Api.SavePipelineAsync(project, "customers", CustomersPipeline(await Api.UploadAsync(project, "first.csv", Customers(50)), $"{table}_a"));
        await Api.CompleteAsync(project, "customers");
        await UntilVersionAsync(project, "customers", 1);
        await Api.SavePipelineAsync(project, "marts", Marts("dataset:customers", $"{table}_b"));
        await Api.CompleteAsync(project, "marts");
        (await host.CountAsync($"SELECT count(*) FROM {table}_b")).ShouldBe(43);

        // A second version; the first one is still there by its number.
        await Api.SavePipelineAsync(project, "customers2", CustomersPipeline(await Api.UploadAsync(project, "second.csv", Customers(100)), $"{table}_c").Replace("pipeline: customers", "pipeline: customers2", StringComparison.Ordinal));
        await Api.CompleteAsync(project, "customers2");
        await UntilVersionAsync(project, "customers", 2);
        await Api.CompleteAsync(project, "marts");
        (await host.CountAsync($"SELECT count(*) FROM {table}_b")).ShouldBe(43 + 88);
        await Api.SavePipelineAsync(project, "old", Marts("dataset:customers@1", $"{table}_d").Replace("pipeline: marts", "pipeline: old", StringComparison.Ordinal));
        await Api.CompleteAsync(project, "old");
        (await host.CountAsync($"SELECT count(*) FROM {table}_d")).ShouldBe(43);

        // Done again it reads what it read, and what is there now only when told to.
        var marts = (await Api.GetAsync($"projects/{project}/runs?pipeline=marts&limit=5")).List("items").Last().GetProperty("id").GetGuid();
        await EndAsync(project, (await Api.PostAsync($"projects/{project}/runs/{marts}/rerun", new { })).GetProperty("id").GetGuid());
        (await host.CountAsync($"SELECT count(*) FROM {table}_b")).ShouldBe(43 + 88 + 43);
        await EndAsync(project, (await Api.PostAsync($"projects/{project}/runs/{marts}/rerun", new { latestData = true })).GetProperty("id").GetGuid());
        (await host.CountAsync($"SELECT count(*) FROM {table}_b")).ShouldBe(43 + 88 + 43 + 88);

        await Api.SavePipelineAsync(project, "wrong", Marts("dataset:custmers", $"{table}_e").Replace("pipeline: marts", "pipeline: wrong", StringComparison.Ordinal));
        var events = await Api.FollowAsync(project, await Api.StartAsync(project, "wrong"));
        events[^1].Type.ShouldBe("RunFailed");
        events[^1].Body.GetProperty("error").Text("message")!.ShouldContain("did you mean \"customers\"");
    }

    [Fact]
    public async Task A_column_that_no_step_before_gives_is_found_before_the_run()
    {
        var (project, table) = await NewProjectAsync();
        var upload = await Api.UploadAsync(project, "customers.csv", Customers(50));
        var file = CustomersPipeline(upload, table);
        var good = await Api.ValidateAsync(project, file);
        good.GetProperty("valid").GetBoolean().ShouldBeTrue(good.GetRawText());
        good.List("steps").ShouldAllBe(step => step.GetProperty("checked").GetBoolean());
        var columns = good.List("steps").Single(step => step.Text("step") == "clean").GetProperty("outputs").GetProperty("out").List("columns").Where(column => !column.GetProperty("hidden").GetBoolean());
        columns.Select(column => $"{column.Text("name")} {column.Text("type")}").ShouldBe(["customer_id text", "name text", "email text", "balance decimal(18,2)", "status text"]);

        var wrong = file.Replace("columns: [email]", "columns: [emial]", StringComparison.Ordinal).Replace("status <> 'test'", "name <> '' and statsu <> 'test'", StringComparison.Ordinal);
        (await Api.ValidateAsync(project, wrong)).List("problems").Select(problem => $"{problem.Long("line")}:{problem.Long("column")} {problem.Text("path")}: {problem.Text("message")}").ShouldBe(
        [
            "17:49 steps.clean.with.rules[1].where: Column \"statsu\" does not exist; did you mean \"status\"?",
            "19:38 steps.clean.with.checks[0].columns[0]: Column \"emial\" does not exist; did you mean \"email\"?",
        ]);
        (await Api.TrySavePipelineAsync(project, "customers", wrong)).ShouldBe(422);
    }

    [Fact]
    public async Task A_step_for_each_file_stacks_what_the_files_have_in_common_and_what_they_have_not()
    {
        var (project, table) = await NewProjectAsync();
        var us = await Api.UploadAsync(project, "us.csv", "id,name\n1,Ann\n2,Bob\n");
        var no = await Api.UploadAsync(project, "no.csv", "city,id\nOslo,3\n");
        await Api.SavePipelineAsync(project, "each", $$"""
            qualiz: 1
            pipeline: each
            params:
              files: {type: list, of: text}
            steps:
              shop:
                forEach: {items: "${params.files}", as: file, parallel: 2}
                uses: ingest
                with: {from: {upload: "${file}"} }
              log:
                forEach: {items: "${shop.rows}"}
                needs: [shop]
                uses: log
                with: {message: "row ${item} of ${shop.rows}"}
              warehouse:
                uses: deliver
                inputs: [shop]
                with: {to: {connection: dwh, table: {{table}} }, mode: append}
              alarm:
                needs: [warehouse]
                when: "warehouse.status == 'failed'"
                uses: log
                with: {message: not today}
            """);
        var (run, details) = await Api.CompleteAsync(project, "each", new { files = new[] { us, no } });

        details.Step("shop").GetProperty("outputs").GetProperty("out").Long("rows").ShouldBe(3);
        details.Step("shop").GetProperty("items").Long("completed").ShouldBe(2);
        details.Step("alarm").Text("state").ShouldBe("skipped");
        (await host.ScalarAsync($"SELECT string_agg(concat_ws('/', id, name, city), ' ' ORDER BY id) FROM {table}")).ShouldBe("1/Ann 2/Bob 3/Oslo");
        (await Api.TextAsync($"projects/{project}/runs/{run}/steps/log.3/log")).ShouldContain("row 3 of 3");
        (await Api.TextAsync($"projects/{project}/runs/{run}/steps/shop/outputs/out/download?format=csv&columns=id,city")).ReplaceLineEndings("|").ShouldContain("|3,Oslo|");
        (await Api.TextAsync($"projects/{project}/runs/{run}/steps/shop.2/outputs/out/download?format=csv")).ReplaceLineEndings("|").ShouldBe("city,id|Oslo,3|");
    }

    [Fact]
    public async Task An_error_in_the_settings_found_at_run_time_shows_its_line()
    {
        var (project, _) = await NewProjectAsync();
        await Api.SavePipelineAsync(project, "none", """
            qualiz: 1
            pipeline: none
            params:
              seconds: {type: text}
            steps:
              say:
                uses: wait
                with:
                  for: "${params.seconds}"
            """);
        var run = await Api.StartAsync(project, "none", new { seconds = "soon" });
        (await Api.FollowAsync(project, run))[^1].Type.ShouldBe("RunFailed");
        var place = (await Api.GetAsync($"projects/{project}/runs/{run}")).Step("say").GetProperty("error").GetProperty("place");
        (place.Text("file"), place.Long("line"), place.Long("column"), place.Text("path")).ShouldBe(("none.yaml", 9, 12, "steps.say.with.for"));
    }

    private async Task EndAsync(string project, Guid run) =>
        (await Api.FollowAsync(project, run))[^1].Type.ShouldBe("RunCompleted");

    private async Task<(string Project, string Table)> NewProjectAsync()
    {
        var slug = $"p{Guid.NewGuid():N}"[..16];
        await Api.PostAsync("projects", new { slug });
        await Api.PutAsync($"projects/{slug}/connections/dwh", host.TargetConnection());
        await host.ScalarAsync($"CREATE SCHEMA {slug}");
        return (slug, $"{slug}.customers");
    }

    private Task UntilVersionAsync(string project, string dataset, int version) => TestHost.UntilAsync(async () =>
        await Api.StatusAsync($"projects/{project}/datasets/{dataset}/versions/{version}") == 200 ? null : $"version {version} of {dataset}");

    private Task UntilStepAsync(string project, Guid run, string step, string state) => TestHost.UntilAsync(async () =>
        (await Api.GetAsync($"projects/{project}/runs/{run}")).Step(step).Text("state") is var found && found == state ? null : $"step {step} {state}; it is {found}");

    private static string Customers(int rows)
    {
        var csv = new StringBuilder("customer_id,name,email,balance,status\n");
        for (var i = 0; i < rows; i++)
        {
            csv.Append(CultureInfo.InvariantCulture, $"{(i == 4 ? 3 : i):00000}, Name {i} ,{(i % 10 == 9 ? "" : $"c{i}@example.org")},{i}.50,{(i == 6 ? "test" : "live")}\n");
        }
        return csv.ToString();
    }

    private static string CustomersPipeline(Guid upload, string table, string mode = "mode: append") => $$"""
        qualiz: 1
        pipeline: customers
        steps:
          crm:
            uses: ingest
            with:
              from: {upload: "{{upload}}"}
              types: {customer_id: text, balance: "decimal(18,2)"}
              key: [customer_id]
              sensitivity: {email: personal}
          clean:
            uses: cleanse
            inputs: [crm]
            with:
              rules:
                - {rule: trim, columns: "*"}
                - {rule: filter, where: "status <> 'test'"}
              checks:
                - {check: notNull, columns: [email], else: reject}
                - {check: unique, columns: [customer_id], else: reject}
              maxRejected: 20%
            publish: customers
          warehouse:
            uses: deliver
            inputs: [clean]
            with: {to: {connection: dwh, table: {{table}} }, {{mode}} }
        """;

    private static string Marts(string input, string table) => $$"""
        qualiz: 1
        pipeline: marts
        steps:
          warehouse:
            uses: deliver
            inputs: ["{{input}}"]
            with: {to: {connection: dwh, table: {{table}} }, mode: append}
        """;
}
