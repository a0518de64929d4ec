using System.Globalization;
using System.Text.Json;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Matching;

/// <summary>One compared column of a pair.</summary>
/// <param name="Similarity">An SQL expression: 0 to 1, or null when a side is empty.</param>
/// <param name="Weight">How much it counts.</param>
internal sealed record PairField(string Name, string Similarity, double Weight);

/// <summary>
/// Turns the similarities of a pair's fields into a probability: the seam for another model. All of it is SQL, so that pairs
/// are scored where they arise, without leaving the engine.
/// </summary>
internal interface IPairScorer
{
    /// <summary>The probability, 0 to 1, that the two rows are the same.</summary>
    string Probability(IReadOnlyList<PairField> fields);

    /// <summary>The evidence as log2 of the odds, from the probability's expression.</summary>
    string Weight(string probability);

    /// <summary>How the field agreed (an integer; -1: not comparable) and what it contributed.</summary>
    (string Level, string Weight) Field(PairField field);
}

/// <summary>
/// The first model: the weighted mean of the fields' similarities. Similarities below a floor say nothing (any two names have some letters in
/// common); a field that is empty on one side counts as undecided, so that little evidence never makes a sure match.
/// </summary>
internal sealed class WeightedScorer : IPairScorer
{
    private const double Floor = 0.7;
    private const double Undecided = 0.5;

    public string Probability(IReadOnlyList<PairField> fields)
    {
        var total = fields.Sum(field => field.Weight);
        return total <= 0
            ? "CAST(0 AS DOUBLE)"
            : $"(({string.Join(" + ", fields.Select(field => $"{Number(field.Weight)} * {Agreement(field)}"))}) / {Number(total)})";
    }

    public string Weight(string probability) => $"log2(greatest({probability}, 1e-6) / greatest(1 - {probability}, 1e-6))";

    public (string Level, string Weight) Field(PairField field) => (
        $"CAST(CASE WHEN {field.Similarity} IS NULL THEN -1 WHEN {field.Similarity} >= 1 THEN 3 WHEN {field.Similarity} >= 0.9 THEN 2 WHEN {field.Similarity} >= {Number(Floor)} THEN 1 ELSE 0 END AS BIGINT)",
        $"CAST({Number(field.Weight)} * ({Agreement(field)} - {Number(Undecided)}) AS DOUBLE)");

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
