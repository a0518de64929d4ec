using Qualiz.Datasets;
using Qualiz.Platform.Hosting;

return await QualizHost.RunAsync(args, builder => builder.AddDatasets(), app => app.MapDatasets());
