namespace Qualiz.Cli.Tests;

public sealed class QuarantineCommandTests : IDisposable
{
    private const string Run = "01a2062d-89b2-75f2-9314-c35e5326d043";

    private const string Item =
        $$"""
        {"id":12,"pipeline":"customers","step":"clean","key":"k","source":"crm-db/sales.customers@791:791:","row":20,"values":{"id":"C20","birth_date":"1889-13-40"},
        "rejected":{"id":"C20","birth_date":"1889-13-40"},"reasons":[{"rule":"date","column":"birth_date","message":"not a date"},{"rule":"contract","message":"is not complete"}],
        "firstRun":"{{Run}}","lastRun":"{{Run}}","times":1,"state":"open","assignee":"kim","due":"2026-12-01","note":null,"patch":null,"revision":4}
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("qualiz-cli-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task The_list_says_why_each_row_was_rejected_and_asks_for_what_was_chosen()
    {
        using var instance = new InstanceStub(request => request.StartsWith("GET runs?", StringComparison.Ordinal)
            ? (200, $$"""{"items":[{"id":"{{Run}}"}],"next":null}""")
            : (200, $$"""{"items":[{{Item}}],"next":null}"""));

        var (code, output, _) = await instance.RunAsync("quarantine", "list", "--run", "latest", "--rule", "date", "--state", "open,repaired", "--assignee", "kim", "--unmask", "--limit", "5");

        code.ShouldBe(ExitCode.Done);
        output.ShouldBe(
            """
            item  pipeline   step   state  times  last run  why                         assignee  due
              12  customers  clean  open       1  5326d043  date(birth_date), contract  kim       2026-12-01

            """.ReplaceLineEndings("\n"));
        instance.Requests.Select(asked => asked.Request).ShouldBe(["GET runs?limit=100", $"GET quarantine?rule=date&state=open%2Crepaired&assignee=kim&run={Run}&unmask=true&limit=5"]);
    }

    [Theory]
    [InlineData("""{"id":"01a2062d-89b2-75f2-9314-000000000001","pipeline":"qualiz-clean"},{"id":"01a2062d-89b2-75f2-9314-000000000002","pipeline":"customers"}""", "01a2062d-89b2-75f2-9314-000000000002")]
    [InlineData("""{"id":"01a2062d-89b2-75f2-9314-000000000001","pipeline":"qualiz-match"},{"id":"01a2062d-89b2-75f2-9314-000000000003","pipeline":"qualiz-profile"}""", null)]
    public async Task The_latest_run_is_none_of_a_command_on_a_file(string runs, string? latest)
    {
        using var instance = new InstanceStub(request => request.StartsWith("GET runs?", StringComparison.Ordinal) ? (200, $$"""{"items":[{{runs}}],"next":null}""") : (200, """{"steps":[]}"""));

        var (code, _, error) = await instance.RunAsync("quarantine", "account", "latest");

        code.ShouldBe(latest is null ? ExitCode.BadInput : ExitCode.Done, error);
        instance.Requests.Select(asked => asked.Request).Skip(1).ShouldBe(latest is null ? [] : [$"GET runs/{latest}/quarantine"]);
        // By its id it is found as any other.
        (await instance.RunAsync("quarantine", "account", "00000001")).Code.ShouldBe(ExitCode.Done);
    }

    [Fact]
    public async Task One_json_object_a_line_is_the_row_as_the_instance_has_it()
    {
        using var instance = new InstanceStub(_ => (200, $$"""{"items":[{{Item}},{{Item}}],"next":null}"""));

        var (code, output, _) = await instance.RunAsync("quarantine", "list", "--json");

        code.ShouldBe(ExitCode.Done);
        output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(2);
        output.ShouldStartWith("""{"id":12,"pipeline":"customers",""");
    }

    [Fact]
    public async Task A_row_is_shown_with_its_values_and_all_its_reasons()
    {
        using var instance = new InstanceStub(_ => (200, Item));

        var (code, output, _) = await instance.RunAsync("quarantine", "show", "12");

        code.ShouldBe(ExitCode.Done);
        output.ShouldBe(
            """
            customers/clean row 20 of crm-db/sales.customers@791:791: is open
            rejected in run 5326d043
            column      as ingested  when rejected  repair
            id          C20          C20
            birth_date  1889-13-40   1889-13-40
            date(birth_date): not a date
            contract: is not complete

            """.ReplaceLineEndings("\n"));
    }

    [Fact]
    public async Task A_mended_sheet_is_sent_and_the_lines_that_were_refused_are_told()
    {
        using var instance = new InstanceStub(_ => (200, """{"repaired":2,"unchanged":5,"problems":[{"line":4,"item":12,"column":"email","message":"The cell holds an error of the spreadsheet, #N/A."}],"refused":1,"dryRun":true}"""));
        var folder = Directory.CreateTempSubdirectory("qualiz-test-sheet-");
        var sheet = Path.Combine(folder.FullName, "rejected.xlsx");
        await File.WriteAllTextAsync(sheet, "the sheet");

        var (code, output, error) = await instance.RunAsync("quarantine", "import", sheet, "--dry-run", "--note", "asked them");

        code.ShouldBe(ExitCode.Failed);
        output.ShouldBe("2 rows would be repaired, 5 unchanged, 1 refused\n");
        error.ShouldBe($"{sheet}:4 email: The cell holds an error of the spreadsheet, #N/A.\n");
        instance.Requests.ShouldHaveSingleItem().ShouldBe(("POST quarantine/import?dryRun=true&note=asked%20them", "the sheet", null));
        (await instance.RunAsync("quarantine", "import", sheet + ".none")).Code.ShouldBe(ExitCode.BadInput);
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Rules_are_tried_and_what_they_would_do_is_told()
    {
        var recipe = Path.Combine(_folder, "recipe.yaml");
        await File.WriteAllTextAsync(recipe, "rules:\n  - {rule: trim, columns: [email]}\nchecks:\n  - check: email\n    columns: [email]\nmaxRejected: 5%\n");
        const string tried =
            """
            {"open":6000,"looked":5000,"passes":4000,"rejected":999,"filtered":0,"unfit":1,"reasons":[{"rule":"email","path":"checks[0]","column":"email","items":999}],"fails":[],
            "notJudged":[{"path":"checks[1]","message":"unique looks at all rows"}],
            "passesSample":[{"item":12,"before":{"email":" kim@example.org","n":1},"after":[{"values":{"email":"kim@example.org","n":1},"reasons":null}]}],
            "rejectedSample":[{"item":13,"before":{"email":"x","n":1},"after":[{"values":{"email":"x","n":1},"reasons":[{"rule":"email","column":"email","message":"is no email"}]}]}],"filteredSample":[]}
            """;
        using var instance = new InstanceStub(_ => (200, tried));

        var (code, output, error) = await instance.RunAsync("quarantine", "try", "--pipeline", "people", "--step", "clean", "--rules", recipe, "--samples", "1");

        code.ShouldBe(ExitCode.Done, error);
        output.ShouldBe(
            """
            6,000 open rows; the oldest 5,000 were looked at
            4,000 would pass, 999 would be rejected, 0 would be filtered
            1 cannot be tried: a value is none of the type that its column has by now
            rows  reason  column  in
             999  email   email   checks[0]
            row 12 would pass: email " kim@example.org" -> "kim@example.org"
            row 13 would be rejected: email is no email
            not judged: checks[1] (unique looks at all rows)

            """.ReplaceLineEndings("\n"));
        error.ShouldBe($"{recipe}: maxRejected is not tried, only rules and checks are\n");
        instance.Requests.ShouldHaveSingleItem().ShouldBe((
            "POST quarantine/try?pipeline=people&step=clean", """{"samples":1,"rules":[{"rule":"trim","columns":["email"]}],"checks":[{"check":"email","columns":["email"]}]}""", null));
        (await instance.RunAsync("quarantine", "try", "--rules", recipe, "--json")).Output.ShouldStartWith("""{"open":6000,"looked":5000,""");
    }

    [Fact]
    public async Task A_mistake_in_tried_rules_is_told_with_its_line()
    {
        var recipe = Path.Combine(_folder, "recipe.yaml");
        await File.WriteAllTextAsync(recipe, "rules:\n  - rule: tirm\n    columns: [email]\n");
        using var instance = new InstanceStub(_ => (422, """{"title":"The content is not right","detail":"The recipe is not right.","status":422,"errors":[{"message":"\"tirm\" is no rule","path":"rules[0].rule","suggestion":"trim"}]}"""));

        var (code, _, error) = await instance.RunAsync("quarantine", "try", "--rules", recipe);

        code.ShouldBe(ExitCode.BadInput);
        error.ShouldBe($"{recipe}:2:11 rules[0].rule: \"tirm\" is no rule; did you mean \"trim\"?\n");
        await File.WriteAllTextAsync(recipe, "steps: {}\n");
        (await instance.RunAsync("quarantine", "try", "--rules", recipe)).Error.ShouldContain("neither rules nor checks");
        instance.Requests.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("is no state", "Bad Request: state is one of open, dismissed.\nstate: is no state\n")]
    [InlineData("state is one of open, dismissed.", "Bad Request: state is one of open, dismissed.\n")]
    public async Task A_refusal_is_told_in_the_words_of_its_detail_and_nothing_twice(string message, string told)
    {
        using var instance = new InstanceStub(_ => (400, $$"""{"title":"Bad Request","detail":"state is one of open, dismissed.","status":400,"errors":[{"message":"{{message}}","path":"state"}]}"""));

        var (code, _, error) = await instance.RunAsync("quarantine", "list", "--state", "opne");

        code.ShouldBe(ExitCode.BadInput);
        error.ShouldBe(told);
    }

    [Fact]
    public async Task A_row_that_is_not_there_is_bad_usage()
    {
        using var instance = new InstanceStub(_ => (404, """{"title":"Not found","detail":"There is no quarantine item \"99\".","status":404}"""));

        var (code, _, error) = await instance.RunAsync("quarantine", "show", "99");

        code.ShouldBe(ExitCode.BadInput);
        error.ShouldContain("There is no quarantine item \"99\".");
    }

    [Fact]
    public async Task The_account_of_a_run_has_a_line_for_each_step()
    {
        using var instance = new InstanceStub(_ => (200, """{"steps":[{"step":"clean","sentence":"3 rejected = 3 open"},{"step":"shop","sentence":"1 rejected = 1 dismissed"}]}"""));

        var (code, output, _) = await instance.RunAsync("quarantine", "account", Run);

        code.ShouldBe(ExitCode.Done);
        output.ShouldBe("clean: 3 rejected = 3 open\nshop: 1 rejected = 1 dismissed\n");
        instance.Requests.Single().Request.ShouldBe($"GET runs/{Run}/quarantine");
    }

    [Theory]
    [InlineData("repair", """{"changes":{"email":"kim@example.org","phone":null},"note":"asked"}""", "--set", "email=kim@example.org", "--set", "phone=", "--note", "asked")]
    [InlineData("dismiss", """{"note":"a test record"}""", "--note", "a test record")]
    [InlineData("reopen", "{}")]
    [InlineData("undo", "{}")]
    [InlineData("assign", """{"assignee":"kim"}""", "--to", "kim")]
    [InlineData("assign", """{"assignee":null}""")]
    public async Task One_row_is_changed_as_it_was_seen(string action, string body, params string[] options)
    {
        using var instance = new InstanceStub(_ => (200, Item));

        var (code, output, error) = await instance.RunAsync(["quarantine", action, "12", .. options]);

        code.ShouldBe(ExitCode.Done, error);
        output.ShouldBe("row 12 is open\n");
        instance.Requests.ShouldBe([("GET quarantine/12", "", null), ($"POST quarantine/12/{action}", body, "\"4\"")]);
    }

    [Fact]
    public async Task All_rows_that_the_options_choose_are_counted_or_changed()
    {
        using var instance = new InstanceStub(_ => (200, """{"items":213,"dryRun":false}"""));

        (await instance.RunAsync("quarantine", "dismiss", "--rule", "date", "--dry-run")).Output.ShouldBe("213 rows would be changed\n");
        (await instance.RunAsync("quarantine", "repair", "--column", "email", "--set", "email=")).Output.ShouldBe("213 rows changed\n");

        instance.Requests.Select(asked => (asked.Request, asked.Body)).ShouldBe([
            ("POST quarantine/bulk?rule=date&dryRun=true", """{"action":"dismiss"}"""),
            ("POST quarantine/bulk?column=email", """{"changes":{"email":null},"action":"repair"}"""),
        ]);
    }

    [Theory]
    [InlineData("say which rows", "dismiss")]
    [InlineData("not both", "dismiss", "12", "--rule", "date")]
    [InlineData("not both", "dismiss", "12", "--dry-run")]
    [InlineData("expected COLUMN=VALUE", "repair", "12", "--set", "email")]
    [InlineData("no format to export", "export", "-o", "rejected.ods")]
    public async Task What_makes_no_sense_asks_for_nothing(string expected, params string[] args)
    {
        using var instance = new InstanceStub(_ => (500, "{}"));

        var (code, _, error) = await instance.RunAsync(["quarantine", .. args]);

        code.ShouldBe(ExitCode.BadInput);
        error.ShouldContain(expected);
        instance.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_export_is_saved_whole_or_leaves_what_was_there()
    {
        var path = Path.Combine(_folder, "rejected.csv");
        using var instance = new InstanceStub(request => request.Contains("broken", StringComparison.Ordinal)
            ? (400, """{"title":"Bad request","status":400,"errors":[{"path":"state","message":"should be of open, repaired"}]}""")
            : (200, "id,pipeline\r\n12,customers\r\n"));

        var saved = await instance.RunAsync("quarantine", "export", "-o", path, "--state", "open", "--unmask");
        var refused = await instance.RunAsync("quarantine", "export", "-o", path, "--state", "broken");

        saved.Code.ShouldBe(ExitCode.Done, saved.Error);
        instance.Requests[0].Request.ShouldBe("GET quarantine/export?state=open&format=csv&unmask=true");
        refused.Code.ShouldBe(ExitCode.BadInput);
        refused.Error.ShouldContain("should be of open, repaired");
        (await File.ReadAllTextAsync(path)).ShouldBe("id,pipeline\r\n12,customers\r\n");
        Directory.GetFiles(_folder).ShouldBe([path]);
    }

    [Fact]
    public async Task A_file_that_cannot_be_written_is_told_in_a_sentence()
    {
        using var instance = new InstanceStub(_ => (200, ""));

        var (code, _, error) = await instance.RunAsync("quarantine", "export", "-o", Path.Combine(_folder, "nowhere", "rejected.csv"));

        code.ShouldBe(ExitCode.Failed);
        error.ShouldContain("nowhere");
        error.ShouldNotContain("   at ");
    }
}
