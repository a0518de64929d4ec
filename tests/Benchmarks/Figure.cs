using System.Text.Json.Serialization;

namespace Qualiz.Benchmarks;

/// <summary>One measured figure.</summary>
/// <param name="Reference">What it is held against; null when it stands alone.</param>
/// <param name="Ratio">How good it is against the reference: 1 is equal, more is better.</param>
internal sealed record Figure(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("value")] double Value,
    [property: JsonPropertyName("unit")] string Unit,
    [property: JsonPropertyName("reference")] double? Reference,
    [property: JsonPropertyName("ratio")] double? Ratio);

/// <summary>A benchmark: gives one figure or several that are measured together.</summary>
internal interface IBenchmark
{
    /// <summary>The figures it gives.</summary>
    IReadOnlyList<string> Names { get; }

    /// <param name="wanted">Those of <see cref="Names"/> that are asked for.</param>
    /// <param name="say">Says what goes on, for people.</param>
    Task<IReadOnlyList<Figure>> RunAsync(IReadOnlySet<string> wanted, Action<string> say, CancellationToken ct);
}
