using System.Text.Json;
using MassTransit;
using MassTransit.Middleware;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Qualiz.Contracts;
using Qualiz.Platform.Data;
using Qualiz.Platform.Messaging.Sagas;

namespace Qualiz.Platform.Messaging;

internal static class BusHosting
{
    /// <summary>
    /// Wires everything that the modules registered; the last thing before the host is built. Hosted services start in this
    /// order: migrations, topology, bus, recovery, relay and timers, and only then those of the modules.
    /// </summary>
    public static IHostApplicationBuilder AddBus(this IHostApplicationBuilder builder)
    {
        var registrations = BusRegistrations.Of(builder);
        var databases = ServiceDatabases.Of(builder);
        RequireKnownSubscriptions(registrations);
        var services = builder.Services;
        var first = services.Count;
        var inProcess = BusTransport.Of(builder.Configuration) == BusTransport.InProcess;

        services.AddSingleton<MessageRoutes>();
        services.AddSingleton<OutboxRelay>();
        services.AddSingleton<SagaTurns>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<Uptime>();
        services.AddSingleton<IRequests, Requests>();
        services.AddSingleton<IMessageSender, MessageSender>();
        services.AddSingleton(provider => new ErrorQueues(registrations, provider.GetRequiredService<IConfiguration>()));

        if (databases.All.Count > 0)
            services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<MigrationRunner>());
        if (!inProcess)
        {
            services.AddHostedService<RabbitMqTopology>();
            services.AddHostedService<BusGauges>();
        }

        services.AddMassTransit(bus =>
        {
            // Nobody was asked whether the library may report to its maker.
            bus.DisableUsageTelemetry();
            bus.AddReceiveEndpointObserver(provider => provider.GetRequiredService<Uptime>());
            foreach (var saga in registrations.Queues.OfType<SagaRegistration>())
                saga.Register(bus);
            if (inProcess)
                bus.UsingInMemory((context, factory) => ConfigureEndpoints(factory, context, registrations));
            else
                bus.UsingRabbitMq((context, factory) =>
                {
                    factory.Host(BusTransport.Address(context.GetRequiredService<IConfiguration>()));
                    ConfigureEndpoints(factory, context, registrations);
                });
        });
        services.Configure<MassTransitHostOptions>(options =>
        {
            options.WaitUntilStarted = true;
            options.StopTimeout = TimeSpan.FromSeconds(15);
            // Handlers get this long to finish when the host stops; then their token is cancelled and the broker has the message again.
            options.ConsumerStopTimeout = TimeSpan.FromSeconds(5);
        });

        if (!inProcess)
            services.AddHostedService<BusHearing>();
        if (databases.All.Count > 0)
        {
            if (inProcess)
                services.AddHostedService<InProcessRecovery>();
            services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<OutboxRelay>());
            if (!inProcess)
                services.AddHostedService<OutboxSweeper>();
            services.AddHostedService<TimerPoller>();
            services.AddHostedService<BusJanitor>();
        }
        StartBeforeModules(services, first);
        return builder;
    }

    /// <summary>
    /// A broker's queue must exist before the first event is published, which may be before its service has ever run: so every
    /// process declares it, from the table in contracts, and what is not in the table is a mistake.
    /// </summary>
    private static void RequireKnownSubscriptions(BusRegistrations registrations)
    {
        // Test doubles subscribe where they like: their processes live side by side.
        foreach (var queue in registrations.Queues.Where(queue => queue.Kind != QueueKind.Requests && !queue.Consumer.Assembly.GetName().Name!.EndsWith(".Tests", StringComparison.Ordinal)))
        {
            foreach (var type in queue.MessageTypes.Where(type => type.Assembly == typeof(IEvent).Assembly && type.IsAssignableTo(typeof(IEvent))))
            {
                if (!Queues.Subscriptions.Contains((queue.Queue, type)))
                    throw new InvalidOperationException(
                        $"{queue.Consumer.Name} receives {type.Name} on queue '{queue.Queue}', which is not in Queues.Subscriptions: an event published before this service first runs would be lost.");
            }
        }
    }

    private static void ConfigureEndpoints(IBusFactoryConfigurator factory, IBusRegistrationContext context, BusRegistrations registrations)
    {
        var stopping = context.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        var errors = context.GetRequiredService<ErrorQueues>();
        // Indented is MassTransit's default: a fifth more bytes in every message, for nobody to read.
        factory.ConfigureJsonSerializerOptions(options => new JsonSerializerOptions(options) { WriteIndented = false });
        foreach (var queue in registrations.Queues.GroupBy(registration => registration.Queue))
        {
            factory.ReceiveEndpoint(queue.Key, endpoint =>
            {
                var kind = queue.First().Kind;
                var concurrency = queue.Max(registration => registration.Concurrency);
                endpoint.ConcurrentMessageLimit = concurrency;
                // Without an inbox the work is long (operators): what is fetched and waits here could be done by another process.
                endpoint.PrefetchCount = kind == QueueKind.Messages && queue.All(registration => !registration.HasInbox) ? concurrency : concurrency * 2;

                if (kind == QueueKind.Requests)
                {
                    // Requests are sent to the queue by name, and failures belong to the asker.
                    endpoint.ConfigureConsumeTopology = false;
                    endpoint.ConfigureError(pipe =>
                    {
                        pipe.UseFilter(new GenerateFaultFilter());
                        pipe.UseFilter(new DiscardErrorTransportFilter());
                    });
                }
                else
                {
                    var gate = new EndpointGate(stopping);
                    endpoint.UseFilter(new GateFilter(gate));
                    endpoint.UseMessageRetry(retry => retry.SetRetryPolicy(_ => new PatientRetryPolicy(gate)));
                    endpoint.ConfigureError(pipe =>
                    {
                        pipe.UseFilter(new KeepMessageFilter());
                        pipe.UseFilter(new ErrorQueues.CountFilter(errors));
                        pipe.UseFilter(new GenerateFaultFilter());
                        pipe.UseFilter(new ErrorTransportFilter());
                    });
                }
                foreach (var registration in queue)
                {
                    if (registration is SagaRegistration saga)
                        saga.Configure(endpoint, context);
                    else
                        ConsumerEndpoint.Configure(endpoint, context, registration.Consumer, registration.Queue, registration.Kind, registration.Db);
                }
            });
        }

        if (registrations.Broadcasts.Count > 0)
        {
            factory.ReceiveEndpoint(new TemporaryEndpointDefinition("broadcast"), KebabCaseEndpointNameFormatter.Instance, endpoint =>
            {
                endpoint.DiscardFaultedMessages();
                foreach (var consumer in registrations.Broadcasts.Distinct())
                    ConsumerEndpoint.Configure(endpoint, context, consumer, "broadcast", QueueKind.Messages, null);
            });
        }
    }

    /// <summary>Moves the hosted services added from <paramref name="first"/> on before all others.</summary>
    private static void StartBeforeModules(IServiceCollection services, int first)
    {
        var ours = services.Skip(first).Where(service => service.ServiceType == typeof(IHostedService)).ToList();
        var index = 0;
        while (index < services.Count && services[index].ServiceType != typeof(IHostedService))
            index++;
        foreach (var service in ours)
        {
            services.Remove(service);
            services.Insert(index++, service);
        }
    }
}
