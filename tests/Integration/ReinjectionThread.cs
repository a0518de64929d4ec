using System.Globalization;
using System.Text;
using System.Text.Json;
using Qualiz.TestKit;

namespace Qualiz.Integration.Tests;

/// <summary>Repaired rows go into the result of a run that is over, at once and exactly once.</summary>
public sealed class ReinjectionThread(InProcessHost host) : IClassFixture<InProcessHost>
{
    [Fact]
    public async Task Only_repaired_rows_flow_where_every_step_after_takes_them_alone_and_they_are_appended_once()
    {
        const string project = "reinject-delta";
        await CreateAsync(project, Rows(1, 100), """
              clean:
                uses: cleanse
                inputs: [crm]
                with:
                  checks: [{check: notNull, columns: [email], else: reject}]
                  maxRejected: 20%
                publish: people
              more:
                uses: enrich
                inputs: [clean]
                with: {derive: [{column: domain, expression: "split_part(email, '@', 2)"}]}
              table:
                uses: deliver
                inputs: [more]
                with: {to: {connection: dwh, table: public.reinject_delta}}
            """);
        var (a, _) = await host.Api.CompleteAsync(project, "people");
        await host.Api.UntilAccountAsync(project, a, "10 rejected = 10 open");
        (await host.CountAsync("SELECT count(*) FROM public.reinject_delta")).ShouldBe(90);
        await RepairAsync(project, ["10", "20", "30"]);

        var b = await ReinjectAsync(project);

        var details = await CompletedAsync(project, b);
        details.GetProperty("run").GetProperty("reinjection").GetProperty("delta").GetBoolean().ShouldBeTrue();
        details.GetProperty("run").Long("pipelineVersion").ShouldBe(1);
        Ledger(details, "clean").ShouldBe((3, 3, 0));
        Ledger(details, "table").ShouldBe((3, 3, 0));
        details.Step("crm").List("ledger").ShouldBeEmpty();
        await host.Api.UntilAccountAsync(project, a, $"10 rejected = 3 repaired (run {b}) + 7 open");
        (await host.Api.GetAsync($"projects/{project}/runs/{b}/quarantine")).List("repaired").Single().Text("runId").ShouldBe(a.ToString());
        (await host.CountAsync("SELECT count(*) FROM public.reinject_delta")).ShouldBe(93);
        (await host.CountAsync("SELECT count(DISTINCT id) FROM public.reinject_delta")).ShouldBe(93);
        (await PublishedAsync(project, 2)).Count.ShouldBe(93);

        // A second one is added to the first; and what was re-injected is not again.
        await RepairAsync(project, ["40"]);
        var c = await ReinjectAsync(project);
        Ledger(await CompletedAsync(project, c), "clean").ShouldBe((1, 1, 0));
        await host.Api.UntilAccountAsync(project, a, $"10 rejected = 3 repaired (run {b}) + 1 repaired (run {c}) + 6 open");
        (await host.CountAsync("SELECT count(DISTINCT id) FROM public.reinject_delta")).ShouldBe(94);
        (await host.CountAsync("SELECT count(*) FROM public.reinject_delta")).ShouldBe(94);
        (await PublishedAsync(project, 3)).Distinct().Count().ShouldBe(94);
        (await host.Api.PostAsync($"projects/{project}/quarantine/reinject?pipeline=people", new { })).List("runs").ShouldBeEmpty();

        // A repair that does not help gives the row back.
        await RepairAsync(project, ["50"], column: "id", value: "51");
        var d = await ReinjectAsync(project);
        Ledger(await CompletedAsync(project, d), "clean").ShouldBe((1, 0, 1));
        await host.Api.UntilAccountAsync(project, a, $"10 rejected = 3 repaired (run {b}) + 1 repaired (run {c}) + 6 open");
        await host.Api.UntilAccountAsync(project, d, "1 rejected = 1 open");
        (await PublishedAsync(project, 4)).Distinct().Count().ShouldBe(94);
    }

    [Fact]
    public async Task All_rows_are_done_again_where_a_step_after_has_to_see_them_and_undoing_takes_a_row_out_again()
    {
        const string project = "reinject-whole";
        await CreateAsync(project, Rows(1, 100), """
              clean:
                uses: cleanse
                inputs: [crm]
                with: {checks: [{check: notNull, columns: [email], else: reject}]}
              people:
                uses: dedup
                inputs: [clean]
                with: {keys: [{columns: [email]}]}
              table:
                uses: deliver
                inputs: [people.entities]
                with: {to: {connection: dwh, table: public.reinject_whole}, mode: replace}
            """);
        var (a, _) = await host.Api.CompleteAsync(project, "people");
        await host.Api.UntilAccountAsync(project, a, "10 rejected = 10 open");
        await RepairAsync(project, ["10", "20"]);

        var b = await ReinjectAsync(project);

        var details = await CompletedAsync(project, b);
        details.GetProperty("run").GetProperty("reinjection").GetProperty("delta").GetBoolean().ShouldBeFalse();
        Ledger(details, "clean").ShouldBe((100, 92, 8));
        await host.Api.UntilAccountAsync(project, a, $"10 rejected = 2 repaired (run {b}) + 8 open");
        (await host.CountAsync("SELECT count(*) FROM public.reinject_whole")).ShouldBe(92);

        await ChangeAsync(project, "20", "undo", new { });
        var c = await ReinjectAsync(project);
        Ledger(await CompletedAsync(project, c), "clean").ShouldBe((100, 91, 9));
        await host.Api.UntilAccountAsync(project, a, $"10 rejected = 1 repaired (run {b}) + 9 open");
        (await host.CountAsync("SELECT count(*) FROM public.reinject_whole")).ShouldBe(91);
        (await host.CountAsync("SELECT count(*) FROM public.reinject_whole WHERE id = '20'")).ShouldBe(0);
    }

    [Fact]
    public async Task Appending_all_rows_again_is_refused_with_the_reason()
    {
        const string project = "reinject-refused";
        await CreateAsync(project, Rows(1, 20), """
              clean:
                uses: cleanse
                inputs: [crm]
                with: {checks: [{check: unique, columns: [id], else: reject}, {check: notNull, columns: [email], else: reject}]}
              table:
                uses: deliver
                inputs: [clean]
                with: {to: {connection: dwh, table: public.reinject_refused}}
            """);
        var (a, _) = await host.Api.CompleteAsync(project, "people");
        await host.Api.UntilAccountAsync(project, a, "2 rejected = 2 open");
        await RepairAsync(project, ["10"]);
        (await host.Api.StatusOfPostAsync($"projects/{project}/quarantine/reinject?pipeline=people", new { })).ShouldBe(409);
    }

    [Fact]
    public async Task Rows_of_an_earlier_run_are_added_to_what_a_newer_one_made_of_the_source()
    {
        const string project = "reinject-rebase";
        await CreateAsync(project, Rows(1, 20), """
              clean:
                uses: cleanse
                inputs: [crm]
                with: {checks: [{check: notNull, columns: [email], else: reject}]}
                publish: people
            """);
        var (a, _) = await host.Api.CompleteAsync(project, "people");
        await host.Api.UntilAccountAsync(project, a, "2 rejected = 2 open");
        await RepairAsync(project, ["10"]);
        var (b, _) = await host.Api.CompleteAsync(project, "people");
        await host.Api.UntilAccountAsync(project, a, $"2 rejected = 1 repaired (run {b}) + 1 open");
        // The source still sends the other row: the newer run rejected it as well, and it is that run's that goes in.
        await RepairAsync(project, ["20"]);
        var c = await ReinjectAsync(project);
        (await CompletedAsync(project, c)).GetProperty("run").GetProperty("reinjection").Text("base").ShouldBe(b.ToString());
        (await PublishedAsync(project, 3)).Order().ShouldBe(Enumerable.Range(1, 20).Select(i => i.ToString(CultureInfo.InvariantCulture)).Order());
        await host.Api.UntilAccountAsync(project, a, $"2 rejected = 1 repaired (run {b}) + 1 repaired (run {c})");
        await host.Api.UntilAccountAsync(project, b, $"1 rejected = 1 repaired (run {c})");
    }

    [Fact]
    public async Task Rows_that_a_new_version_of_the_recipe_lets_through_come_into_the_result_when_all_rows_are_done_again()
    {
        const string project = "reinject-rule";
        var upload = await CreateAsync(project, Rows(1, 20), """
              clean:
                uses: cleanse
                inputs: [crm]
                with: {checks: [{check: notNull, columns: [email], else: reject}]}
                publish: people
            """);
        var (a, _) = await host.Api.CompleteAsync(project, "people");
        await host.Api.UntilAccountAsync(project, a, "2 rejected = 2 open");
        (await host.Api.SaveAgainAsync(project, "people", Pipeline(upload, """
              clean:
                uses: cleanse
                inputs: [crm]
                with: {rules: [{rule: fill, columns: [email], value: unknown@example.org}], checks: [{check: notNull, columns: [email], else: reject}]}
                publish: people
            """), version: 1)).ShouldBe(200);

        var b = await ReinjectAsync(project, new { latestVersion = true, whole = true });

        var details = await CompletedAsync(project, b);
        details.GetProperty("run").Long("pipelineVersion").ShouldBe(2);
        Ledger(details, "clean").ShouldBe((20, 20, 0));
        await host.Api.UntilAccountAsync(project, a, "2 rejected = 2 settled by the source");
        (await PublishedAsync(project, 2)).Count.ShouldBe(20);
    }

    private static string Rows(int from, int to)
    {
        var text = new StringBuilder("id,email\n");
        for (var i = from; i <= to; i++)
            text.Append(CultureInfo.InvariantCulture, $"{i},{(i % 10 == 0 ? "" : $"u{i}@example.org")}\n");
        return text.ToString();
    }

    private async Task<Guid> CreateAsync(string project, string rows, string steps)
    {
        await host.Api.PostAsync("projects", new { slug = project });
        await host.Api.PutAsync($"projects/{project}/connections/dwh", host.TargetConnection());
        var upload = await host.Api.UploadAsync(project, "people.csv", rows);
        await host.Api.SavePipelineAsync(project, "people", Pipeline(upload, steps));
        return upload;
    }

    private static string Pipeline(Guid upload, string steps) => $$"""
        qualiz: 1
        pipeline: people
        steps:
          crm:
            uses: ingest
            with: {from: {upload: "{{upload}}"}, types: {id: text, email: text} }
        {{steps}}
        """;

    private async Task<Guid> ReinjectAsync(string project, object? how = null)
    {
        var answer = await host.Api.PostAsync($"projects/{project}/quarantine/reinject?pipeline=people", how ?? new { });
        var run = answer.List("runs").Single();
        return Guid.Parse(run.Text("runId").ShouldNotBeNull(answer.GetRawText()));
    }

    private async Task<JsonElement> CompletedAsync(string project, Guid run)
    {
        JsonElement details = default;
        await TestHost.UntilAsync(async () =>
        {
            details = await host.Api.GetAsync($"projects/{project}/runs/{run}");
            var state = details.GetProperty("run").Text("state");
            return state is "completed" or "failed" ? null : $"run {run} to end; it is {state}";
        });
        details.GetProperty("run").Text("state").ShouldBe("completed", details.GetRawText());
        return details;
    }

    private static (long In, long Out, long Rejected) Ledger(JsonElement details, string step)
    {
        var lines = details.Step(step).List("ledger").ToList();
        return (lines.Sum(line => line.Long("in")), lines.Sum(line => line.Long("out")), lines.Sum(line => line.Long("rejected")));
    }

    private async Task<List<string>> PublishedAsync(string project, int version)
    {
        await TestHost.UntilAsync(async () => await host.Api.StatusAsync($"projects/{project}/datasets/people/versions/{version}") == 200 ? null : $"version {version}");
        return [.. (await host.Api.GetAsync($"projects/{project}/datasets/people/versions/{version}/rows?limit=500")).List("items").Select(row => row.Text("id")!)];
    }

    private async Task RepairAsync(string project, string[] ids, string column = "email", string? value = null)
    {
        foreach (var id in ids)
            await ChangeAsync(project, id, "repair", new { changes = new Dictionary<string, string> { [column] = value ?? $"fixed{id}@example.org" } });
    }

    private async Task ChangeAsync(string project, string id, string verb, object body)
    {
        var item = (await host.Api.GetAsync($"projects/{project}/quarantine?limit=200")).List("items").Single(item => item.GetProperty("values").Text("id") == id);
        await host.Api.ChangeItemAsync(project, item.Text("id")!, verb, body);
    }
}
