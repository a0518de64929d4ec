using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using Qualiz.Platform.Outbound;

namespace Qualiz.Platform.Tests.Outbound;

public sealed class OutboundGuardTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.1")]
    [InlineData("2130706433")]
    [InlineData("0x7f000001")]
    [InlineData("0177.0.0.1")]
    [InlineData("0")]
    [InlineData("0.0.0.0")]
    [InlineData("10.1.2.3")]
    [InlineData("172.31.255.255")]
    [InlineData("192.168.0.1")]
    [InlineData("100.64.0.1")]
    [InlineData("169.254.169.254")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::1")]
    [InlineData("::")]
    [InlineData("[::1]")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:a9fe:a9fe")]
    [InlineData("::127.0.0.1")]
    [InlineData("fe80::1")]
    [InlineData("fe80::1%eth0")]
    [InlineData("fc00::1")]
    [InlineData("fd00:ec2::254")]
    [InlineData("64:ff9b::a9fe:a9fe")]
    [InlineData("2002:7f00:1::")]
    [InlineData("2001:db8::1")]
    [InlineData("localhost")]
    [InlineData("inside.example")]
    [InlineData("mixed.example")]
    [InlineData("unknown.example")]
    [InlineData("/var/run/postgresql")]
    [InlineData("@socket")]
    [InlineData("public.example,127.0.0.1")]
    [InlineData("public.example/../x")]
    [InlineData("")]
    [InlineData("１２７.0.0.1")]
    public async Task An_address_inside_is_refused(string host) =>
        await Should.ThrowAsync<OutboundRefusedException>(() => Guard().ResolveAsync(host, default));

    [Theory]
    [InlineData("public.example", "93.184.216.34")]
    [InlineData("PUBLIC.example.", "93.184.216.34")]
    [InlineData("93.184.216.34", "93.184.216.34")]
    [InlineData("::ffff:93.184.216.34", "93.184.216.34")]
    [InlineData("2606:2800:220:1::1", "2606:2800:220:1::1")]
    [InlineData("172.32.0.1", "172.32.0.1")]
    public async Task A_public_address_is_given_back(string host, string address) =>
        (await Guard().ResolveAsync(host, default)).ShouldBe(IPAddress.Parse(address));

    [Fact]
    public async Task What_an_administrator_allows_is_allowed_and_nothing_beside_it()
    {
        var guard = Guard("inside.example", "127.0.0.0/8", "fd00::5");
        (await guard.ResolveAsync("inside.example", default)).ShouldBe(IPAddress.Parse("10.0.0.5"));
        (await guard.ResolveAsync("localhost", default)).ShouldBe(IPAddress.Loopback);
        (await guard.ResolveAsync("fd00::5", default)).ShouldBe(IPAddress.Parse("fd00::5"));
        await Should.ThrowAsync<OutboundRefusedException>(() => guard.ResolveAsync("10.0.0.5", default));
        await Should.ThrowAsync<OutboundRefusedException>(() => guard.ResolveAsync("fd00::6", default));
    }

    [Fact]
    public async Task The_list_may_be_one_text()
    {
        var guard = new OutboundGuard(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Outbound:Allow"] = "127.0.0.1, 10.0.0.0/8" }).Build());
        (await guard.ResolveAsync("127.0.0.1", default)).ShouldBe(IPAddress.Loopback);
        (await guard.ResolveAsync("10.9.8.7", default)).ShouldBe(IPAddress.Parse("10.9.8.7"));
    }

    [Fact]
    public void A_malformed_entry_is_told_at_start() =>
        Should.Throw<InvalidOperationException>(() => Guard("10.0.0.0/99")).Message.ShouldContain("10.0.0.0/99");

    [Fact]
    public async Task A_name_is_resolved_once()
    {
        var asked = 0;
        var guard = new OutboundGuard([], (_, _) =>
        {
            asked++;
            return Task.FromResult(new[] { IPAddress.Parse("93.184.216.34") });
        });
        await guard.ResolveAsync("public.example", default);
        asked.ShouldBe(1);
    }

    private static OutboundGuard Guard(params string[] allow) => new(allow, (host, _) => Task.FromResult(host.ToLowerInvariant() switch
    {
        "public.example" => new[] { IPAddress.Parse("93.184.216.34"), IPAddress.Parse("2606:2800:220:1::1") },
        "inside.example" => [IPAddress.Parse("10.0.0.5")],
        "mixed.example" => [IPAddress.Parse("93.184.216.34"), IPAddress.Parse("127.0.0.1")],
        "localhost" => [IPAddress.Loopback],
        _ => throw new SocketException((int)SocketError.HostNotFound),
    }));
}
