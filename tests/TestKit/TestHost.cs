using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Qualiz.Platform.Hosting;

namespace Qualiz.TestKit;

public enum TestBus
{
    InProcess,
    RabbitMq,
}

/// <summary>Modules, started as a service would start them, inside the test's process and on a free port.</summary>
public sealed class TestHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TestHost(WebApplication app, TestSurroundings surroundings)
    {
        _app = app;
        Surroundings = surroundings;
        Client = new HttpClient
        {
            BaseAddress = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()),
        };
    }

    public TestSurroundings Surroundings { get; }
    public IServiceProvider Services => _app.Services;
    public HttpClient Client { get; }

    /// <summary>With a new database and, on RabbitMQ, a new virtual host.</summary>
    public static async Task<TestHost> StartAsync(
        Action<IHostApplicationBuilder> add, Action<IEndpointRouteBuilder>? map = null, TestBus bus = TestBus.InProcess, IReadOnlyDictionary<string, string?>? settings = null) =>
        await StartAsync(await TestSurroundings.CreateAsync(bus), add, map, settings);

    /// <summary>Another host (or the same one, started again) in the same surroundings.</summary>
    public static async Task<TestHost> StartAsync(
        TestSurroundings surroundings, Action<IHostApplicationBuilder> add, Action<IEndpointRouteBuilder>? map = null, IReadOnlyDictionary<string, string?>? settings = null)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Test" });
        builder.Configuration.AddInMemoryCollection(surroundings.Settings);
        if (settings is not null)
            builder.Configuration.AddInMemoryCollection(settings);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = QualizHost.Build(builder, add, map);
        try
        {
            await app.StartAsync();
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
        return new TestHost(app, surroundings);
    }

    /// <summary>Polls until <paramref name="probe"/> gives nothing missing; fails with what it last said.</summary>
    public static async Task UntilAsync(Func<Task<string?>> probe, TimeSpan? patience = null)
    {
        var until = DateTime.UtcNow + (patience ?? TimeSpan.FromSeconds(30));
        while (true)
        {
            if (await probe() is not { } missing)
                return;
            if (DateTime.UtcNow > until)
                throw new TimeoutException($"Still missing: {missing}");
            await Task.Delay(20);
        }
    }

    public static Task UntilAsync(Func<string?> probe, TimeSpan? patience = null) => UntilAsync(() => Task.FromResult(probe()), patience);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}

/// <summary>A database and a bus that hosts share.</summary>
public sealed record TestSurroundings(TestBus Bus, string Database, IReadOnlyDictionary<string, string?> Settings)
{
    public static async Task<TestSurroundings> CreateAsync(TestBus bus)
    {
        var database = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        return Create(bus, database, bus == TestBus.RabbitMq ? await (await RabbitMqServer.SharedAsync()).CreateVirtualHostAsync() : null);
    }

    public static TestSurroundings Create(TestBus bus, string database, string? broker) => new(bus, database, new Dictionary<string, string?>
    {
        ["ConnectionStrings:Qualiz"] = database,
        ["Bus:Transport"] = bus.ToString(),
        ["Bus:Uri"] = broker,
        ["Database:MaxConnections"] = "40",
        // Tests say themselves when a disk is full.
        ["Store:MinFree"] = "0",
        ["Logging:LogLevel:Default"] = Environment.GetEnvironmentVariable("QUALIZ_TEST_LOG") is { Length: > 0 } level ? level : "None",
    });
}
