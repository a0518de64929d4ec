using Qualiz.Cleanse;
using Qualiz.Datasets;
using Qualiz.Platform.Hosting;
using Qualiz.Runs;
using Qualiz.Tasks;

return await QualizHost.RunAsync(
    args,
    builder => builder.AddRuns().AddDatasets().AddCleanse().AddTasks(),
    app => app.MapRuns().MapDatasets());
