using Qualiz.Ingest;
using Qualiz.Platform.Hosting;

return await QualizHost.RunAsync(args, builder => builder.AddIngest());
