using Qualiz.Platform.Hosting;

return await QualizHost.RunAsync(args, _ => { });
