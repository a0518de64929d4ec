using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Qualiz.Platform.Messaging;

namespace Qualiz.Platform.Data;

/// <summary>
/// Brings every schema of this process up to date before anything else starts. Scripts are ordered, never edited once
/// applied, and expand before they contract, so that the previous version still runs against the new schema.
/// </summary>
internal sealed partial class MigrationRunner(ServiceDatabases databases, IConfiguration configuration, ILogger<MigrationRunner> logger)
    : IHostedLifecycleService
{
    /// <summary>One for the whole database: schemas grant to each other.</summary>
    private const long MigrationLock = 0x5175616C697A01;

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        var backOff = new BackOff();
        while (true)
        {
            try
            {
                await MigrateAsync(cancellationToken);
                return;
            }
            catch (Exception exception) when (InfrastructureFault.Is(exception))
            {
                var wait = backOff.Next();
                logger.LogWarning("The database cannot be reached; trying again in {Wait}: {Reason}", wait, exception.Message);
                await Task.Delay(wait, cancellationToken);
            }
        }
    }

    internal async Task MigrateAsync(CancellationToken ct)
    {
        var settings = new NpgsqlConnectionStringBuilder(DatabaseRegistration.ConnectionString(configuration))
        {
            ApplicationName = "qualiz migrations",
            Pooling = false,
            CommandTimeout = 0,
        };
        await using var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync(ct);
        await ExecuteAsync(connection, $"SELECT pg_advisory_lock({MigrationLock})", ct);

        await MigrateSchemaAsync(connection, BusSchema.Name, MigrationScript.Of(typeof(MigrationRunner).Assembly), ct);
        foreach (var database in databases.All)
        {
            await EnsureRoleAsync(connection, database.Name, ct);
            await ExecuteAsync(connection, BusSchema.Grants(database.Name), ct);
            await MigrateSchemaAsync(connection, database.Name, MigrationScript.Of(database.Scripts), ct);
        }
    }

    private async Task MigrateSchemaAsync(NpgsqlConnection connection, string schema, IReadOnlyList<MigrationScript> scripts, CancellationToken ct)
    {
        if (!SchemaName().IsMatch(schema))
            throw new InvalidOperationException($"'{schema}' cannot name a schema: lower-case letters, digits and underscores.");
        await EnsureRoleAsync(connection, schema, ct);
        await ExecuteAsync(connection,
            $"""
            CREATE SCHEMA IF NOT EXISTS "{schema}" AUTHORIZATION "{schema}";
            SET ROLE "{schema}";
            SET search_path = "{schema}";
            CREATE TABLE IF NOT EXISTS migration (
                name text PRIMARY KEY, hash text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());
            """, ct);

        var applied = new Dictionary<string, string>();
        await using (var command = new NpgsqlCommand("SELECT name, hash FROM migration", connection))
        await using (var reader = await command.ExecuteReaderAsync(ct))
        {
            while (await reader.ReadAsync(ct))
                applied.Add(reader.GetString(0), reader.GetString(1));
        }

        foreach (var script in scripts)
        {
            if (applied.TryGetValue(script.Name, out var hash))
            {
                if (hash != script.Hash)
                    throw new InvalidOperationException(
                        $"Migration {script.Name} of schema '{schema}' was edited after it had been applied; restore it and write a new script instead.");
                continue;
            }
            await using var transaction = await connection.BeginTransactionAsync(ct);
            await ExecuteAsync(connection, script.Text, ct);
            await using var record = new NpgsqlCommand("INSERT INTO migration (name, hash) VALUES ($1, $2)", connection)
            {
                Parameters = { new() { Value = script.Name }, new() { Value = script.Hash } },
            };
            await record.ExecuteNonQueryAsync(ct);
            await transaction.CommitAsync(ct);
            logger.LogInformation("Applied migration {Script} to schema {Schema}", script.Name, schema);
        }
        await ExecuteAsync(connection, "RESET ROLE; RESET search_path", ct);
    }

    /// <summary>
    /// Roles belong to the whole cluster: another database's host may be making the same one right now, outside our lock.
    /// </summary>
    private static async Task EnsureRoleAsync(NpgsqlConnection connection, string role, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await ExecuteAsync(connection,
                    $"""
                    DO $$
                    BEGIN
                        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
                            CREATE ROLE "{role}" NOLOGIN;
                        END IF;
                        IF NOT pg_has_role(current_user, '{role}', 'MEMBER') THEN
                            EXECUTE format('GRANT "{role}" TO %I', current_user);
                        END IF;
                    END $$
                    """, ct);
                return;
            }
            catch (PostgresException exception) when (attempt < 20 && exception.SqlState
                is PostgresErrorCodes.DuplicateObject or PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.InternalError)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(10 * attempt), ct);
            }
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }

    [GeneratedRegex("^[a-z][a-z0-9_]*$")]
    private static partial Regex SchemaName();

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <param name="Name"><c>0001_name.sql</c>.</param>
internal sealed partial record MigrationScript(string Name, string Text)
{
    /// <summary>Line ends do not count: a checkout may change them.</summary>
    public string Hash { get; } = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Text.ReplaceLineEndings("\n"))));

    /// <summary>The scripts embedded from an assembly's folder <c>Migrations</c>, in order.</summary>
    /// <exception cref="InvalidOperationException">A name or a number is wrong.</exception>
    public static IReadOnlyList<MigrationScript> Of(Assembly assembly)
    {
        const string Folder = ".Migrations.";
        var scripts = new List<MigrationScript>();
        foreach (var resource in assembly.GetManifestResourceNames().Where(name => name.Contains(Folder, StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            scripts.Add(new MigrationScript(resource[(resource.IndexOf(Folder, StringComparison.Ordinal) + Folder.Length)..], reader.ReadToEnd()));
        }
        return Ordered(scripts);
    }

    public static IReadOnlyList<MigrationScript> Ordered(IEnumerable<MigrationScript> scripts)
    {
        var ordered = scripts.OrderBy(script => script.Name, StringComparer.Ordinal).ToList();
        for (var index = 0; index < ordered.Count; index++)
        {
            var name = ordered[index].Name;
            if (!FileName().IsMatch(name))
                throw new InvalidOperationException($"Migration '{name}' must be named like 0001_name.sql.");
            if (int.Parse(name.AsSpan(0, 4), System.Globalization.CultureInfo.InvariantCulture) != index + 1)
                throw new InvalidOperationException($"Migration '{name}' should have number {index + 1:0000}: numbers start at 0001, without gaps or repetitions.");
        }
        return ordered;
    }

    [GeneratedRegex("^[0-9]{4}_[a-z0-9_]+\\.sql$")]
    private static partial Regex FileName();
}
