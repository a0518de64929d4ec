using System.Reflection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Qualiz.Platform.Data;

public static class DatabaseRegistration
{
    /// <summary>The pools of one process hold at most this many connections together, unless <c>Database:MaxConnections</c> says otherwise.</summary>
    private const int DefaultMaxConnections = 80;
    private const int MaxPooledContexts = 128;

    /// <summary>
    /// The service's own schema and role <paramref name="service"/>, made when missing; its scripts <c>Migrations/0001_name.sql</c>,
    /// applied at start; a scoped <typeparamref name="TDb"/> with snake_case names; a scoped <see cref="IUnitOfWork{TDb}"/>;
    /// and an <see cref="NpgsqlDataSource"/> keyed by <paramref name="service"/>.
    /// </summary>
    /// <param name="scripts">Where the scripts are embedded, when not in the assembly of <typeparamref name="TDb"/>.</param>
    public static IHostApplicationBuilder AddServiceDatabase<TDb>(this IHostApplicationBuilder builder, string service, Assembly? scripts = null)
        where TDb : DbContext
    {
        ServiceDatabases.Of(builder).Add(new ServiceDatabase(service, typeof(TDb), scripts ?? typeof(TDb).Assembly));
        builder.AddPool(service);
        // Pooled: making a context costs as much as a short transaction.
        builder.Services.AddDbContextPool<TDb>((services, options) => options
            .UseNpgsql(services.GetRequiredKeyedService<NpgsqlDataSource>(service))
            .UseSnakeCaseNamingConvention()
            // Its one log line per command costs more than the command's own bookkeeping; Npgsql's traces show the same.
            .ConfigureWarnings(warnings => warnings.Log((RelationalEventId.CommandExecuted, LogLevel.Debug))),
            MaxPooledContexts);
        builder.Services.TryAddScoped<IUnitOfWork<TDb>, UnitOfWork<TDb>>();
        builder.AddPlatformDatabase();
        return builder;
    }

    /// <summary>Schema <c>bus</c>: the relay's, the timers' and the janitor's own small pool.</summary>
    private static void AddPlatformDatabase(this IHostApplicationBuilder builder)
    {
        if (!builder.Properties.TryAdd(typeof(BusSchema), true))
            return;
        builder.AddPool(BusSchema.Name);
        builder.Services.TryAddSingleton<MigrationRunner>();
    }

    private static void AddPool(this IHostApplicationBuilder builder, string name) =>
        builder.Services.AddKeyedSingleton(name, (services, _) =>
        {
            var configuration = services.GetRequiredService<IConfiguration>();
            var total = configuration.GetValue("Database:MaxConnections", DefaultMaxConnections);
            var forBus = Math.Clamp(total / 10, 2, 8);
            var share = Math.Max(2, (total - forBus) / services.GetRequiredService<ServiceDatabases>().All.Count);
            var source = new NpgsqlDataSourceBuilder(PoolConnectionString(configuration, name, name == BusSchema.Name ? forBus : share));
            source.UseLoggerFactory(services.GetService<ILoggerFactory>());
            return source.Build();
        });

    internal static string PoolConnectionString(IConfiguration configuration, string role, int size) =>
        new NpgsqlConnectionStringBuilder(ConnectionString(configuration))
        {
            // The pool works as the service's role and never as the login, which may do more.
            // What the relay and the timers lose in a crash of the server, they do again: they need not wait for the disk.
            Options = $"-c role={role} -c search_path={role}" + (role == BusSchema.Name ? " -c synchronous_commit=off" : ""),
            ApplicationName = $"qualiz {role}",
            MaxPoolSize = size,
            // Nearly halves the transactions. Nothing may then be left behind in a session: no setting, no lock.
            NoResetOnClose = true,
            MaxAutoPrepare = 100,
            AutoPrepareMinUsages = 2,
            Enlist = false,
        }.ConnectionString;

    internal static string ConnectionString(IConfiguration configuration) =>
        configuration.GetConnectionString("Qualiz")
        ?? throw new InvalidOperationException("ConnectionStrings:Qualiz is not set (environment: ConnectionStrings__Qualiz): the address of the PostgreSQL database.");
}
