using System.Net;
using Npgsql;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Outbound;

namespace Qualiz.Platform.Tests.Outbound;

public sealed class PostgresConnectionTests
{
    private static readonly OutboundGuard Guard = new([], (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse("93.184.216.34")]));

    [Fact]
    public async Task Only_known_settings_are_used_and_the_address_is_the_one_that_was_checked()
    {
        var built = (await OpenAsync(
            ("HOST", "db.example.org"), ("port", "6432"), ("database", "sales"), ("username", "reader"), ("password", "x;Host=evil"), ("sslMode", "verify-full"),
            ("rootCertificate", "/etc/passwd"), ("Options", "-c role=admin"), ("Include Error Detail", "true"))).ConnectionStringBuilder;
        (built.Host, built.Port, built.Database, built.Username, built.Password, built.SslMode).ShouldBe(("93.184.216.34", 6432, "sales", "reader", "x;Host=evil", SslMode.VerifyFull));
        (built.RootCertificate, built.Options, built.IncludeErrorDetail, built.Pooling).ShouldBe((null, null, false, false));
        built.ApplicationName.ShouldBe("qualiz " + new string('p', 53));
        var least = (await OpenAsync(("host", "h"), ("database", "d"), ("user", "u"))).ConnectionStringBuilder;
        (least.Port, least.SslMode, least.Password).ShouldBe((5432, SslMode.Prefer, null));
    }

    [Theory]
    [InlineData("host", "", "has no host")]
    [InlineData("database", "", "has no database")]
    [InlineData("user", "", "has no user")]
    [InlineData("port", "0", "has no valid port")]
    [InlineData("port", "65536", "has no valid port")]
    [InlineData("port", "5432,6432", "has no valid port")]
    [InlineData("sslMode", "yes", "has an unknown sslMode; it is disable, prefer, require, verify-ca or verify-full")]
    [InlineData("sslMode", "17", "has an unknown sslMode; it is disable, prefer, require, verify-ca or verify-full")]
    public async Task What_is_wrong_is_named(string setting, string value, string message) =>
        (await Should.ThrowAsync<ArgumentException>(() => OpenAsync([.. new[] { ("host", "h"), ("database", "d"), ("user", "u") }.Where(pair => pair.Item1 != setting), (setting, value)])))
            .Message.ShouldBe(message);

    [Fact]
    public async Task Another_kind_of_connection_and_a_private_host_are_refused()
    {
        var settings = new Dictionary<string, string> { ["host"] = "10.0.0.1", ["database"] = "d", ["user"] = "u" };
        (await Should.ThrowAsync<ArgumentException>(() => PostgresConnection.OpenAsync(new Connection("c", "s3", settings), Guard, "test", default))).Message.ShouldBe("is of type s3 and no PostgreSQL server");
        await Should.ThrowAsync<OutboundRefusedException>(() => PostgresConnection.OpenAsync(new Connection("c", PostgresConnection.Type, settings), Guard, "test", default));
    }

    private static Task<NpgsqlDataSourceBuilder> OpenAsync(params (string Name, string Value)[] settings) =>
        PostgresConnection.OpenAsync(new Connection("dwh", PostgresConnection.Type, settings.ToDictionary(pair => pair.Name, pair => pair.Value)), Guard, new string('p', 99), default);
}
