using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Qualiz.Contracts;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Data;
using Qualiz.Platform.Http;
using Qualiz.Runs.Model;
using Qualiz.Runs.Saga;

namespace Qualiz.Runs.Retention;

internal static class PinEndpoints
{
    public static IEndpointRouteBuilder MapPins(this IEndpointRouteBuilder app)
    {
        var run = app.MapApi().MapGroup("/projects/{project}/runs/{id:guid}/pin").WithTags("Runs");
        run.MapPut("", PinAsync).WithName("pinRun").WithSummary("Keeps the run and what its steps wrote, however old they become");
        run.MapDelete("", UnpinAsync).WithName("unpinRun").WithSummary("Leaves the run to retention again");
        return app;
    }

    private static Task<Results<NoContent, ProblemHttpResult>> PinAsync(
        string project, Guid id, IUnitOfWork<RunsDb> work, RunEvents events, TimeProvider time, HttpContext http, CancellationToken ct) =>
        ChangeAsync(project, id, pin: true, work, events, time, http, ct);

    private static Task<Results<NoContent, ProblemHttpResult>> UnpinAsync(
        string project, Guid id, IUnitOfWork<RunsDb> work, RunEvents events, TimeProvider time, HttpContext http, CancellationToken ct) =>
        ChangeAsync(project, id, pin: false, work, events, time, http, ct);

    private static async Task<Results<NoContent, ProblemHttpResult>> ChangeAsync(
        string project, Guid id, bool pin, IUnitOfWork<RunsDb> work, RunEvents events, TimeProvider time, HttpContext http, CancellationToken ct)
    {
        // The lock that the collector takes, too: a run is either pinned before it is let go, or it says that it is too late.
        await work.LockAsync(id, ct);
        var run = await work.Db.Runs.FirstOrDefaultAsync(row => row.CorrelationId == id && row.Project == project, ct);
        if (run is null)
            return ApiProblem.NotFound("run", id.ToString());
        if (run.PinnedAt is not null == pin)
            return TypedResults.NoContent();
        if (pin && run.CollectedAt is not null)
            return ApiProblem.Conflict("collected", "What the run's steps wrote has been removed already (retention); there is nothing to keep.");
        run.PinnedAt = pin ? time.GetUtcNow() : null;
        run.PinnedBy = pin ? http.Actor() : null;
        EventRecord happened = pin ? new RunPinned() : new RunUnpinned();
        if (happened is RunPinned pinned)
            events.Append(work, run, http.Actor(), pinned);
        else
            events.Append(work, run, http.Actor(), (RunUnpinned)happened);
        await work.CommitAsync(ct);
        return TypedResults.NoContent();
    }
}
