using Dapper;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Qualiz.Platform.Data;

namespace Qualiz.Pipelines.Model;

/// <summary>Numbers this service's events per project, inside the transaction that publishes them.</summary>
internal sealed class EventNumbers(IUnitOfWork<PipelinesDb> work)
{
    public Task<long> NextAsync(Guid projectId, CancellationToken ct) =>
        work.Db.Database.GetDbConnection().ExecuteScalarAsync<long>(new CommandDefinition(
            """
            insert into pipelines.event_counter as counter (project_id, last) values (@projectId, 1)
            on conflict (project_id) do update set last = counter.last + 1
            returning last
            """,
            new { projectId }, work.Db.Database.CurrentTransaction!.GetDbTransaction(), cancellationToken: ct));
}
