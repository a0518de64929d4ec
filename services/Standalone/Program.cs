using Qualiz.Cleanse;
using Qualiz.Datasets;
using Qualiz.Dedup;
using Qualiz.Deliver;
using Qualiz.Enrich;
using Qualiz.Ingest;
using Qualiz.Notify;
using Qualiz.Pipelines;
using Qualiz.Platform.Hosting;
using Qualiz.Runs;
using Qualiz.Tasks;

return await QualizHost.RunAsync(
    args,
    builder => builder.AddPipelines().AddRuns().AddDatasets().AddIngest().AddCleanse().AddDedup().AddEnrich().AddDeliver().AddNotify().AddTasks(),
    app => app.MapPipelines().MapRuns().MapDatasets().MapNotify());
