using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Configuration;
using Npgsql;
using Qualiz.Deliver;
using Qualiz.OperatorKit;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Outbound;
using Qualiz.TestKit;

namespace Qualiz.Benchmarks.Data;

/// <summary>
/// Rows a second into PostgreSQL: deliver appends a dataset, all or nothing and with its record, beside psql's COPY piped into
/// COPY of the same rows between two tables of the same server. They take turns.
/// </summary>
internal sealed class PostgresBenchmark : IBenchmark
{
    private const string Name = "data.pg.rows";
    private const int Rows = 2_000_000;
    private const int Rounds = 3;

    public IReadOnlyList<string> Names => [Name];

    public async Task<IReadOnlyList<Figure>> RunAsync(IReadOnlySet<string> wanted, Action<string> say, CancellationToken ct)
    {
        var address = new NpgsqlConnectionStringBuilder(await (await PostgresServer.SharedAsync()).CreateDatabaseAsync()) { Pooling = false };
        using var bench = new OperatorBench();
        bench.Connections["dwh"] = new Connection("dwh", "postgres", new Dictionary<string, string>
        {
            ["host"] = address.Host!,
            ["port"] = address.Port.ToString(CultureInfo.InvariantCulture),
            ["database"] = address.Database!,
            ["user"] = address.Username!,
            ["password"] = address.Password ?? "",
            ["sslMode"] = "disable",
        });
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Outbound:Allow:0"] = "127.0.0.0/8" }).Build();
        var deliver = new DeliverOperator(new OutboundGuard(configuration), configuration);
        var input = await bench.InputAsync(string.Create(CultureInfo.InvariantCulture, $"""
            SELECT i AS customer_id, 'Customer ' || (i * 7919 % 1000003) AS name, 'user' || i || '@example.org' AS email,
                   DATE '1950-01-01' + CAST(i % 20000 AS INTEGER) AS birth_date, CAST(i % 100000 AS DECIMAL(18,2)) / 100 AS balance, i % 3 = 0 AS active
            FROM range({Rows}) AS t(i)
            """));

        async Task<double> OursAsync(int round)
        {
            var watch = Stopwatch.StartNew();
            var result = await deliver.ExecuteAsync(
                OperatorBench.Config<DeliverConfig>($$"""{"to": {"connection": "dwh", "table": "public.ours{{round}}"} }"""),
                bench.Step(new StepSetup { Inputs = [input], Grant = new ResourceGrant(IngestChild.MemoryBytes, IngestChild.Threads) }), ct);
            var seconds = watch.Elapsed.TotalSeconds;
            return result is StepResult.Completed { Outcome: var outcome } && outcome.Ledger.Single() is { Balances: true, Out: Rows }
                ? seconds
                : throw new InvalidOperationException($"The delivery failed: {(result as StepResult.Failed)?.Error.Message}");
        }

        // The first one also fills the table that psql copies from, and loads the code.
        await OursAsync(0);
        var ours = new List<double>();
        var bare = new List<double>();
        for (var round = 1; round <= Rounds; round++)
        {
            bare.Add(await PipeAsync(address, "public.ours0", $"public.bare{round.ToString(CultureInfo.InvariantCulture)}", ct));
            ours.Add(await OursAsync(round));
            say(string.Create(CultureInfo.InvariantCulture, $"psql {Rows / bare[^1]:N0} rows/s, ours {Rows / ours[^1]:N0} rows/s"));
        }
        var (oursRate, bareRate) = (Rows / ours.Order().ElementAt(Rounds / 2), Rows / bare.Order().ElementAt(Rounds / 2));
        return [new Figure(Name, oursRate, "rows/s", bareRate, oursRate / bareRate)];
    }

    private static async Task<double> PipeAsync(NpgsqlConnectionStringBuilder address, string from, string to, CancellationToken ct)
    {
        await using (var source = NpgsqlDataSource.Create(address.ConnectionString))
        await using (var command = source.CreateCommand($"CREATE TABLE {to} (LIKE {from})"))
            await command.ExecuteNonQueryAsync(ct);
        var start = new ProcessStartInfo("bash", ["-c", """
            set -eo pipefail
            bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
            PATH="$bin:$PATH"
            psql -X -q -c "COPY $1 TO STDOUT" | psql -X -q -c "COPY $2 FROM STDIN"
            """, "pipe", from, to]);
        start.Environment["PGHOST"] = address.Host;
        start.Environment["PGPORT"] = address.Port.ToString(CultureInfo.InvariantCulture);
        start.Environment["PGUSER"] = address.Username;
        start.Environment["PGPASSWORD"] = address.Password ?? "";
        start.Environment["PGDATABASE"] = address.Database;
        var watch = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        await process.WaitForExitAsync(ct);
        return process.ExitCode == 0 ? watch.Elapsed.TotalSeconds : throw new InvalidOperationException($"psql failed with exit code {process.ExitCode}.");
    }
}
