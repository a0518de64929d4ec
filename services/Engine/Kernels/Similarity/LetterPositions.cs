using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Qualiz.Engine.Kernels.Similarity;

/// <summary>Where each letter stands in a pattern of at most 64 letters, as bits. One at a time for each thread: what was set has to be taken back, which is far less work than to clear all.</summary>
internal readonly ref struct LetterPositions
{
    public const int Most = 64;
    private const int Ascii = 128;

    /// <summary>All zero between two uses.</summary>
    [ThreadStatic]
    private static ulong[]? _ofThread;

    private readonly ref ulong _ascii;
    private readonly ReadOnlySpan<char> _pattern;

    public LetterPositions(ReadOnlySpan<char> pattern)
    {
        _pattern = pattern;
        _ascii = ref MemoryMarshal.GetArrayDataReference(_ofThread ??= new ulong[Ascii]);
        for (var i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] < Ascii)
                Unsafe.Add(ref _ascii, pattern[i]) |= 1UL << i;
        }
    }

    public ulong this[char letter] => letter < Ascii ? Unsafe.Add(ref _ascii, letter) : Look(letter);

    public void TakeBack()
    {
        foreach (var letter in _pattern)
        {
            if (letter < Ascii)
                Unsafe.Add(ref _ascii, letter) = 0;
        }
    }

    private ulong Look(char letter)
    {
        var bits = 0UL;
        for (var i = 0; i < _pattern.Length; i++)
            bits |= _pattern[i] == letter ? 1UL << i : 0;
        return bits;
    }
}
