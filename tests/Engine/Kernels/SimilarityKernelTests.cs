using System.Text.Json;
using CsCheck;
using Qualiz.Engine.Kernels.Similarity;
using Qualiz.Engine.Matching;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Tests.Kernels;

public sealed class SimilarityKernelTests : IDisposable
{
    private static readonly Gen<string> Anything = Gen.OneOf(
        Gen.Char["abcdeéß12 "].Array[0, 40].Select(letters => new string(letters)), Gen.String[0, 20], Gen.DateTime.Select(day => FormattableString.Invariant($"{day:yyyy-MM-dd}")), Gen.Double.Select(number => FormattableString.Invariant($"{number:R}")),
        Gen.Select(Gen.Double[-90, 90], Gen.Double[-180, 180]).Select(place => FormattableString.Invariant($"{place.Item1}, {place.Item2}")),
        Gen.Char["0123456789 +()-"].Array[0, 20].Select(letters => new string(letters)), Gen.Char["ab.+@"].Array[0, 12].Select(letters => new string(letters)));

    private static readonly List<string> s_comparers =
        [.. Enum.GetValues<Comparer>().Where(comparer => comparer != Comparer.Exact).Select(comparer => JsonNamingPolicy.CamelCase.ConvertName(comparer.ToString()))];

    private readonly ScratchFolder _scratch = new();
    private readonly EngineSession _session;

    public SimilarityKernelTests() => _session = EngineSession.Open(new EngineOptions { MemoryBytes = 256L << 20, Threads = 1, Scratch = _scratch.Path });

    public void Dispose()
    {
        _session.Dispose();
        _scratch.Dispose();
    }

    [Theory]
    // PostgreSQL's documentation of pg_trgm.
    [InlineData("trigrams", "word", "two words", 4.0 / 11)]
    [InlineData("trigrams", "", "", 1.0)]
    // A hand's count: two words of four in common.
    [InlineData("tokens", "12 main street", "main street apt", 0.5)]
    [InlineData("tokens", "a a a", "a", 1.0)]
    // Documentation of py_stringmatching, Monge-Elkan over Jaro-Winkler, which is symmetric for one word each.
    [InlineData("mongeElkan", "Niall", "Neal", 0.805)]
    [InlineData("mongeElkan", "Niall", "Nigel", 0.7866666666666667)]
    [InlineData("mongeElkan", "bank of oslo", "oslo of bank", 1.0)]
    [InlineData("mongeElkan", "oslo", "", 0.0)]
    // W. E. Winkler's table of examples (1990).
    [InlineData("jaroWinkler", "MARTHA", "MARHTA", 0.9611111111111111)]
    [InlineData("jaroWinkler", "DIXON", "DICKSONX", 0.8133333333333332)]
    [InlineData("levenshtein", "kitten", "sitting", 4.0 / 7)]
    [InlineData("damerauLevenshtein", "teh", "the", 2.0 / 3)]
    [InlineData("name", "bob smith", "robert smith", 0.975)]
    [InlineData("name", "smith robert", "robert smith", 1.0)]
    [InlineData("name", "j smith", "john smith", 0.925)]
    [InlineData("sound", "catherine smith", "kathryn smyth", 0.9)]
    [InlineData("sound", "schmidt", "smith", 0.8)]
    [InlineData("sound", "oslo", "bergen", 0.0)]
    [InlineData("number", "100", "80", 0.8)]
    [InlineData("number", "0", "-0.0", 1.0)]
    [InlineData("number", "5", "-5", 0.0)]
    [InlineData("number", "five", "5", null)]
    [InlineData("date", "2024-03-05", "2024-05-03", 0.9)]
    [InlineData("date", "2024-03-05", "2024-03-12 10:00:00", 1 - (7.0 / 365))]
    [InlineData("date", "1980-07-01", "1990-07-01", 7.0 / 8)]
    [InlineData("date", "2024-02-30", "2024-03-01", null)]
    [InlineData("place", "59.91, 10.75", "59.91;10.75", 1.0)]
    [InlineData("place", "59.91, 10.75", "60.91 10.75", 0.0)]
    [InlineData("place", "91, 0", "0, 0", null)]
    [InlineData("email", "Ann.Lee+shop@Example.org", "ann.lee@example.org", 1.0)]
    [InlineData("email", "ann", "ann@example.org", null)]
    [InlineData("phone", "+47 22 33 44 55", "22334455", 1.0)]
    [InlineData("phone", "(022) 33-44-55", "22 33 44 55", 1.0)]
    [InlineData("phone", "22 33 44 66", "22 33 44 55", 6.0 / 8)]
    [InlineData("phone", "n/a", "22334455", null)]
    [InlineData("address", "12 Main Street, Springfield, IL 62704", "12 main st., springfield, il 62704-1234", 1.0)]
    [InlineData("address", "221B Baker Street, London NW1 6XE", "Baker St 221b, London, NW1 6XE", 1.0)]
    [InlineData("address", "Storgata 5, 0150 Oslo", "0150 Oslo, Storgata 5", 1.0)]
    [InlineData("address", "Hauptstr 12, D-10115 Berlin", "Hauptstr 12; 10115 Berlin; D", 1.0)]
    // All but the number are equal: (4 + 2 + 2) / 11, and half of it.
    [InlineData("address", "12 Main Street, Springfield 62704", "14 Main Street, Springfield 62704", 4.0 / 11)]
    [InlineData("address", "12 Main Street, Springfield 62704", "12b Main Street, Springfield 62704", 9.5 / 11)]
    [InlineData("address", "12-14 Main Street, Springfield", "14 Main Street, Springfield", 7.5 / 9)]
    // Another street: 3 + 2 of 9, and half of it; another kind of street is nearer.
    [InlineData("address", "12 Oak Street, Springfield", "12 Main Street, Springfield", 2.5 / 9)]
    [InlineData("address", "12 Elm Road, Springfield", "12 Elm Street, Springfield", 8.2 / 9)]
    [InlineData("address", "12 Elm Street Apt 4, Springfield", "12 Elm Street #5, Springfield", 4.5 / 11)]
    [InlineData("address", "12 Elm Street Apt 4, Springfield", "12 Elm Street, Springfield", 1.0)]
    // Without a sign that parts street and town all words are taken together.
    [InlineData("address", "12 Elm Street Springfield", "12 Elm St, Springfield", 1.0)]
    [InlineData("address", "1600 Pennsylvania Ave NW, Washington", "1600 Pennsylvania Avenue Northwest, Washington", 1.0)]
    [InlineData("address", "42 5th Avenue, New York", "5th Ave 42, New York", 1.0)]
    [InlineData("address", "12345", "12345", null)]
    public void Values_are_as_alike_as_their_definition_says(string by, string a, string b, double? expected)
    {
        foreach (var (one, other) in new[] { (a, b), (b, a) })
        {
            var like = Similarity(by, one, other);
            if (expected is { } value)
                like.ShouldNotBeNull().ShouldBe(value, 1e-12);
            else
                like.ShouldBeNull();
        }
    }

    // Nashville to Los Angeles; the example of Rosetta Code's "Haversine formula", whose Earth has a radius of 6372.8 km.
    [Fact]
    public void Places_are_as_far_apart_as_along_a_great_circle() =>
        (ValueSimilarity.Kilometres("36.12, -86.67", "33.94, -118.40") * 6372.8 / 6371.0088).ShouldBe(2887.2599506, 1e-4);

    [Fact]
    public void Edit_distances_and_jaro_winkler_are_the_engines_own() => Gen.Select(Gen.Char["abcde12 "].Array[1, 70], Gen.Char["abcde12 "].Array[1, 70]).Sample((x, y) =>
    {
        var (a, b) = (Sql.Literal(new string(x)), Sql.Literal(new string(y)));
        return _session.Scalar<bool>($"""
            SELECT abs(qz_similarity('levenshtein', {a}, {b}) - (1 - levenshtein({a}, {b}) / greatest(length({a}), length({b})))) < 1e-12
              AND qz_similarity('damerauLevenshtein', {a}, {b}) <= 1e-12 + 1 - damerau_levenshtein({a}, {b}) / greatest(length({a}), length({b}))
              AND least(abs(qz_similarity('jaroWinkler', {a}, {b}) - jaro_winkler_similarity({a}, {b})), abs(qz_similarity('jaroWinkler', {a}, {b}) - jaro_winkler_similarity({b}, {a}))) < 1e-9
            """);
    }, iter: 300);

    [Fact]
    public void Whatever_is_compared_is_between_unlike_and_equal_and_the_same_from_both_sides() => Gen.Select(Gen.Int[0, s_comparers.Count - 1].Select(i => s_comparers[i]), Anything, Anything).Sample((by, a, b) =>
    {
        var like = Similarity(by, a, b);
        return like is null or (>= 0 and <= 1 + 1e-12) && Math.Abs((like ?? 0) - (Similarity(by, b, a) ?? 0)) < 1e-9 && Similarity(by, a, a) is null or 1.0;
    }, iter: 3_000, threads: 1);

    [Fact]
    public void An_empty_side_says_nothing() => _session.Scalar<bool>("SELECT qz_similarity('name', NULL, 'a') IS NULL AND qz_similarity('name', 'a', NULL) IS NULL").ShouldBeTrue();

    [Fact]
    public void Every_comparer_has_a_kernel()
    {
        foreach (var by in s_comparers)
            Should.NotThrow(() => Similarity(by, "a", "b"), by);
        Should.Throw<Exception>(() => Similarity("exact", "a", "b"));
    }

    private double? Similarity(string by, string a, string b) =>
        _session.Query($"SELECT qz_similarity({Sql.Literal(by)}, {Sql.Literal(a.Replace("\0", "", StringComparison.Ordinal))}, {Sql.Literal(b.Replace("\0", "", StringComparison.Ordinal))})", row => row.IsDBNull(0) ? (double?)null : row.GetDouble(0))[0];
}
