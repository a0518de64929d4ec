using Qualiz.Platform.Hosting;
using Qualiz.Runs;

return await QualizHost.RunAsync(args, builder => builder.AddRuns(), app => app.MapRuns());
