using Qualiz.Platform.Hosting;
using Qualiz.Platform.Tests.Operators;

// Run by the test runner this is never called; run as a program it is the process that tests kill.
return args is [ParentProgram.Argument, .. var rest]
    ? await ParentProgram.RunAsync(rest)
    : await QualizHost.RunAsync(args, builder => builder.AddProbes());
