using System.Text;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Kernels.Profiling;
using Qualiz.Engine.Semantics;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Profiling;

/// <summary>A column's sketch, and what was found out beyond it.</summary>
internal sealed class ColumnFacts(ProfiledColumn column, ColumnSketch sketch)
{
    private const int TopValues = 10;

    /// <summary>A value of a column with very many values is frequent from this share of the rows on: twice what the sketches are certain to see.</summary>
    private const int FrequentPart = 1000;

    private readonly bool _estimated = sketch.Exact is null;
    private long? _proven = sketch.Exact is null && sketch.Ascends ? sketch.Values : null;
    private IReadOnlyList<(Int128 Number, string? Text, long Rows)> _top = [];

    public ProfiledColumn Column { get; } = column;

    public ColumnSketch Sketch { get; } = sketch;

    public long Distinct { get; private set; } = sketch.Exact?.Count ?? (sketch.Ascends ? sketch.Values : Math.Min(sketch.Distinct!.Estimate(), sketch.Values));

    /// <summary>No value is there twice, for certain.</summary>
    public bool Unique => Column.CanBeKey && Sketch.Values > 0 && (_proven ?? Sketch.Exact?.Count) == Sketch.Values;

    /// <summary>There are so many values that whether one is repeated takes another look; a sample of them had none.</summary>
    public bool MayBeUnique
    {
        get
        {
            if (!_estimated || _proven is not null || !Column.CanBeKey)
                return false;
            foreach (ref readonly var entry in Sketch.Sample!.Take().Entries)
            {
                if (entry.Rows > 1)
                    return false;
            }
            return true;
        }
    }

    public void ProveUnique() => Distinct = (_proven = Sketch.Values).Value;

    /// <summary>Counts the frequent values of a column with too many of them.</summary>
    public async Task CountFrequentAsync(EngineSession session, LocalDataset dataset, long rows, CancellationToken ct)
    {
        if (Sketch.Exact is { } exact)
        {
            _top = Most(exact, TopValues);
            return;
        }
        if (Unique)
            return;
        var frequent = Sketch.Frequent!;
        var least = Math.Max(2, (rows + FrequentPart - 1) / FrequentPart);
        // Texts that were cut cannot be told apart.
        var candidates = Most(frequent.Values, int.MaxValue)
            .Where(value => value.Rows + frequent.Missed >= least && (value.Text is null || Encoding.UTF8.GetByteCount(value.Text) < ValueSample.LongestText)).ToList();
        if (candidates.Count > TopValues)
        {
            var certain = candidates[TopValues - 1].Rows;
            candidates.RemoveAll(value => value.Rows + frequent.Missed < certain);
        }
        if (candidates.Count == 0)
            return;
        var name = Column.Expression;
        var literals = candidates.Select(value => value.Text is null ? Column.Literal(value.Number) : Sql.Literal(value.Text)).ToList();
        var counts = await session.QueryAsync(
            $"SELECT {string.Join(", ", literals.Select((literal, i) => $"count(*) FILTER (WHERE v = {literal})"))} FROM (SELECT {name} AS v FROM {DatasetFiles.Relation(dataset, [Column.Name])}) "
            + $"WHERE v IN ({string.Join(", ", literals)})",
            row => Enumerable.Range(0, literals.Count).Select(row.GetInt64).ToList(), ct).ConfigureAwait(false);
        _top = [.. candidates.Select((value, i) => value with { Rows = counts[0][i] }).Where(value => value.Rows >= least).OrderByDescending(value => value.Rows)
            .ThenBy(value => value.Number).ThenBy(value => value.Text, StringComparer.Ordinal).Take(TopValues)];
    }

    public async Task<ColumnProfile> DescribeAsync(EngineSession session, int columns, CancellationToken ct)
    {
        var isText = Column.Kind == ValueKind.Text;
        var profile = new ColumnProfile
        {
            Name = Column.Name,
            Type = Column.TypeName,
            Semantic = SemanticColumns.Of(Column, Sketch, Distinct, columns),
            Masked = Column.Masked,
            Nulls = Sketch.Nulls,
            Blank = Sketch.Blank,
            Distinct = Distinct,
            DistinctEstimated = _estimated && _proven is null,
            Unique = Unique,
            MinLength = isText && Sketch.Values > 0 ? Sketch.ShortestText : null,
            MaxLength = isText && Sketch.Values > 0 ? Sketch.LongestText : null,
            MeanLength = isText && Sketch.Values > 0 ? (double)Sketch.Characters / Sketch.Values : null,
        };
        if (Column.Masked)
            return profile;
        if (Column.IsText)
        {
            var (patterns, patternsEstimated) = isText ? Patterns() : ([], false);
            return profile with
            {
                Min = Sketch.Min is { } min ? ProfiledColumn.Show(min) : null,
                Max = Sketch.Max is { } max ? ProfiledColumn.Show(max) : null,
                Top = [.. _top.Select(value => new ValueCount(ProfiledColumn.Show(value.Text!), value.Rows))],
                Patterns = patterns,
                PatternsEstimated = patternsEstimated,
            };
        }
        var distribution = Column.Kind == ValueKind.Bool ? null : Distribution.Of(Column, Sketch);
        var quantiles = distribution?.Quantiles() ?? [];
        var bins = distribution?.Histogram() ?? [];
        var outliers = distribution?.Outliers();
        var show = new List<Int128>();
        show.AddRange(Sketch.Smallest.Take(1));
        show.AddRange(Sketch.Largest.Take(1));
        show.AddRange(_top.Select(value => value.Number));
        show.AddRange(quantiles.Select(quantile => quantile.Value));
        show.AddRange(bins.SelectMany(bin => (Int128[])[bin.From, bin.To]));
        if (outliers is not null)
            show.AddRange([outliers.From, outliers.To, .. outliers.Examples]);
        using var texts = (await Column.ShowAsync(session, show, ct).ConfigureAwait(false)).GetEnumerator();
        return profile with
        {
            Min = Sketch.Smallest.Count > 0 ? Next() : null,
            Max = Sketch.Largest.Count > 0 ? Next() : null,
            Mean = Sketch.Numbers?.Mean(),
            StandardDeviation = Sketch.Numbers?.StandardDeviation(),
            NonFinite = Sketch.Numbers?.NonFinite ?? Sketch.Infinite,
            Top = [.. _top.Select(value => new ValueCount(Next(), value.Rows))],
            Quantiles = [.. quantiles.Select(quantile => new Quantile(quantile.Share, Next()))],
            DistributionEstimated = distribution is not null && _estimated,
            Histogram = [.. bins.Select(bin => new HistogramBin(Next(), Next(), bin.Rows))],
            Outliers = outliers is null ? null : new Outliers(Next(), Next(), outliers.Rows, [.. outliers.Examples.Select(_ => Next())]),
        };

        string Next() => texts.MoveNext() ? texts.Current : throw new InvalidOperationException("Every value has its text.");
    }

    private (IReadOnlyList<ValueCount> Patterns, bool Estimated) Patterns()
    {
        if (Sketch.Masks is { } masks)
            return ([.. Most(masks, TopValues).Select(mask => new ValueCount(mask.Text!, mask.Rows))], false);
        // All values may be known where there are too many forms.
        var sample = Sketch.Exact ?? Sketch.Sample!.Take();
        var rows = new Dictionary<string, long>(StringComparer.Ordinal);
        var mask = new byte[CharacterMask.LongestBytes];
        foreach (ref readonly var entry in sample.Entries)
        {
            if (entry.Rows == 0)
                continue;
            var form = Encoding.UTF8.GetString(mask.AsSpan(0, CharacterMask.Write(sample.Text(entry), mask)));
            rows[form] = rows.GetValueOrDefault(form) + entry.Rows;
        }
        // Each sampled value stands for as many others.
        var factor = _estimated ? Math.Max(1, (double)Distinct / sample.Count) : 1;
        return ([.. rows.OrderByDescending(form => form.Value).ThenBy(form => form.Key, StringComparer.Ordinal).Take(TopValues)
            .Select(form => new ValueCount(form.Key, Math.Min(Sketch.Values, (long)Math.Round(form.Value * factor))))], _estimated);
    }

    /// <summary>The values with the most rows; of equally many the smaller one comes first.</summary>
    private List<(Int128 Number, string? Text, long Rows)> Most(ValueTable table, int most)
    {
        var entries = new List<ValueTable.Entry>(table.Count);
        foreach (ref readonly var entry in table.Entries)
        {
            if (entry.Rows > 0)
                entries.Add(entry);
        }
        entries.Sort((a, b) => a.Rows != b.Rows ? b.Rows.CompareTo(a.Rows)
            : table.IsText ? table.Text(a).SequenceCompareTo(table.Text(b)) : Sketch.Number(a).CompareTo(Sketch.Number(b)));
        return [.. entries.Take(most).Select(entry => table.IsText ? (Int128.Zero, Encoding.UTF8.GetString(table.Text(entry)), entry.Rows) : (Sketch.Number(entry), null, entry.Rows))];
    }
}
