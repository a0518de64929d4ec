using System.Runtime.CompilerServices;
using Qualiz.Engine.Kernels.DuckDb;

namespace Qualiz.Engine.Kernels.Profiling;

/// <summary>Values with their numbers of rows, up to a number of values and of bytes of long texts.</summary>
internal sealed unsafe class ValueTable(bool isText, int mostValues, int mostBytes)
{
    private const int Smallest = 64;
    private Entry[] _entries = new Entry[Smallest];
    private byte[] _texts = [];
    private int _used;

    public struct Entry
    {
        public ulong Hash;
        public ulong Low;

        /// <summary>Of a long text, where it begins in the table's bytes.</summary>
        public ulong High;

        /// <summary>0 where there is no entry.</summary>
        public long Rows;
    }

    public int Count { get; private set; }

    public bool IsText => isText;

    /// <summary>All places, empty ones too.</summary>
    public ReadOnlySpan<Entry> Entries => _entries;

    /// <summary>False when the value is new and there is no room: then nothing has changed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryAdd(ulong hash, in Cell cell, long rows)
    {
        var entries = _entries;
        var mask = entries.Length - 1;
        for (var i = (int)hash & mask; ; i = (i + 1) & mask)
        {
            ref var entry = ref entries[i];
            if (entry.Rows == 0)
                return TryInsert(i, hash, cell, rows);
            if (entry.Hash == hash && entry.Low == cell.Low && (cell.Text is null ? entry.High == cell.High : Text(entry).SequenceEqual(new ReadOnlySpan<byte>(cell.Text, cell.TextLength))))
            {
                entry.Rows += rows;
                return true;
            }
        }
    }

    /// <summary>The bytes of a text; not to be kept.</summary>
    public ReadOnlySpan<byte> Text(in Entry entry)
    {
        var length = (int)(uint)entry.Low;
        return length > DuckString.InlineLength ? _texts.AsSpan((int)entry.High, length) : Inline(entry).AsSpan(0, length);
    }

    /// <summary>Adds everything to another table, or as much as it has room for.</summary>
    public bool TryAddTo(ValueTable other)
    {
        fixed (byte* texts = _texts)
        {
            foreach (ref readonly var entry in _entries.AsSpan())
            {
                if (entry.Rows > 0 && !other.TryAdd(entry.Hash, CellOf(entry, texts), entry.Rows))
                    return false;
            }
        }
        return true;
    }

    /// <summary>Calls for each value; cells are of use during the call only.</summary>
    public void Each(Visit visit)
    {
        fixed (byte* texts = _texts)
        {
            foreach (ref readonly var entry in _entries.AsSpan())
            {
                if (entry.Rows > 0)
                    visit(entry.Hash, CellOf(entry, texts), entry.Rows);
            }
        }
    }

    public delegate void Visit(ulong hash, in Cell cell, long rows);

    public void Clear()
    {
        Array.Clear(_entries);
        (Count, _used) = (0, 0);
    }

    private Cell CellOf(in Entry entry, byte* texts) =>
        isText && (uint)entry.Low > DuckString.InlineLength ? new Cell(entry.Low, 0, texts + entry.High) : new Cell(entry.Low, entry.High, null);

    private static byte[] Inline(in Entry entry)
    {
        var bytes = new byte[DuckString.InlineLength];
        Unsafe.WriteUnaligned(ref bytes[0], (uint)(entry.Low >> 32));
        Unsafe.WriteUnaligned(ref bytes[4], entry.High);
        return bytes;
    }

    private bool TryInsert(int at, ulong hash, in Cell cell, long rows)
    {
        var bytes = cell.Text is null ? 0 : cell.TextLength;
        if (Count >= mostValues || bytes > mostBytes - _used)
            return false;
        ref var entry = ref _entries[at];
        entry = new Entry { Hash = hash, Low = cell.Low, High = cell.High, Rows = rows };
        if (bytes > 0)
        {
            if (_texts.Length < _used + bytes)
                Array.Resize(ref _texts, Math.Min(mostBytes, Math.Max(2 * _texts.Length, _used + bytes + 4096)));
            new ReadOnlySpan<byte>(cell.Text, bytes).CopyTo(_texts.AsSpan(_used));
            entry.High = (ulong)_used;
            _used += bytes;
        }
        Count++;
        if (Count * 3 > _entries.Length * 2)
            Grow();
        return true;
    }

    private void Grow()
    {
        var old = _entries;
        _entries = new Entry[2 * old.Length];
        var mask = _entries.Length - 1;
        foreach (ref readonly var entry in old.AsSpan())
        {
            if (entry.Rows == 0)
                continue;
            var i = (int)entry.Hash & mask;
            while (_entries[i].Rows != 0)
                i = (i + 1) & mask;
            _entries[i] = entry;
        }
    }
}
