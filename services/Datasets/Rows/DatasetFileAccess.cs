using System.Collections.Concurrent;
using System.Security.Cryptography;
using Qualiz.Contracts.Data;
using Qualiz.Engine.Datasets;
using Qualiz.Platform.Http;
using Qualiz.Platform.Storage;

namespace Qualiz.Datasets.Rows;

/// <summary>
/// Brings a dataset's files to where the engine can read them, and bounds how many are read at once: each reader may take
/// its share of memory.
/// </summary>
internal sealed class DatasetFileAccess : IDisposable
{
    private const int MostReaders = 4;
    private const int MostRemembered = 10_000;

    private readonly IObjectStore _store;
    private readonly LocalCopies _copies;
    private readonly string _folder;
    private readonly SemaphoreSlim _pages = new(MostReaders);
    private readonly SemaphoreSlim _downloads = new(MostReaders);
    private readonly ConcurrentDictionary<string, bool> _verified = new(StringComparer.Ordinal);

    public DatasetFileAccess(IObjectStore store)
    {
        _store = store;
        _folder = Directory.CreateTempSubdirectory("qualiz-datasets-").FullName;
        _copies = new LocalCopies(store, Path.Combine(_folder, "copies"));
    }

    /// <summary>For a page: the files' sizes are checked.</summary>
    public Task<OpenedDataset> OpenPageAsync(DatasetRef content, CancellationToken ct) => OpenAsync(content, _pages, verify: false, ct);

    /// <summary>
    /// Beside one that is open, in whose place it is: whoever held one place and waited for another could wait for ever for somebody
    /// who does the same.
    /// </summary>
    public Task<OpenedDataset> OpenBesideAsync(DatasetRef content, CancellationToken ct) => OpenAsync(content, null, verify: false, ct);

    /// <summary>For a download: the files' hashes are checked, once per file and process.</summary>
    public Task<OpenedDataset> OpenDownloadAsync(DatasetRef content, CancellationToken ct) => OpenAsync(content, _downloads, verify: true, ct);

    /// <summary>An empty folder; the caller deletes it.</summary>
    public string NewScratch() => Directory.CreateDirectory(Path.Combine(_folder, Guid.CreateVersion7().ToString("N"))).FullName;

    public void Dispose()
    {
        _pages.Dispose();
        _downloads.Dispose();
        try
        {
            Directory.Delete(_folder, recursive: true);
        }
        catch (IOException)
        {
            // A download under way still writes there; the system's temporary folder is cleaned anyway.
        }
    }

    private async Task<OpenedDataset> OpenAsync(DatasetRef content, SemaphoreSlim? places, bool verify, CancellationToken ct)
    {
        if (places is not null)
            await places.WaitAsync(ct);
        var opened = new OpenedDataset(NewScratch(), places);
        try
        {
            var paths = new List<string>();
            foreach (var file in content.Files)
            {
                var copy = await _copies.TakeAsync(file.Key, ct);
                opened.Add(copy);
                if (new FileInfo(copy.Path).Length != file.Bytes || (verify && !await IsIntactAsync(file, copy.Path, ct)))
                    throw Damaged();
                paths.Add(copy.Path);
            }
            opened.Dataset = new LocalDataset(content, paths);
            return opened;
        }
        catch (Exception error)
        {
            opened.Dispose();
            if (error is FileNotFoundException)
                throw new ApiException(StatusCodes.Status410Gone, "contentGone", "The files of this dataset have been removed; only its description is left.");
            throw;
        }
    }

    private async Task<bool> IsIntactAsync(DataFile file, string path, CancellationToken ct)
    {
        var name = $"{file.Key}:{file.Sha256}";
        if (_verified.ContainsKey(name))
            return true;
        await using (var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 20, FileOptions.Asynchronous | FileOptions.SequentialScan))
        {
            if (Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, ct)) != file.Sha256)
                return false;
        }
        if (_verified.Count >= MostRemembered)
            _verified.Clear();
        _verified[name] = true;
        return true;
    }

    private static ApiException Damaged() =>
        new(StatusCodes.Status500InternalServerError, "contentDamaged", "A file of this dataset is not what was written: its size or hash differs. It is not shown.");
}

/// <summary>Files in use; disposing lets them go.</summary>
internal sealed class OpenedDataset(string scratch, SemaphoreSlim? places) : IDisposable
{
    private readonly List<LocalCopies.Copy> _copies = [];

    public LocalDataset Dataset { get; set; } = null!;
    public string Scratch => scratch;

    public void Add(LocalCopies.Copy copy) => _copies.Add(copy);

    public void Dispose()
    {
        foreach (var copy in _copies)
            copy.Release();
        Directory.Delete(scratch, recursive: true);
        places?.Release();
    }
}
