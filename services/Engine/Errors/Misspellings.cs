using System.Globalization;

namespace Qualiz.Engine.Errors;

/// <summary>
/// Texts that are probably other, much more frequent texts with an edit. How often that is so by chance is learnt from the texts themselves: from how many of the
/// established ones are neighbours of each other in the same way (codes of two letters nearly all are, names of towns hardly ever).
/// </summary>
internal sealed class Misspellings
{
    /// <summary>A text must be so much rarer than what it is taken for.</summary>
    private const int Rarer = 5;

    /// <summary>A text that stands in so many places is there on purpose, unless it is a neighbour of one that is much more frequent.</summary>
    private const int Established = 3;

    /// <summary>No more than this share of a value's places is misspelt in the same kind of way.</summary>
    private const double MostMisspelt = 0.4;

    /// <summary>Comparing each with each costs at most so many comparisons; beyond, only single edits are looked for, by index.</summary>
    private const long MostComparisons = 2_000_000;

    private readonly IReadOnlyList<(string Text, int Count)> _items;
    private readonly double _chance;
    private readonly bool _several;
    private readonly int _letters;
    private readonly IReadOnlySet<char>? _mistakes;

    private Misspellings(IReadOnlyList<(string Text, int Count)> items, double chance, bool several, int letters, IReadOnlySet<char>? mistakes)
    {
        _items = items;
        _chance = chance;
        _several = several;
        _letters = letters;
        _mistakes = mistakes;
    }

    /// <param name="items">Distinct texts with the number of their places, in an order that does not depend on the rows'.</param>
    /// <param name="chance">How probable it is at least that a right text is a neighbour of an established one.</param>
    /// <param name="several">Also look for several edits in a text.</param>
    /// <param name="letters">How many characters an edit has to choose from.</param>
    /// <param name="mistakes">Characters that mistakes elsewhere in the table put in.</param>
    /// <returns>For each item what it is taken for, or nothing.</returns>
    public static Misspelling?[] Find(IReadOnlyList<(string Text, int Count)> items, double chance, bool several, int letters = 26, IReadOnlySet<char>? mistakes = null) =>
        new Misspellings(items, chance, several, letters, mistakes).Find();

    private Misspelling?[] Find()
    {
        var found = new Misspelling?[_items.Count];
        var frequent = Enumerable.Range(0, _items.Count).Where(i => _items[i].Count >= Established).OrderByDescending(i => _items[i].Count).ThenBy(i => i).ToArray();
        if (frequent.Length == 0)
            return found;
        var alphabet = Alphabet(frequent);
        var neighbours = new List<(int Of, Edit Edit)>[_items.Count];
        foreach (var (rare, of, edit) in Neighbours(frequent))
            (neighbours[rare] ??= []).Add((of, edit));

        // Frequent texts whose own, much more frequent neighbour explains them are not established.
        var established = new List<int>();
        foreach (var i in frequent)
        {
            if (neighbours[i]?.Exists(near => _items[near.Of].Count >= Rarer * _items[i].Count && IsPlausible(i, near.Of, near.Edit, alphabet)) != true)
                established.Add(i);
        }
        var isEstablished = new bool[_items.Count];
        foreach (var i in established)
            isEstablished[i] = true;

        var natural = new Dictionary<EditGroup, int>();
        foreach (var i in established)
        {
            foreach (var group in (neighbours[i] ?? []).Where(near => isEstablished[near.Of]).Select(near => Group(near.Edit, _items[i].Text)).Distinct())
                natural[group] = natural.GetValueOrDefault(group) + 1;
        }
        var candidates = new List<(int Rare, int Of, Edit Edit)>();
        var observed = new Dictionary<EditGroup, int>();
        for (var i = 0; i < _items.Count; i++)
        {
            if (isEstablished[i] || neighbours[i] is not { } near)
                continue;
            var best = near.Where(each => isEstablished[each.Of] && _items[each.Of].Count >= Rarer * _items[i].Count && IsPlausible(i, each.Of, each.Edit, alphabet))
                .OrderBy(each => each.Edit.Distance).ThenByDescending(each => _items[each.Of].Count).ThenBy(each => each.Of)
                .Cast<(int Of, Edit Edit)?>().FirstOrDefault();
            if (best is not var (of, edit))
                continue;
            candidates.Add((i, of, edit));
            var group = Group(edit, _items[i].Text);
            observed[group] = observed.GetValueOrDefault(group) + 1;
        }
        var byBin = new Dictionary<int, (int Established, int Others)>();
        for (var i = 0; i < _items.Count; i++)
        {
            var bin = Bin(_items[i].Text.Length);
            var (known, others) = byBin.GetValueOrDefault(bin);
            byBin[bin] = isEstablished[i] ? (known + 1, others) : (known, others + 1);
        }
        foreach (var (rare, of, edit) in candidates)
        {
            var group = Group(edit, _items[rare].Text);
            var (known, others) = byBin[group.Bin];
            var foreign = IsForeign(edit, alphabet);
            // Numbers differ in digits; so do numbers with a unit or a name around them.
            if ((!foreign && edit.Kind == EditKind.Digit && IsOneNumber(_items[of].Text)) || (IsNumber(_items[rare].Text) && IsNumber(_items[of].Text)))
                continue;
            // Codes of two letters that differ in one are two codes, unless that letter is what is wrong in other columns.
            if (_items[rare].Text.Length <= 2 && edit is { IsLong: false, IsShort: false, IsSwap: false } && !(foreign && _mistakes?.Contains(edit.Foreign!.Value) == true))
                continue;
            var usual = edit.Kind == EditKind.Digit ? 0.5 : _chance;
            var chance = foreign ? _chance / 3 : Math.Max(ByChance(_items[of].Text.Length, established.Count, edit), (natural.GetValueOrDefault(group) + (2 * usual)) / (known + 2.0));
            var share = (observed[group] + 1.0) / (others + 1.0);
            var confidence = 1 - (chance / Math.Min(share, 1));
            if (confidence > 0)
                found[rare] = new Misspelling(of, edit, confidence);
        }
        return found;
    }

    /// <summary>How probable a random text of that length is a neighbour of one of so many; texts are less random than their letters, hence ten of them.</summary>
    private static double ByChance(int length, int known, Edit edit)
    {
        if (edit.Distance > 1)
            return 0;
        var neighbours = edit.IsLong ? (length + 1) * 10.0 : edit.IsShort ? length : (length * 9.0) + length - 1;
        var space = Math.Pow(10, edit.IsLong ? length + 1 : edit.IsShort ? length - 1 : length);
        return 1 - Math.Exp(-known * neighbours / space);
    }

    /// <summary>Whether the edit puts in what no right text has. Digits are never that: numbers take any.</summary>
    private static bool IsForeign(Edit edit, HashSet<char> alphabet) => edit.Foreign is { } character && !char.IsDigit(character) && !alphabet.Contains(character);

    private static bool IsNumber(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _);

    private static bool IsOneNumber(string text)
    {
        var runs = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsDigit(text[i]) && (i == 0 || !(char.IsDigit(text[i - 1]) || text[i - 1] is '.' or ',')))
                runs++;
        }
        return runs == 1;
    }

    /// <summary>One certain misspelling of a text is not written again and again, unless there are few ways to misspell it so.</summary>
    private bool IsPlausible(int rare, int of, Edit edit, HashSet<char> alphabet)
    {
        if (IsForeign(edit, alphabet))
            return true;
        var length = _items[of].Text.Length;
        var ways = edit.IsLong ? (double)_letters * (length + 1) : edit.IsShort ? length : edit.IsSwap ? Math.Max(1, length - 1) : (_letters - 1.0) * length;
        return _items[rare].Count <= 3 + (3 * _items[of].Count * MostMisspelt / 3 / ways);
    }

    /// <summary>The characters of what is established; what is foreign to it is no part of a right text.</summary>
    private HashSet<char> Alphabet(int[] frequent)
    {
        var places = new Dictionary<char, long>();
        long all = 0;
        foreach (var i in frequent)
        {
            all += _items[i].Count;
            foreach (var character in _items[i].Text.Distinct())
                places[character] = places.GetValueOrDefault(character) + _items[i].Count;
        }
        // A character that stands in few of the established places is not established itself.
        return [.. places.Where(place => place.Value >= Math.Max(Established, all / (frequent.Length <= 20 ? 20 : 100))).Select(place => place.Key)];
    }

    private IEnumerable<(int Item, int Of, Edit Edit)> Neighbours(int[] frequent)
    {
        if (_several && (long)frequent.Length * _items.Count <= MostComparisons)
        {
            for (var i = 0; i < _items.Count; i++)
            {
                var text = _items[i].Text;
                var most = Math.Max(1, text.Length / 4);
                foreach (var of in frequent)
                {
                    if (of != i && Edit.Between(text, _items[of].Text, most) is { } edit)
                        yield return (i, of, edit);
                }
            }
            yield break;
        }
        // Two texts are one edit apart only if they are equal after at most one character is taken from each.
        var index = new Dictionary<ulong, List<int>>();
        foreach (var of in frequent)
        {
            foreach (var hash in TextHash.WithoutOne(_items[of].Text))
            {
                if (!index.TryGetValue(hash, out var list))
                    index[hash] = list = [];
                if (list.Count < 64)
                    list.Add(of);
            }
        }
        var seen = new HashSet<int>();
        for (var i = 0; i < _items.Count; i++)
        {
            seen.Clear();
            foreach (var hash in TextHash.WithoutOne(_items[i].Text))
            {
                foreach (var of in index.GetValueOrDefault(hash) ?? [])
                {
                    if (of != i && seen.Add(of) && Edit.Between(_items[i].Text, _items[of].Text, 1) is { } edit)
                        yield return (i, of, edit);
                }
            }
        }
    }

    private static int Bin(int length) => length switch { <= 2 => 2, 3 => 3, <= 5 => 5, <= 8 => 8, _ => 9 };

    private static EditGroup Group(Edit edit, string text) => new(edit.Kind, edit.IsLong || edit.IsShort, edit.Distance > 1, Bin(text.Length));

    private readonly record struct EditGroup(EditKind Kind, bool ChangesLength, bool Several, int Bin);
}

/// <param name="Of">The item it is taken for.</param>
internal sealed record Misspelling(int Of, Edit Edit, double Confidence);

internal enum EditKind
{
    Letter,
    Case,
    Digit,
    Sign,
    LetterAndDigit,
}

/// <summary>How one text becomes another: characters put in, left out, exchanged, or two neighbours swapped.</summary>
/// <param name="IsLong">The rare text has a character too many.</param>
/// <param name="IsShort">The rare text lacks a character.</param>
/// <param name="Foreign">The character of the rare text that the other does not have at this place.</param>
internal readonly record struct Edit(int Distance, EditKind Kind, bool IsLong, bool IsShort, bool IsSwap, char? Foreign)
{
    /// <returns>Null when it takes more than <paramref name="most"/> edits.</returns>
    public static Edit? Between(ReadOnlySpan<char> rare, ReadOnlySpan<char> other, int most)
    {
        if (Math.Abs(rare.Length - other.Length) > most)
            return null;
        var same = rare.CommonPrefixLength(other);
        rare = rare[same..];
        other = other[same..];
        while (rare.Length > 0 && other.Length > 0 && rare[^1] == other[^1])
        {
            rare = rare[..^1];
            other = other[..^1];
        }
        switch (rare.Length, other.Length)
        {
            case (0, 0):
                return null;
            case (1, 0):
                return new Edit(1, KindOf(rare[0]), true, false, false, rare[0]);
            case (0, 1):
                return new Edit(1, KindOf(other[0]), false, true, false, null);
            case (1, 1):
                return new Edit(1, KindOf(rare[0], other[0]), false, false, false, rare[0]);
            case (2, 2) when rare[0] == other[1] && rare[1] == other[0]:
                return new Edit(1, KindOf(rare[0], rare[1]), false, false, true, null);
        }
        if (most < 2 || Count(rare, other, most) is not { } distance)
            return null;
        // The one character that all edits put in, if it is one.
        char? foreign = null;
        var isOne = rare.Length == other.Length;
        for (var i = 0; isOne && i < rare.Length; i++)
        {
            if (rare[i] == other[i])
                continue;
            isOne = foreign is null || foreign == rare[i];
            foreign = rare[i];
        }
        return new Edit(distance, KindOf(rare, other), rare.Length > other.Length, rare.Length < other.Length, false, isOne ? foreign : null);
    }

    private static EditKind KindOf(char character) => char.IsLetter(character) ? EditKind.Letter : char.IsDigit(character) ? EditKind.Digit : EditKind.Sign;

    private static EditKind KindOf(char one, char other)
    {
        if (char.ToUpperInvariant(one) == char.ToUpperInvariant(other))
            return EditKind.Case;
        var (first, second) = (KindOf(one), KindOf(other));
        return first == second ? first : first == EditKind.Sign || second == EditKind.Sign ? EditKind.Sign : EditKind.LetterAndDigit;
    }

    private static EditKind KindOf(ReadOnlySpan<char> one, ReadOnlySpan<char> other)
    {
        if (one.Equals(other, StringComparison.OrdinalIgnoreCase))
            return EditKind.Case;
        var digits = one.ContainsAnyInRange('0', '9') || other.ContainsAnyInRange('0', '9');
        return digits ? EditKind.Digit : EditKind.Letter;
    }

    private static int? Count(ReadOnlySpan<char> one, ReadOnlySpan<char> other, int most)
    {
        var width = other.Length + 1;
        Span<int> before = width <= 256 ? stackalloc int[width] : new int[width];
        Span<int> last = width <= 256 ? stackalloc int[width] : new int[width];
        Span<int> now = width <= 256 ? stackalloc int[width] : new int[width];
        for (var j = 0; j < width; j++)
            last[j] = j;
        for (var i = 1; i <= one.Length; i++)
        {
            now[0] = i;
            var least = i;
            for (var j = 1; j < width; j++)
            {
                var cost = one[i - 1] == other[j - 1] ? 0 : 1;
                var value = Math.Min(Math.Min(now[j - 1], last[j]) + 1, last[j - 1] + cost);
                if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1])
                    value = Math.Min(value, before[j - 2] + 1);
                now[j] = value;
                least = Math.Min(least, value);
            }
            if (least > most)
                return null;
            var spare = before;
            before = last;
            last = now;
            now = spare;
        }
        return last[^1] <= most ? last[^1] : null;
    }
}

/// <summary>Hashes of a text and of all texts that it becomes without one of its characters, in time that grows with its length only.</summary>
internal static class TextHash
{
    private const ulong Base = 1_099_511_628_211;

    public static IEnumerable<ulong> WithoutOne(string text)
    {
        ulong all = 0;
        foreach (var character in text)
            all = (all * Base) + character + 1;
        yield return all;
        // The tail's hash without its first character, and the power that the head moves by.
        var head = new ulong[text.Length + 1];
        for (var i = 0; i < text.Length; i++)
            head[i + 1] = (head[i] * Base) + text[i] + 1;
        ulong tail = 0;
        ulong power = 1;
        for (var i = text.Length - 1; i >= 0; i--)
        {
            yield return (head[i] * power) + tail;
            tail = ((text[i] + 1UL) * power) + tail;
            power *= Base;
        }
    }
}
