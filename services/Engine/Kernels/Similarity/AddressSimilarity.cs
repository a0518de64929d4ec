using System.Collections.Frozen;

namespace Qualiz.Engine.Kernels.Similarity;

/// <summary>How alike two postal addresses are, each of them one text.</summary>
internal static class AddressSimilarity
{
    private const double Street = 4;
    private const double Number = 3;
    private const double Town = 2;
    private const double Postcode = 2;
    private const double Unit = 2;

    /// <summary>Words less alike than this are different ones: any two have letters in common.</summary>
    private const double Unlike = 0.7;

    /// <summary>Another kind of street: Elm Street and Elm Road.</summary>
    private const double OtherWay = 0.8;

    /// <summary>The same house with another letter, or one of the numbers that it has.</summary>
    private const double PartOfNumber = 0.5;

    /// <summary>In another house an address is another one, whatever else is equal.</summary>
    private const double Elsewhere = 0.5;

    /// <summary>
    /// The mean of how alike the parts are that both have, weighted: street 4, number 3, town 2, postcode 2, flat 2; half of it where streets, numbers or flats have nothing in common. Streets and towns by
    /// <see cref="WordSimilarity.MongeElkan"/> over <see cref="JaroWinkler"/>, of which 0.7 counts as nothing, streets without "street", "road"..., of which another one makes it 0.8 of that; numbers 1 where equal and 0.5 where the
    /// one is a part of the other (12 and 12b, 12 and 12-14); postcodes and flats 1 where equal, else 0. NaN: one has no words or is too long, so it is no address. How the parts are found stands at <see cref="AddressParts"/>.
    /// </summary>
    public static unsafe double Addresses(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        if (a.Length > AddressParts.Longest || b.Length > AddressParts.Longest)
            return double.NaN;
        var x = AddressParts.Of(a, stackalloc char[AddressParts.Room]);
        var y = AddressParts.Of(b, stackalloc char[AddressParts.Room]);
        if (x.Words.IsEmpty || y.Words.IsEmpty)
            return double.NaN;
        var (sum, weights, elsewhere) = (0.0, 0.0, false);
        // Where one of the two does not tell where the street ends, both are taken as a whole.
        var whole = x.Town.IsEmpty || y.Town.IsEmpty || x.Street.IsEmpty || y.Street.IsEmpty;
        var street = WordSimilarity.MongeElkan(whole ? x.Words : x.Street, whole ? y.Words : y.Street, &Alike);
        Add(Street, x.Way.IsEmpty || y.Way.IsEmpty || x.Way.SequenceEqual(y.Way) ? street : OtherWay * street, isHouse: true);
        if (!whole)
            Add(Town, WordSimilarity.MongeElkan(x.Town, y.Town, &Alike), isHouse: false);
        if (!x.Number.IsEmpty && !y.Number.IsEmpty)
            Add(Number, Numbers(x.Number, y.Number), isHouse: true);
        if (!x.Unit.IsEmpty && !y.Unit.IsEmpty)
            Add(Unit, x.Unit.SequenceEqual(y.Unit) ? 1 : 0, isHouse: true);
        if (!x.Postcode.IsEmpty && !y.Postcode.IsEmpty)
            Add(Postcode, x.Postcode.SequenceEqual(y.Postcode) ? 1 : 0, isHouse: false);
        return sum / weights * (elsewhere ? Elsewhere : 1);

        void Add(double weight, double alike, bool isHouse)
        {
            sum += weight * alike;
            weights += weight;
            elsewhere |= isHouse && alike == 0;
        }
    }

    private static double Alike(ReadOnlySpan<char> a, ReadOnlySpan<char> b) => a.SequenceEqual(b) ? 1 : Math.Max(0, (JaroWinkler.Similarity(a, b) - Unlike) / (1 - Unlike));

    private static double Numbers(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        if (a.SequenceEqual(b))
            return 1;
        foreach (var one in a.Split('-'))
        {
            foreach (var other in b.Split('-'))
            {
                if (Digits(a[one]).SequenceEqual(Digits(b[other])))
                    return PartOfNumber;
            }
        }
        return 0;

        static ReadOnlySpan<char> Digits(ReadOnlySpan<char> number) => number.IndexOfAnyExceptInRange('0', '9') is > 0 and var end ? number[..end] : number;
    }
}

/// <summary>
/// The parts of a postal address in one text. Letters and digits make words, other signs part them; a comma, semicolon or new line parts the lines. The word behind "apt", "flat", "#"... is the flat where it begins with a
/// digit or is one letter. The postcode is the two words of a British or Canadian one, else the last word of five digits or more that is not the first of all, else, where there is another number, the last such of four digits, or
/// the first word of all of four or more; of 62704-1234 only what stands before the sign counts. The number is the first other word that begins with a digit and is no ordinal (5th), with what a hyphen joins to it. The
/// street is what else stands in the line with the number (without one, in the first line), the town what stands in others. Usual short forms (St, N) are the same as the long ones.
/// </summary>
internal ref struct AddressParts
{
    public const int Longest = 300;

    /// <summary>Letters that the parts may take.</summary>
    public const int Room = 4 * Longest;

    private const int MostWords = Longest / 2;

    /// <summary>United States Postal Service, Publication 28, appendix C2, and what is usual elsewhere.</summary>
    private static readonly FrozenSet<string> s_units = "# apt apartment unit suite ste flat floor room rm building bldg dept lot slip space spc trailer trlr top stair".Split(' ').ToFrozenSet();

    /// <summary>By a word for a kind of street, its short form (Publication 28, appendix C1, and such of other languages).</summary>
    private static readonly FrozenDictionary<string, string> s_ways = Forms(
        "street:st avenue:ave av:ave road:rd lane:ln drive:dr court:ct boulevard:blvd place:pl square:sq highway:hwy parkway:pkwy terrace:ter circle:cir crescent:cres trail:trl expressway:expy freeway:fwy gardens:gdns close:cl "
        + "alley:aly plaza:plz turnpike:tpke straße:str strasse:str platz:platz weg:weg gate:gate vei:vei rue:rue calle:calle avenida:avenida via:via");

    /// <summary>By another word, its short form (appendices B and C1).</summary>
    private static readonly FrozenDictionary<string, string> s_words = Forms(
        "north:n south:s east:e west:w northeast:ne northwest:nw southeast:se southwest:sw mount:mt fort:ft saint:st heights:hts junction:jct center:ctr centre:ctr springs:spgs");

    private static readonly FrozenDictionary<string, string>.AlternateLookup<ReadOnlySpan<char>> s_way = s_ways.GetAlternateLookup<ReadOnlySpan<char>>();
    private static readonly FrozenDictionary<string, string>.AlternateLookup<ReadOnlySpan<char>> s_word = s_words.GetAlternateLookup<ReadOnlySpan<char>>();
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> s_unit = s_units.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>The words of street and town, parted by blanks; "street", "road"... are only among them where there is nothing else.</summary>
    public ReadOnlySpan<char> Words { get; private set; }
    public ReadOnlySpan<char> Street { get; private set; }

    /// <summary>What kind of street it is.</summary>
    public ReadOnlySpan<char> Way { get; private set; }
    public ReadOnlySpan<char> Town { get; private set; }
    public ReadOnlySpan<char> Number { get; private set; }
    public ReadOnlySpan<char> Unit { get; private set; }
    public ReadOnlySpan<char> Postcode { get; private set; }

    /// <param name="text">At most <see cref="Longest"/> letters; their case does not count.</param>
    /// <param name="room">For <see cref="Room"/> letters.</param>
    public static AddressParts Of(ReadOnlySpan<char> text, Span<char> room)
    {
        var parts = new AddressParts();
        var lower = room[..text.Length];
        text.ToLowerInvariant(lower);
        Span<Word> words = stackalloc Word[MostWords];
        words = words[..Split(lower, words)];
        parts.Take(lower, words, room[text.Length..]);
        return parts;
    }

    private struct Word
    {
        public int Start;
        public int Length;
        public int Line;

        /// <summary>A hyphen is all that stands between it and the word before.</summary>
        public bool IsJoined;

        /// <summary>It is a part of its own.</summary>
        public bool IsTaken;
    }

    private static int Split(ReadOnlySpan<char> text, Span<Word> words)
    {
        var (count, line) = (0, 0);
        for (var i = 0; i < text.Length && count < words.Length; i++)
        {
            if (text[i] is ',' or ';' or '\n')
                line++;
            if (text[i] != '#' && !char.IsLetterOrDigit(text[i]))
                continue;
            var start = i;
            while (text[start] != '#' && i + 1 < text.Length && char.IsLetterOrDigit(text[i + 1]))
                i++;
            words[count] = new Word { Start = start, Length = i + 1 - start, Line = line, IsJoined = count > 0 && start == words[count - 1].Start + words[count - 1].Length + 1 && text[start - 1] == '-' };
            count++;
        }
        return count;
    }

    private void Take(ReadOnlySpan<char> text, scoped Span<Word> words, Span<char> room)
    {
        TakeUnit(text, words);
        TakePostcode(text, words);
        var line = TakeNumber(text, words);
        for (var i = 0; line < 0 && i < words.Length; i++)
            line = words[i].IsTaken ? line : words[i].Line;
        var all = new Text(room);
        var street = new Text(room[Longest..]);
        var town = new Text(room[(2 * Longest)..]);
        foreach (var isWay in (ReadOnlySpan<bool>)[false, true])
        {
            foreach (var word in words)
            {
                var letters = text.Slice(word.Start, word.Length);
                if (word.IsTaken || letters is "#")
                    continue;
                // "St" behind a name is the street, before one the saint; the last way of a street is the one it has.
                var way = word.Line == line ? WayOf(letters) : default;
                if (!way.IsEmpty != isWay)
                    continue;
                if (isWay)
                {
                    Way = way;
                    if (street.IsEmpty)
                        Add(ref all, ref street, way);
                }
                else if (word.Line == line)
                    Add(ref all, ref street, Form(letters));
                else
                    Add(ref all, ref town, Form(letters));
            }
        }
        Words = all.Letters;
        Street = street.Letters;
        Town = town.Letters;

        static void Add(ref Text all, ref Text part, scoped ReadOnlySpan<char> word)
        {
            all.Add(word);
            part.Add(word);
        }
    }

    private void TakeUnit(ReadOnlySpan<char> text, scoped Span<Word> words)
    {
        for (var i = 0; i + 1 < words.Length; i++)
        {
            var next = text.Slice(words[i + 1].Start, words[i + 1].Length);
            if (!s_unit.Contains(text.Slice(words[i].Start, words[i].Length)) || words[i].IsTaken || next is "#" || (next.Length > 1 && !char.IsAsciiDigit(next[0])) || next.Length > 4)
                continue;
            Unit = next;
            words[i].IsTaken = words[i + 1].IsTaken = true;
        }
    }

    private void TakePostcode(ReadOnlySpan<char> text, scoped Span<Word> words)
    {
        var (five, four, first, others) = (-1, -1, false, 0);
        for (var i = 0; i < words.Length; i++)
        {
            var word = text.Slice(words[i].Start, words[i].Length);
            if (i + 1 < words.Length && IsOfTwo(word, text.Slice(words[i + 1].Start, words[i + 1].Length)))
            {
                Postcode = text[words[i].Start..(words[i + 1].Start + words[i + 1].Length)];
                words[i].IsTaken = words[i + 1].IsTaken = true;
                return;
            }
            if (words[i].IsTaken || !IsNumber(word))
                continue;
            others++;
            var digits = word.ContainsAnyExceptInRange('0', '9') || (words[i].IsJoined && char.IsAsciiDigit(text[words[i - 1].Start])) ? 0 : word.Length;
            if (i == 0)
                first = digits >= 4;
            else if (digits >= 5)
                five = i;
            else if (digits == 4)
                four = i;
        }
        var at = five >= 0 ? five : others < 2 ? -1 : four >= 0 ? four : first ? 0 : -1;
        if (at < 0)
            return;
        Postcode = text.Slice(words[at].Start, words[at].Length);
        words[at].IsTaken = true;
        if (at + 1 < words.Length && words[at + 1].IsJoined)
            words[at + 1].IsTaken = true;
    }

    /// <returns>Its line, or -1.</returns>
    private int TakeNumber(ReadOnlySpan<char> text, scoped Span<Word> words)
    {
        for (var i = 0; i < words.Length; i++)
        {
            if (words[i].IsTaken || !IsNumber(text.Slice(words[i].Start, words[i].Length)))
                continue;
            words[i].IsTaken = true;
            var end = i;
            while (end + 1 < words.Length && words[end + 1].IsJoined)
                words[++end].IsTaken = true;
            Number = text[words[i].Start..(words[end].Start + words[end].Length)];
            return words[i].Line;
        }
        return -1;
    }

    /// <summary>Begins with a digit and is no ordinal.</summary>
    private static bool IsNumber(ReadOnlySpan<char> word) => char.IsAsciiDigit(word[0]) && !(word.Length > 2 && word[^2..] is "st" or "nd" or "rd" or "th");

    /// <summary>A British postcode (BS 7666) or a Canadian one.</summary>
    private static bool IsOfTwo(ReadOnlySpan<char> one, ReadOnlySpan<char> other)
    {
        if (one.Length is < 2 or > 4 || other.Length != 3 || !char.IsAsciiLetter(one[0]) || !char.IsAsciiDigit(other[0]))
            return false;
        var british = char.IsAsciiLetter(other[2]) && one[1..].ContainsAnyInRange('0', '9');
        var canadian = char.IsAsciiDigit(other[2]) && one.Length == 3 && char.IsAsciiDigit(one[1]) && char.IsAsciiLetter(one[2]);
        return char.IsAsciiLetter(other[1]) && (british || canadian);
    }

    private static ReadOnlySpan<char> WayOf(ReadOnlySpan<char> word) => s_way.TryGetValue(word, out var way) ? way : default;

    private static ReadOnlySpan<char> Form(ReadOnlySpan<char> word) => s_word.TryGetValue(word, out var form) ? form : word;

    private static FrozenDictionary<string, string> Forms(string pairs) =>
        pairs.Split(' ').Select(pair => pair.Split(':')).SelectMany(pair => new[] { (From: pair[0], To: pair[1]), (From: pair[1], To: pair[1]) }).DistinctBy(pair => pair.From).ToFrozenDictionary(pair => pair.From, pair => pair.To);

    private ref struct Text(Span<char> room)
    {
        private readonly Span<char> _room = room;
        private int _length;

        public readonly bool IsEmpty => _length == 0;
        public readonly ReadOnlySpan<char> Letters => _room[.._length];

        public void Add(scoped ReadOnlySpan<char> word)
        {
            if (_length > 0)
                _room[_length++] = ' ';
            word.CopyTo(_room[_length..]);
            _length += word.Length;
        }
    }
}
