using Qualiz.Contracts.Datasets.V1;
using Qualiz.Datasets.Model;
using Qualiz.Platform.Data;
using Qualiz.Platform.Http;

namespace Qualiz.Datasets.Http;

/// <summary>Whoever sees sensitive values in clear is on record before they do.</summary>
internal sealed class UnmaskAudit(IUnitOfWork<DatasetsDb> work, CurrentProject project, TimeProvider time)
{
    /// <param name="subject">What is looked at: <c>dataset:name@12</c>, <c>run:&lt;id&gt;/step.port</c>, <c>quarantine</c>, <c>quarantine:&lt;id&gt;</c>.</param>
    /// <param name="columns">Those that are sensitive; none when it is not known which ones are.</param>
    public async Task RecordAsync(HttpContext http, string subject, IEnumerable<string> columns, CancellationToken ct)
    {
        await work.BeginAsync(ct);
        work.Outbox.Publish(new RowsUnmasked
        {
            Id = Guid.CreateVersion7(),
            OccurredAt = time.GetUtcNow(),
            ProjectId = project.Id,
            Actor = http.Actor(),
            Subject = subject,
            Columns = [.. columns.Distinct(StringComparer.Ordinal)],
        });
        await work.CommitAsync(ct);
    }
}
