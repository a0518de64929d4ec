using System.Globalization;

namespace Qualiz.TestKit;

/// <summary>
/// The RabbitMQ node of this test process: a private one, or the one that QUALIZ_TEST_RABBITMQ names (amqp://user:password@host:port).
/// QUALIZ_TEST_RABBITMQ_FOLDER says where infra/local/rabbitmq.sh runs that one, so that it can be controlled too.
/// </summary>
public sealed class RabbitMqServer
{
    private static readonly Lazy<Task<RabbitMqServer>> s_shared = new(() => StartAsync(Environment.GetEnvironmentVariable("QUALIZ_TEST_RABBITMQ")));
    private static int s_hosts;
    private readonly LocalServer? _local;

    private RabbitMqServer(string address, LocalServer? local)
    {
        Address = address;
        _local = local;
    }

    /// <summary>amqp://user:password@host:port, without a virtual host.</summary>
    public string Address { get; }

    public static Task<RabbitMqServer> SharedAsync() => s_shared.Value;

    /// <summary>A server of the test's own, which it may stop and kill.</summary>
    /// <param name="settings">Environment variables of infra/local/rabbitmq.sh.</param>
    public static Task<RabbitMqServer> StartPrivateAsync(IReadOnlyDictionary<string, string>? settings = null) => StartAsync(null, settings);

    private static async Task<RabbitMqServer> StartAsync(string? address, IReadOnlyDictionary<string, string>? settings = null)
    {
        if (!string.IsNullOrEmpty(address))
        {
            var folder = Environment.GetEnvironmentVariable("QUALIZ_TEST_RABBITMQ_FOLDER");
            return new RabbitMqServer(address.TrimEnd('/'), string.IsNullOrEmpty(folder) ? null : LocalServer.At("rabbitmq.sh", folder, new Uri(address).Port));
        }
        var local = await LocalServer.StartAsync("rabbitmq.sh", settings);
        return new RabbitMqServer($"amqp://guest:guest@127.0.0.1:{local.Port.ToString(CultureInfo.InvariantCulture)}", local);
    }

    /// <summary>A new empty virtual host; its address. On a server that is not ours, it must be the default one.</summary>
    public async Task<string> CreateVirtualHostAsync()
    {
        if (_local is null)
            return Address;
        // Other test processes use the same node.
        var name = string.Create(CultureInfo.InvariantCulture, $"test{Environment.ProcessId}-{Interlocked.Increment(ref s_hosts)}");
        await ControlAsync("--quiet", "add_vhost", name);
        await ControlAsync("--quiet", "set_permissions", "-p", name, "guest", ".*", ".*", ".*");
        return $"{Address}/{name}";
    }

    /// <summary><c>rabbitmqctl</c>.</summary>
    public Task<string> ControlAsync(params string[] arguments) => Local.RunAsync(["ctl", Local.Folder, .. arguments]);

    public Task StopAsync() => Local.StopAsync();

    /// <summary>kill -9 of the node.</summary>
    public Task KillAsync() => Local.KillAsync("pid");

    public Task StartAgainAsync() => Local.StartAgainAsync();

    private LocalServer Local => _local ?? throw new InvalidOperationException("QUALIZ_TEST_RABBITMQ names a server that is not ours to control.");
}
