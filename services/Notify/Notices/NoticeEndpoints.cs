using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Qualiz.Contracts;
using Qualiz.Contracts.Pipelines.V1;
using Qualiz.Notify.Records;
using Qualiz.Platform.Http;
using Qualiz.Platform.Messaging;

namespace Qualiz.Notify.Notices;

/// <param name="Kind">failed, recovered, late or attention.</param>
/// <param name="To"><c>email:name@example.org</c>, <c>slack:connection</c> or <c>webhook:connection</c>.</param>
/// <param name="State">waiting, sent or notSent.</param>
/// <param name="Reason">Why it was not sent, or why the last try did not succeed.</param>
/// <param name="Digest">It goes out together with others.</param>
/// <param name="DueAt">When it goes out, as long as it waits.</param>
internal sealed record NotificationView(
    Guid Id, string Pipeline, Guid RunId, string Kind, string To, string Subject, string State, string? Reason, bool Digest, DateTimeOffset? DueAt, int Attempts, DateTimeOffset CreatedAt)
{
    public static NotificationView Of(Notice notice) => new(
        notice.Id, notice.Pipeline, notice.RunId, notice.Kind.ToLowerInvariant(), notice.Target, notice.Subject, NoticeState.Word(notice.State), notice.Error, notice.Digest,
        notice.State == NoticeState.Waiting ? notice.DueAt : null, notice.Attempts, notice.CreatedAt);
}

/// <summary>Who was told what about runs, and what was not sent.</summary>
internal static class NoticeEndpoints
{
    public static IEndpointRouteBuilder MapNotices(this IEndpointRouteBuilder app)
    {
        app.MapApi().MapGet("/projects/{project}/notifications", ListAsync).WithTags("Notifications").WithName("listNotifications")
            .WithSummary("Messages about runs, newest first: whom they are for, and whether they were sent");
        return app;
    }

    private static async Task<Results<Ok<Page<NotificationView>>, ProblemHttpResult>> ListAsync(
        string project, string? pipeline, Guid? run, string? state, PageRequest page, NotifyDb db, IRequests requests, CancellationToken ct)
    {
        var notices = db.Notices.AsNoTracking().Where(notice => notice.Project == project);
        if (pipeline is not null)
            notices = notices.Where(notice => notice.Pipeline == pipeline);
        if (run is not null)
            notices = notices.Where(notice => notice.RunId == run);
        if (state is not null)
        {
            if (NoticeState.Find(state) is not { } wanted)
                return ApiProblem.BadRequest($"\"{state}\" is no state of a notification; there are {string.Join(", ", NoticeState.Words)}.");
            notices = notices.Where(notice => notice.State == wanted);
        }
        if (page.TryGetAfter<Guid>(out var after))
            notices = notices.Where(notice => notice.Id < after);
        var found = await notices.OrderByDescending(notice => notice.Id).Take(page.Limit + 1).ToListAsync(ct);
        // Where notices are, there is a project; only when there are none somebody has to be asked.
        if (found.Count == 0 && (await requests.AskAsync<ProjectFound, ProjectUnknown>(Queues.PipelineRequests, new GetProject { Project = project }, ct)).Second is { } unknown)
            return ApiProblem.Of(StatusCodes.Status404NotFound, "notFound", unknown.Message);
        return TypedResults.Ok(Page.Of([.. found.Select(NotificationView.Of)], page, notice => notice.Id));
    }
}
