using System.Net;
using Qualiz.Cli.Running;

namespace Qualiz.Cli.Tests;

public class QualizClientTests
{
    [Fact]
    public async Task A_new_thing_is_saved_only_if_it_is_still_new()
    {
        var server = new StubServer(_ => StubServer.Json(HttpStatusCode.NotFound, "{}"), _ => StubServer.Json(HttpStatusCode.Created, """{"version": 1}"""));

        var saved = await server.Client().PutTextAsync("api/x", "qualiz: 1", "application/yaml", CancellationToken.None);

        saved.Text("version").ShouldBe("1");
        server.Requests[1].Headers.IfNoneMatch.ToString().ShouldBe("*");
    }

    [Fact]
    public async Task A_change_names_the_version_it_was_made_on_and_is_made_again_when_somebody_was_faster()
    {
        var server = new StubServer(
            _ => StubServer.Json(HttpStatusCode.OK, "{}", "\"3\""),
            _ => StubServer.Json(HttpStatusCode.PreconditionFailed, "{}"),
            _ => StubServer.Json(HttpStatusCode.OK, "{}", "\"4\""),
            _ => StubServer.Json(HttpStatusCode.OK, """{"version": 5}"""));

        var saved = await server.Client().PutTextAsync("api/x", "qualiz: 1", "application/yaml", CancellationToken.None);

        saved.Text("version").ShouldBe("5");
        server.Requests[1].Headers.IfMatch.ToString().ShouldBe("\"3\"");
        server.Requests[3].Headers.IfMatch.ToString().ShouldBe("\"4\"");
    }

    [Fact]
    public async Task A_list_is_read_page_by_page_up_to_its_limit()
    {
        var server = new StubServer(
            _ => StubServer.Json(HttpStatusCode.OK, """{"items": [{"id": 1}, {"id": 2}], "next": "a b"}"""),
            _ => StubServer.Json(HttpStatusCode.OK, """{"items": [{"id": 3}, {"id": 4}], "next": "more"}"""));
        var ids = new List<string?>();

        await foreach (var item in server.Client().ListAsync("api/things", 3, CancellationToken.None))
        {
            ids.Add(item.Text("id"));
        }

        ids.ShouldBe(["1", "2", "3"]);
        server.Requests[1].RequestUri!.Query.ShouldBe("?limit=1&cursor=a%20b");
    }

    [Fact]
    public async Task A_refusal_carries_its_errors_with_their_places()
    {
        const string Problem = """
            {"type": "https://qualiz.dev/problems/invalid", "title": "The content is not right", "status": 422, "detail": "1 error",
             "errors": [{"message": "\"dat\" is no rule; did you mean \"date\"?", "path": "steps.clean.with.rules[2].rule", "line": 35, "column": 18, "suggestion": "date"}]}
            """;
        var server = new StubServer(_ => StubServer.Json((HttpStatusCode)422, Problem));

        var refusal = await Should.ThrowAsync<ProblemException>(() => server.Client().PostTextAsync("api/x", "", "application/yaml", CancellationToken.None));

        refusal.Errors.ShouldHaveSingleItem().Describe("customers.yaml")
            .ShouldBe("customers.yaml:35:18 steps.clean.with.rules[2].rule: \"dat\" is no rule; did you mean \"date\"?");
    }

    [Fact]
    public async Task A_lost_event_stream_goes_on_after_the_last_event()
    {
        var server = new StubServer(
            _ => Events("id: 1\nevent: RunStarted\ndata: {}\n\nid: 2\nevent: StepStarted\ndata: {}\n\n"),
            _ => throw new HttpRequestException("connection refused"),
            _ => Events("id: 3\nevent: RunCompleted\ndata: {}\n\n"));
        var seen = new List<string>();

        await new RunFollower(server.Client(), TimeProvider.System).FollowAsync("api/run", null, (type, _) => seen.Add(type), CancellationToken.None);

        seen.ShouldBe(["RunStarted", "StepStarted", "RunCompleted"]);
        server.Requests[2].Headers.GetValues("Last-Event-ID").ShouldBe(["2"]);
    }

    [Theory]
    [InlineData("day=2026-11-21", "\"2026-11-21\"")]
    [InlineData("limit=5", "5")]
    [InlineData("countries=[\"NO\",\"GB\"]", "[\"NO\",\"GB\"]")]
    [InlineData("country=NO", "\"NO\"")]
    [InlineData("empty=", "\"\"")]
    public void A_parameter_that_reads_as_JSON_is_taken_as_such(string setting, string expected)
    {
        RunCommand.Parameters([setting], out var parameters).ShouldBeNull();

        parameters.Single().Value!.ToJsonString().ShouldBe(expected);
    }

    [Fact]
    public void A_parameter_without_a_value_is_refused() => RunCommand.Parameters(["day"], out _).ShouldBe("--set day: expected NAME=VALUE");

    private static HttpResponseMessage Events(string text) =>
        new(HttpStatusCode.OK) { Content = new StringContent(text, System.Text.Encoding.UTF8, "text/event-stream") };
}
