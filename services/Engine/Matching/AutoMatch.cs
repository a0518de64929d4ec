using Qualiz.Contracts.Data;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Matching;

/// <summary>What is compared and by what it is found, settled for certain rows.</summary>
internal sealed record ComparePlan(IReadOnlyList<WeighedComparison> Compare, IReadOnlyList<Block> Blocks);

internal sealed record WeighedComparison(string Column, Comparer By, double Weight);

/// <summary>
/// Chooses by the data what the configuration leaves open. A column counts by how unlikely it is that two rows agree in it by chance:
/// a name tells more than a country.
/// </summary>
internal static class AutoMatch
{
    private const int Sample = 100_000;
    private const double LeastFilled = 0.2;
    private const double MostAgreement = 0.3;
    private const double MostWeight = 14;

    /// <param name="rows">The table with the rows.</param>
    public static async Task<ComparePlan> ChooseAsync(EngineSession session, SimilarityMatch match, IReadOnlyList<DatasetColumn> columns, string rows, CancellationToken ct)
    {
        var named = match.Compare.Select(comparison => comparison.Column).ToHashSet(StringComparer.Ordinal);
        var looked = columns.Where(column => named.Count > 0 ? named.Contains(column.Name) : Comparable(DatasetFiles.TypeOf(column))).ToList();
        var facts = new Dictionary<string, Facts>(StringComparer.Ordinal);
        foreach (var column in looked)
            facts[column.Name] = await LookAsync(session, column, rows, ct).ConfigureAwait(false);
        var compare = match.Compare.Count > 0
            ? match.Compare.Select(comparison => new WeighedComparison(comparison.Column, comparison.By, comparison.Weight ?? facts[comparison.Column].Weight)).ToList()
            : [.. looked.Where(column => facts[column.Name].Tells).Select(column => new WeighedComparison(column.Name, facts[column.Name].Comparer, facts[column.Name].Weight))];
        var blocks = match.Blocks.Count > 0
            ? match.Blocks
            : [.. compare.Where(comparison => facts[comparison.Column].Weight >= 3).SelectMany(comparison => Blocks(comparison.Column, facts[comparison.Column]))];
        return new ComparePlan(compare, blocks);
    }

    private static IEnumerable<Block> Blocks(string column, Facts facts)
    {
        if (facts.Words >= 1.5)
            yield return new Block { Column = column, By = BlockBy.Tokens, Length = 3 };
        else
            yield return new Block { Column = column, By = BlockBy.Prefix, Length = 6 };
    }

    // Moments say when a row was written, not what it is about.
    private static bool Comparable(ColumnType type) => type == ColumnType.Text || type == ColumnType.Int64 || type == ColumnType.Date;

    private static async Task<Facts> LookAsync(EngineSession session, DatasetColumn column, string rows, CancellationToken ct)
    {
        var type = DatasetFiles.TypeOf(column);
        var value = Similarities.Normalised(Sql.Identifier(column.Name));
        var found = await session.QueryAsync(
            $"""
            SELECT sum(n), count(*), sum(n * n)::DOUBLE, sum(n * (1 + length(v) - length(replace(v, ' ', ''))))::DOUBLE, (SELECT count(*) FROM {rows}),
              sum(n) FILTER (regexp_full_match(v, '[0-9 ]+'))
            FROM (SELECT v, count(*) AS n FROM (SELECT {value} AS v FROM {rows} USING SAMPLE {Similarities.Number(Sample)} ROWS (reservoir, 1)) WHERE v IS NOT NULL GROUP BY v)
            """,
            row => (Filled: Read(row, 0), Distinct: Read(row, 1), Squares: Read(row, 2), Words: Read(row, 3), Rows: Read(row, 4), Digits: Read(row, 5)), ct).ConfigureAwait(false);
        var (filled, distinct, squares, words, all, digits) = found[0];
        if (filled < 1)
            return new Facts(false, Comparer.Exact, 0, 0);
        var agreement = squares / (filled * filled);
        var weight = Math.Clamp(-Math.Log2(agreement), 0, MostWeight);
        var sampled = Math.Min(all, Sample);
        // A number that no two rows have in common is the source's own, and differs where the rows are the same.
        var ownNumber = digits > 0.9 * filled && type != ColumnType.Date && distinct > 0.98 * filled;
        var comparer = type != ColumnType.Text || digits > 0.5 * filled ? Comparer.Levenshtein : words / filled >= 2.5 ? Comparer.Tokens : Comparer.JaroWinkler;
        var tells = filled >= LeastFilled * sampled && agreement <= MostAgreement && !ownNumber;
        return new Facts(tells, comparer, weight, words / filled);

        static double Read(System.Data.Common.DbDataReader row, int at) =>
            row.IsDBNull(at) ? 0 : Convert.ToDouble(row.GetValue(at) is System.Numerics.BigInteger big ? (double)big : row.GetValue(at), System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <param name="Tells">Worth comparing.</param>
    /// <param name="Weight">log2 of one over the chance that two rows agree.</param>
    /// <param name="Words">Words in a value, on average.</param>
    private sealed record Facts(bool Tells, Comparer Comparer, double Weight, double Words);
}
