using Qualiz.Cleanse;
using Qualiz.Datasets;
using Qualiz.Platform.Hosting;

return await QualizHost.RunAsync(
    args,
    builder => builder.AddDatasets().AddCleanse(),
    app => app.MapDatasets());
