using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Qualiz.Contracts.Schemas;
using Qualiz.Notify.Records;
using Qualiz.Notify.Steps;
using Qualiz.OperatorKit;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Outbound;
using Qualiz.TestKit;

namespace Qualiz.Notify.Tests;

public sealed class NotifyStepTests(NotifyHost host) : IClassFixture<NotifyHost>
{
    [Fact]
    public void A_form_can_be_made_of_the_configuration() => FormCheck.Problems<NotifyConfig>().ShouldBeEmpty();

    [Fact]
    public async Task An_e_mail_is_sent_once_however_often_the_step_is_done()
    {
        var smtp = await SmtpServer.SharedAsync();
        using var bench = new NotifyBench(host, smtp);
        var config = $$$"""
            {"send": {"by": "email", "connection": "mail", "to": ["crm@example.org", "Ada <ada@example.org>"], "subject": "{{pipeline}}: {{values.what}}\r\nBcc: x@y.z",
              "text": "{{values.what}} {{{bench.Mark}}}", "html": "<p>{{values.what}} on {{run.day}}</p>"}, "values": {"what": "1 < 2 & \"so\""}}
            """;
        (await bench.RunAsync(config)).ShouldBeOfType<StepResult.Completed>().Outcome.Counts["sent"].ShouldBe(1);
        (await bench.RunAsync(config)).ShouldBeOfType<StepResult.Completed>().Outcome.Counts["alreadySent"].ShouldBe(1);
        var mail = (await smtp.MailsWithAsync(bench.Mark)).ShouldHaveSingleItem().ReplaceLineEndings("\n");
        mail.ShouldContain("From: qualiz@example.org");
        mail.ShouldContain("To: crm@example.org, Ada <ada@example.org>");
        // A line end in the subject begins no header.
        mail.ShouldContain("Subject: p: 1 < 2 & \"so\" Bcc: x@y.z");
        mail.Split('\n').ShouldNotContain(line => line.StartsWith("Bcc:", StringComparison.Ordinal));
        mail.ShouldContain($"1 < 2 & \"so\" {bench.Mark}");
        mail.ShouldContain("<p>1 &lt; 2 &amp; &quot;so&quot; on 2026-11-22</p>");
        mail.ShouldContain("Message-Id: <", Case.Insensitive);
    }

    [Fact]
    public async Task A_webhook_carries_its_key_and_what_is_known()
    {
        using var bench = new NotifyBench(host);
        (await bench.RunAsync("""{"send": {"by": "webhook", "connection": "hook"}, "values": {"rejected": "12"}}""")).ShouldBeOfType<StepResult.Completed>();
        var seen = bench.Received.ShouldHaveSingleItem();
        seen.Authorization.ShouldBe("Bearer secret-4711");
        Guid.Parse(seen.Key).ShouldBe(SentRecords.KeyOf("demo", bench.Run.ToString(), "step"));
        var body = JsonSerializer.Deserialize<JsonElement>(seen.Body);
        body.GetProperty("values").GetProperty("rejected").GetString().ShouldBe("12");
        body.GetProperty("run").GetProperty("id").GetString().ShouldBe(bench.Run.ToString());
        bench.Bench.Log.Lines.ShouldNotContain(line => line.Contains("secret-4711", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_body_is_filled_in_as_JSON()
    {
        using var bench = new NotifyBench(host);
        (await bench.RunAsync("""{"send": {"by": "webhook", "connection": "hook", "body": "{\"text\": \"{{values.x}}\", \"n\": {{version}} }"}, "values": {"x": "a\"b\\c\n<&>"}}""")).ShouldBeOfType<StepResult.Completed>();
        var body = JsonSerializer.Deserialize<JsonElement>(bench.Received.Single().Body);
        body.GetProperty("text").GetString().ShouldBe("a\"b\\c\n<&>");
        body.GetProperty("n").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task A_Slack_message_cannot_be_given_links_by_a_value()
    {
        using var bench = new NotifyBench(host);
        (await bench.RunAsync("""{"send": {"by": "slack", "connection": "data", "text": "*{{pipeline}}*: {{values.x}}"}, "values": {"x": "<!channel> & <http://evil|click>"}}""")).ShouldBeOfType<StepResult.Completed>();
        JsonSerializer.Deserialize<JsonElement>(bench.Received.Single().Body).GetProperty("text").GetString().ShouldBe("*p*: &lt;!channel&gt; &amp; &lt;http://evil|click&gt;");
    }

    [Theory]
    [InlineData(HttpStatusCode.BadRequest, false, "The receiver answered 400.")]
    [InlineData(HttpStatusCode.ServiceUnavailable, true, "The receiver answered 503.")]
    [InlineData(HttpStatusCode.TooManyRequests, true, "The receiver answered 429.")]
    [InlineData(HttpStatusCode.Found, false, "The address answers with a redirect (302), which is not followed; name its target.")]
    public async Task A_refusal_fails_the_step_and_a_later_try_sends(HttpStatusCode status, bool transient, string message)
    {
        using var bench = new NotifyBench(host);
        host.Answer = NotifyBench.Status(status);
        var failed = (await bench.RunAsync("""{"send": {"by": "webhook", "connection": "hook"}}""")).ShouldBeOfType<StepResult.Failed>().Error;
        (failed.Code, failed.Transient, failed.Message).ShouldBe(("notSent", transient, message));
        host.Answer = NotifyBench.Status(HttpStatusCode.OK);
        var sent = (await bench.RunAsync("""{"send": {"by": "webhook", "connection": "hook"}}""")).ShouldBeOfType<StepResult.Completed>().Outcome;
        sent.Counts.ShouldBe(new Dictionary<string, long> { ["sent"] = 1 });
    }

    [Fact]
    public async Task Where_it_is_not_known_whether_it_went_out_it_is_sent_again_with_the_same_key_and_said_so()
    {
        using var bench = new NotifyBench(host);
        host.Answer = context =>
        {
            context.Abort();
            return Task.CompletedTask;
        };
        var failed = (await bench.RunAsync("""{"send": {"by": "webhook", "connection": "hook"}}""")).ShouldBeOfType<StepResult.Failed>().Error;
        failed.Message.ShouldBe("The receiver's answer did not come. The message may have gone out all the same.");
        failed.Transient.ShouldBeTrue();
        host.Answer = NotifyBench.Status(HttpStatusCode.OK);
        var again = (await bench.RunAsync("""{"send": {"by": "webhook", "connection": "hook"}}""")).ShouldBeOfType<StepResult.Completed>().Outcome;
        again.Counts["atLeastOnce"].ShouldBe(1);
        again.Warnings.ShouldHaveSingleItem().ShouldContain("both carry the same key");
        bench.Received.Select(request => request.Key).Distinct().Count().ShouldBe(1);
        bench.Received.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Private_addresses_are_not_reached()
    {
        using var bench = new NotifyBench(host, await SmtpServer.SharedAsync());
        var strict = new OutboundGuard(new ConfigurationBuilder().Build());
        foreach (var config in (string[])
        [
            """{"send": {"by": "webhook", "connection": "hook"}}""",
            """{"send": {"by": "email", "connection": "mail", "to": ["a@b.c"], "subject": "x", "text": "x"}}""",
        ])
            (await Should.ThrowAsync<OutboundRefusedException>(() => bench.RunAsync(config, Guid.CreateVersion7(), strict))).Message.ShouldContain("private or local network");
        bench.Received.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_connection_that_the_project_does_not_have_is_refused()
    {
        using var bench = new NotifyBench(host);
        await Should.ThrowAsync<ConnectionException>(() => bench.RunAsync("""{"send": {"by": "slack", "connection": "other-project", "text": "x"}}"""));
        var wrong = (await bench.RunAsync("""{"send": {"by": "slack", "connection": "hook", "text": "x"}}""")).ShouldBeOfType<StepResult.Failed>().Error;
        wrong.Message.ShouldBe("The connection hook is of type webhook; slack is needed.");
    }

    [Theory]
    [InlineData("{{values.unknown}}", "unknown")]
    [InlineData("{{{pipeline}}}", "without encoding")]
    [InlineData("{{&pipeline}}", "without encoding")]
    [InlineData("{{#if pipeline}}", "cannot be filled in")]
    [InlineData("{{shout pipeline}}", "cannot be filled in")]
    [InlineData("{{> partial}}", "cannot be filled in")]
    public async Task A_template_that_cannot_be_filled_in_fails_before_anything_is_sent(string text, string message)
    {
        using var bench = new NotifyBench(host);
        var config = JsonSerializer.Serialize(new { send = new { by = "slack", connection = "data", text } });
        var failed = (await bench.RunAsync(config)).ShouldBeOfType<StepResult.Failed>().Error;
        failed.Code.ShouldBe("templateInvalid");
        failed.Message.ShouldContain(message);
        bench.Received.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_body_that_is_no_JSON_is_not_sent()
    {
        using var bench = new NotifyBench(host);
        (await bench.RunAsync("""{"send": {"by": "webhook", "connection": "hook", "body": "hello {{pipeline}}"}}""")).ShouldBeOfType<StepResult.Failed>().Error.Message.ShouldBe("The filled-in body is no JSON.");
    }

    [Fact]
    public async Task A_text_without_end_is_cut_off()
    {
        using var bench = new NotifyBench(host);
        var config = JsonSerializer.Serialize(new { send = new { by = "slack", connection = "data", text = string.Concat(Enumerable.Repeat("{{values.x}}", 20)) }, values = new { x = new string('y', 100_000) } });
        (await bench.RunAsync(config)).ShouldBeOfType<StepResult.Failed>().Error.Message.ShouldContain("longer than 1,000,000 characters");
    }

    [Fact]
    public async Task What_is_no_address_is_said_before_a_run()
    {
        var config = OperatorBench.Config<NotifyConfig>("""{"send": {"by": "email", "connection": "mail", "to": ["nobody"], "subject": "x"}}""");
        config.Validate(new System.ComponentModel.DataAnnotations.ValidationContext(config)).Select(error => error.ErrorMessage).ShouldBe(["an e-mail needs a text", "\"nobody\" is no e-mail address"]);
        await Task.CompletedTask;
    }

    [Fact]
    public void An_address_is_checked_where_it_stands_in_the_file()
    {
        var schema = ConfigSchema.For<NotifyConfig>();
        var config = JsonSerializer.SerializeToElement(new { send = new { by = "email", connection = "mail", to = new[] { "ann@example.org", "Ann Smith <ann@example.org>", "a@example.org, b@example.org", "nobody" }, subject = "x", text = "y" } });

        SchemaValidator.Validate(config, schema).Select(problem => (problem.Path, problem.Message)).ShouldBe(
        [
            ("send.to[2]", "\"a@example.org, b@example.org\" is no e-mail address; write it like ann@example.org, one address an entry"),
            ("send.to[3]", "\"nobody\" is no e-mail address; write it like ann@example.org, one address an entry"),
        ]);
    }
}
