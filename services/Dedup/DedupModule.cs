using Qualiz.Contracts.Operators.V1;
using Qualiz.Platform.Operators;

namespace Qualiz.Dedup;

public static class DedupModule
{
    public static IHostApplicationBuilder AddDedup(this IHostApplicationBuilder builder) =>
        builder.AddOperator<DedupOperator, DedupConfig>(Description);

    internal static OperatorDescription Description { get; } = new()
    {
        Kind = "dedup",
        Title = "Deduplicate",
        Description = "Finds rows that are the same thing and makes one entity of them.",
        Icon = "users",
        MinInputs = 1,
        // It has to look at all rows at once, where other steps stream theirs.
        MemoryShare = 0.5,
        Outputs =
        [
            new OperatorPort("entities", "Entities"),
            new OperatorPort("members", "Members"),
            new OperatorPort("pairs", "Pairs"),
            new OperatorPort("provenance", "Where values come from"),
            new OperatorPort("changes", "Changes"),
        ],
        Accounts = ["merged"],
        KeepsState = ["entities"],
    };
}
