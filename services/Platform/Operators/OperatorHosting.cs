using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Platform.Messaging;
using Qualiz.Platform.Operators.Execution;
using Qualiz.Platform.Operators.Inference;
using Qualiz.Platform.Operators.Workers;
using Qualiz.Platform.Outbound;
using Qualiz.Platform.Storage;

namespace Qualiz.Platform.Operators;

public static class OperatorHosting
{
    private const int HostSlots = 64;

    /// <summary>
    /// Makes an operator of this service known: it is announced, its queue <c>operator.&lt;kind&gt;.v&lt;major&gt;</c> is consumed,
    /// and its steps run where the description says.
    /// </summary>
    public static IHostApplicationBuilder AddOperator<TOperator, TConfig>(this IHostApplicationBuilder builder, OperatorDescription description)
        where TOperator : class, IOperator<TConfig>
        where TConfig : class
    {
        var registration = new OperatorRegistration<TOperator, TConfig>(description);
        builder.AddOperatorServices();
        builder.Services.TryAddScoped<TOperator>();
        builder.Services.AddSingleton<OperatorRegistration>(registration);
        var slots = description.Slots ?? (description.RunsIn == OperatorRunsIn.Host ? HostSlots : EngineOptions.WorkersOf(builder.Configuration));
        builder.AddBusConsumer<ExecuteStepConsumer<TOperator>>(registration.Queue, db: null, concurrency: slots);
        if (registration.Infers)
            builder.AddRequestConsumer<InferOutputConsumer<TOperator>>(OperatorManifest.InferenceQueue(description.Kind, registration.Manifest.Major), concurrency: 4);
        return builder;
    }

    private static void AddOperatorServices(this IHostApplicationBuilder builder)
    {
        if (!builder.Properties.TryAdd(typeof(OperatorCatalog), true))
            return;
        builder.AddObjectStore();
        builder.AddBroadcastConsumer<StopStepConsumer>();
        var services = builder.Services;
        services.AddHttpClient(HttpConnectionExchange.ClientName);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<OutboundGuard>();
        services.TryAddSingleton<OperatorCatalog>();
        services.TryAddSingleton(provider => EngineOptions.From(provider.GetRequiredService<IConfiguration>()));
        services.TryAddSingleton<ResourceBudget>();
        services.TryAddSingleton<ScratchFolders>();
        services.TryAddSingleton<ActiveClaims>();
        services.TryAddSingleton<EngineWorkerPool>();
        services.TryAddSingleton<IRunsLine, BusRunsLine>();
        services.TryAddSingleton<StepExecutor>();
        services.TryAddSingleton<OutputInference>();
        // Pipelines, where it is in this process, has registered its own or replaces this one.
        services.TryAddSingleton<IConnectionExchange, HttpConnectionExchange>();
        services.AddHostedService(provider => provider.GetRequiredService<EngineWorkerPool>());
        services.AddHostedService<OperatorAnnouncer>();
    }
}
