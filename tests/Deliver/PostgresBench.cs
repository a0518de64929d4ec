using Microsoft.Extensions.Configuration;
using Npgsql;
using Qualiz.Contracts.Runs.V1;
using Qualiz.OperatorKit;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Outbound;
using Qualiz.TestKit;

namespace Qualiz.Deliver.Tests;

/// <summary>Deliver steps against a database of the test class's own.</summary>
public sealed class PostgresBench : IAsyncLifetime
{
    private NpgsqlConnectionStringBuilder _address = null!;

    internal OperatorBench Bench { get; } = new();

    internal NpgsqlDataSource Source { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        _address = new NpgsqlConnectionStringBuilder(await (await PostgresServer.SharedAsync()).CreateDatabaseAsync()) { Pooling = false };
        Source = NpgsqlDataSource.Create(_address.ConnectionString);
        Bench.Connections["dwh"] = Connection(_address.Username!, _address.Password);
    }

    public async Task DisposeAsync()
    {
        await Source.DisposeAsync();
        Bench.Dispose();
    }

    internal Connection Connection(string user, string? password, int? port = null) => new("dwh", "postgres", new Dictionary<string, string>
    {
        ["host"] = _address.Host!,
        ["port"] = $"{port ?? _address.Port}",
        ["database"] = _address.Database!,
        ["user"] = user,
        ["password"] = password ?? "",
        ["sslMode"] = "disable",
    });

    internal static DeliverOperator Operator(params (string Key, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Append(("Outbound:Allow:0", "127.0.0.0/8")).Select(setting => KeyValuePair.Create(setting.Item1, (string?)setting.Item2)))
            .Build();
        return new DeliverOperator(new OutboundGuard(configuration), configuration);
    }

    internal Task<StepResult> RunAsync(string config, ResolvedInput input, long fence = 1, Guid? run = null, CancellationToken ct = default) =>
        Operator().ExecuteAsync(OperatorBench.Config<DeliverConfig>(config), Bench.Step(fence, run, input), ct);

    internal async Task<StepOutcome> DeliverAsync(string config, ResolvedInput input, long fence = 1, Guid? run = null)
    {
        var result = await RunAsync(config, input, fence, run);
        (result as StepResult.Failed)?.Error.Message.ShouldBeNull();
        return result.ShouldBeOfType<StepResult.Completed>().Outcome;
    }

    internal async Task<StepError> FailAsync(string config, ResolvedInput input, long fence = 1, Guid? run = null) =>
        (await RunAsync(config, input, fence, run)).ShouldBeOfType<StepResult.Failed>().Error;

    internal async Task ExecuteAsync(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    internal async Task<IReadOnlyList<string>> QueryAsync(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<string>();
        while (await reader.ReadAsync())
            rows.Add(string.Join("|", Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? "∅" : Convert.ToString(reader.GetValue(i), System.Globalization.CultureInfo.InvariantCulture))));
        return rows;
    }

    internal async Task<string> OneAsync(string sql) => (await QueryAsync(sql)).Single();
}
