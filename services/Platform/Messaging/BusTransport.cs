using Microsoft.Extensions.Configuration;

namespace Qualiz.Platform.Messaging;

public static class BusTransport
{
    public const string InProcess = "InProcess";
    public const string RabbitMq = "RabbitMq";

    public static string Of(IConfiguration configuration) => configuration["Bus:Transport"] switch
    {
        null or "" or InProcess => InProcess,
        RabbitMq => RabbitMq,
        var other => throw new InvalidOperationException($"Bus:Transport is '{other}'; it must be {InProcess} or {RabbitMq}."),
    };

    public static Uri Address(IConfiguration configuration) =>
        configuration["Bus:Uri"] is { Length: > 0 } address
            ? new Uri(address)
            : throw new InvalidOperationException("Bus:Uri is not set (environment: Bus__Uri): the broker's address, amqp://user:password@host:port/vhost.");
}
