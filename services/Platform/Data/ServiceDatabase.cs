using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Qualiz.Platform.Data;

/// <summary>A service's schema: its name is also the name of its role and of its connection pool.</summary>
internal sealed record ServiceDatabase(string Name, Type DbContext, Assembly Scripts);

/// <summary>The databases of all modules of this process.</summary>
internal sealed class ServiceDatabases
{
    private readonly List<ServiceDatabase> _all = [];

    public IReadOnlyList<ServiceDatabase> All => _all;

    public static ServiceDatabases Of(IHostApplicationBuilder builder)
    {
        if (builder.Properties.TryGetValue(typeof(ServiceDatabases), out var found))
            return (ServiceDatabases)found;
        var databases = new ServiceDatabases();
        builder.Properties[typeof(ServiceDatabases)] = databases;
        builder.Services.AddSingleton(databases);
        return databases;
    }

    public void Add(ServiceDatabase database)
    {
        if (_all.Any(other => other.Name == database.Name || other.DbContext == database.DbContext))
            throw new InvalidOperationException($"The database of service '{database.Name}' ({database.DbContext.Name}) is registered twice.");
        _all.Add(database);
    }

    public ServiceDatabase Of(Type dbContext) =>
        _all.FirstOrDefault(database => database.DbContext == dbContext)
        ?? throw new InvalidOperationException($"{dbContext.Name} is not registered: call AddServiceDatabase<{dbContext.Name}>(...) in the module.");
}
