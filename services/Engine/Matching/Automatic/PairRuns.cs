using System.Runtime.InteropServices;

namespace Qualiz.Engine.Matching.Automatic;

/// <summary>
/// Sorts any number of numbers that several threads give, and gives each of them once: in runs that are sorted in memory and merged in the end. What is more than a few runs lies in a file meanwhile.
/// </summary>
internal sealed class PairRuns : IDisposable
{
    /// <summary>Numbers of a run: 32 MB.</summary>
    private const int RunLength = 1 << 22;

    /// <summary>Numbers of a run that are read at once.</summary>
    private const int Portion = 1 << 13;

    private readonly List<Run> _runs = [];
    private readonly string? _path;
    private readonly long _mostHeld;
    private FileStream? _file;
    private long _held;

    /// <param name="folder">Where the file lies; null: all is held in memory.</param>
    /// <param name="mostHeld">Numbers that are held in memory at most, beside those that are being sorted.</param>
    public PairRuns(string? folder, long mostHeld = 2 * RunLength)
    {
        _path = folder is null ? null : Path.Combine(folder, $"pairs-{Guid.NewGuid():N}");
        _mostHeld = mostHeld;
    }

    /// <summary>How many were given.</summary>
    public long Count { get; private set; }

    /// <summary>For one thread; what was added counts once <see cref="Writer.End"/> was called.</summary>
    public Writer Open() => new(this);

    /// <summary>All numbers, ascending, each once.</summary>
    public IEnumerable<ulong> Merged()
    {
        var next = new PriorityQueue<Reader, ulong>();
        foreach (var run in _runs)
        {
            var reader = new Reader(this, run);
            if (reader.Read(out var first))
                next.Enqueue(reader, first);
        }
        var (any, last) = (false, 0UL);
        while (next.TryPeek(out var reader, out var number))
        {
            if (!any || number != last)
                yield return number;
            (any, last) = (true, number);
            if (reader.Read(out var following))
                next.DequeueEnqueue(reader, following);
            else
                next.Dequeue();
        }
    }

    public void Dispose() => _file?.Dispose();

    private void Add(ReadOnlySpan<ulong> sorted)
    {
        lock (_runs)
        {
            Count += sorted.Length;
            if (_path is null || _held + sorted.Length <= _mostHeld)
            {
                _held += sorted.Length;
                _runs.Add(new Run(sorted.ToArray(), 0, sorted.Length));
                return;
            }
            _file ??= new FileStream(_path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Options = FileOptions.DeleteOnClose, BufferSize = 0 });
            _runs.Add(new Run(null, _file.Position, sorted.Length));
            _file.Write(MemoryMarshal.AsBytes(sorted));
        }
    }

    /// <param name="Held">Null: it lies in the file, from <paramref name="Start"/> on (in bytes).</param>
    private sealed record Run(ulong[]? Held, long Start, int Length);

    public sealed class Writer(PairRuns runs)
    {
        private readonly List<ulong> _numbers = [];

        public void Add(ulong number)
        {
            _numbers.Add(number);
            if (_numbers.Count == RunLength)
                End();
        }

        public void End()
        {
            if (_numbers.Count == 0)
                return;
            _numbers.Sort();
            runs.Add(CollectionsMarshal.AsSpan(_numbers));
            _numbers.Clear();
        }
    }

    private sealed class Reader(PairRuns runs, Run run)
    {
        private ulong[] _numbers = run.Held ?? [];
        private int _at;
        private int _read = run.Held?.Length ?? 0;

        public bool Read(out ulong number)
        {
            if (_at == _numbers.Length && _read < run.Length)
            {
                _numbers = new ulong[Math.Min(Portion, run.Length - _read)];
                var bytes = MemoryMarshal.AsBytes(_numbers.AsSpan());
                for (var (done, start) = (0, run.Start + ((long)_read * sizeof(ulong))); done < bytes.Length;)
                {
                    var got = RandomAccess.Read(runs._file!.SafeFileHandle, bytes[done..], start + done);
                    done += got > 0 ? got : throw new EndOfStreamException();
                }
                (_read, _at) = (_read + _numbers.Length, 0);
            }
            number = _at < _numbers.Length ? _numbers[_at] : 0;
            return _at++ < _numbers.Length;
        }
    }
}
