using Qualiz.Dedup;
using Qualiz.Platform.Hosting;

return await QualizHost.RunAsync(args, builder => builder.AddDedup());
