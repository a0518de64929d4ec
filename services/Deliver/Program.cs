using Qualiz.Deliver;
using Qualiz.Platform.Hosting;

return await QualizHost.RunAsync(args, builder => builder.AddDeliver());
