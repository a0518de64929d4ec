using System.Globalization;
using Qualiz.Engine.Columns;

namespace Qualiz.Engine.Errors;

/// <summary>
/// Numbers far from all others of their column. How far is far follows from how the middle of the column is spread, on each side for itself; a side that falls off
/// slowly has no outliers.
/// </summary>
internal static class Numbers
{
    /// <summary>From the median to a number, measured by the way from the median to the last tenth: a normal distribution has one of 100 million there, an exponential one of 3,000.</summary>
    private const double Far = 5;

    /// <summary>The way to the last tenth by the way to the last quarter: 1.9 for a normal distribution, 2.3 for an exponential one.</summary>
    private const double SlowFall = 2.6;

    public static void Find(CodedColumn column, int index, Evidence evidence)
    {
        var numbers = new List<(double Number, int Value)>();
        long rows = 0;
        for (var value = 1; value < column.Values.Length; value++)
        {
            if (double.TryParse(column.Values[value], NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number))
            {
                numbers.Add((number, value));
                rows += column.Counts[value];
            }
        }
        if (rows < 50 || rows < 0.95 * column.Filled)
            return;
        numbers.Sort();
        var middle = Quantile(0.5);
        Side(Quantile(0.75) - middle, Quantile(0.9) - middle, above: true);
        Side(middle - Quantile(0.25), middle - Quantile(0.1), above: false);

        void Side(double quarter, double tenth, bool above)
        {
            if (quarter <= 0 || tenth <= 0 || tenth > SlowFall * quarter)
                return;
            foreach (var (number, value) in numbers)
            {
                var way = above ? number - middle : middle - number;
                // What is there again and again is there on purpose.
                if (way <= Far * tenth || column.Counts[value] > 2)
                    continue;
                evidence.AddValue(
                    Detector.Number, column, index, value, 0.8, null, CellKind.Error,
                    string.Create(CultureInfo.InvariantCulture, $"{way / tenth:0.#} times as far from the median {middle:R} as the last tenth of the numbers begins"));
            }
        }

        double Quantile(double at)
        {
            var left = (long)(at * (rows - 1));
            foreach (var (number, value) in numbers)
            {
                left -= column.Counts[value];
                if (left < 0)
                    return number;
            }
            return numbers[^1].Number;
        }
    }
}
