using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Qualiz.Notify.Channels;
using Qualiz.Notify.Records;
using Qualiz.Notify.Steps;
using Qualiz.OperatorKit;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Outbound;
using Qualiz.TestKit;

namespace Qualiz.Notify.Tests;

/// <summary>The service with a database, and a receiver of webhooks on this machine.</summary>
public sealed class NotifyHost : IAsyncLifetime
{
    private TestHost _host = null!;
    private WebApplication _receiver = null!;
    private readonly string _folder = Directory.CreateTempSubdirectory("qualiz-test-notify-").FullName;

    public IServiceProvider Services => _host.Services;

    /// <summary>Where webhooks are received.</summary>
    public string Url { get; private set; } = "";
    public ConcurrentQueue<Received> Received { get; } = [];

    /// <summary>What the receiver answers.</summary>
    public Func<HttpContext, Task> Answer { get; set; } = _ => Task.CompletedTask;

    public async Task InitializeAsync()
    {
        _host = await TestHost.StartAsync(builder => builder.AddNotify(), _ => { }, TestBus.InProcess, new Dictionary<string, string?>
        {
            ["Store:Root"] = Path.Combine(_folder, "store"),
            ["Engine:Scratch"] = Path.Combine(_folder, "scratch"),
            ["Outbound:Allow:0"] = "127.0.0.1",
        });
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        _receiver = builder.Build();
        _receiver.Urls.Add("http://127.0.0.1:0");
        _receiver.Run(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            Received.Enqueue(new Received(context.Request.Path, await reader.ReadToEndAsync(), context.Request.Headers["Idempotency-Key"].ToString(), context.Request.Headers.Authorization.ToString()));
            await Answer(context);
        });
        await _receiver.StartAsync();
        Url = _receiver.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
    }

    public async Task DisposeAsync()
    {
        await _receiver.DisposeAsync();
        await _host.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

/// <summary>A request that the receiver saw.</summary>
public sealed record Received(string Path, string Body, string Key, string Authorization);

/// <summary>Notify steps of one test.</summary>
internal sealed class NotifyBench : IDisposable
{
    private readonly NotifyHost _host;
    private readonly OperatorBench _bench = new();

    public NotifyBench(NotifyHost host, SmtpServer? smtp = null)
    {
        _host = host;
        host.Answer = _ => Task.CompletedTask;
        _bench.Add(new Connection("hook", "webhook", new Dictionary<string, string> { ["url"] = $"{host.Url}/hook/{Mark}", ["authorization"] = "Bearer secret-4711" }));
        _bench.Add(new Connection("data", "slack", new Dictionary<string, string> { ["url"] = $"{host.Url}/slack/{Mark}" }));
        if (smtp is not null)
            _bench.Add(new Connection("mail", "smtp", new Dictionary<string, string> { ["host"] = smtp.Host, ["port"] = smtp.Port, ["from"] = "qualiz@example.org", ["encryption"] = "none" }));
    }

    /// <summary>Tells this test's messages from those of others.</summary>
    public string Mark { get; } = Guid.NewGuid().ToString("N");
    public OperatorBench Bench => _bench;
    public Guid Run { get; } = Guid.CreateVersion7();
    public IReadOnlyList<Received> Received => [.. _host.Received.Where(request => request.Path.EndsWith(Mark, StringComparison.Ordinal))];

    public async Task<StepResult> RunAsync(string config, Guid? run = null, OutboundGuard? guard = null)
    {
        await using var scope = _host.Services.CreateAsyncScope();
        var services = scope.ServiceProvider;
        var own = guard is null ? null : new GuardedHttp(guard);
        var senders = guard is null ? services.GetRequiredService<MessageSenders>() : new MessageSenders(guard, own!);
        using (own)
        {
            return await new NotifyOperator(services.GetRequiredService<SentRecords>(), senders).ExecuteAsync(
                OperatorBench.Config<NotifyConfig>(config), _bench.Step(new StepSetup { Run = run ?? Run }), default);
        }
    }

    public void Dispose() => _bench.Dispose();

    public static Func<HttpContext, Task> Status(HttpStatusCode status) => context =>
    {
        context.Response.StatusCode = (int)status;
        return Task.CompletedTask;
    };
}
