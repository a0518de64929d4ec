using Qualiz.Contracts.Operators.V1;
using Qualiz.Platform.Operators;

namespace Qualiz.Cleanse;

public static class CleanseModule
{
    public static IHostApplicationBuilder AddCleanse(this IHostApplicationBuilder builder) =>
        builder.AddOperator<CleanseOperator, CleanseConfig>(Description);

    internal static OperatorDescription Description { get; } = new()
    {
        Kind = "cleanse",
        Title = "Cleanse",
        Description = "Applies rules to rows, checks them, and sets aside those that fail with their reasons.",
        Icon = "sparkles",
        MinInputs = 1,
        Outputs = [new OperatorPort("out", "Clean rows"), new OperatorPort("rejected", "Rejected rows"), new OperatorPort("changes", "Change log"), new OperatorPort("patched", "Rows with repairs")],
        Accounts = ["added", "rejected", "filtered"],
        Delta = true,
        Patches = true,
    };
}
