using Qualiz.Platform.Messaging;
using Qualiz.TestKit;
using RabbitMQ.Client;

namespace Qualiz.Platform.Tests.Messaging;

public sealed class InfrastructureFaultTests
{
    /// <summary>So it ends when the broker goes while a channel is used; whoever sends then must send again, and no service may end of it.</summary>
    [Fact]
    public async Task A_channel_that_is_gone_is_waited_for()
    {
        var server = await RabbitMqServer.SharedAsync();
        await using var connection = await new ConnectionFactory { Uri = new Uri(await server.CreateVirtualHostAsync()) }.CreateConnectionAsync();
        var channel = await connection.CreateChannelAsync();
        await channel.DisposeAsync();
        var gone = await Should.ThrowAsync<ObjectDisposedException>(() => channel.ExchangeDeclareAsync("any", ExchangeType.Fanout));
        InfrastructureFault.Is(gone).ShouldBeTrue(gone.ToString());
        InfrastructureFault.Is(new InvalidOperationException("around it", gone)).ShouldBeTrue();
    }

    [Fact]
    public void Using_what_one_has_disposed_oneself_is_a_mistake()
    {
        var stream = new MemoryStream();
        stream.Dispose();
        InfrastructureFault.Is(Should.Throw<ObjectDisposedException>(() => stream.WriteByte(1))).ShouldBeFalse();
    }
}
