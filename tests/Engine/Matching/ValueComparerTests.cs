using CsCheck;
using Qualiz.Engine.Columns;
using Qualiz.Engine.Kernels.Similarity;
using Qualiz.Engine.Matching.Automatic;

namespace Qualiz.Engine.Tests.Matching;

/// <summary>Levels are cut from similarities; how far two values are from each other at least is seen without working these out.</summary>
public sealed class ValueComparerTests
{
    private static readonly Gen<string> Word = Gen.Char["aabcdeéhorstßЖ"].Array[1, 9].Select(letters => new string(letters));
    private static readonly Gen<string[]> Texts = Gen.Select(Word.Array[1, 4], (string[] words) => string.Join(' ', words)).Array[2, 12];
    private static readonly Gen<string[]> Codes = Gen.Char["0123456789"].Array[1, 11].Select(letters => new string(letters)).Array[2, 12];

    [Fact]
    public void A_level_is_the_one_of_the_similarity_whatever_was_left_out_to_find_it() =>
        Gen.OneOf(Texts, Codes).Sample(values =>
        {
            var column = ValueColumn.Of(CodedTable.Of(["v"], values.Select(value => new string?[] { value })).Columns[0]);
            for (var a = 1; a <= column.Distinct; a++)
            {
                for (var b = a + 1; b <= column.Distinct; b++)
                    ValueComparer.Level(column, a, b).ShouldBe(ValueComparer.LevelOf(ValueComparer.Similarity(column, a, b)), $"{column.Texts[a]} and {column.Texts[b]} as {column.Kind}");
            }
        }, iter: 2_000);

    [Fact]
    public void Texts_are_never_more_alike_than_their_letters_allow() =>
        Gen.Select(Word, Word).Sample((a, b) => TextShape.Most(TextShape.Of(a), TextShape.Of(b), out _) >= EditDistance.Similarity(a, b), iter: 5_000);

    [Fact]
    public void Of_very_long_texts_only_the_length_is_looked_at()
    {
        var (a, b) = (TextShape.Of(new string('a', 300)), TextShape.Of(new string('b', 150)));
        TextShape.Most(a, b, out var within).ShouldBe(0.5);
        within.ShouldBeTrue();
        TextShape.Most(TextShape.Of("abc"), TextShape.Of("cabd"), out within).ShouldBe(0.75);
        within.ShouldBeTrue();
        TextShape.Most(TextShape.Of("abc"), TextShape.Of("xyz"), out within).ShouldBe(0);
        within.ShouldBeFalse();
    }
}
