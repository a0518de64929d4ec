using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Datasets.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Engine.Recipes;
using Qualiz.Engine.Rows;
using Qualiz.Engine.Sessions;
using Qualiz.TestKit;

namespace Qualiz.Datasets.Tests;

public sealed class RowTests(DatasetsHost host) : IClassFixture<DatasetsHost>
{
    private static readonly DatasetColumn[] People =
    [
        DatasetsHost.Column("id", "int64"), DatasetsHost.Column("email", "text", "personal"), DatasetsHost.Column("balance", "decimal(18,2)"), DatasetsHost.Column("_row", "int64", hidden: true),
    ];

    [Fact]
    public async Task Paging_gives_every_row_once_although_a_new_version_comes()
    {
        var project = host.NewProject();
        await PublishPeopleAsync(project, [2500, 0, 3000], 1);
        var ids = new List<long>();
        string? cursor = null;
        do
        {
            var page = await host.GetAsync(project, $"datasets/people/versions/latest/rows?limit=499{(cursor is null ? "" : $"&cursor={cursor}")}");
            page.GetProperty("rows").GetInt64().ShouldBe(5500);
            ids.AddRange(page.GetProperty("items").EnumerateArray().Select(row => row.GetProperty("id").GetInt64()));
            if (cursor is null)
                await PublishPeopleAsync(project, [1], 2);
            cursor = page.GetProperty("next").GetString();
        }
        while (cursor is not null);
        ids.ShouldBe(Enumerable.Range(0, 5500).Select(id => (long)id));
    }

    [Fact]
    public async Task Sensitive_columns_are_masked_unless_asked_for_and_that_is_on_record()
    {
        var project = host.NewProject();
        await PublishPeopleAsync(project, [3], 1);
        var page = await host.GetAsync(project, "datasets/people/versions/1/rows");
        page.GetProperty("items")[0].GetRawText().ShouldBe("""{"id":0,"email":"•••","balance":"0.50"}""");
        page.GetProperty("columns").EnumerateArray().Single(column => column.GetProperty("name").GetString() == "email").GetProperty("masked").GetBoolean().ShouldBeTrue();
        Unmasked(project).ShouldBeEmpty();

        (await host.GetAsync(project, "datasets/people/versions/1/rows?unmask=true&columns=email")).GetProperty("items")[2].GetRawText().ShouldBe("""{"email":"p2@example.org"}""");
        await TestHost.UntilAsync(() => Unmasked(project).Count == 1 ? null : "the event of the unmasking");
        Unmasked(project)[0].Columns.ShouldBe(["email"]);
        Unmasked(project)[0].Subject.ShouldBe("dataset:people@1");

        // Nothing sensitive was asked for, so there is nothing to put on record.
        await host.GetAsync(project, "datasets/people/versions/1/rows?unmask=true&columns=id");
        foreach (var format in new[] { "csv", "jsonl", "parquet" })
            Encoding.UTF8.GetString(await DownloadAsync(project, $"datasets/people/versions/1/download?format={format}")).ShouldNotContain("@example.org");
        Unmasked(project).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Spellings_of_one_value_are_found_and_of_a_sensitive_column_only_on_record()
    {
        var project = host.NewProject();
        var file = await host.WriteFileAsync($"{project}/towns.parquet", "SELECT unnest(['Oslo', 'oslo ', 'Oslo', 'Bergen', 'Bergne', 'Bergen']) AS town, unnest(['Ann Berg', 'Berg, Ann', 'Bo', 'Cy', 'Di', 'Ed']) AS name, 1::BIGINT AS n");
        await host.PublishAsync(project, "towns", DatasetsHost.Content([file], DatasetsHost.Column("town", "text"), DatasetsHost.Column("name", "text", "personal"), DatasetsHost.Column("n", "int64")));

        (await ClustersAsync("town")).ShouldBe(["Oslo: Oslo 2|oslo  1"]);
        (await ClustersAsync("town", "?by=nearest")).ShouldBe(["Bergen: Bergen 2|Bergne 1", "Oslo: Oslo 2|oslo  1"]);
        (await host.RefusalAsync(project, "datasets/towns/versions/1/columns/town/clusters?by=magic")).Status.ShouldBe(400);
        (await host.RefusalAsync(project, "datasets/towns/versions/1/columns/n/clusters")).Status.ShouldBe(400);
        (await host.RefusalAsync(project, "datasets/towns/versions/1/columns/twon/clusters")).Problem.GetProperty("detail").GetString()!.ShouldContain("\"town\"");
        (await host.RefusalAsync(host.NewProject(), "datasets/towns/versions/1/columns/town/clusters")).Status.ShouldBe(404);

        (await host.RefusalAsync(project, "datasets/towns/versions/1/columns/name/clusters")).Status.ShouldBe(403);
        Unmasked(project).ShouldBeEmpty();
        (await ClustersAsync("name", "?unmask=true")).ShouldBe(["Ann Berg: Ann Berg 1|Berg, Ann 1"]);
        await TestHost.UntilAsync(() => Unmasked(project).Count == 1 ? null : "the event of the unmasking");
        Unmasked(project)[0].Columns.ShouldBe(["name"]);

        async Task<IEnumerable<string>> ClustersAsync(string column, string query = "") =>
            (await host.GetAsync(project, $"datasets/towns/versions/1/columns/{column}/clusters{query}")).GetProperty("clusters").EnumerateArray().Select(cluster =>
                $"{cluster.GetProperty("suggested").GetString()}: {string.Join('|', cluster.GetProperty("values").EnumerateArray().Select(value => $"{value.GetProperty("value").GetString()} {value.GetProperty("rows").GetInt64()}"))}");
    }

    [Fact]
    public async Task A_profile_says_what_values_stand_for_and_on_request_what_columns_say_of_one_another()
    {
        var project = host.NewProject();
        var file = await host.WriteFileAsync($"{project}/visits.parquet", """
            SELECT 'user' || i || '@example.org' AS email, 'Z' || i % 40 AS zip, CASE WHEN i = 7 THEN 'Elsewhere' ELSE 'Town ' || i % 20 END AS town, 'N' || i % 20 AS nurse FROM (SELECT range AS i FROM range(2000))
            """);
        await host.PublishAsync(project, "visits", DatasetsHost.Content(
            [file], DatasetsHost.Column("email", "text"), DatasetsHost.Column("zip", "text"), DatasetsHost.Column("town", "text"), DatasetsHost.Column("nurse", "text", "personal")));

        var plain = await host.GetAsync(project, "datasets/visits/versions/1/profile");
        plain.GetProperty("columns")[0].GetProperty("semantic").GetRawText().ShouldBe("""{"type":"email","confidence":0.99,"share":1,"sensitivity":"personal"}""");
        plain.GetProperty("dependencies").ValueKind.ShouldBe(JsonValueKind.Null);

        var found = (await host.GetAsync(project, "datasets/visits/versions/latest/profile?dependencies=true")).GetProperty("dependencies").EnumerateArray().ToList();
        found.Select(one => $"{string.Join('+', one.GetProperty("left").EnumerateArray())} -> {one.GetProperty("right").GetString()}: {one.GetProperty("violations").GetInt64()}").Order(StringComparer.Ordinal)
            .ShouldBe(["nurse -> town: 1", "town -> nurse: 0", "zip -> nurse: 0", "zip -> town: 1"]);
        found.Single(one => one.GetProperty("left")[0].GetString() == "zip" && one.GetProperty("right").GetString() == "town").GetProperty("examples").GetRawText()
            .ShouldBe("""[{"left":["Z7"],"rows":50,"right":[{"value":"Town 7","rows":49},{"value":"Elsewhere","rows":1}]}]""");
        found.Single(one => one.GetProperty("left")[0].GetString() == "nurse").GetProperty("examples").GetArrayLength().ShouldBe(0);
        (await host.RefusalAsync(host.NewProject(), "datasets/visits/versions/1/profile?dependencies=true")).Status.ShouldBe(404);
        // Whoever has a profile is told that it stands, but not by what an earlier build said, nor for the one with dependencies.
        using var had = await host.Client.GetAsync(new Uri(DatasetsHost.Url(project, "datasets/visits/versions/1/profile"), UriKind.Relative));
        foreach (var (rest, tag, status) in new[] { ("", had.Headers.ETag!.Tag, 304), ("", "\"v1\"", 200), ("?dependencies=true", had.Headers.ETag.Tag, 200) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, DatasetsHost.Url(project, $"datasets/visits/versions/1/profile{rest}"));
            request.Headers.TryAddWithoutValidation("If-None-Match", tag);
            using var answer = await host.Client.SendAsync(request);
            ((int)answer.StatusCode).ShouldBe(status, $"{rest} {tag}");
        }
        (await host.RefusalAsync(project, "datasets/visits/versions/1/profile?dependencies=perhaps")).Status.ShouldBe(400);
    }

    [Fact]
    public async Task Suggestions_leave_sensitive_columns_out_unless_that_is_put_on_record()
    {
        var project = host.NewProject();
        var file = await host.WriteFileAsync($"{project}/stays.parquet", """
            SELECT CASE WHEN i % 40 = 7 THEN ' Bergen' WHEN i % 40 = 9 THEN 'n/a' ELSE ['Bergen', 'Oslo', 'Moss'][1 + i % 3] END AS town, CASE WHEN i % 40 = 3 THEN ' Ann' ELSE 'Bo' END AS guest, i AS n FROM (SELECT range AS i FROM range(800))
            """);
        await host.PublishAsync(project, "stays", DatasetsHost.Content([file], DatasetsHost.Column("town", "text"), DatasetsHost.Column("guest", "text", "personal"), DatasetsHost.Column("n", "int64")));

        var masked = await host.GetAsync(project, "datasets/stays/versions/latest/suggestions");
        masked.GetProperty("looked").GetInt64().ShouldBe(800);
        masked.GetRawText().ShouldNotContain("guest");
        masked.GetProperty("items").EnumerateArray().Where(item => item.GetProperty("rule").ValueKind == JsonValueKind.Object).Select(item => item.GetProperty("rule").GetRawText()).ShouldBe(
            ["""{"rule":"nulls","columns":["town"],"values":["n/a"],"ignoreCase":false}""", """{"rule":"trim","columns":["town"]}"""], ignoreOrder: true);
        Unmasked(project).ShouldBeEmpty();

        (await host.GetAsync(project, "datasets/stays/versions/1/suggestions?unmask=true")).GetProperty("items").EnumerateArray()
            .Single(item => item.GetProperty("kind").GetString() == "space").GetProperty("columns").GetRawText().ShouldBe("""["town","guest"]""");
        await TestHost.UntilAsync(() => Unmasked(project).Count == 1 ? null : "the event of the unmasking");
        Unmasked(project)[0].Columns.ShouldBe(["guest"]);
        (await host.RefusalAsync(host.NewProject(), "datasets/stays/versions/1/suggestions")).Status.ShouldBe(404);
        (await host.RefusalAsync(project, "datasets/stays/versions/7/suggestions")).Status.ShouldBe(404);
    }

    [Fact]
    public async Task Hidden_columns_are_shown_only_when_asked_for()
    {
        var project = host.NewProject();
        await PublishPeopleAsync(project, [1], 1);
        (await host.GetAsync(project, "datasets/people/versions/1/rows?hidden=true")).GetProperty("items")[0].GetProperty("_row").GetInt64().ShouldBe(1);
        (await host.GetAsync(project, "datasets/people/versions/1/rows")).GetProperty("items")[0].TryGetProperty("_row", out _).ShouldBeFalse();
        (await host.RefusalAsync(project, "datasets/people/versions/1/rows?columns=_row")).Status.ShouldBe(400);
        (await host.GetAsync(project, "datasets/people/versions/1/schema")).GetProperty("columns").GetArrayLength().ShouldBe(4);
    }

    [Fact]
    public async Task A_download_is_the_content()
    {
        var project = host.NewProject();
        var file = await PublishPeopleAsync(project, [2, 1], 1);
        Encoding.UTF8.GetString(await DownloadAsync(project, "datasets/people/versions/latest/download?format=csv&unmask=true"))
            .ShouldBe("id,email,balance\r\n0,p0@example.org,0.50\r\n1,p1@example.org,1.50\r\n2,p2@example.org,2.50\r\n");
        Encoding.UTF8.GetString(await DownloadAsync(project, "datasets/people/versions/latest/download?format=jsonl&columns=balance,id"))
            .ShouldBe("{\"balance\":\"0.50\",\"id\":0}\n{\"balance\":\"1.50\",\"id\":1}\n{\"balance\":\"2.50\",\"id\":2}\n");

        var parquet = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.parquet");
        await File.WriteAllBytesAsync(parquet, await DownloadAsync(project, "datasets/people/versions/latest/download?unmask=true"));
        try
        {
            var scratch = Directory.CreateTempSubdirectory().FullName;
            using var session = EngineSession.Open(new EngineOptions { MemoryBytes = 256 << 20, Threads = 1, Scratch = scratch, Paths = [parquet] });
            session.Scalar<string>($"SELECT string_agg(concat(id, email, balance), ',' ORDER BY id) FROM read_parquet({Sql.Literal(parquet)})")
                .ShouldBe("0p0@example.org0.50,1p1@example.org1.50,2p2@example.org2.50");
            Directory.Delete(scratch, recursive: true);
        }
        finally
        {
            File.Delete(parquet);
        }
        file.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Csv_tells_missing_from_empty_and_quotes_what_needs_it()
    {
        var project = host.NewProject();
        var file = await host.WriteFileAsync($"{project}/odd.parquet", "SELECT * FROM (VALUES (NULL, 1), ('', 2), ('a,b', 3), ('say \"hi\"', 4), (E'two\\nlines', 5), (' x', 6), ('=1+1', 7)) t(\"the, text\", n)");
        await host.PublishAsync(project, "odd", DatasetsHost.Content([file], DatasetsHost.Column("the, text", "text"), DatasetsHost.Column("n", "int64")));
        Encoding.UTF8.GetString(await DownloadAsync(project, "datasets/odd/versions/1/download?format=csv"))
            .ShouldBe("\"the, text\",n\r\n,1\r\n\"\",2\r\n\"a,b\",3\r\n\"say \"\"hi\"\"\",4\r\n\"two\nlines\",5\r\n\" x\",6\r\n=1+1,7\r\n");
    }

    [Fact]
    public async Task A_single_file_goes_out_byte_for_byte()
    {
        var project = host.NewProject();
        var file = await host.WriteFileAsync($"{project}/one.parquet", "SELECT i AS n FROM range(10) t(i)");
        await host.PublishAsync(project, "one", DatasetsHost.Content([file], DatasetsHost.Column("n", "int64")));
        (await DownloadAsync(project, "datasets/one/versions/1/download")).ShouldBe(await File.ReadAllBytesAsync(Path.Combine(host.StoreRoot, file.Key)));
    }

    [Theory]
    [InlineData("cursor=nonsense")]
    [InlineData("cursor=eyJTdGFtcCI6InY5IiwiRmlsZSI6MCwiUm93IjowfQ")]
    [InlineData("limit=0")]
    [InlineData("columns=emial")]
    [InlineData("limit=many")]
    public async Task What_does_not_fit_is_refused(string query)
    {
        var project = host.NewProject();
        await PublishPeopleAsync(project, [1], 1);
        var (status, problem) = await host.RefusalAsync(project, $"datasets/people/versions/1/rows?{query}");
        status.ShouldBe(400);
        problem.GetProperty("type").GetString()!.ShouldStartWith("https://qualiz.dev/problems/");
        if (query.StartsWith("columns", StringComparison.Ordinal))
            problem.GetProperty("detail").GetString()!.ShouldContain("did you mean \"email\"");
    }

    [Fact]
    public async Task Content_that_is_gone_or_changed_is_not_shown()
    {
        var project = host.NewProject();
        var files = await PublishPeopleAsync(project, [10], 1);
        var path = Path.Combine(host.StoreRoot, files[0].Key);
        var good = await File.ReadAllBytesAsync(path);
        var bad = (byte[])good.Clone();
        bad[20] ^= 0xFF;
        await File.WriteAllBytesAsync(path, bad);
        (await host.RefusalAsync(project, "datasets/people/versions/1/download?format=csv")).Problem.GetProperty("type").GetString()!.ShouldEndWith("contentDamaged");
        await File.WriteAllBytesAsync(path, good[..^1]);
        (await host.RefusalAsync(project, "datasets/people/versions/1/rows")).Problem.GetProperty("type").GetString()!.ShouldEndWith("contentDamaged");
        File.Delete(path);
        (await host.RefusalAsync(project, "datasets/people/versions/1/rows")).Status.ShouldBe(410);
        await File.WriteAllBytesAsync(path, good);
        (await host.GetAsync(project, "datasets/people/versions/1/rows")).GetProperty("items").GetArrayLength().ShouldBe(10);
    }

    [Fact]
    public async Task Rows_of_another_project_are_not_there()
    {
        var (mine, theirs) = (host.NewProject(), host.NewProject());
        await PublishPeopleAsync(theirs, [1], 1);
        (await host.RefusalAsync(mine, "datasets/people/versions/1/rows")).Status.ShouldBe(404);
        (await host.RefusalAsync(mine, "datasets/people/versions/1/download")).Status.ShouldBe(404);
    }

    [Fact]
    public async Task What_a_step_wrote_can_be_looked_at()
    {
        var project = host.NewProject();
        var run = Guid.NewGuid();
        var file = await host.WriteFileAsync($"{project}/{run}/clean/1/out-0001.parquet", "SELECT i AS n FROM range(3) t(i)");
        host.Fakes.Outputs[(project, run, "clean", "out")] = new StepOutputFound
        {
            ProjectId = host.Fakes.Projects[project],
            Content = DatasetsHost.Content([file], DatasetsHost.Column("n", "int64")),
        };
        var page = await host.GetAsync(project, $"runs/{run}/steps/clean/outputs/out/rows?limit=2");
        page.GetProperty("items").GetArrayLength().ShouldBe(2);
        page = await host.GetAsync(project, $"runs/{run}/steps/clean/outputs/out/rows?limit=2&cursor={page.GetProperty("next").GetString()}");
        page.GetProperty("items")[0].GetProperty("n").GetInt64().ShouldBe(2);
        page.GetProperty("next").ValueKind.ShouldBe(JsonValueKind.Null);
        (await host.GetAsync(project, $"runs/{run}/steps/clean/outputs/out/schema")).GetProperty("rows").GetInt64().ShouldBe(3);
        Encoding.UTF8.GetString(await DownloadAsync(project, $"runs/{run}/steps/clean/outputs/out/download?format=csv")).ShouldBe("n\r\n0\r\n1\r\n2\r\n");

        (await host.RefusalAsync(project, $"runs/{run}/steps/clean/outputs/other/rows")).Status.ShouldBe(404);
        (await host.RefusalAsync(host.NewProject(), $"runs/{run}/steps/clean/outputs/out/rows")).Status.ShouldBe(404);
        (await host.RefusalAsync(project, $"runs/{run}/steps/clean/outputs/out/rows?rule=email")).Status.ShouldBe(400);
    }

    [Fact]
    public async Task An_entity_is_explained_by_its_id_or_one_of_its_rows()
    {
        var project = host.NewProject();
        var run = Guid.NewGuid();
        var members = await host.WriteFileAsync($"{project}/{run}/match/1/members-0001.parquet", """
            SELECT entity_id, 'crm' AS source, r::BIGINT AS "row", score::DOUBLE AS score, linked_by, 'crm@1' AS _source, r::BIGINT AS _row, 'k' || r AS _key
            FROM (VALUES ('e1', 1, 0.9, 'model'), ('e1', 2, 0.9, 'model'), ('e1', 3, 0.9, 'steward'), ('e2', 4, 1.0, NULL)) t(entity_id, r, score, linked_by)
            """);
        var pairs = await host.WriteFileAsync($"{project}/{run}/match/1/pairs-0001.parquet", """
            SELECT 'crm@1' AS left_source, a::BIGINT AS left_row, 'crm@1' AS right_source, b::BIGINT AS right_row, weight, 1 / (1 + pow(2, -weight)) AS probability, decision, decided_by, 'name by word' AS block,
              [struct_pack(name := 'name', level := 3::BIGINT, similarity := 0.9::DOUBLE, weight := weight + 2, tf := NULL::DOUBLE), struct_pack(name := '(prior)', level := NULL::BIGINT, similarity := NULL::DOUBLE, weight := -2::DOUBLE, tf := NULL::DOUBLE)] AS fields,
              'k' || a AS left_key, 'k' || b AS right_key
            FROM (VALUES (1, 2, 9::DOUBLE, 'match', 'model'), (1, 3, 6, 'match', 'model'), (2, 3, -4, 'match', 'model'), (2, 4, 5, 'review', 'model'), (3, 4, 1, 'different', 'steward')) t(a, b, weight, decision, decided_by)
            """);
        foreach (var (port, file, columns) in new[] { ("members", members, Engine.Matching.EntityTables.MemberSchema.Columns), ("pairs", pairs, Engine.Matching.EntityTables.PairSchema.Columns) })
            host.Fakes.Outputs[(project, run, "match", port)] = new StepOutputFound { ProjectId = host.Fakes.Projects[project], Content = DatasetsHost.Content([file], [.. columns]) };

        var explanation = await host.GetAsync(project, $"runs/{run}/steps/match/entities/crm:3");
        explanation.GetProperty("entity").GetString().ShouldBe("e1");
        explanation.GetProperty("size").GetInt64().ShouldBe(3);
        string Rows(string list) => string.Join(' ', explanation.GetProperty(list).EnumerateArray().Select(pair => $"{pair.GetProperty("left").GetProperty("row")}-{pair.GetProperty("right").GetProperty("row")}"));
        Rows("links").ShouldBe("1-2 1-3");
        explanation.GetProperty("weakest").GetProperty("weight").GetDouble().ShouldBe(6);
        Rows("against").ShouldBe("2-3");
        explanation.GetProperty("against")[0].GetProperty("fields").EnumerateArray().Sum(field => field.GetProperty("weight").GetDouble()).ShouldBe(-4);
        explanation.GetProperty("cut").EnumerateArray().Select(cut => $"{cut.GetProperty("entity")} {cut.GetProperty("why")} {cut.GetProperty("between")} {cut.GetProperty("likely")}").ShouldBe(["e2 average 3 2", "e2 steward 3 2"]);
        explanation.GetProperty("decisions").EnumerateArray().Select(decision => $"{decision.GetProperty("decision")} {string.Join(',', decision.GetProperty("rows").EnumerateArray().Select(row => row.GetProperty("key")))}").ShouldBe(["match k3", "different k3,k4"]);
        (await host.GetAsync(project, $"runs/{run}/steps/match/entities/e2")).GetProperty("weakest").ValueKind.ShouldBe(JsonValueKind.Null);

        (await host.RefusalAsync(project, $"runs/{run}/steps/match/entities/99")).Status.ShouldBe(404);
        (await host.RefusalAsync(project, $"runs/{run}/steps/match/entities/x'y")).Status.ShouldBe(404);
        (await host.RefusalAsync(project, $"runs/{run}/steps/clean/entities/e1")).Status.ShouldBe(404);
        host.Fakes.Outputs[(project, run, "clean", "members")] = host.Fakes.Outputs[(project, run, "clean", "pairs")] = new StepOutputFound { ProjectId = host.Fakes.Projects[project], Content = DatasetsHost.Content([members], DatasetsHost.Column("n", "int64")) };
        (await host.RefusalAsync(project, $"runs/{run}/steps/clean/entities/e1")).Status.ShouldBe(409);
    }

    [Fact]
    public async Task A_change_log_is_asked_for_a_rule_or_a_column()
    {
        var project = host.NewProject();
        var run = Guid.NewGuid();
        var file = await host.WriteFileAsync(
            $"{project}/{run}/clean/1/changes-0001.parquet",
            """
            SELECT 'crm@1' AS _source, i AS _row, 'k' || i AS _key, 'rules[' || (i % 3) || ']' AS rule, CASE WHEN i % 2 = 0 THEN 'name' ELSE 'it''s' END AS "column", '" a"'::JSON AS old, CASE WHEN i < 9 THEN '"a"'::JSON END AS new FROM range(12) t(i)
            """);
        StepOutputFound Found(string? tag) => new() { ProjectId = host.Fakes.Projects[project], Content = DatasetsHost.Content([file], [.. ChangeLog.Schema(tag).Columns]) };
        host.Fakes.Outputs[(project, run, "clean", "changes")] = Found(null);
        async Task<List<long>> RowsAsync(string query)
        {
            var rows = new List<long>();
            for (string? cursor = null; ;)
            {
                var page = await host.GetAsync(project, $"runs/{run}/steps/clean/outputs/changes/rows?limit=2{query}{(cursor is null ? "" : $"&cursor={cursor}")}");
                rows.AddRange(page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("_row").GetInt64()));
                if ((cursor = page.GetProperty("next").GetString()) is null)
                    return rows;
            }
        }

        (await RowsAsync("")).Count.ShouldBe(12);
        (await RowsAsync("&rule=rules%5B1%5D")).ShouldBe([1, 4, 7, 10]);
        (await RowsAsync("&column=name")).ShouldBe([0, 2, 4, 6, 8, 10]);
        (await RowsAsync("&rule=rules%5B1%5D&column=it%27s")).ShouldBe([1, 7]);
        (await RowsAsync("&column=nothing%27%20OR%20true")).ShouldBeEmpty();
        var cell = (await host.GetAsync(project, $"runs/{run}/steps/clean/outputs/changes/rows?rule=rules%5B1%5D")).GetProperty("items")[3];
        (cell.GetProperty("old").GetString(), cell.GetProperty("new").ValueKind).ShouldBe((" a", JsonValueKind.Null));
        Encoding.UTF8.GetString(await DownloadAsync(project, $"runs/{run}/steps/clean/outputs/changes/download?format=jsonl&rule=rules%5B2%5D")).Trim().Split('\n').Length.ShouldBe(4);
        // A Parquet file of some of them is not the stored one.
        (await DownloadAsync(project, $"runs/{run}/steps/clean/outputs/changes/download?rule=rules%5B2%5D")).ShouldNotBe(await File.ReadAllBytesAsync(Path.Combine(host.StoreRoot, file.Key)));

        host.Fakes.Outputs[(project, run, "clean", "changes")] = Found("personal");
        (await host.GetAsync(project, $"runs/{run}/steps/clean/outputs/changes/rows?rule=rules%5B1%5D")).GetProperty("items")[0].GetProperty("old").GetString().ShouldBe(RowReader.Mask);
    }

    [Fact]
    public async Task Rejected_rows_show_their_reasons_and_no_sensitive_value()
    {
        var project = host.NewProject();
        var run = Guid.NewGuid();
        var file = await host.WriteFileAsync(
            $"{project}/{run}/clean/1/rejected-0001.parquet",
            """
            SELECT 'crm@1' AS _source, 5::BIGINT AS _row, 'abc' AS _key, '{"email":"ann@","age":"x"}' AS ingested, '{"email":"ann@","age":null,"mail":"ann@"}' AS rejected,
              '[{"rule":"email","column":"email","value":"ann@","message":"\"ann@\" is no e-mail address"},{"rule":"range","column":"age","value":"x","message":"no number"}]' AS reasons
            """);
        host.Fakes.Outputs[(project, run, "clean", "rejected")] = new StepOutputFound
        {
            ProjectId = host.Fakes.Projects[project],
            Content = DatasetsHost.Content([file], [.. RejectedRows.Schema(DatasetsHost.Column("email", "text", "personal"), DatasetsHost.Column("age", "text")).Columns]),
        };
        var row = (await host.GetAsync(project, $"runs/{run}/steps/clean/rejected?rule=range")).GetProperty("items")[0];
        row.GetProperty("_row").GetInt64().ShouldBe(5);
        row.GetProperty("ingested").GetProperty("email").GetString().ShouldBe(RowReader.Mask);
        row.GetProperty("ingested").GetProperty("age").GetString().ShouldBe("x");
        row.GetProperty("reasons")[1].GetProperty("message").GetString().ShouldBe("no number");
        row.GetRawText().ShouldNotContain("ann@");
        (await host.GetAsync(project, $"runs/{run}/steps/clean/rejected?rule=unique")).GetProperty("items").GetArrayLength().ShouldBe(0);
        (await host.GetAsync(project, $"runs/{run}/steps/clean/rejected?unmask=true")).GetProperty("items")[0].GetRawText().ShouldContain("ann@");
        Encoding.UTF8.GetString(await DownloadAsync(project, $"runs/{run}/steps/clean/rejected/download")).ShouldNotContain("ann@");
        Encoding.UTF8.GetString(await DownloadAsync(project, $"runs/{run}/steps/clean/outputs/rejected/download?format=csv")).ShouldNotContain("ann@");
        (await host.RefusalAsync(project, $"runs/{run}/steps/clean/outputs/rejected/download?format=parquet")).Status.ShouldBe(400);

        // Without a word on which values are sensitive, all may be.
        var known = host.Fakes.Outputs[(project, run, "clean", "rejected")];
        host.Fakes.Outputs[(project, run, "clean", "rejected")] = known with
        {
            Content = known.Content with { Schema = new DatasetSchema { Columns = [.. known.Content.Schema.Columns.Select(column => column with { Members = [] })] } },
        };
        row = (await host.GetAsync(project, $"runs/{run}/steps/clean/rejected")).GetProperty("items")[0];
        row.GetProperty("ingested").GetRawText().ShouldBe("""{"email":"•••","age":"•••"}""");
        row.GetRawText().ShouldNotContain("no number");
    }

    [Fact]
    public async Task An_upload_of_reference_data_becomes_a_version_that_outlives_the_upload()
    {
        var project = host.NewProject();
        var upload = await UploadAsync(project, "countries.csv", "iso2,name\nNO,Norway\nGB,United Kingdom\n"u8.ToArray());
        using (var added = await AddAsync(project, "countries", upload))
            ((int)added.StatusCode).ShouldBe(201, await added.Content.ReadAsStringAsync());
        using (var deleted = await host.Client.DeleteAsync(new Uri(DatasetsHost.Url(project, $"uploads/{upload}"), UriKind.Relative)))
            deleted.EnsureSuccessStatusCode();

        var page = await host.GetAsync(project, "datasets/countries/versions/latest/rows?hidden=true");
        page.GetProperty("items")[0].GetProperty("iso2").GetString().ShouldBe("NO");
        page.GetProperty("items")[1].GetProperty("_row").GetInt64().ShouldBe(2);
        page.GetProperty("items")[1].GetProperty("_source").GetString()!.ShouldStartWith($"upload:{upload}@");
        await TestHost.UntilAsync(() => host.Fakes.Events.OfType<DatasetPublished>().Any(published => published.Project == project && published.SourceRunId is null) ? null : "the event");
    }

    [Fact]
    public async Task An_upload_that_is_no_table_becomes_nothing()
    {
        var project = host.NewProject();
        foreach (var (name, dataset, status) in new[] { ("a.parquet", "a", 422), ("a.exe", "a", 422), ("a.csv", "Not A Name", 422) })
        {
            using var refused = await AddAsync(project, dataset, await UploadAsync(project, name, "PAR1 nothing PAR1"u8.ToArray()));
            ((int)refused.StatusCode).ShouldBe(status, await refused.Content.ReadAsStringAsync());
        }
        using var unknown = await AddAsync(project, "a", Guid.NewGuid());
        ((int)unknown.StatusCode).ShouldBe(404);
        (await host.GetAsync(project, "datasets")).GetProperty("items").GetArrayLength().ShouldBe(0);
        var made = Path.Combine(host.StoreRoot, project, "datasets");
        (Directory.Exists(made) ? Directory.EnumerateFiles(made, "*", SearchOption.AllDirectories) : []).ShouldBeEmpty();
    }

    private async Task<List<DataFile>> PublishPeopleAsync(string project, int[] sizes, int expected)
    {
        var files = new List<DataFile>();
        var first = 0;
        foreach (var size in sizes)
        {
            files.Add(await host.WriteFileAsync(
                $"{project}/{Guid.NewGuid()}/out-{files.Count + 1:0000}.parquet",
                $"SELECT i AS id, 'p' || i || '@example.org' AS email, (i + 0.5)::DECIMAL(18,2) AS balance, i + 1 AS _row FROM range({first}, {first + size}) t(i)"));
            first += size;
        }
        await host.PublishAsync(project, "people", DatasetsHost.Content(files, People), expected);
        return files;
    }

    private List<RowsUnmasked> Unmasked(string project) => [.. host.Fakes.Events.OfType<RowsUnmasked>().Where(unmasked => unmasked.ProjectId == host.Fakes.Projects[project])];

    private async Task<byte[]> DownloadAsync(string project, string rest)
    {
        using var response = await host.Client.GetAsync(new Uri(DatasetsHost.Url(project, rest), UriKind.Relative));
        response.IsSuccessStatusCode.ShouldBeTrue($"{rest}: {await response.Content.ReadAsStringAsync()}");
        response.Content.Headers.ContentDisposition!.DispositionType.ShouldBe("attachment");
        return await response.Content.ReadAsByteArrayAsync();
    }

    private async Task<Guid> UploadAsync(string project, string name, byte[] content)
    {
        using var response = await host.Client.PostAsync(new Uri(DatasetsHost.Url(project, $"uploads?name={name}"), UriKind.Relative), new ByteArrayContent(content));
        return (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetGuid();
    }

    private Task<HttpResponseMessage> AddAsync(string project, string dataset, Guid upload) =>
        host.Client.PostAsJsonAsync(new Uri(DatasetsHost.Url(project, $"datasets/{Uri.EscapeDataString(dataset)}/versions"), UriKind.Relative), new { upload });
}
