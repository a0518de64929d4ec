using Qualiz.Platform.Hosting;
using Qualiz.Tasks;

return await QualizHost.RunAsync(args, builder => builder.AddTasks());
