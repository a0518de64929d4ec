using System.Buffers.Binary;
using System.Text;

namespace Qualiz.Ingest.Excel;

/// <summary>
/// The files within a file, as Office wrote them up to 2003 ([MS-CFB]): sectors of one size, a table that says of each which one follows, and a directory.
/// </summary>
internal sealed class CompoundFile
{
    /// <summary>Numbers from here on are no sectors: the end of a chain, free ones, the table's own.</summary>
    private const uint NoSector = 0xFFFFFFFA;

    private const int HeaderBytes = 512;
    private const int EntryBytes = 128;
    private const int MiniBytes = 64;

    private readonly byte[] _file;
    private readonly int _sectorBytes;
    private readonly uint _cutoff;
    private readonly List<uint> _next = [];
    private readonly List<uint> _nextMini = [];
    private readonly List<Entry> _entries = [];
    private readonly byte[] _mini;

    /// <exception cref="InvalidDataException">It is none, or damaged.</exception>
    public CompoundFile(byte[] file)
    {
        _file = file;
        _sectorBytes = file.Length < HeaderBytes ? 0 : 1 << (U16(30) & 31);
        if (_sectorBytes is not (512 or 4096))
            throw new InvalidDataException("The header is that of no compound file.");
        _cutoff = U32(56);
        foreach (var table in Tables())
            Add(_next, Sector(table));
        for (var sector = U32(60); sector < NoSector; sector = Next(sector, _nextMini.Count * 4))
            Add(_nextMini, Sector(sector));
        var directory = Chain(U32(48), null);
        for (var at = 0; at + EntryBytes <= directory.Length; at += EntryBytes)
        {
            var entry = directory.AsSpan(at, EntryBytes);
            var name = Encoding.Unicode.GetString(entry[..Math.Clamp(BinaryPrimitives.ReadUInt16LittleEndian(entry[64..]) - 2, 0, 64)]);
            _entries.Add(new Entry(name, entry[66], BinaryPrimitives.ReadUInt32LittleEndian(entry[116..]), BinaryPrimitives.ReadUInt32LittleEndian(entry[120..])));
        }
        _mini = _entries.Find(entry => entry.Type == Entry.Root) is { } root ? Chain(root.First, root.Bytes) : [];
    }

    /// <summary>The content of a file within it; null: there is none of that name.</summary>
    public byte[]? Read(string name)
    {
        var found = _entries.Find(entry => entry.Type == Entry.Stream && entry.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
        if (found?.Bytes > _file.Length)
            throw new InvalidDataException("A file within it is said to be larger than all of it.");
        return found is null ? null : found.Bytes < _cutoff ? MiniChain(found.First, found.Bytes) : Chain(found.First, found.Bytes);
    }

    // The first 109 stand in the header, the others in a chain of their own.
    private IEnumerable<uint> Tables()
    {
        var left = Math.Min(U32(44), _file.Length / _sectorBytes);
        for (var at = 76; at < HeaderBytes && left > 0; at += 4, left--)
            yield return U32(at);
        for (var more = U32(68); more < NoSector && left > 0;)
        {
            var sector = Sector(more).ToArray();
            for (var at = 0; at < sector.Length - 4 && left > 0; at += 4, left--)
                yield return BinaryPrimitives.ReadUInt32LittleEndian(sector.AsSpan(at));
            more = BinaryPrimitives.ReadUInt32LittleEndian(sector.AsSpan(sector.Length - 4));
        }
    }

    private byte[] Chain(uint first, long? bytes)
    {
        var content = new MemoryStream();
        for (var sector = first; sector < NoSector && !(content.Length >= bytes); sector = Next(sector, content.Length))
            content.Write(Sector(sector));
        return Cut(content, bytes);
    }

    private byte[] MiniChain(uint first, long bytes)
    {
        var content = new MemoryStream();
        for (var sector = first; sector < NoSector && content.Length < bytes; sector = _nextMini[(int)sector])
            content.Write(_mini, checked((int)sector * MiniBytes), MiniBytes);
        return Cut(content, bytes);
    }

    private static byte[] Cut(MemoryStream content, long? bytes)
    {
        if (content.Length < bytes)
            throw new InvalidDataException("A file within it ends too early.");
        content.SetLength(bytes ?? content.Length);
        return content.ToArray();
    }

    private uint Next(uint sector, long read) =>
        read <= _file.Length ? _next[(int)sector] : throw new InvalidDataException("A chain of sectors leads round in a circle.");

    // The last one may be cut short.
    private ReadOnlySpan<byte> Sector(uint number)
    {
        var at = (number + 1L) * _sectorBytes;
        return at < _file.Length ? _file.AsSpan((int)at, Math.Min(_sectorBytes, _file.Length - (int)at)) : throw new InvalidDataException("A sector lies behind the file's end.");
    }

    private static void Add(List<uint> numbers, ReadOnlySpan<byte> sector)
    {
        for (; sector.Length >= 4; sector = sector[4..])
            numbers.Add(BinaryPrimitives.ReadUInt32LittleEndian(sector));
    }

    private ushort U16(int at) => BinaryPrimitives.ReadUInt16LittleEndian(_file.AsSpan(at));

    private uint U32(int at) => BinaryPrimitives.ReadUInt32LittleEndian(_file.AsSpan(at));

    private sealed record Entry(string Name, byte Type, uint First, uint Bytes)
    {
        public const byte Stream = 2;
        public const byte Root = 5;
    }
}
