using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Qualiz.TestKit;

namespace Qualiz.Platform.Tests.Messaging;

public sealed class BusHearingTests
{
    [Fact]
    public async Task A_process_that_can_send_but_hears_no_answers_any_more_ends_itself_with_an_error()
    {
        await using var host = await TestHost.StartAsync(_ => { }, bus: TestBus.RabbitMq, settings: new Dictionary<string, string?> { ["Bus:Patience"] = "00:00:12" });
        var bus = host.Services.GetRequiredService<IBusControl>();
        var ending = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;

        // More than it takes at once, each handled without end: whatever comes behind is not heard.
        var plug = bus.ConnectHandler<Plug>(context => Task.Delay(Timeout.Infinite, context.CancellationToken));
        var endpoint = await bus.GetSendEndpoint(bus.Address);
        await Task.WhenAll(Enumerable.Range(0, 500).Select(_ => endpoint.Send(new Plug())));

        await TestHost.UntilAsync(() => ending.IsCancellationRequested ? null : "a process that ends", TimeSpan.FromSeconds(90));
        Environment.ExitCode.ShouldBe(1);
        Environment.ExitCode = 0;
        plug.Disconnect();
    }

    public sealed record Plug;
}
