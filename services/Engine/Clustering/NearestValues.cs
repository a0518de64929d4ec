using System.Numerics;
using Qualiz.Engine.Kernels.Similarity;

namespace Qualiz.Engine.Clustering;

/// <summary>
/// Pairs of texts at most so many typing errors apart (<see cref="EditDistance.Osa"/>), without comparing all with all. Two texts with one error between them have a text in common that is
/// left when a letter is taken from each (T. Bocek, E. Hunt, B. Stiller, "Fast Similarity Search in Large Dictionaries", University of Zurich, ifi-2007.02), and of two errors one half has
/// at most one: so all pairs are found of texts shorter than <see cref="VeryLong"/>. Longer ones are cut into segments, one more than errors can spoil, of which one is in common at nearly
/// the same place (G. Li, D. Deng, J. Wang, J. Feng, "Pass-Join: A Partition-based Method for Similarity Joins", PVLDB 5(3), 2011, with its multi-match-aware choice of places); a swap of
/// neighbours may spoil two segments: of these, pairs with one swap are all found, those with several only mostly.
/// </summary>
internal sealed class NearestValues
{
    /// <summary>A shorter text is another one with a letter changed.</summary>
    private const int Shortest = 5;

    /// <summary>From this length on two errors are allowed.</summary>
    private const int Long = 12;

    /// <summary>From this length on a segment tells enough, and what is left without a letter would be too many texts.</summary>
    public const int VeryLong = 32;

    /// <summary>Segments of a very long text: one more than one error and a swap across a border can spoil.</summary>
    private const int Segments = 4;

    /// <summary>Texts with something in common beyond which they are not looked at by it: what every address ends with tells nothing. It bounds the work.</summary>
    private const int MostInCommon = 300;

    /// <summary>An odd number without a pattern in its bits.</summary>
    private const ulong Base = 0x9E3779B97F4A7C15;

    /// <summary>In the order of their length.</summary>
    private readonly string[] _texts;

    /// <summary>By text of that order: its index among those given.</summary>
    private readonly int[] _given;

    /// <summary>By length: the first text that is so long.</summary>
    private readonly int[] _firsts;

    /// <summary>By text: a bit for each letter in it, several letters sharing one. An error changes two at most.</summary>
    private readonly ulong[] _letters;
    private readonly ulong[] _powers;

    /// <param name="texts">Different ones.</param>
    public NearestValues(string[] texts)
    {
        _given = [.. Enumerable.Range(0, texts.Length).OrderBy(i => texts[i].Length)];
        _texts = Array.ConvertAll(_given, i => texts[i]);
        _letters = Array.ConvertAll(_texts, Letters);
        var longest = _texts.Length == 0 ? 0 : _texts[^1].Length;
        _firsts = new int[longest + 1];
        for (var (length, text) = (0, 0); length <= longest; length++)
        {
            while (_texts.Length > text && _texts[text].Length < length)
                text++;
            _firsts[length] = text;
        }
        _powers = new ulong[longest + 1];
        _powers[0] = 1;
        for (var i = 1; i < _powers.Length; i++)
            _powers[i] = _powers[i - 1] * Base;
    }

    /// <summary>What so many texts have in common that these were not compared by it.</summary>
    public int Skipped { get; private set; }

    /// <summary>What two texts have in common: one pass for each, so that only its keys are in memory.</summary>
    private enum Part
    {
        /// <summary>All of a text, and of a long one its first half.</summary>
        Start,
        End,
        Segment,
    }

    /// <summary>Errors that two texts may be apart of which the shorter one is so long; 0: none.</summary>
    public static int Allowed(int length) => length < Shortest ? 0 : length < Long ? 1 : 2;

    /// <returns>Pairs of indexes, the smaller one first, in ascending order.</returns>
    public IReadOnlyList<(int A, int B)> Pairs(CancellationToken ct)
    {
        var found = new HashSet<(int, int)>();
        foreach (var part in Enum.GetValues<Part>())
        {
            var common = Index(part, ct);
            Skipped += common.Skipped;
            Parallel.For(
                0, _texts.Length, new ParallelOptions { CancellationToken = ct }, () => (Keys: new List<LetterKey>(), Met: new HashSet<int>(), Found: new List<(int, int)>()),
                (i, _, own) =>
                {
                    own.Keys.Clear();
                    own.Met.Clear();
                    AddSought(_texts[i], part, own.Keys);
                    // Every pair is met from its longer text, or from its later one.
                    var from = _firsts[Math.Max(0, _texts[i].Length - 2)];
                    foreach (var key in own.Keys)
                        common.Find(key, from, i, own.Met);
                    own.Found.AddRange(own.Met.Where(other => AreNear(other, i)).Select(other => (Math.Min(_given[i], _given[other]), Math.Max(_given[i], _given[other]))));
                    return own;
                },
                own =>
                {
                    lock (found)
                        found.UnionWith(own.Found);
                });
        }
        return [.. found.Order()];
    }

    private bool AreNear(int shorter, int longer)
    {
        var allowed = Allowed(_texts[shorter].Length);
        return BitOperations.PopCount(_letters[shorter] ^ _letters[longer]) <= 2 * allowed && _texts[longer].Length - _texts[shorter].Length <= allowed
            && EditDistance.Osa(_texts[shorter], _texts[longer]) <= allowed;
    }

    private CommonKeys Index(Part part, CancellationToken ct)
    {
        var common = new CommonKeys(_texts.Length);
        var keys = new List<LetterKey>();
        for (var i = 0; i < _texts.Length; i++)
        {
            ct.ThrowIfCancellationRequested();
            keys.Clear();
            AddOwn(_texts[i], part, keys);
            foreach (var key in keys)
                common.Add(key, i);
        }
        common.Complete(MostInCommon);
        return common;
    }

    /// <summary>The keys under which a text is found.</summary>
    private void AddOwn(string text, Part part, List<LetterKey> keys)
    {
        var length = text.Length;
        switch (part)
        {
            case Part.Start when length is >= Shortest and < Long:
                AddWithoutLetter(text, 0, length, part, keys);
                break;
            case Part.Start when length is >= Long and < VeryLong:
                AddWithoutLetter(text, 0, length / 2, part, keys);
                break;
            case Part.End when length is >= Long and < VeryLong:
                AddWithoutLetter(text, length / 2, length, part, keys);
                break;
            case Part.Segment when length >= VeryLong:
                var sums = Sums(text);
                for (var segment = 0; segment < Segments; segment++)
                    keys.Add(new LetterKey(SegmentKey(sums, Border(length, segment), Border(length, segment + 1), length, segment), LetterKey.None));
                break;
            default:
                break;
        }
    }

    /// <summary>The keys of texts that are shorter, or as long, and may be near.</summary>
    private void AddSought(string text, Part part, List<LetterKey> keys)
    {
        var length = text.Length;
        // Of one that is so short, and of one that is as long.
        var (least, most) = (Math.Max(Long, length - 2), Math.Min(length, VeryLong - 1));
        switch (part)
        {
            case Part.Start:
                if (length is >= Shortest and <= Long)
                    AddWithoutLetter(text, 0, length, part, keys);
                for (var end = (least / 2) - 1; least <= most && end <= (most / 2) + 1; end++)
                    AddWithoutLetter(text, 0, end, part, keys);
                break;
            case Part.End:
                for (var size = ((least + 1) / 2) - 1; least <= most && size <= ((most + 1) / 2) + 1; size++)
                    AddWithoutLetter(text, length - size, length, part, keys);
                break;
            case Part.Segment when length >= VeryLong:
                AddSegments(text, keys);
                break;
            default:
                break;
        }
    }

    private void AddSegments(string text, List<LetterKey> keys)
    {
        var sums = Sums(text);
        for (var length = Math.Max(VeryLong, text.Length - 2); length <= text.Length; length++)
        {
            var longer = text.Length - length;
            for (var segment = 0; segment < Segments; segment++)
            {
                var start = Border(length, segment);
                var size = Border(length, segment + 1) - start;
                // With more errors than so on either side of it, another segment is in common as well.
                var after = Segments - 1 - segment;
                var from = Math.Max(0, Math.Max(start - segment, start + longer - after));
                var to = Math.Min(text.Length - size, Math.Min(start + segment, start + longer + after));
                for (var at = from; at <= to; at++)
                    keys.Add(new LetterKey(SegmentKey(sums, at, at + size, length, segment), LetterKey.None));
            }
        }
    }

    /// <summary>Where a segment begins; of the one behind the last, where the text ends.</summary>
    private static int Border(int length, int segment) => length * segment / Segments;

    private ulong SegmentKey(ulong[] sums, int from, int to, int length, int segment) =>
        Mix(Sum(sums, from, to) ^ (((ulong)length << 32) | ((ulong)segment << 8) | (ulong)Part.Segment));

    /// <summary>A piece of a text, and what is left of it without one of its letters.</summary>
    private void AddWithoutLetter(string text, int from, int to, Part part, List<LetterKey> keys)
    {
        var sums = Sums(text);
        keys.Add(new LetterKey(Mix(Sum(sums, from, to) ^ (ulong)part), LetterKey.None));
        for (var i = from; i < to; i++)
        {
            // Of equal neighbours it is all the same which one goes.
            if (i == from || text[i] != text[i - 1])
                keys.Add(LetterKey.Without(Mix(((Sum(sums, from, i) * _powers[to - i - 1]) + Sum(sums, i + 1, to)) ^ (ulong)part), text[i], i - from));
        }
    }

    /// <summary>By place: the letters before it as digits of a number; a piece's own number follows from two of them.</summary>
    private static ulong[] Sums(string text)
    {
        var sums = new ulong[text.Length + 1];
        for (var i = 0; i < text.Length; i++)
            sums[i + 1] = (sums[i] * Base) + text[i] + 1;
        return sums;
    }

    private ulong Sum(ulong[] sums, int from, int to) => sums[to] - (sums[from] * _powers[to - from]);

    /// <summary>The finalizer of MurmurHash3 (A. Appleby): every bit tells of every other.</summary>
    private static ulong Mix(ulong sum)
    {
        sum = (sum ^ (sum >> 33)) * 0xFF51AFD7ED558CCD;
        sum = (sum ^ (sum >> 33)) * 0xC4CEB9FE1A85EC53;
        return sum ^ (sum >> 33);
    }

    private static ulong Letters(string text)
    {
        var letters = 0UL;
        foreach (var letter in text)
            letters |= 1UL << (letter & 63);
        return letters;
    }
}
