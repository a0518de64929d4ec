using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Qualiz.Platform.Data;
using Qualiz.Platform.Tests.Messaging;
using Qualiz.TestKit;

namespace Qualiz.Platform.Tests.Data;

public sealed class MigrationTests
{
    private sealed class OtherDb(DbContextOptions<OtherDb> options) : DbContext(options);

    private static async Task<(string Database, MigrationRunner Runner)> CreateAsync()
    {
        var database = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        var databases = new ServiceDatabases();
        databases.Add(new ServiceDatabase("counters", typeof(CounterDb), typeof(CounterDb).Assembly));
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("ConnectionStrings:Qualiz", database)]).Build();
        return (database, new MigrationRunner(databases, configuration, NullLogger<MigrationRunner>.Instance));
    }

    [Fact]
    public async Task Migrating_twice_and_from_many_hosts_at_once_applies_each_script_once()
    {
        var (database, runner) = await CreateAsync();

        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => runner.MigrateAsync(default)));
        await runner.MigrateAsync(default);

        (await CounterHost.CountAsync(database, "SELECT count(*) FROM counters.migration")).ShouldBe(1);
        (await CounterHost.CountAsync(database, "SELECT count(*) FROM bus.migration")).ShouldBeGreaterThanOrEqualTo(1);
        (await CounterHost.CountAsync(database, "SELECT count(*) FROM counters.note")).ShouldBe(0);
    }

    [Fact]
    public async Task A_script_edited_after_it_was_applied_is_an_error_that_names_it()
    {
        var (database, runner) = await CreateAsync();
        await runner.MigrateAsync(default);
        await CounterHost.CountAsync(database, "UPDATE counters.migration SET hash = 'of another text' RETURNING 1");

        (await Should.ThrowAsync<InvalidOperationException>(() => runner.MigrateAsync(default))).Message.ShouldContain("0001_tables.sql");
    }

    [Theory]
    [InlineData("1_name.sql")]
    [InlineData("0001_Name.sql")]
    [InlineData("0002_name.sql")]
    public void A_script_with_a_wrong_name_or_number_is_refused(string name) =>
        Should.Throw<InvalidOperationException>(() => MigrationScript.Ordered([new MigrationScript(name, "")])).Message.ShouldContain(name);

    [Fact]
    public void A_script_keeps_its_hash_when_a_checkout_changes_its_line_ends() =>
        new MigrationScript("0001_a.sql", "a\r\nb\r\n").Hash.ShouldBe(new MigrationScript("0001_a.sql", "a\nb\n").Hash);

    [Theory]
    [InlineData("SELECT 1 FROM others.note")]
    [InlineData("SELECT 1 FROM bus.outbox")]
    [InlineData("DELETE FROM bus.inbox")]
    [InlineData("CREATE TABLE public.mine (id int)")]
    public async Task A_service_cannot_touch_what_belongs_to_another(string sql)
    {
        await using var host = await TestHost.StartAsync(builder =>
        {
            builder.AddCounters();
            builder.AddServiceDatabase<OtherDb>("others", typeof(CounterDb).Assembly);
        });
        await using var own = host.Services.GetRequiredKeyedService<NpgsqlDataSource>("counters").CreateCommand("SELECT count(*) FROM note");
        (await own.ExecuteScalarAsync()).ShouldBe(0L);

        await using var command = host.Services.GetRequiredKeyedService<NpgsqlDataSource>("counters").CreateCommand(sql);
        (await Should.ThrowAsync<PostgresException>(() => command.ExecuteNonQueryAsync())).SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege);
    }
}
