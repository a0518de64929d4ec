using Qualiz.Contracts.Operators.V1;
using Qualiz.Engine.Recipes;
using Qualiz.Platform.Operators;

namespace Qualiz.Enrich;

public static class EnrichModule
{
    public static IHostApplicationBuilder AddEnrich(this IHostApplicationBuilder builder) =>
        builder.AddOperator<EnrichOperator, EnrichConfig>(Description);

    internal static OperatorDescription Description { get; } = new()
    {
        Kind = "enrich",
        Title = "Enrich",
        Description = "Looks rows up in a dataset and takes columns from there; computes new columns.",
        Icon = "book-plus",
        MinInputs = 1,
        Outputs =
        [
            new OperatorPort("out", "Enriched rows"),
            new OperatorPort(RejectedRows.Port, "Rejected rows"),
            new OperatorPort(EnrichOperator.UnmatchedPort, "Keys without a match"),
        ],
        Accounts = ["added", "rejected"],
        Delta = true,
        Whole = ["maxUnmatched"],
    };
}
