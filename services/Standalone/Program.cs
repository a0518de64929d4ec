using Qualiz.Cleanse;
using Qualiz.Datasets;
using Qualiz.Deliver;
using Qualiz.Enrich;
using Qualiz.Ingest;
using Qualiz.Pipelines;
using Qualiz.Platform.Hosting;
using Qualiz.Runs;
using Qualiz.Tasks;

return await QualizHost.RunAsync(
    args,
    builder => builder.AddPipelines().AddRuns().AddDatasets().AddIngest().AddCleanse().AddEnrich().AddDeliver().AddTasks(),
    app => app.MapPipelines().MapRuns().MapDatasets());
