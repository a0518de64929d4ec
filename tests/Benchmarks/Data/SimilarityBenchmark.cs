using System.Diagnostics;
using System.Globalization;
using DuckDB.NET.Data;
using Qualiz.Engine.Kernels.Similarity;
using Qualiz.OperatorKit;

namespace Qualiz.Benchmarks.Data;

/// <summary>
/// Pairs per second of our edit distance and Jaro-Winkler against the engine's own functions: the same pairs of names, addresses, e-mail addresses and whole records (longer than 64 characters), alike ones and others, both from
/// memory and in one thread, taking turns.
/// </summary>
internal sealed class SimilarityBenchmark : IBenchmark
{
    private const string Levenshtein = "match.levenshtein.ratio";
    private const string JaroWinklers = "match.jarowinkler.ratio";
    private const int Pairs = 400_000;
    private const int Rounds = 5;

    public IReadOnlyList<string> Names => [Levenshtein, JaroWinklers];

    public Task<IReadOnlyList<Figure>> RunAsync(IReadOnlySet<string> wanted, Action<string> say, CancellationToken ct)
    {
        var pairs = Make();
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        Scalar("SET threads = 1; CREATE TABLE pairs (a VARCHAR, b VARCHAR); SELECT 0.0::DOUBLE");
        using (var appender = connection.CreateAppender("pairs"))
        {
            foreach (var (a, b) in pairs)
                appender.CreateRow().AppendValue(a).AppendValue(b).EndRow();
        }
        var figures = new List<Figure>();
        if (wanted.Contains(Levenshtein))
            figures.Add(Compare(Levenshtein, 10, "SELECT sum(levenshtein(a, b))::DOUBLE FROM pairs", static (a, b) => EditDistance.Levenshtein(a, b)));
        if (wanted.Contains(JaroWinklers))
            figures.Add(Compare(JaroWinklers, 1, "SELECT sum(jaro_winkler_similarity(a, b))::DOUBLE FROM pairs", static (a, b) => JaroWinkler.Similarity(a, b)));
        return Task.FromResult<IReadOnlyList<Figure>>(figures);

        double Scalar(string sql)
        {
            using var command = connection.CreateCommand();
            command.CommandText = sql;
            return Convert.ToDouble(command.ExecuteScalar(), CultureInfo.InvariantCulture);
        }

        Figure Compare(string name, double target, string sql, Func<string, string, double> kernel)
        {
            var (theirs, ours) = (new List<double>(), new List<double>());
            for (var round = 0; round <= Rounds; round++)
            {
                ct.ThrowIfCancellationRequested();
                var watch = Stopwatch.StartNew();
                var expected = Scalar(sql);
                var their = watch.Elapsed.TotalSeconds;
                watch.Restart();
                var sum = 0.0;
                foreach (var (a, b) in pairs)
                    sum += kernel(a, b);
                var our = watch.Elapsed.TotalSeconds;
                // The engine counts bytes where a letter is no ASCII, so the sums lie close together and are not the same.
                if (Math.Abs(sum - expected) > 0.02 * expected)
                    throw new InvalidOperationException($"{name}: {sum} here and {expected} there.");
                // The first round compiles.
                if (round > 0)
                {
                    theirs.Add(their);
                    ours.Add(our);
                }
            }
            var (engine, own) = (Pairs / Median(theirs), Pairs / Median(ours));
            say(string.Create(CultureInfo.InvariantCulture, $"{name}: {own:N0} pairs/s, the engine's own {engine:N0}"));
            return new Figure(name, own / engine, "x", target, own / engine / target);
        }
    }

    private static double Median(List<double> seconds) => seconds.Order().ElementAt(seconds.Count / 2);

    /// <summary>A third of the pairs is of one person, and a few are longer than 64 characters; some have letters beyond ASCII.</summary>
    private static (string A, string B)[] Make()
    {
        var people = new GeneratedPeople(50_000);
        var byPerson = Enumerable.Range(0, people.Count).GroupBy(people.PersonOf).Where(group => group.Count() > 1).Select(group => group.ToArray()).ToArray();
        var random = new Random(3);
        var pairs = new (string, string)[Pairs];
        for (var i = 0; i < pairs.Length;)
        {
            var same = byPerson[random.Next(byPerson.Length)];
            var (a, b) = i % 3 == 0 ? (same[0], same[1]) : (random.Next(people.Count), random.Next(people.Count));
            var (x, y) = (people.Record(a), people.Record(b));
            // Names and full names, street, e-mail, and now and then all of it.
            Func<string?[], string?> take = (i % 20) switch
            {
                < 4 => values => values[1],
                < 9 => values => $"{values[0]} {values[1]}",
                < 14 => values => $"{values[3]}, {values[4]}",
                < 18 => values => values[7],
                18 => values => values[6],
                _ => values => string.Join(' ', values),
            };
            if (take(x) is { Length: > 0 } left && take(y) is { Length: > 0 } right)
                pairs[i++] = (left, right);
            else if (i % 3 == 0)
                pairs[i++] = ($"{x[0]} {x[1]}", $"{y[0]} {y[1]}");
        }
        return pairs;
    }
}
