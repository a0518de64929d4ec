using Qualiz.Platform.Operators;

namespace Qualiz.Deliver;

public static class DeliverModule
{
    public static IHostApplicationBuilder AddDeliver(this IHostApplicationBuilder builder) =>
        builder.AddOperator<DeliverOperator, DeliverConfig>(Description);

    internal static OperatorDescription Description { get; } = new()
    {
        Kind = "deliver",
        Title = "Deliver",
        Description = "Writes rows to a PostgreSQL table or a file: all or nothing, and once.",
        Icon = "truck",
        MinInputs = 1,
        MaxInputs = 1,
        Accounts = [],
        Delta = true,
        Whole = ["mode=replace", "to.file", "to.store"],
        AddsUnless = ["mode=replace", "mode=upsert", "to.file", "to.store"],
    };
}
