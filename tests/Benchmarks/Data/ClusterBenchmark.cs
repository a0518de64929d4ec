using System.Globalization;
using Qualiz.Engine.Clustering;

namespace Qualiz.Benchmarks.Data;

/// <summary>Value clustering of a million different values: names of companies in towns, a third of them misspelt ones of the others.</summary>
internal sealed class ClusterBenchmark : IBenchmark
{
    private const int Values = 1_000_000;
    private const double Target = 60;
    private const string Prefix = "cluster.million.";

    private static readonly string[] Syllables =
    [
        "al", "ber", "cor", "dan", "el", "fin", "gar", "hol", "in", "jor", "kel", "lam", "mor", "nor", "os", "pet", "quin", "ros", "sten", "tor", "ul", "ver", "wil", "xan", "yor", "zim", "sch", "burg", "field", "son",
    ];

    private static readonly string[] Trades = ["Bakery", "Transport", "Holding", "Consulting", "Software", "Electric", "Foods", "Logistics", "Motors", "Insurance", "Brothers", "Services"];

    public IReadOnlyList<string> Names => [.. Enum.GetNames<ClusterMethod>().Select(name => $"{Prefix}{char.ToLowerInvariant(name[0])}{name[1..]}")];

    public Task<IReadOnlyList<Figure>> RunAsync(IReadOnlySet<string> wanted, Action<string> say, CancellationToken ct)
    {
        var values = Make();
        var figures = new List<Figure>();
        foreach (var name in Names.Where(wanted.Contains))
        {
            var limits = new List<string>();
            var started = System.Diagnostics.Stopwatch.StartNew();
            var clusters = ValueClusterer.Find(values, Enum.Parse<ClusterMethod>(name[Prefix.Length..], ignoreCase: true), limits, ct);
            var seconds = started.Elapsed.TotalSeconds;
            say(string.Create(CultureInfo.InvariantCulture, $"{name}: {clusters.Count:N0} clusters of {clusters.Sum(cluster => cluster.Values.Count):N0} values. {string.Join(' ', limits)}"));
            figures.Add(new Figure(name, seconds, "s", Target, Target / seconds));
        }
        return Task.FromResult<IReadOnlyList<Figure>>(figures);
    }

    private static List<ClusteredValue> Make()
    {
        var random = new Random(1);
        var known = new HashSet<string>(StringComparer.Ordinal);
        var right = new List<string>();
        var values = new List<ClusteredValue>(Values);
        while (values.Count < Values)
        {
            var misspelt = right.Count > 0 && random.Next(3) == 0;
            var value = misspelt ? Misspelt(right[random.Next(right.Count)], random) : $"{Name(random)} {Trades[random.Next(Trades.Length)]} {Name(random)}";
            if (!known.Add(value))
                continue;
            if (!misspelt)
                right.Add(value);
            values.Add(new ClusteredValue(value, misspelt ? 1 : random.Next(1, 50)));
        }
        return values;
    }

    private static string Name(Random random)
    {
        var name = string.Concat(Enumerable.Range(0, random.Next(2, 4)).Select(_ => Syllables[random.Next(Syllables.Length)]));
        return char.ToUpperInvariant(name[0]) + name[1..];
    }

    private static string Misspelt(string value, Random random)
    {
        var at = random.Next(value.Length - 1);
        return random.Next(5) switch
        {
            0 => value.Remove(at, 1),
            1 => value.Insert(at, $"{(char)('a' + random.Next(26))}"),
            2 => $"{value[..at]}{value[at + 1]}{value[at]}{value[(at + 2)..]}",
            3 => value.ToUpperInvariant(),
            _ => $"{value[..at]}{(char)('a' + random.Next(26))}{value[(at + 1)..]}",
        };
    }
}
