using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Storage;

namespace Qualiz.Platform.Operators;

/// <summary>The files of one execution, under its own fence: whoever else works on the step writes elsewhere.</summary>
internal sealed class StepOutputs(IObjectStore store, ExecuteStep command, long fence, string scratch) : IStepOutputs
{
    private readonly ConcurrentDictionary<string, string> _keys = [];
    private readonly ConcurrentDictionary<string, int> _numbers = [];

    /// <summary><c>&lt;project&gt;/&lt;run&gt;/&lt;step&gt;/&lt;fence&gt;</c></summary>
    public static string Folder(ExecuteStep command, long fence) =>
        string.Create(CultureInfo.InvariantCulture, $"{command.Project}/{command.RunId:D}/{command.StepId}/{fence}");

    public string CreateFile(string port, string extension = ".parquet")
    {
        var number = _numbers.AddOrUpdate(port, 1, (_, last) => last + 1);
        var key = string.Create(CultureInfo.InvariantCulture, $"{Folder(command, fence)}/{port}-{number:0000}{extension}");
        var path = store.GetStagingPath(key, scratch);
        _keys[path] = key;
        return path;
    }

    public async Task<DataFile> CommitAsync(string path, long rows, CancellationToken ct)
    {
        if (!_keys.TryRemove(path, out var key))
            throw new ArgumentException("This path was not handed out, or is committed already.", nameof(path));
        byte[] hash;
        await using (var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1024 * 1024, FileOptions.Asynchronous | FileOptions.SequentialScan))
            hash = await SHA256.HashDataAsync(file, ct);
        var stored = await store.PutFileAsync(key, path, ct);
        return new DataFile { Key = key, Rows = rows, Bytes = stored.Bytes, Sha256 = Convert.ToHexStringLower(hash) };
    }

    /// <summary>Removes what was written and not committed.</summary>
    public void Discard()
    {
        foreach (var path in _keys.Keys)
        {
            try
            {
                File.Delete(path);
            }
            catch (IOException)
            {
                // The collector removes it with the execution's folder.
            }
        }
    }
}
