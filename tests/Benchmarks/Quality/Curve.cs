using System.Text.Json;

namespace Qualiz.Benchmarks.Quality;

/// <summary>Precision and recall of what is found at each confidence.</summary>
internal sealed record Curve(string Name, IReadOnlyList<CurvePoint> Points)
{
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static Curve Of(string name, long errors, IEnumerable<(double Confidence, bool Right)> marked)
    {
        var points = new List<CurvePoint>();
        long found = 0, right = 0;
        foreach (var step in marked.GroupBy(mark => Math.Round(mark.Confidence, 2)).OrderByDescending(step => step.Key))
        {
            found += step.Count();
            right += step.Count(mark => mark.Right);
            points.Add(new CurvePoint(step.Key, (double)right / found, errors == 0 ? 0 : (double)right / errors));
        }
        return new Curve(name, points);
    }
}

internal sealed record CurvePoint(double Confidence, double Precision, double Recall);
