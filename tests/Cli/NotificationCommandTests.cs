namespace Qualiz.Cli.Tests;

public sealed class NotificationCommandTests
{
    private const string Run = "01a2062d-89b2-75f2-9314-c35e5326d043";

    [Fact]
    public async Task The_list_says_of_each_message_whether_it_was_sent_and_why_not()
    {
        using var instance = new InstanceStub(request => request.StartsWith("GET runs?", StringComparison.Ordinal)
            ? (200, $$"""{"items":[{"id":"{{Run}}"}],"next":null}""")
            : (200,
                $$"""
                {"items":[
                {"createdAt":"x","runId":"{{Run}}","subject":"customers: 412 rows wait","to":"email:a@example.org","state":"notSent","reason":"No mail server is set.","digest":true,"dueAt":null},
                {"createdAt":"x","runId":"{{Run}}","subject":"customers failed","to":"slack:data","state":"waiting","reason":"It does not answer.","digest":false,"dueAt":"y"},
                {"createdAt":"x","runId":"{{Run}}","subject":"customers: 2 rows wait","to":"email:b@example.org","state":"waiting","reason":null,"digest":true,"dueAt":"y"},
                {"createdAt":"x","runId":"{{Run}}","subject":"customers runs again","to":"email:b@example.org","state":"sent","reason":null,"digest":false,"dueAt":null}],"next":null}
                """));

        var (code, output, _) = await instance.RunAsync("notifications", "--run", "latest", "--state", "notSent", "--pipeline", "customers");

        code.ShouldBe(ExitCode.Done);
        output.Split('\n').Select(line => line.TrimEnd()).ShouldBe(
        [
            "made  run       about                     to                   state",
            "x     5326d043  customers: 412 rows wait  email:a@example.org  not sent: No mail server is set.",
            "x     5326d043  customers failed          slack:data           goes out y; the last try failed: It does not answer.",
            "x     5326d043  customers: 2 rows wait    email:b@example.org  goes out with others, y",
            "x     5326d043  customers runs again      email:b@example.org  sent",
            "",
        ]);
        instance.Requests[^1].Request.ShouldStartWith($"GET notifications?run={Run}&pipeline=customers&state=notSent");
    }
}
