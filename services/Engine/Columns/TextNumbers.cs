using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Qualiz.Engine.Columns;

/// <summary>Gives equal texts equal numbers, in the order in which they come; the empty text is 0.</summary>
internal sealed class TextNumbers
{
    private const int LettersAtFirst = 256;
    private char[] _letters = new char[LettersAtFirst];
    private int[] _starts = new int[16];

    /// <summary>By number, what its text hashes to.</summary>
    private int[] _hashes = new int[16];

    /// <summary>Open addressing: the number of a text and one, 0 where there is none. Its length is a power of two.</summary>
    private int[] _slots = new int[32];

    public TextNumbers() => Of("");

    public int Count { get; private set; }

    public int Of(ReadOnlySpan<char> text)
    {
        var hash = (int)XxHash3.HashToUInt64(MemoryMarshal.AsBytes(text));
        var mask = _slots.Length - 1;
        for (var slot = hash & mask; ; slot = (slot + 1) & mask)
        {
            var number = _slots[slot] - 1;
            if (number < 0)
            {
                _slots[slot] = Count + 1;
                return Add(text, hash);
            }
            if (_hashes[number] == hash && text.SequenceEqual(_letters.AsSpan(_starts[number], _starts[number + 1] - _starts[number])))
                return number;
        }
    }

    /// <summary>The texts in ordinal order, so that nothing depends on how they came. Afterwards no further ones can be added.</summary>
    /// <param name="renumbered">By number until now: the number in that order.</param>
    public TextList Sorted(out int[] renumbered)
    {
        var order = new int[Count];
        var keys = new ulong[Count];
        for (var i = 0; i < order.Length; i++)
            (order[i], keys[i]) = (i, Beginning(Text(i)));
        // By the first letters, and by all of them only where these are equal.
        Array.Sort(keys, order);
        for (var i = 0; i < order.Length;)
        {
            var end = i + 1;
            while (end < order.Length && keys[end] == keys[i])
                end++;
            if (end - i > 1)
                order.AsSpan(i, end - i).Sort((x, y) => Text(x).SequenceCompareTo(Text(y)));
            i = end;
        }
        renumbered = new int[Count];
        var (letters, starts) = (new char[_starts[Count]], new int[Count + 1]);
        for (var i = 0; i < order.Length; i++)
        {
            renumbered[order[i]] = i;
            var text = Text(order[i]);
            text.CopyTo(letters.AsSpan(starts[i]));
            starts[i + 1] = starts[i] + text.Length;
        }
        (_letters, _starts, _hashes, _slots) = ([], [], [], []);
        return new TextList(letters, starts);
    }

    private ReadOnlySpan<char> Text(int number) => _letters.AsSpan(_starts[number], _starts[number + 1] - _starts[number]);

    private static ulong Beginning(ReadOnlySpan<char> text)
    {
        var key = 0UL;
        for (var i = 0; i < 4; i++)
            key = (key << 16) | (i < text.Length ? text[i] : '\0');
        return key;
    }

    private int Add(ReadOnlySpan<char> text, int hash)
    {
        var number = Count++;
        var start = _starts[number];
        if (number + 2 > _starts.Length)
            Array.Resize(ref _starts, 2 * _starts.Length);
        if (number >= _hashes.Length)
            Array.Resize(ref _hashes, 2 * _hashes.Length);
        if (start + (long)text.Length > _letters.Length)
            Array.Resize(ref _letters, (int)Math.Min(Array.MaxLength, Math.Max(2L * _letters.Length, start + (long)text.Length)));
        text.CopyTo(_letters.AsSpan(start));
        _starts[number + 1] = start + text.Length;
        _hashes[number] = hash;
        if (2L * Count > _slots.Length)
            Grow();
        return number;
    }

    private void Grow()
    {
        _slots = new int[2 * _slots.Length];
        var mask = _slots.Length - 1;
        for (var number = 0; number < Count; number++)
        {
            var slot = _hashes[number] & mask;
            while (_slots[slot] != 0)
                slot = (slot + 1) & mask;
            _slots[slot] = number + 1;
        }
    }
}
