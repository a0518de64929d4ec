using System.Globalization;
using System.Text.Json;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Matching;

/// <summary>One compared column of a pair, as SQL expressions.</summary>
/// <param name="Similarity">0 to 1, or null when a side is empty.</param>
/// <param name="Rareness">log2 of one over how frequent an equal value is; null where the values are not equal, or it is not known.</param>
/// <param name="Weight">How much it counts, where that is said.</param>
internal sealed record PairField(string Name, string Similarity, string Rareness, double Weight);

/// <summary>What a field says of a pair, as SQL expressions.</summary>
/// <param name="Level">How it agreed, an integer; -1: a side is empty.</param>
/// <param name="Weight">What it contributes, in bits.</param>
/// <param name="Rareness">Of that, what an equal value weighs more or less than equal values of the column do in general.</param>
internal sealed record FieldEvidence(string Name, string Level, string Similarity, string Weight, string Rareness)
{
    public const string NoLevel = "CAST(NULL AS BIGINT)";
    public const string None = "CAST(NULL AS DOUBLE)";
}

/// <summary>
/// Turns the similarities of a pair's fields into a probability: the seam for another model. All of it is SQL, so that pairs
/// are scored where they arise, without leaving the engine.
/// </summary>
internal interface IPairScorer
{
    /// <summary>The probability, 0 to 1, that the two rows are the same.</summary>
    string Probability(IReadOnlyList<PairField> fields);

    /// <summary>What speaks for and against a pair whose probability is in the column <c>probability</c>: the weights add up to its evidence (log2 of the odds) exactly, in whatever order.</summary>
    IReadOnlyList<FieldEvidence> Evidence(IReadOnlyList<PairField> fields);
}

/// <summary>
/// The model of who gives weights: the weighted mean of the fields' similarities. Similarities below a floor say nothing (any two names have some letters in
/// common); a field that is empty on one side counts as undecided, so that little evidence never makes a sure match.
/// </summary>
internal sealed class WeightedScorer : IPairScorer
{
    private const double Floor = 0.7;
    private const double Undecided = 0.5;

    /// <summary>So that what is certain has odds.</summary>
    private const string Least = "1e-6";

    public string Probability(IReadOnlyList<PairField> fields)
    {
        var total = fields.Sum(field => field.Weight);
        return total <= 0
            ? "CAST(0 AS DOUBLE)"
            : $"(({string.Join(" + ", fields.Select(field => $"{Number(field.Weight)} * {Agreement(field)}"))}) / {Number(total)})";
    }

    /// <summary>The mean is no sum of evidence; each field has the part of it that it has of the mean's distance from undecided. Parts are whole numbers of 1/4096 bits, so that their sums are exact.</summary>
    public IReadOnlyList<FieldEvidence> Evidence(IReadOnlyList<PairField> fields)
    {
        var total = fields.Sum(field => field.Weight);
        if (total <= 0)
            return [];
        var odds = $"log2(greatest(probability, {Least}) / greatest(1 - probability, {Least}))";
        // Next to undecided both are next to nothing, and the one over the other is what the logarithm's slope says.
        var scale = $"(CASE WHEN abs(probability - {Number(Undecided)}) < 1e-9 THEN {Number(4 / Math.Log(2) / total)} ELSE {odds} / ({Number(total)} * (probability - {Number(Undecided)})) END)";
        return [.. fields.Select(field => new FieldEvidence(
            field.Name,
            $"CAST(CASE WHEN {field.Similarity} IS NULL THEN -1 WHEN {field.Similarity} >= 1 THEN 3 WHEN {field.Similarity} >= 0.9 THEN 2 WHEN {field.Similarity} >= {Number(Floor)} THEN 1 ELSE 0 END AS BIGINT)",
            field.Similarity,
            $"round(4096 * {Number(field.Weight)} * ({Agreement(field)} - {Number(Undecided)}) * {scale}) / 4096",
            FieldEvidence.None))];
    }

    private static string Agreement(PairField field) =>
        $"coalesce(greatest(0, ({field.Similarity} - {Number(Floor)}) / {Number(1 - Floor)}), {Number(Undecided)})";

    private static string Number(double value) => Sql.Literal(value);
}

/// <summary>How similar two values are, as SQL.</summary>
internal static class Similarities
{
    /// <param name="a">As <see cref="Value"/> gives it.</param>
    public static string Of(Comparer comparer, string a, string b) => comparer == Comparer.Exact
        ? $"CASE WHEN {a} IS NULL OR {b} IS NULL THEN NULL WHEN {a} = {b} THEN 1.0::DOUBLE ELSE 0.0::DOUBLE END"
        : $"qz_similarity({Sql.Literal(JsonNamingPolicy.CamelCase.ConvertName(comparer.ToString()))}, {a}, {b})";

    /// <summary>From which similarity on values are at each level, from 1 on; equal ones are one level above. What letters have in common by chance differs: those of Winkler's are what Splink begins with.</summary>
    public static IReadOnlyList<double> Levels(Comparer comparer) => comparer switch
    {
        Comparer.JaroWinkler or Comparer.Name or Comparer.MongeElkan or Comparer.Sound or Comparer.Email => [0.7, 0.88, 0.92],
        _ => [0.4, 0.6, 0.8],
    };

    /// <summary>Whether what the text stands for is compared, and not the text.</summary>
    public static bool IsRead(Comparer comparer) => comparer is Comparer.Number or Comparer.Date or Comparer.Place or Comparer.Email or Comparer.Phone or Comparer.Address;

    /// <summary>A column's value as it is compared: what is read as something keeps its signs.</summary>
    public static string Value(Comparer comparer, string text) => IsRead(comparer)
        ? $"nullif(trim(strip_accents(CAST({text} AS VARCHAR))), '')"
        : Normalised(text);

    /// <summary>A value as it is compared: lower case, without accents, words parted by one blank; empty text is no value.</summary>
    public static string Normalised(string text) =>
        $"nullif(trim(regexp_replace(lower(strip_accents(CAST({text} AS VARCHAR))), '[^\\p{{L}}\\p{{N}}]+', ' ', 'g')), '')";

    /// <summary>A value as a key: two rows with the same one are the same.</summary>
    public static string Key(string text, IReadOnlyList<KeyIgnore> ignore)
    {
        var key = $"CAST({text} AS VARCHAR)";
        if (ignore.Contains(KeyIgnore.Case))
            key = $"lower({key})";
        if (ignore.Contains(KeyIgnore.Accents))
            key = $"strip_accents({key})";
        if (ignore.Contains(KeyIgnore.Punctuation))
            key = $"regexp_replace({key}, '[^\\p{{L}}\\p{{N}}]+', '', 'g')";
        else if (ignore.Contains(KeyIgnore.Spaces))
            key = $"trim(regexp_replace({key}, '[\\s\\p{{Z}}]+', ' ', 'g'))";
        return $"nullif({key}, '')";
    }

    public static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
