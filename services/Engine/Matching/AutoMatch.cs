using Qualiz.Contracts.Data;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Matching;

/// <summary>What is compared and by what it is found, settled for certain rows.</summary>
internal sealed record ComparePlan(IReadOnlyList<WeighedComparison> Compare, IReadOnlyList<Block> Blocks);

/// <param name="Weight">Null: it is learnt.</param>
internal sealed record WeighedComparison(string Column, Comparer By, double? Weight);

/// <summary>Chooses by the data which columns are compared, by what, and which of them bring rows together, where the configuration leaves it open.</summary>
internal static class AutoMatch
{
    private const int Sample = 100_000;
    private const double LeastFilled = 0.2;
    private const double MostAgreement = 0.3;

    /// <summary>What more rows than this have in common by chance brings too many together.</summary>
    private const double MostTogether = 0.125;

    /// <param name="rows">The table with the rows.</param>
    public static async Task<ComparePlan> ChooseAsync(EngineSession session, SimilarityMatch match, IReadOnlyList<DatasetColumn> columns, string rows, CancellationToken ct)
    {
        var compare = match.Compare.Select(comparison => new WeighedComparison(comparison.Column, comparison.By, comparison.Weight)).ToList();
        if (compare.Count > 0 && match.Blocks.Count > 0)
            return new ComparePlan(compare, match.Blocks);
        var named = compare.Select(comparison => comparison.Column).ToHashSet(StringComparer.Ordinal);
        var facts = new Dictionary<string, Facts>(StringComparer.Ordinal);
        foreach (var column in columns.Where(column => named.Count > 0 ? named.Contains(column.Name) : Comparable(DatasetFiles.TypeOf(column))))
        {
            facts[column.Name] = await LookAsync(session, column, rows, ct).ConfigureAwait(false);
            if (named.Count == 0 && facts[column.Name].Tells)
                compare.Add(new WeighedComparison(column.Name, facts[column.Name].Comparer, null));
        }
        var blocks = match.Blocks.Count > 0
            ? match.Blocks
            : [.. compare.Select(comparison => comparison.Column).Distinct(StringComparer.Ordinal).Where(column => facts[column].Agreement <= MostTogether).Select(column => BlockOf(column, facts[column]))];
        return new ComparePlan(compare, blocks);
    }

    private static Block BlockOf(string column, Facts facts) =>
        facts.Words >= 1.5 ? new Block { Column = column, By = BlockBy.Tokens, Length = 3 } : new Block { Column = column, By = BlockBy.Prefix, Length = 6 };

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
            return new Facts(false, Comparer.Exact, 1, 0);
        var agreement = squares / (filled * filled);
        var sampled = Math.Min(all, Sample);
        // A number that no two rows have in common is the source's own, and differs where the rows are the same.
        var ownNumber = digits > 0.9 * filled && type != ColumnType.Date && distinct > 0.98 * filled;
        var comparer = type != ColumnType.Text || digits > 0.5 * filled ? Comparer.Levenshtein : words / filled >= 2.5 ? Comparer.Tokens : Comparer.JaroWinkler;
        var tells = filled >= LeastFilled * sampled && agreement <= MostAgreement && !ownNumber;
        return new Facts(tells, comparer, agreement, words / filled);

        static double Read(System.Data.Common.DbDataReader row, int at) =>
            row.IsDBNull(at) ? 0 : Convert.ToDouble(row.GetValue(at) is System.Numerics.BigInteger big ? (double)big : row.GetValue(at), System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <param name="Tells">Worth comparing.</param>
    /// <param name="Agreement">The chance that two rows have the same.</param>
    /// <param name="Words">Words in a value, on average.</param>
    private sealed record Facts(bool Tells, Comparer Comparer, double Agreement, double Words);
}
