using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Qualiz.Platform.Telemetry;

namespace Qualiz.Platform.Tests.Telemetry;

public sealed class EcsFormatterTests
{
    private readonly LoggerExternalScopeProvider _scopes = new();

    [Fact]
    public void A_line_is_one_JSON_object_with_the_fields_of_the_schema()
    {
        using var activity = new Activity("x").Start();
        using var run = _scopes.Push(new KeyValuePair<string, object?>[] { new("run_id", "r1"), new("step_id", "outer") });
        using var step = _scopes.Push(new KeyValuePair<string, object?>[] { new("step_id", "clean") });
        var line = Write("Read \"orders\"\nof {Project}", [new("Project", "demo"), new("RowCount", 12), new("{OriginalFormat}", "x")]);
        line.ShouldNotContain('\n');
        var json = JsonDocument.Parse(line).RootElement;
        json.GetProperty("@timestamp").GetDateTimeOffset().Offset.ShouldBe(TimeSpan.Zero);
        json.GetProperty("log.level").GetString().ShouldBe("warn");
        json.GetProperty("log.logger").GetString().ShouldBe("Qualiz.Test");
        json.GetProperty("message").GetString().ShouldBe("Read \"orders\"\nof {Project}");
        json.GetProperty("ecs.version").GetString().ShouldNotBeNull();
        json.GetProperty("service.name").GetString().ShouldBe("qualiz-test");
        json.GetProperty("trace.id").GetString().ShouldBe(activity.TraceId.ToHexString());
        json.GetProperty("span.id").GetString().ShouldBe(activity.SpanId.ToHexString());
        json.GetProperty("labels").GetRawText().ShouldBe("""{"run_id":"r1","step_id":"clean","project":"demo","row_count":"12"}""");
    }

    [Fact]
    public void An_exception_has_its_type_and_stack()
    {
        var json = JsonDocument.Parse(Write("failed", [], new InvalidOperationException("why", new IOException("because")))).RootElement;
        json.GetProperty("error.type").GetString().ShouldBe("System.InvalidOperationException");
        json.GetProperty("error.message").GetString().ShouldBe("why");
        json.GetProperty("error.stack_trace").GetString()!.ShouldContain("because");
    }

    [Theory]
    [InlineData("RunId", "run_id")]
    [InlineData("run_id", "run_id")]
    [InlineData("Http.Method", "http_method")]
    public void Labels_are_flat_and_in_snake_case(string name, string label) => EcsFormatter.SnakeCase(name).ShouldBe(label);

    private string Write(string message, KeyValuePair<string, object?>[] values, Exception? exception = null)
    {
        var writer = new StringWriter();
        var entry = new LogEntry<KeyValuePair<string, object?>[]>(LogLevel.Warning, "Qualiz.Test", default, values, exception, (_, _) => message);
        new EcsFormatter(new LogIdentity("qualiz-test", "here:1")).Write(entry, _scopes, writer);
        return writer.ToString().TrimEnd('\n');
    }
}
