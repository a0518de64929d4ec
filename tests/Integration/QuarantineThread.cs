using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Qualiz.Integration.Tests;

/// <summary>Rejected rows through the whole system: into the queue, repaired, and through the next run.</summary>
public sealed class QuarantineThread(InProcessHost host) : IClassFixture<InProcessHost>
{
    [Fact]
    public async Task Repaired_rows_go_through_the_next_run_and_the_account_adds_up()
    {
        const string project = "stewards";
        await host.Api.PostAsync("projects", new { slug = project });
        var text = new StringBuilder("id,email,balance\n");
        for (var i = 1; i <= 100; i++)
            text.Append(CultureInfo.InvariantCulture, $"{i},{(i % 10 == 0 ? "" : $"u{i}@example.org")},{(i == 55 ? "lots" : "1.50")}\n");
        var upload = await host.Api.UploadAsync(project, "customers.csv", text.ToString());
        await host.Api.SavePipelineAsync(project, "customers", $$"""
            qualiz: 1
            pipeline: customers
            keep: {intermediate: 1d}
            steps:
              crm:
                uses: ingest
                with: {from: {upload: "{{upload}}"}, types: {balance: text} }
              clean:
                uses: cleanse
                inputs: [crm]
                with:
                  rules: [{rule: trim, columns: "*"}, {rule: number, columns: [balance], type: "decimal(18,2)"}]
                  checks: [{check: notNull, columns: [email], else: reject}]
                publish: customers
            """);
        var (a, _) = await host.Api.CompleteAsync(project, "customers");
        await host.Api.UntilAccountAsync(project, a, "11 rejected = 11 open");
        var items = (await host.Api.GetAsync($"projects/{project}/quarantine?limit=50")).List("items").ToList();
        items.ShouldAllBe(item => item.GetProperty("repairable").GetBoolean());

        // One number is put right by hand, eight addresses are given together, one row is left out for good, and one waits.
        await ChangeAsync(project, items.Single(item => item.List("reasons").Any(reason => reason.Text("rule") == "number")), "repair", new { changes = new { balance = " 7.25" } });
        await ChangeAsync(project, items.First(item => item.GetProperty("values").Text("id") == "10"), "dismiss", new { note = "a test" });
        await ChangeAsync(project, items.First(item => item.GetProperty("values").Text("id") == "20"), "assign", new { assignee = "kim" });
        foreach (var item in items.Where(item => item.GetProperty("values").Text("id") is "30" or "40" or "50" or "60" or "70" or "80" or "90" or "100"))
            await ChangeAsync(project, item, "repair", new { changes = new { email = "unknown@example.org" } });
        await host.Api.UntilAccountAsync(project, a, "11 rejected = 9 repaired, waiting for the next run + 1 dismissed + 1 open");

        var (b, details) = await host.Api.CompleteAsync(project, "customers");
        var ledger = details.Step("clean").List("ledger").Single();
        (ledger.Long("in"), ledger.Long("out"), ledger.Long("rejected")).ShouldBe((100, 98, 2));
        details.Step("clean").GetProperty("counts").Long("patched").ShouldBe(9);
        await host.Api.UntilAccountAsync(project, a, $"11 rejected = 9 repaired (run {b}) + 1 dismissed + 1 open");
        await host.Api.UntilAccountAsync(project, b, "2 rejected = 1 dismissed + 1 open");
        var rows = await host.Api.GetAsync($"projects/{project}/datasets/customers/versions/2/rows?limit=200");
        rows.List("items").Single(row => row.Text("id") == "55").Text("balance").ShouldBe("7.25");
        rows.List("items").Count(row => row.Text("email") == "unknown@example.org").ShouldBe(8);

        // The repair sticks.
        var (_, again) = await host.Api.CompleteAsync(project, "customers");
        again.Step("clean").GetProperty("counts").Long("patched").ShouldBe(9);

        // Nothing is old yet.
        var preview = await host.Api.GetAsync($"projects/{project}/retention/preview");
        preview.Long("files").ShouldBe(0, preview.GetRawText());
        preview.List("kept").Select(line => line.Text("kind")).ShouldContain("published");
        // A pipeline that is deleted keeps nothing for the number of its runs, and a project that is deleted is gone for people.
        (await host.Api.PostAsync($"projects/{project}/retention/run", new { })).Long("files").ShouldBe(0);
    }

    private Task ChangeAsync(string project, JsonElement item, string verb, object body) => host.Api.ChangeItemAsync(project, item.Text("id")!, verb, body);
}
