using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;

namespace Qualiz.Platform.Outbound;

/// <summary>
/// Stands between the platform and addresses that users give. A host is resolved once and the caller connects to the
/// address that was checked, so that a name cannot mean something else a moment later.
/// </summary>
public sealed class OutboundGuard
{
    /// <summary>IANA's special-purpose blocks: this machine, private networks, link-local (cloud metadata lives there), multicast, documentation, reserved.</summary>
    private static readonly IPNetwork[] Refused4 =
    [
        .. ((string[])
        [
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
            "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        ]).Select(IPNetwork.Parse),
    ];

    private static readonly IPNetwork Global6 = IPNetwork.Parse("2000::/3");
    private static readonly IPNetwork[] Refused6 = [.. ((string[])["2001::/23", "2001:db8::/32", "3fff::/20"]).Select(IPNetwork.Parse)];
    private static readonly IPNetwork SixToFour = IPNetwork.Parse("2002::/16");
    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");

    private readonly HashSet<string> _hosts = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<IPNetwork> _networks = [];
    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve;

    /// <exception cref="InvalidOperationException">An entry of <c>Outbound:Allow</c> is malformed.</exception>
    public OutboundGuard(IConfiguration configuration)
        : this(Allowed(configuration), Dns.GetHostAddressesAsync)
    {
    }

    internal OutboundGuard(IEnumerable<string> allow, Func<string, CancellationToken, Task<IPAddress[]>> resolve)
    {
        _resolve = resolve;
        foreach (var entry in allow)
        {
            if (IPAddress.TryParse(entry, out var address))
                _networks.Add(new IPNetwork(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128));
            else if (entry.Contains('/', StringComparison.Ordinal))
                _networks.Add(IPNetwork.TryParse(entry, out var network) ? network : throw new InvalidOperationException($"Outbound:Allow has \"{entry}\", which is no network such as 10.0.0.0/8."));
            else
                _hosts.Add(entry.TrimEnd('.'));
        }
    }

    /// <summary>The address to connect to.</summary>
    /// <exception cref="OutboundRefusedException">The host is unknown, malformed, or lies where the platform must not go.</exception>
    public async Task<IPAddress> ResolveAsync(string host, CancellationToken ct)
    {
        host = host.Trim();
        if (host.StartsWith('[') && host.EndsWith(']'))
            host = host[1..^1];
        // Sockets, host lists, zones and anything that a client library might read in its own way.
        if (host.Length is 0 or > 253 || !host.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or ':'))
            throw new OutboundRefusedException("The host is not a name or an address.");

        // Also reads the decimal, octal and hexadecimal forms of an IPv4 address, as the C library does when it connects.
        IPAddress[] addresses;
        if (IPAddress.TryParse(host, out var literal))
        {
            addresses = [literal];
        }
        else
        {
            try
            {
                addresses = await _resolve(host.TrimEnd('.'), ct);
            }
            catch (SocketException)
            {
                throw new OutboundRefusedException($"The host {host} is not known.");
            }
        }

        addresses = [.. addresses.Select(address => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address)];
        if (addresses.Length == 0)
            throw new OutboundRefusedException($"The host {host} has no address.");
        if (!_hosts.Contains(host.TrimEnd('.')) && addresses.Any(address => !IsAllowed(address)))
        {
            throw new OutboundRefusedException(
                $"The host {host} is on a private or local network. An administrator can allow it in Outbound:Allow.");
        }

        return addresses.FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork) ?? addresses[0];
    }

    /// <summary>
    /// For an HTTP client that connects only where the guard lets it: to the very address that was checked, through no proxy, and
    /// without following redirects, which would lead elsewhere. An <see cref="OutboundRefusedException"/> comes inside the client's own.
    /// </summary>
    public SocketsHttpHandler CreateHandler() => new()
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        ConnectCallback = async (context, ct) =>
        {
            var address = await ResolveAsync(context.DnsEndPoint.Host, ct);
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(address, context.DnsEndPoint.Port, ct);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        },
    };

    private bool IsAllowed(IPAddress address) => _networks.Any(network => network.Contains(address)) || IsPublic(address);

    private static bool IsPublic(IPAddress address)
    {
        if (address.AddressFamily == AddressFamily.InterNetwork)
            return !Refused4.Any(network => network.Contains(address));
        var bytes = address.GetAddressBytes();
        if (Nat64.Contains(address))
            return IsPublic(new IPAddress(bytes.AsSpan(12, 4)));
        if (SixToFour.Contains(address))
            return IsPublic(new IPAddress(bytes.AsSpan(2, 4)));
        return Global6.Contains(address) && !Refused6.Any(network => network.Contains(address));
    }

    /// <summary>A list, or one text with commas as environment variables have it.</summary>
    private static IEnumerable<string> Allowed(IConfiguration configuration)
    {
        var section = configuration.GetSection("Outbound:Allow");
        return section.GetChildren().Select(child => child.Value).Append(section.Value)
            .SelectMany(value => (value ?? "").Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
    }
}

/// <summary>An address that the platform must not connect to; the message is for a person.</summary>
public sealed class OutboundRefusedException(string message) : Exception(message);
