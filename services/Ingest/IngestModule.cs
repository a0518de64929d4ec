using Qualiz.Contracts.Operators.V1;
using Qualiz.Platform.Operators;

namespace Qualiz.Ingest;

public static class IngestModule
{
    public static IHostApplicationBuilder AddIngest(this IHostApplicationBuilder builder) =>
        builder.AddOperator<IngestOperator, IngestConfig>(Description);

    /// <summary>Rows that an incremental source marks as deleted.</summary>
    internal const string DeletedPort = "deleted";

    internal static OperatorDescription Description { get; } = new()
    {
        Kind = "ingest",
        Title = "Ingest",
        Description = "Reads files (CSV, JSON, Excel, Parquet), web addresses and PostgreSQL tables into a dataset; what cannot be read is set aside with its reasons.",
        Icon = "download",
        MinInputs = 0,
        MaxInputs = 0,
        Outputs = [new OperatorPort("out", "Rows"), new OperatorPort("rejected", "Rejected lines"), new OperatorPort(DeletedPort, "Deleted rows")],
        Accounts = ["rejected", "merged", "filtered"],
        KeepsState = ["incremental", "from.onlyNew"],
    };
}
