using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Contracts.Schemas;
using Qualiz.Contracts.Values;
using Qualiz.OperatorKit;
using Qualiz.Platform.Operators;
using Qualiz.Tasks.Log;
using Qualiz.Tasks.Wait;

namespace Qualiz.Tasks.Tests;

public sealed class TaskOperatorTests : IDisposable
{
    private readonly OperatorBench _bench = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 22, 10, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task A_log_step_writes_its_message_and_completes()
    {
        var lines = new Lines();
        var result = await new LogOperator().ExecuteAsync(new LogConfig { Message = "12 of {30} rows" }, Step(lines), default);
        result.ShouldBeOfType<StepResult.Completed>().Outcome.Outputs.ShouldBeEmpty();
        lines.Written.ShouldBe(["Information 12 of {30} rows"]);
    }

    [Fact]
    public async Task A_warning_is_also_a_warning_of_the_step()
    {
        var lines = new Lines();
        var result = await new LogOperator().ExecuteAsync(new LogConfig { Message = "look here", Level = LogLine.Warning }, Step(lines), default);
        result.ShouldBeOfType<StepResult.Completed>().Outcome.Warnings.ShouldBe(["look here"]);
        lines.Written.ShouldBe(["Warning look here"]);
    }

    [Fact]
    public async Task A_wait_is_deferred_until_its_time_and_does_not_begin_anew()
    {
        var wait = new WaitOperator(_time);
        var config = new WaitConfig { For = Duration.Parse("15m") };
        var deferred = (await wait.ExecuteAsync(config, Step(new Lines()), default)).ShouldBeOfType<StepResult.Deferred>();
        deferred.NextCheck.ShouldBe(new DateTimeOffset(2026, 11, 22, 10, 15, 0, TimeSpan.Zero));

        _time.Advance(TimeSpan.FromMinutes(14));
        var again = (await wait.ExecuteAsync(config, Step(new Lines(), new Deferral(deferred.Key, 1)), default)).ShouldBeOfType<StepResult.Deferred>();
        again.NextCheck.ShouldBe(deferred.NextCheck);

        _time.Advance(TimeSpan.FromMinutes(1));
        (await wait.ExecuteAsync(config, Step(new Lines(), new Deferral(again.Key, 2)), default)).ShouldBeOfType<StepResult.Completed>();
    }

    [Fact]
    public async Task A_moment_that_has_passed_does_not_wait()
    {
        var result = await new WaitOperator(_time).ExecuteAsync(new WaitConfig { Until = _time.GetUtcNow() }, Step(new Lines()), default);
        result.ShouldBeOfType<StepResult.Completed>();
    }

    [Theory]
    [InlineData("wait", """{"for": "15m"}""", null)]
    [InlineData("wait", """{"until": "2026-11-23T06:00:00+01:00"}""", null)]
    [InlineData("wait", """{}""", "with: give either \"for\"")]
    [InlineData("wait", """{"for": "15m", "until": "2026-11-23T06:00:00Z"}""", "with.until: give either")]
    [InlineData("wait", """{"fro": "15m"}""", "did you mean \"for\"?")]
    [InlineData("log", """{"message": "hi", "level": "warning"}""", null)]
    [InlineData("log", """{"message": "hi", "level": "warnin"}""", "did you mean \"warning\"?")]
    [InlineData("log", """{"mesage": "hi"}""", "did you mean \"message\"?")]
    public void A_configuration_is_checked_before_any_effect(string kind, string config, string? problem)
    {
        var builder = WebApplication.CreateBuilder();
        builder.AddTasks();
        using var services = builder.Services.BuildServiceProvider();
        var error = services.GetRequiredService<OperatorCatalog>().Find(kind, 1)!.Check(JsonDocument.Parse(config).RootElement);
        if (problem is null)
            error.ShouldBeNull();
        else
            error.ShouldNotBeNull().Message.ShouldContain(problem);
    }

    [Theory]
    [InlineData(typeof(LogConfig))]
    [InlineData(typeof(WaitConfig))]
    public void Every_field_has_what_a_form_shows(Type config)
    {
        foreach (var property in ConfigSchema.For(config).GetProperty("properties").EnumerateObject())
        {
            property.Value.TryGetProperty("title", out _).ShouldBeTrue(property.Name);
            property.Value.TryGetProperty("description", out _).ShouldBeTrue(property.Name);
            property.Value.TryGetProperty("examples", out _).ShouldBeTrue(property.Name);
        }
    }

    private StepContext Step(ILogger log, Deferral? deferral = null) => _bench.Step(new StepSetup { Log = log, Deferral = deferral });

    public void Dispose() => _bench.Dispose();

    private sealed class Lines : ILogger
    {
        public List<string> Written { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => NullLogger.Instance.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Written.Add($"{logLevel} {formatter(state, exception)}");
    }
}
