using Microsoft.Extensions.DependencyInjection.Extensions;
using Qualiz.Contracts;
using Qualiz.Notify.Channels;
using Qualiz.Notify.Notices;
using Qualiz.Notify.Records;
using Qualiz.Notify.Steps;
using Qualiz.Platform.Data;
using Qualiz.Platform.Http;
using Qualiz.Platform.Messaging;
using Qualiz.Platform.Operators;

namespace Qualiz.Notify;

public static class NotifyModule
{
    /// <summary>Messages to people: the step <c>notify</c>, and what becomes of pipelines' runs.</summary>
    public static IHostApplicationBuilder AddNotify(this IHostApplicationBuilder builder)
    {
        builder.AddHttpApi();
        builder.AddServiceDatabase<NotifyDb>("notify");
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.TryAddScoped<SentRecords>();
        builder.Services.TryAddSingleton<GuardedHttp>();
        builder.Services.TryAddSingleton<MessageSenders>();
        builder.Services.AddSingleton(provider => NoticeOptions.From(provider.GetRequiredService<IConfiguration>()));
        builder.Services.AddHostedService<NoticeSender>();
        builder.AddBusConsumer<RunEndConsumer>(Queues.NotifyEvents, typeof(NotifyDb));
        builder.AddOperator<NotifyOperator, NotifyConfig>(NotifyOperator.Description);
        return builder;
    }

    public static IEndpointRouteBuilder MapNotify(this IEndpointRouteBuilder endpoints) => endpoints.MapNotices();
}
