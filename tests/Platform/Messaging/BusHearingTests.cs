using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Qualiz.TestKit;
using RabbitMQ.Client;

namespace Qualiz.Platform.Tests.Messaging;

public sealed class BusHearingTests
{
    [Fact]
    public async Task A_process_that_hears_no_answers_any_more_starts_its_bus_anew()
    {
        var surroundings = await TestSurroundings.CreateAsync(TestBus.RabbitMq);
        await using var host = await TestHost.StartAsync(surroundings, _ => { });
        var bus = host.Services.GetRequiredService<IBusControl>();
        var heard = 0;
        using var ear = new Ear(bus.ConnectHandler<Spoken>(_ =>
        {
            Interlocked.Increment(ref heard);
            return Task.CompletedTask;
        }));
        await SpeakUntilHeardAsync();

        // Whatever is sent to this process falls on the floor from now on.
        var name = bus.Address.AbsolutePath.Split('/')[^1];
        await using (var connection = await new ConnectionFactory { Uri = new Uri(surroundings.Settings["Bus:Uri"]!) }.CreateConnectionAsync())
        await using (var channel = await connection.CreateChannelAsync())
            await channel.ExchangeDeleteAsync(name);

        await SpeakUntilHeardAsync();

        async Task SpeakUntilHeardAsync()
        {
            var already = heard;
            await TestHost.UntilAsync(async () =>
            {
                await bus.Send(new Spoken());
                return heard > already ? null : "a word that is heard";
            }, TimeSpan.FromSeconds(90));
        }
    }

    public sealed record Spoken;

    private sealed class Ear(ConnectHandle handle) : IDisposable
    {
        public void Dispose() => handle.Disconnect();
    }
}

internal static class SendToSelf
{
    public static async Task Send(this IBusControl bus, object message) => await (await bus.GetSendEndpoint(bus.Address)).Send(message);
}
