using System.Data.Common;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Profiling.Dependencies;

/// <summary>
/// Different rows drawn by their hashes, so that which ones they are depends on neither order nor threads, each with the number of times it is there; values are numbers.
/// </summary>
internal sealed class SampleTable
{
    public const int None = -1;

    private SampleTable(int[][] codes, int[] distinct, int[] weights, double share)
    {
        Codes = codes;
        Distinct = distinct;
        Weights = weights;
        Share = share;
        Weight = weights.Sum(weight => (long)weight);
    }

    /// <summary>By column and row the number of the value; <see cref="None"/> where there is none.</summary>
    public int[][] Codes { get; }

    /// <summary>Different values of each column.</summary>
    public int[] Distinct { get; }

    /// <summary>How often each row is there.</summary>
    public int[] Weights { get; }

    /// <summary>Of all different rows.</summary>
    public double Share { get; }

    public long Weight { get; }

    /// <param name="relation">Gives the columns, by these names.</param>
    public static async Task<SampleTable> DrawAsync(EngineSession session, string relation, IReadOnlyList<string> columns, int most, CancellationToken ct)
    {
        var hash = $"hash({Sql.Identifiers(columns)})";
        var different = await session.ScalarAsync<long>($"SELECT approx_count_distinct({hash}) FROM {relation}", ct).ConfigureAwait(false);
        // Somewhat more than wanted, as the number of different rows is an estimate; the rest is cut off.
        var wanted = 1.2 * most / Math.Max(1, different);
        var limit = wanted >= 1 ? ulong.MaxValue : (ulong)(wanted * ulong.MaxValue);
        var values = columns.Select(_ => new Dictionary<ulong, int>()).ToList();
        var codes = columns.Select(_ => new List<int>()).ToList();
        var weights = new List<int>();
        await foreach (var row in session.StreamAsync(
            $"SELECT {string.Join(", ", columns.Select(column => $"CASE WHEN {Sql.Identifier(column)} IS NOT NULL THEN hash({Sql.Identifier(column)}) END"))}, count(*) FROM {relation} "
            + $"WHERE {hash} <= {limit}::UBIGINT GROUP BY {hash}, {string.Join(", ", Enumerable.Range(1, columns.Count))} ORDER BY {hash} LIMIT {most}",
            row => row, ct).ConfigureAwait(false))
        {
            Add(row);
        }
        var share = different <= most ? 1 : Math.Min(1, (double)weights.Count / different);
        return new SampleTable([.. codes.Select(column => column.ToArray())], [.. values.Select(value => value.Count)], [.. weights], share);

        void Add(DbDataReader row)
        {
            for (var i = 0; i < columns.Count; i++)
            {
                var code = None;
                if (!row.IsDBNull(i))
                {
                    var value = row.GetFieldValue<ulong>(i);
                    if (!values[i].TryGetValue(value, out code))
                        values[i][value] = code = values[i].Count;
                }
                codes[i].Add(code);
            }
            weights.Add((int)Math.Min(int.MaxValue / 4, row.GetInt64(columns.Count)));
        }
    }
}
