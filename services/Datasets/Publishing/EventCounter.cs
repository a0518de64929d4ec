using Dapper;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Qualiz.Datasets.Model;
using Qualiz.Platform.Data;

namespace Qualiz.Datasets.Publishing;

/// <summary>Numbers this service's events per project. The counter's row stays locked until the commit, so no number is lost or doubled.</summary>
internal sealed class EventCounter(IUnitOfWork<DatasetsDb> work)
{
    public Task<long> NextAsync(Guid projectId, CancellationToken ct) =>
        work.Db.Database.GetDbConnection().ExecuteScalarAsync<long>(new CommandDefinition(
            """
            insert into datasets.event_counter as counter (project_id, last) values (@projectId, 1)
            on conflict (project_id) do update set last = counter.last + 1
            returning last
            """,
            new { projectId }, work.Db.Database.CurrentTransaction!.GetDbTransaction(), cancellationToken: ct));
}
