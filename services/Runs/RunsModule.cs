using Microsoft.Extensions.DependencyInjection.Extensions;
using Qualiz.Contracts;
using Qualiz.Platform.Data;
using Qualiz.Platform.Http;
using Qualiz.Platform.Messaging;
using Qualiz.Platform.Storage;
using Qualiz.Runs.Api;
using Qualiz.Runs.Claims;
using Qualiz.Runs.Items;
using Qualiz.Runs.Model;
using Qualiz.Runs.Recovery;
using Qualiz.Runs.Retention;
using Qualiz.Runs.Saga;
using Qualiz.Runs.Starting;

namespace Qualiz.Runs;

/// <summary>Runs: the saga, the steps, their claims, and what people and programs ask about them.</summary>
public static class RunsModule
{
    internal const string Service = "runs";

    public static IHostApplicationBuilder AddRuns(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<RunsOptions>().BindConfiguration("Runs").ValidateOnStart();
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<PlanCache>().AddSingleton<RunEvents>().AddSingleton<StepLimit>().AddSingleton<RunEventFeed>();
        builder.Services.AddScoped<RunSteps>().AddScoped<StepChanges>().AddScoped<StepDispatch>().AddScoped<ItemSpread>();
        builder.Services.AddScoped<RunTransitions>().AddScoped<RunStarter>().AddScoped<ChildRuns>().AddScoped<Admission>().AddScoped<StepClaims>().AddScoped<StateTurns>();
        builder.Services.AddScoped<Reinjections>().AddScoped<ReinjectionStarter>();
        builder.Services.AddHostedService<Reconciler>();
        builder.Services.AddScoped<RunReviewer>().AddHostedService<RunJanitor>();

        builder.AddHttpApi();
        builder.AddObjectStore();
        builder.AddServiceDatabase<RunsDb>(Service);
        builder.AddSaga<RunStateMachine, RunState, RunsDb>(Queues.RunSaga);
        builder.AddBusConsumer<RunCommandConsumer>(Queues.RunCommands, db: typeof(RunsDb));
        builder.AddAnswers<ClaimAnswers>(Queues.RunClaims);
        builder.AddRequestConsumer<ReviewConsumer>(Queues.RunReviews);
        return builder;
    }

    public static IEndpointRouteBuilder MapRuns(this IEndpointRouteBuilder app) => app.MapRunsApi().MapPins().MapStateApi();
}
