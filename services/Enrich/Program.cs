using Qualiz.Enrich;
using Qualiz.Platform.Hosting;

return await QualizHost.RunAsync(args, builder => builder.AddEnrich());
