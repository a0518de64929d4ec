return await Qualiz.Cli.CommandLine.RunAsync(args);
