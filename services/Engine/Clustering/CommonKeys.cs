using System.Numerics;

namespace Qualiz.Engine.Clustering;

/// <summary>
/// Which texts have a key, and without which letter: eight bytes for each key of each text, in the order of keys and then of texts, and a directory to where they are.
/// </summary>
internal sealed class CommonKeys
{
    private const int LetterBits = 8;

    private readonly ulong _keyMask;
    private ulong[] _entries = new ulong[1024];
    private int _count;
    private int[] _directory = [0, 0];
    private int _shift = 63;

    /// <param name="texts">How many there are. What their numbers leave of 64 bits is for the keys: two that differ may be taken for one, seldom.</param>
    public CommonKeys(int texts) => _keyMask = ~((1UL << (BitOperations.Log2((uint)texts) + 1 + LetterBits)) - 1);

    /// <summary>Keys that were left out.</summary>
    public int Skipped { get; private set; }

    public void Add(LetterKey key, int text)
    {
        if (_count == _entries.Length)
            Array.Resize(ref _entries, (int)Math.Min(Array.MaxLength, _count + (_count / 2L)));
        _entries[_count++] = Least(key.Key, text) | key.Lack;
    }

    /// <summary>After the last one.</summary>
    /// <param name="most">A key that more texts have is left out.</param>
    public void Complete(int most)
    {
        Array.Sort(_entries, 0, _count);
        var kept = 0;
        for (var start = 0; start < _count;)
        {
            var end = start + 1;
            while (end < _count && ((_entries[end] ^ _entries[start]) & _keyMask) == 0)
                end++;
            if (end - start > most)
                Skipped++;
            else
            {
                _entries.AsSpan(start, end - start).CopyTo(_entries.AsSpan(kept));
                kept += end - start;
            }
            start = end;
        }
        _count = kept;

        var bits = Math.Clamp(BitOperations.Log2((uint)_count + 1), 1, 26);
        _shift = 64 - bits;
        _directory = new int[(1 << bits) + 1];
        for (var i = 0; i < _count; i++)
            _directory[(_entries[i] >> _shift) + 1]++;
        for (var slot = 1; slot < _directory.Length; slot++)
            _directory[slot] += _directory[slot - 1];
    }

    /// <summary>Adds the texts from one on and before another that have the key, but not for being equal pieces without the same letter.</summary>
    public void Find(LetterKey key, int from, int before, HashSet<int> found)
    {
        var slot = key.Key >> _shift;
        var (low, high) = (_directory[slot], _directory[slot + 1]);
        var (least, end) = (Least(key.Key, from), Least(key.Key, before));
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_entries[middle] < least)
                low = middle + 1;
            else
                high = middle;
        }
        for (; low < _count && _entries[low] < end; low++)
        {
            var lack = (byte)_entries[low];
            if (lack != key.Lack || lack is LetterKey.None or LetterKey.Other)
                found.Add((int)((_entries[low] & ~_keyMask) >> LetterBits));
        }
    }

    private ulong Least(ulong key, int text) => (key & _keyMask) | ((ulong)text << LetterBits);
}

/// <summary>
/// What is left of a piece of text without a letter. Two pieces that lack the same letter at the same place are equal, which their whole keys tell; where neighbours are swapped, one of the
/// two letters is missing at places that differ by one (the first of a run counting), so that it is enough to know whether a place is odd.
/// </summary>
/// <param name="Lack">The letter and whether its place is odd.</param>
internal readonly record struct LetterKey(ulong Key, byte Lack)
{
    /// <summary>Nothing is missing.</summary>
    public const byte None = 0;

    /// <summary>A letter that has no code of its own: pieces without it are never taken for equal.</summary>
    public const byte Other = byte.MaxValue;

    /// <param name="place">Within the piece; of equal neighbours the first.</param>
    public static LetterKey Without(ulong key, char letter, int place) => new(key, letter < (Other >> 1) - 1 ? (byte)(((letter + 1) << 1) | (place & 1)) : Other);
}
