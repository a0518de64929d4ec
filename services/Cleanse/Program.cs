using Qualiz.Cleanse;
using Qualiz.Platform.Hosting;

return await QualizHost.RunAsync(args, builder => builder.AddCleanse());
