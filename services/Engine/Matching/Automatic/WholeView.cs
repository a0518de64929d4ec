using System.Globalization;

namespace Qualiz.Engine.Matching.Automatic;

/// <summary>How all words of two rows count, beside their columns or instead of them.</summary>
/// <param name="ColumnsCount">False: only the words count.</param>
/// <param name="Weight">What rows of the same words weigh, in bits.</param>
internal sealed record WholeView(RecordWords Words, bool ColumnsCount, double Weight)
{
    /// <summary>What stands for it among the fields of a pair.</summary>
    public const string Field = "(all words)";

    /// <summary>Columns that are in order tell more than their words do, and what is expected is not certain, so the difference has to be clear: in F1, both at their best.</summary>
    private const double Clearly = 0.1;

    /// <summary>Or else the columns find less than this part of it at even odds, because their own model takes the same for different.</summary>
    private const double Much = 0.8;

    /// <summary>Fewer rows that have a partner tell nothing about others.</summary>
    private const double Fewest = 20;

    /// <summary>Of more pairs too much would have to be held.</summary>
    public const int MostPairs = 4_000_000;

    /// <summary>Pairs below are not linked by any of the views.</summary>
    private const float LeastScore = -20;
    private const float LeastAlike = 0.1f;

    // The scale of the words alone is any; beside columns they count about as much as two or four of them.
    private static readonly (bool Columns, double Weight)[] Tried = [(true, 40), (true, 80), (false, 80)];

    /// <summary>What was found, for people.</summary>
    public string Said => ColumnsCount
        ? string.Create(CultureInfo.InvariantCulture, $"all words of a row count too, wherever they stand: {Weight:0} bits for the same ones, as links are expected to be better by it")
        : "only the words of a row count, wherever they stand, as links by columns are expected to be worse";

    /// <summary>The score of a pair by its columns' score and how alike its words are.</summary>
    public float Score(float columns, float alike) => (float)((ColumnsCount ? columns : 0) + Bits(alike));

    public FieldWeight Explain(int a, int b)
    {
        var alike = (float)Words.Similarity(a, b);
        return new FieldWeight(Field, ValueComparer.LevelOf(alike), alike, Bits(alike), null);
    }

    private double Bits(float alike) => FellegiSunter.Rounded(Weight * alike);

    /// <summary>Which view is expected to link best, and from which score on.</summary>
    /// <param name="scores">By pair, that of its columns.</param>
    /// <param name="alike">By pair, how alike all words are.</param>
    /// <param name="threshold">From which score of the columns on rows would be linked.</param>
    /// <param name="border">Rows of the first source, of <paramref name="rows"/>.</param>
    /// <returns>Null: that of the columns alone is as good.</returns>
    public static (bool Columns, double Weight, double Threshold)? Choose(int[] a, int[] b, float[] scores, float[] alike, double threshold, int border, int rows)
    {
        var all = Enumerable.Range(0, scores.Length);
        var columns = LinkEstimate.Of(a, b, scores, [.. all.Where(i => scores[i] >= LeastScore)], border, rows);
        var views = Array.ConvertAll(Tried, view =>
        {
            var whole = new WholeView(null!, view.Columns, view.Weight);
            var mixed = new float[scores.Length];
            for (var i = 0; i < mixed.Length; i++)
                mixed[i] = whole.Score(scores[i], alike[i]);
            return LinkEstimate.Of(a, b, mixed, [.. all.Where(i => view.Columns ? mixed[i] >= LeastScore : alike[i] >= LeastAlike)], border, rows);
        });
        var same = Math.Max(columns.Same, views.Max(view => view.Same));
        var expected = Array.ConvertAll(views, view => view.F1(view.Threshold, same));
        var best = Array.IndexOf(expected, expected.Max());
        var most = expected[best];
        return same < Fewest ? null : most > columns.F1(columns.Threshold, same) + Clearly || most * Much > columns.F1(Math.Min(threshold, ScoreThreshold.Even), same)
            ? (Tried[best].Columns, Tried[best].Weight, views[best].Threshold)
            : null;
    }
}
