namespace Qualiz.Platform.Storage;

/// <summary>A folder outside the store, written to with the store's care: temporary name, flush, rename; no links, no way out.</summary>
public static class LocalFolder
{
    public static IObjectStore Open(string folder) => new LocalObjectStore(folder);
}
