using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Deliver;
using Qualiz.Ingest;
using Qualiz.OperatorKit;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Outbound;
using Qualiz.TestKit;

namespace Qualiz.Benchmarks.Data;

/// <summary>
/// Rows a second from PostgreSQL to PostgreSQL: ingest reads a table into a dataset, deliver appends it to another table of the same server, all or
/// nothing, both with their ledger; beside psql's COPY piped into COPY of the same rows. They take turns.
/// </summary>
internal sealed class PostgresBenchmark : IBenchmark
{
    private const string Whole = "data.pg.rows";
    private const string Ingesting = "data.pg.ingest.rows";
    private const string Delivering = "data.pg.deliver.rows";
    private const int Rows = 2_000_000;
    private const int Rounds = 5;

    public IReadOnlyList<string> Names => [Whole, Ingesting, Delivering];

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
        var guard = new OutboundGuard(configuration);
        var ingest = new IngestOperator(configuration, guard);
        var deliver = new DeliverOperator(guard, configuration);
        var grant = new ResourceGrant(IngestChild.MemoryBytes, IngestChild.Threads);
        await ExecuteAsync(address, string.Create(CultureInfo.InvariantCulture, $"""
            CREATE TABLE source AS
            SELECT i::bigint AS customer_id, 'Customer ' || (i * 7919 % 1000003) AS name, 'user' || i || '@example.org' AS email,
              DATE '1950-01-01' + (i % 20000)::int AS birth_date, ((i % 100000)::numeric / 100)::numeric(18,2) AS balance, i % 3 = 0 AS active
            FROM generate_series(1, {Rows}::bigint) AS i
            """), ct);
        await ExecuteAsync(address, "VACUUM ANALYZE source", ct);

        async Task<(double Ingest, double Deliver)> OursAsync(int round)
        {
            var watch = Stopwatch.StartNew();
            var read = Check(await ingest.ExecuteAsync(
                OperatorBench.Config<IngestConfig>("""{"from": {"connection": "dwh", "table": "public.source"} }"""),
                bench.Step(new StepSetup { Fence = round, StepId = $"in{round}", Grant = grant, Log = NullLogger.Instance }), ct));
            var seconds = watch.Elapsed.TotalSeconds;
            Check(await deliver.ExecuteAsync(
                OperatorBench.Config<DeliverConfig>($$"""{"to": {"connection": "dwh", "table": "public.ours{{round}}"} }"""),
                bench.Step(new StepSetup { Fence = round, Inputs = [new ResolvedInput("in", read.Outputs["out"])], Grant = grant, Log = NullLogger.Instance }), ct));
            var whole = watch.Elapsed.TotalSeconds;
            await ExecuteAsync(address, string.Create(CultureInfo.InvariantCulture, $"DO $$ BEGIN ASSERT (SELECT (count(*), sum(customer_id), sum(balance)) FROM ours{round}) = (SELECT (count(*), sum(customer_id), sum(balance)) FROM source); END $$"), ct);
            await ExecuteAsync(address, string.Create(CultureInfo.InvariantCulture, $"DROP TABLE ours{round}; CHECKPOINT"), ct);
            return (seconds, whole - seconds);
        }

        static StepOutcome Check(StepResult result) => result is StepResult.Completed { Outcome: var outcome } && outcome.Ledger.Single() is { Balances: true, Out: Rows }
            ? outcome
            : throw new InvalidOperationException($"The step failed: {(result as StepResult.Failed)?.Error.Message}");

        // The first one loads the code.
        await OursAsync(0);
        var ours = new List<(double Ingest, double Deliver)>();
        var bare = new List<double>();
        for (var round = 1; round <= Rounds; round++)
        {
            bare.Add(await PipeAsync(address, "public.source", $"public.bare{round.ToString(CultureInfo.InvariantCulture)}", ct));
            await ExecuteAsync(address, string.Create(CultureInfo.InvariantCulture, $"DROP TABLE bare{round}; CHECKPOINT"), ct);
            ours.Add(await OursAsync(round));
            var (reading, writing) = ours[^1];
            say(string.Create(CultureInfo.InvariantCulture, $"psql {Rows / bare[^1]:N0} rows/s, ours {Rows / (reading + writing):N0} rows/s (ingest {Rows / reading:N0}, deliver {Rows / writing:N0})"));
        }
        var psql = Rate(bare);
        (string Name, double Rate)[] figures =
        [
            (Whole, Rate(ours.Select(one => one.Ingest + one.Deliver))),
            (Ingesting, Rate(ours.Select(one => one.Ingest))),
            (Delivering, Rate(ours.Select(one => one.Deliver))),
        ];
        return [.. figures.Where(figure => wanted.Contains(figure.Name)).Select(figure => new Figure(figure.Name, figure.Rate, "rows/s", psql, figure.Rate / psql))];
    }

    private static double Rate(IEnumerable<double> seconds) => Rows / seconds.Order().ElementAt(Rounds / 2);

    private static async Task ExecuteAsync(NpgsqlConnectionStringBuilder address, string sql, CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(address.ConnectionString);
        await connection.OpenAsync(ct);
        foreach (var statement in sql.StartsWith("DROP", StringComparison.Ordinal) ? sql.Split(';') : [sql])
        {
            await using var command = new NpgsqlCommand(statement, connection) { CommandTimeout = 300 };
            await command.ExecuteNonQueryAsync(ct);
        }
    }

    private static async Task<double> PipeAsync(NpgsqlConnectionStringBuilder address, string from, string to, CancellationToken ct)
    {
        await ExecuteAsync(address, $"CREATE TABLE {to} (LIKE {from})", ct);
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
