using Qualiz.Cleanse;
using Qualiz.Datasets;
using Qualiz.Platform.Hosting;
using Qualiz.Tasks;

return await QualizHost.RunAsync(
    args,
    builder => builder.AddDatasets().AddCleanse().AddTasks(),
    app => app.MapDatasets());
