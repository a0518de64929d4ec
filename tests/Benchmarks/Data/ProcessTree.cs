using System.Globalization;

namespace Qualiz.Benchmarks.Data;

/// <summary>Watches how much memory a process and all its descendants have at once. What they share counts for each of them.</summary>
internal sealed class ProcessTree : IAsyncDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(200);

    private readonly CancellationTokenSource _stop = new();
    private readonly int _root;
    private readonly Task _watching;

    public ProcessTree(int root)
    {
        _root = root;
        _watching = Task.Run(WatchAsync);
    }

    public long PeakBytes { get; private set; }

    /// <summary>How many processes there were at the peak.</summary>
    public int Processes { get; private set; }

    /// <summary>The largest of them at any time.</summary>
    public long LargestBytes { get; private set; }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        _stop.Dispose();
    }

    private async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(Every);
        try
        {
            do
                Look();
            while (await timer.WaitForNextTickAsync(_stop.Token));
        }
        catch (OperationCanceledException)
        {
            // The end of it.
        }
    }

    private void Look()
    {
        var all = new Dictionary<int, (int Parent, long Bytes)>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var id) && Read(folder) is { } process)
                all[id] = process;
        }
        var tree = all.Where(process => IsOurs(process.Key)).Select(process => process.Value.Bytes).ToList();
        LargestBytes = Math.Max(LargestBytes, tree.DefaultIfEmpty().Max());
        if (tree.Sum() > PeakBytes)
            (PeakBytes, Processes) = (tree.Sum(), tree.Count);

        bool IsOurs(int id)
        {
            while (id != _root)
            {
                if (!all.TryGetValue(id, out var process) || process.Parent == id)
                    return false;
                id = process.Parent;
            }
            return all.ContainsKey(id);
        }
    }

    private static (int Parent, long Bytes)? Read(string folder)
    {
        try
        {
            var fields = File.ReadLines(Path.Combine(folder, "status"))
                .Where(line => line.StartsWith("PPid:", StringComparison.Ordinal) || line.StartsWith("VmRSS:", StringComparison.Ordinal))
                .Select(line => line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)).ToDictionary(words => words[0], words => long.Parse(words[1], CultureInfo.InvariantCulture));
            return ((int)fields["PPid:"], fields.GetValueOrDefault("VmRSS:") * 1024);
        }
        catch (IOException)
        {
            // It has ended meanwhile.
            return null;
        }
    }
}
