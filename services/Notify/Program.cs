using Qualiz.Notify;
using Qualiz.Platform.Hosting;

return await QualizHost.RunAsync(args, builder => builder.AddNotify(), app => app.MapNotify());
