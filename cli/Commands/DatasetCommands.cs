using System.CommandLine;

namespace Qualiz.Cli.Commands;

/// <summary>Named datasets and uploaded files.</summary>
internal static class DatasetCommands
{
    public static IEnumerable<Command> All() => [Datasets(), Upload()];

    private static ClientCommand Datasets() => new ClientCommand("datasets", "List the named datasets", "datasets") { CommandLine.Limit }
        .Doing((context, ct) => Queries.DatasetsAsync(context, context.Get(CommandLine.Limit), ct));

    private static ClientCommand Upload()
    {
        var file = new Argument<string>("FILE") { Description = "CSV, JSON, Parquet, ..." };
        var name = new Option<string?>("--name") { Description = "The upload's name (default: the file's)" };
        var dataset = new Option<string?>("--dataset") { Description = "Make it the next version of this dataset (CSV or Parquet)" };
        return new ClientCommand(
            "upload", "Upload a file for a pipeline to ingest, or as reference data",
            "upload customers.csv", "upload countries.csv --dataset countries")
        {
            file, name, dataset,
        }.Doing((context, ct) => Changes.UploadAsync(context, context.Get(file)!, context.Get(name), context.Get(dataset), ct));
    }
}
