using System.IO.Hashing;
using System.Numerics;
using System.Runtime.InteropServices;
using Qualiz.Engine.Kernels.Similarity;

namespace Qualiz.Engine.Clustering;

/// <summary>
/// Pairs of texts at most so many typing errors apart (<see cref="EditDistance.Osa"/>), without comparing all with all: a text is cut into segments, one more than errors can spoil, so that two
/// such texts have a segment in common at nearly the same place (G. Li, D. Deng, J. Wang, J. Feng, "Pass-Join: A Partition-based Method for Similarity Joins", PVLDB 5(3), 2011, with its
/// multi-match-aware choice of places). A swap of neighbours may spoil two segments: pairs with one are all found, those with several only mostly.
/// </summary>
internal sealed class NearestValues
{
    /// <summary>A shorter text is another one with a letter changed.</summary>
    private const int Shortest = 5;

    /// <summary>From this length on two errors are allowed.</summary>
    private const int Long = 12;

    /// <summary>
    /// Texts with a segment in common beyond which they are not looked at by it: what every address ends with tells nothing. It bounds the work: some twenty places a text, so many texts at each.
    /// </summary>
    private const int MostInCommon = 300;

    private readonly string[] _texts;

    /// <summary>By text: a bit for each letter in it, several letters sharing one. An error changes two at most.</summary>
    private readonly ulong[] _letters;
    private readonly Dictionary<ulong, (int Start, int Count)> _places = [];
    private int[] _indexed = [];

    /// <summary>Of each indexed text, beside it in memory: most are told apart by it.</summary>
    private ulong[] _indexedLetters = [];

    /// <param name="texts">Different ones.</param>
    public NearestValues(string[] texts)
    {
        _texts = texts;
        _letters = Array.ConvertAll(texts, Letters);
    }

    /// <summary>Segments that so many texts have in common that these were not compared by them.</summary>
    public int Skipped { get; private set; }

    /// <summary>Errors that two texts may be apart of which the shorter one is so long; 0: none.</summary>
    public static int Allowed(int length) => length < Shortest ? 0 : length < Long ? 1 : 2;

    /// <returns>Pairs of indexes, the smaller one first, in ascending order.</returns>
    public IReadOnlyList<(int A, int B)> Pairs(CancellationToken ct)
    {
        Index(ct);
        var found = new List<(int, int)>[_texts.Length];
        Parallel.For(0, _texts.Length, new ParallelOptions { CancellationToken = ct }, () => new HashSet<int>(), (i, _, met) => { found[i] = Near(i, met); return met; }, _ => { });
        return [.. found.SelectMany(pairs => pairs).Order()];
    }

    /// <summary>What one more error than is allowed can spoil (the swap), and one.</summary>
    private static int Segments(int length) => Allowed(length) + 2;

    /// <summary>Where the segment begins; of the one behind the last, where the text ends.</summary>
    private static int Border(int length, int segment) => length * segment / Segments(length);

    // The place is mixed in afterwards: seeds of short inputs cancel each other out.
    private static ulong Key(ReadOnlySpan<char> segment, int length, int number) =>
        (XxHash3.HashToUInt64(MemoryMarshal.AsBytes(segment)) ^ (((ulong)length << 32) | (uint)number)) * 0x9E3779B97F4A7C15;

    private static ulong Letters(string text)
    {
        var letters = 0UL;
        foreach (var letter in text)
            letters |= 1UL << (letter & 63);
        return letters;
    }

    private void Index(CancellationToken ct)
    {
        var entries = new List<(ulong Key, int Text)>();
        for (var i = 0; i < _texts.Length; i++)
        {
            ct.ThrowIfCancellationRequested();
            var text = _texts[i];
            if (Allowed(text.Length) == 0)
                continue;
            for (var segment = 0; segment < Segments(text.Length); segment++)
                entries.Add((Key(text.AsSpan()[Border(text.Length, segment)..Border(text.Length, segment + 1)], text.Length, segment), i));
        }
        entries.Sort();
        _indexed = [.. entries.Select(entry => entry.Text)];
        _indexedLetters = Array.ConvertAll(_indexed, text => _letters[text]);
        for (var start = 0; start < entries.Count;)
        {
            var end = start + 1;
            while (end < entries.Count && entries[end].Key == entries[start].Key)
                end++;
            if (end - start > MostInCommon)
                Skipped++;
            else
                _places[entries[start].Key] = (start, end - start);
            start = end;
        }
    }

    /// <summary>Those that are indexed and shorter, or as long and before it.</summary>
    private List<(int A, int B)> Near(int i, HashSet<int> met)
    {
        var found = new List<(int, int)>();
        var text = _texts[i];
        met.Clear();
        for (var length = Math.Max(Shortest, text.Length - 2); length <= text.Length; length++)
        {
            var (allowed, longer) = (Allowed(length), text.Length - length);
            if (longer > allowed)
                continue;
            var last = Segments(length) - 1;
            for (var segment = 0; segment <= last; segment++)
            {
                var start = Border(length, segment);
                var size = Border(length, segment + 1) - start;
                // With more errors than so on either side of it, another segment is in common as well.
                var from = Math.Max(start - segment, start + longer - (last - segment));
                var to = Math.Min(start + segment, start + longer + (last - segment));
                for (var at = Math.Max(0, from); at <= Math.Min(text.Length - size, to); at++)
                {
                    if (!_places.TryGetValue(Key(text.AsSpan(at, size), length, segment), out var place))
                        continue;
                    for (var entry = place.Start; entry < place.Start + place.Count; entry++)
                    {
                        if (BitOperations.PopCount(_letters[i] ^ _indexedLetters[entry]) > 2 * allowed)
                            continue;
                        var other = _indexed[entry];
                        if (_texts[other].Length == length && (longer > 0 || other < i) && met.Add(other) && EditDistance.Osa(text, _texts[other]) <= allowed)
                            found.Add((Math.Min(i, other), Math.Max(i, other)));
                    }
                }
            }
        }
        return found;
    }
}
