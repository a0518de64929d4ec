using Qualiz.Contracts.Data;

namespace Qualiz.Engine.Datasets;

/// <summary>A dataset without rows, to check statements against its columns.</summary>
public static class EmptyDataset
{
    public static LocalDataset Of(DatasetSchema schema) => new(DatasetRef.Of(schema), []);
}
