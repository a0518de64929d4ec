using System.Text;

namespace Qualiz.Engine.Kernels.Text;

internal sealed class Nulls : TextOperation
{
    private readonly byte[][] _words;
    private readonly HashSet<string> _folded;
    private readonly bool _ignoreCase;
    private readonly bool _ascii;
    private readonly ulong _lengths;

    public Nulls(IReadOnlyList<string> words, bool ignoreCase)
    {
        _words = [.. words.Select(Encoding.UTF8.GetBytes)];
        _folded = [.. words.Select(word => word.ToLowerInvariant())];
        _ignoreCase = ignoreCase;
        _ascii = words.All(word => System.Text.Ascii.IsValid(word));
        // Letters beyond ASCII may have another length in the other case.
        _lengths = _ascii || !ignoreCase ? _words.Aggregate(0UL, (lengths, word) => lengths | Glance.LengthBit(word.Length)) : ulong.MaxValue;
    }

    public override Kinds Interest => Kinds.None;

    public override ulong Lengths => _lengths;

    public override Outcome Apply(ReadOnlySpan<byte> text, TextBuffer target)
    {
        if (!_lengths.Has(text.Length))
            return Outcome.Same;
        if (_ignoreCase && !_ascii && !System.Text.Ascii.IsValid(text))
            return _folded.Contains(Encoding.UTF8.GetString(text).ToLowerInvariant()) ? Outcome.Null : Outcome.Same;
        foreach (var word in _words)
        {
            if (_ignoreCase ? System.Text.Ascii.EqualsIgnoreCase(text, word) : text.SequenceEqual(word))
                return Outcome.Null;
        }
        return Outcome.Same;
    }
}

/// <summary>Whole values by a list.</summary>
internal sealed class Replace : TextOperation
{
    // Up to here comparing with one after the other is faster than a hash of the text.
    private const int Few = 8;

    private readonly Dictionary<byte[], byte[]> _map = new(Bytes.Comparer);
    private readonly Dictionary<string, byte[]> _folded = new(StringComparer.Ordinal);
    private readonly (byte[] From, byte[] To)[]? _few;
    private readonly bool _ignoreCase;
    private readonly ulong _lengths;

    public Replace(IEnumerable<KeyValuePair<string, string>> map, bool ignoreCase)
    {
        _ignoreCase = ignoreCase;
        foreach (var (from, to) in map)
        {
            var value = Encoding.UTF8.GetBytes(to);
            if (ignoreCase)
                _folded.TryAdd(from.ToLowerInvariant(), value);
            else
                _map.TryAdd(Encoding.UTF8.GetBytes(from), value);
            _lengths |= ignoreCase && !System.Text.Ascii.IsValid(from) ? ulong.MaxValue : Glance.LengthBit(Encoding.UTF8.GetByteCount(from));
        }
        foreach (var (from, to) in _folded)
            _map.TryAdd(Encoding.UTF8.GetBytes(from), to);
        _few = _map.Count <= Few ? [.. _map.Select(entry => (entry.Key, entry.Value))] : null;
    }

    public override Kinds Interest => _ignoreCase ? Kinds.High : Kinds.Always;

    public override ulong Lengths => _ignoreCase ? _lengths : 0;

    public override bool Wants(ReadOnlySpan<byte> text) => _ignoreCase || (_lengths.Has(text.Length) && Find(text) is not null);

    public override Outcome Apply(ReadOnlySpan<byte> text, TextBuffer target)
    {
        byte[]? to;
        if (!_ignoreCase)
        {
            to = _lengths.Has(text.Length) ? Find(text) : null;
        }
        else if (System.Text.Ascii.IsValid(text))
        {
            if (!_lengths.Has(text.Length))
                return Outcome.Same;
            var folded = text.Length <= 256 ? stackalloc byte[text.Length] : new byte[text.Length];
            System.Text.Ascii.ToLower(text, folded, out _);
            to = Find(folded);
        }
        else
        {
            _folded.TryGetValue(Encoding.UTF8.GetString(text).ToLowerInvariant(), out to);
        }
        if (to is null || text.SequenceEqual(to))
            return Outcome.Same;
        target.Add(to);
        return Outcome.Changed;
    }

    private byte[]? Find(ReadOnlySpan<byte> text)
    {
        if (_few is null)
            return _map.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(text, out var value) ? value : null;
        foreach (var (from, to) in _few)
        {
            if (from.Length == text.Length && text.SequenceEqual(from))
                return to;
        }
        return null;
    }
}

/// <summary>Every occurrence inside the text, in the order of the list.</summary>
internal sealed class ReplaceParts(IReadOnlyList<KeyValuePair<string, string>> map, bool ignoreCase) : TextOperation
{
    private readonly (byte[] From, byte[] To, KeyValuePair<string, string> Words)[] _map =
        [.. map.Where(entry => entry.Key.Length > 0).Select(entry => (Encoding.UTF8.GetBytes(entry.Key), Encoding.UTF8.GetBytes(entry.Value), entry))];

    public override Kinds Interest => Kinds.Always;

    public override bool Wants(ReadOnlySpan<byte> text)
    {
        if (ignoreCase)
            return true;
        foreach (var (from, _, _) in _map)
        {
            if (Glance.MayHold(text, from) && text.IndexOf(from) >= 0)
                return true;
        }
        return false;
    }

    public override Outcome Apply(ReadOnlySpan<byte> text, TextBuffer target)
    {
        if (ignoreCase)
        {
            var whole = Encoding.UTF8.GetString(text);
            foreach (var (_, _, words) in _map)
                whole = whole.Replace(words.Key, words.Value, StringComparison.OrdinalIgnoreCase);
            target.Add(whole);
            return Texts.Unless(text, target);
        }
        var current = text;
        byte[]? held = null;
        foreach (var (from, to, _) in _map)
        {
            var at = current.IndexOf(from);
            if (at < 0)
                continue;
            target.Clear();
            for (; at >= 0; at = current.IndexOf(from))
            {
                target.Add(current[..at]);
                target.Add(to);
                current = current[(at + from.Length)..];
            }
            target.Add(current);
            held = target.Text.ToArray();
            current = held;
        }
        return held is null ? Outcome.Same : Texts.Unless(text, target);
    }
}
