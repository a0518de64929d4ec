using Qualiz.Engine.Kernels.DuckDb;

namespace Qualiz.Engine.Kernels.Rows;

/// <summary>A file of lines that several threads add to; it appears with the first line.</summary>
internal sealed class LineSpool(string path) : IDisposable
{
    private readonly Lock _lock = new();
    private FileStream? _file;

    public string Path { get; } = path;

    public long Lines { get; private set; }

    /// <summary>Bytes of the longest line, its end included.</summary>
    public long Longest { get; private set; }

    /// <summary>Everything added is in the file.</summary>
    public void Flush() => _file?.Flush();

    public void Dispose()
    {
        _file?.Dispose();
        File.Delete(Path);
    }

    internal void Add(Column texts, int rows)
    {
        lock (_lock)
        {
            _file ??= new FileStream(Path, FileMode.Create, FileAccess.Write, FileShare.Read, 1 << 18);
            for (var row = 0; row < rows; row++)
            {
                var text = texts.Text(row);
                _file.Write(text);
                _file.WriteByte((byte)'\n');
                Longest = Math.Max(Longest, text.Length + 1);
            }
            Lines += rows;
        }
    }
}
