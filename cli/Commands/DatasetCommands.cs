using System.CommandLine;

namespace Qualiz.Cli.Commands;

/// <summary>Named datasets and uploaded files.</summary>
internal static class DatasetCommands
{
    public static IEnumerable<Command> All() => [Datasets(), Metrics(), Findings(), Upload()];

    private static ClientCommand Datasets() => new ClientCommand("datasets", "List the named datasets", "datasets") { CommandLine.Limit }
        .Doing((context, ct) => Queries.DatasetsAsync(context, context.Get(CommandLine.Limit), ct));

    private static ClientCommand Metrics()
    {
        var dataset = new Argument<string>("DATASET") { Description = "The dataset's name" };
        var column = new Option<string?>("--column") { Description = "Only figures of this column; \"\" for those of the whole dataset" };
        var metric = new Option<string?>("--metric") { Description = "Only this figure: rows, bytes, quality, completeness, distinct, mean, min or max" };
        return new ClientCommand("metrics", "Show the figures of a dataset over its versions, newest first", "metrics customers", "metrics customers --column email --metric completeness")
        {
            dataset, column, metric, CommandLine.Limit,
        }.Doing((context, ct) => Queries.MetricsAsync(context, context.Get(dataset)!, context.Get(column), context.Get(metric), context.Get(CommandLine.Limit), ct));
    }

    private static ClientCommand Findings()
    {
        var dataset = new Argument<string>("DATASET") { Description = "The dataset's name" };
        return new ClientCommand("findings", "Show what was unusual about the versions of a dataset: figures off their course, columns that changed", "findings customers") { dataset, CommandLine.Limit }
            .Doing((context, ct) => Queries.FindingsAsync(context, context.Get(dataset)!, context.Get(CommandLine.Limit), ct));
    }

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
