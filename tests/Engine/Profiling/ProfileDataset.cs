using Qualiz.Contracts.Data;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Profiling;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Tests.Profiling;

/// <summary>Profiles what a query gives.</summary>
internal static class ProfileDataset
{
    public static async Task<DatasetProfile> ProfileAsync(this ScratchFolder folder, string query, int threads = 2, IReadOnlyDictionary<string, string>? sensitivity = null)
    {
        var path = folder.File($"{Guid.NewGuid():N}.parquet");
        long rows;
        DatasetSchema schema;
        using (var session = folder.Open(paths: path))
        {
            schema = DatasetFiles.Describe(session, query);
            rows = await DatasetFiles.WriteAsync(session, query, path, CancellationToken.None);
        }
        schema = schema with { Columns = [.. schema.Columns.Select(column => column with { Sensitivity = sensitivity?.GetValueOrDefault(column.Name) })] };
        var dataset = new DatasetRef { Files = [new DataFile { Key = "t", Rows = rows, Bytes = 1, Sha256 = "" }], Schema = schema, Rows = rows, Bytes = 1 };
        var profile = await DatasetProfiler.ProfileAsync(
            new LocalDataset(dataset, [path]), new EngineOptions { MemoryBytes = 512L << 20, Threads = threads, Scratch = folder.Path }, CancellationToken.None);
        profile.Rows.ShouldBe(rows);
        return profile;
    }
}
