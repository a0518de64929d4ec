using Qualiz.Contracts.Operators.V1;
using Qualiz.Platform.Operators;

namespace Qualiz.Cleanse;

public static class CleanseModule
{
    public static IHostApplicationBuilder AddCleanse(this IHostApplicationBuilder builder) =>
        builder.AddOperator<CleanseOperator, CleanseConfig>(Description).AddOperator<DetectOperator, DetectConfig>(Detection);

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
        // What a row is compared with may have gone through before, a share is one of all rows, and all of them say what is to be suggested. The limit of rejected rows is none of them: it is for all rows, which have passed it.
        Whole = [.. ((string[])["unique", "rowCount", "aggregate", "freshness", "ordered", "sameRows"]).Select(check => $"checks.check={check}"), "checks.mostly", "rules.above", "rules.rule=majority", "auto"],
        Patches = true,
    };

    internal static OperatorDescription Detection { get; } = new()
    {
        Kind = "detect",
        Title = "Find wrong cells",
        Description = "Finds cells that are probably wrong, from the rows alone, says why and what should stand there, and repairs them where that is wanted.",
        Icon = "search-check",
        MinInputs = 1,
        Outputs = [new OperatorPort("out", "Rows"), new OperatorPort("cells", "Wrong cells")],
        Accounts = [],
    };
}
