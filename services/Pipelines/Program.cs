using Qualiz.Pipelines;
using Qualiz.Platform.Hosting;

return await QualizHost.RunAsync(args, builder => builder.AddPipelines(), app => app.MapPipelines());
