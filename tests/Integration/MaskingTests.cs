using Qualiz.Cli;

namespace Qualiz.Integration.Tests;

/// <summary>A key from the command line to the engine worker that masks with it.</summary>
public sealed class MaskingTests(InProcessHost host) : IClassFixture<InProcessHost>
{
    private const string Key = "k3y-of-masks-that-nobody-sees-0123456789";

    [Fact]
    public async Task What_is_masked_is_the_same_in_two_runs_and_neither_it_nor_the_key_stands_anywhere()
    {
        var project = $"m{Guid.NewGuid():N}"[..16];
        await host.Api.PostAsync("projects", new { slug = project });
        Environment.SetEnvironmentVariable("QUALIZ_TEST_MASK_KEY", Key);
        (await CommandLine.RunAsync(
            ["connections", "set", "masking", "--type", "key", "--secret-env", "QUALIZ_TEST_MASK_KEY", "--project", project, "--url", host.Address.ToString()])).ShouldBe(ExitCode.Done);
        var upload = await host.Api.UploadAsync(project, "people.csv", "ssn,name\n917-45-6789,Ada\n917-45-6789,\n918-00-1234,Bob\n");
        await host.Api.SavePipelineAsync(project, "people", $$"""
            qualiz: 1
            pipeline: people
            steps:
              in: {uses: ingest, with: {from: {upload: "{{upload}}"} } }
              clean:
                uses: cleanse
                inputs: [in]
                with:
                  rules: [{rule: trim, columns: "*"}, {rule: mask, columns: [ssn], by: format, key: masking}]
                  checks: [{check: notNull, columns: [name]}]
            """);
        var masked = new HashSet<string>();
        var texts = new List<string>();
        foreach (var _ in (int[])[1, 2])
        {
            var (run, _) = await host.Api.CompleteAsync(project, "people");
            var rows = (await host.Api.GetAsync($"projects/{project}/runs/{run}/steps/clean/outputs/out/rows?limit=10")).GetProperty("items").GetRawText();
            masked.Add(rows);
            texts.AddRange([rows, await host.Api.TextAsync($"projects/{project}/runs/{run}"), await host.Api.TextAsync($"projects/{project}/runs/{run}/steps/clean/log")]);
            texts.AddRange((await host.Api.FollowAsync(project, run)).Select(seen => seen.Body.GetRawText()));
        }
        masked.Count.ShouldBe(1);
        texts.AddRange(await host.DatabaseAsync());
        texts.ShouldAllBe(text => !text.Contains(Key, StringComparison.Ordinal) && !text.Contains("917-45-6789", StringComparison.Ordinal) && !text.Contains("918-00-1234", StringComparison.Ordinal));

        // A mask with a key that nobody has made is refused before anything runs.
        (await host.Api.TrySavePipelineAsync(project, "other", $$"""
            qualiz: 1
            pipeline: other
            steps:
              in: {uses: ingest, with: {from: {upload: "{{upload}}"} } }
              clean: {uses: cleanse, inputs: [in], with: {rules: [{rule: mask, columns: [ssn], by: hash, key: gone}]} }
            """)).ShouldBe(422);
    }
}
