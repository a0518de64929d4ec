using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Platform.Messaging;
using Qualiz.TestKit;

namespace Qualiz.Platform.Tests.Operators;

public sealed class InProcessInferenceTests() : InferenceTests(TestBus.InProcess);

public sealed class RabbitMqInferenceTests() : InferenceTests(TestBus.RabbitMq);

/// <summary>What operators answer about steps that are not run, over the bus and from real engine workers.</summary>
public abstract class InferenceTests(TestBus bus) : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("qualiz-infer-").FullName;
    private TestHost _host = null!;

    public async Task InitializeAsync()
    {
        var surroundings = TestSurroundings.Create(bus, "", bus == TestBus.RabbitMq ? await (await RabbitMqServer.SharedAsync()).CreateVirtualHostAsync() : null);
        _host = await TestHost.StartAsync(surroundings, builder => builder.AddProbes(), null, ExecutorRig.Settings(_folder));
    }

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task An_operator_says_what_a_step_gives_from_an_engine_worker()
    {
        var schema = new DatasetSchema { Columns = [new DatasetColumn { Name = "email", Type = "text" }] };
        var inferred = await AskAsync(new { @do = "complete" }, schema);
        inferred.Outputs["out"].Columns.Select(column => column.Name).First().ShouldBe("email");
        int.Parse(inferred.Outputs["out"].Columns[1].Name, CultureInfo.InvariantCulture).ShouldNotBe(Environment.ProcessId);
    }

    [Fact]
    public async Task Settings_that_do_not_fit_are_told_where()
    {
        var problem = (await AskAsync(new { @do = "complete", number = "many" })).Problems.ShouldHaveSingleItem();
        (problem.Code, problem.Path).ShouldBe(("configInvalid", "number"));
        problem.Message.ShouldNotStartWith("with.");
        problem.Needs.ShouldBeNull();
    }

    [Fact]
    public async Task Only_connections_without_secrets_are_opened()
    {
        (await AskAsync(new { @do = "connect", text = "landing" })).NotChecked.ShouldBe("root /data");
        (await AskAsync(new { @do = "connect", text = "dwh" })).NotChecked.ShouldBe("the connection dwh is only opened in a run");
    }

    [Fact]
    public async Task An_operator_that_throws_dies_or_hangs_leaves_the_step_unchecked_and_answers_again()
    {
        (await AskAsync(new { @do = "throw", text = "secret value 4711" })).NotChecked.ShouldBe("the operator failed to answer");
        (await AskAsync(new { @do = "crash" })).NotChecked.ShouldBe("the operator failed to answer");
        (await AskAsync(new { @do = "sleep" })).NotChecked.ShouldBe("it took too long");
        (await AskAsync(new { @do = "complete" })).NotChecked.ShouldBeNull();
    }

    private async Task<OutputInferred> AskAsync(object config, DatasetSchema? input = null)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        return await _host.Services.GetRequiredService<IRequests>().AskAsync<OutputInferred>(
            OperatorManifest.InferenceQueue("probe", 1),
            new InferOutput
            {
                Project = "demo",
                Operator = "probe",
                Major = 1,
                Config = JsonSerializer.SerializeToElement(config),
                Inputs = [new InferInput("in", input)],
                Connections = [new OpenConnection("landing", "folder", new Dictionary<string, string> { ["root"] = "/data" })],
            },
            patience.Token);
    }
}
