using Microsoft.Extensions.DependencyInjection.Extensions;
using Qualiz.Notify.Channels;
using Qualiz.Notify.Records;
using Qualiz.Notify.Steps;
using Qualiz.Platform.Data;
using Qualiz.Platform.Operators;

namespace Qualiz.Notify;

public static class NotifyModule
{
    /// <summary>Messages to people: the step <c>notify</c>.</summary>
    public static IHostApplicationBuilder AddNotify(this IHostApplicationBuilder builder)
    {
        builder.AddServiceDatabase<NotifyDb>("notify");
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.TryAddScoped<SentRecords>();
        builder.Services.TryAddSingleton<GuardedHttp>();
        builder.Services.TryAddSingleton<MessageSenders>();
        builder.AddOperator<NotifyOperator, NotifyConfig>(NotifyOperator.Description);
        return builder;
    }
}
