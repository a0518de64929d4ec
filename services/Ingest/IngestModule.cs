using Qualiz.Contracts.Operators.V1;
using Qualiz.Platform.Operators;

namespace Qualiz.Ingest;

public static class IngestModule
{
    public static IHostApplicationBuilder AddIngest(this IHostApplicationBuilder builder) =>
        builder.AddOperator<IngestOperator, IngestConfig>(Description);

    internal static OperatorDescription Description { get; } = new()
    {
        Kind = "ingest",
        Title = "Ingest",
        Description = "Reads files of CSV, JSON or Parquet into a dataset; lines that cannot be read are set aside with their reasons.",
        Icon = "download",
        MinInputs = 0,
        MaxInputs = 0,
        Outputs = [new OperatorPort("out", "Rows"), new OperatorPort("rejected", "Rejected lines")],
        Accounts = ["rejected"],
    };
}
