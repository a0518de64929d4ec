using System.Diagnostics;
using System.Globalization;
using Qualiz.Contracts.Data;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Profiling.Dependencies;
using Qualiz.Engine.Sessions;

namespace Qualiz.Benchmarks.Data;

/// <summary>
/// Dependency discovery in a million rows by fifty columns: places, products, people, codes and measures, twenty of which follow from others with errors in one row of two hundred, the rest from nothing.
/// In this process, with two threads and 1 GiB for the engine.
/// </summary>
internal sealed class DependencyBenchmark : IBenchmark
{
    private const string Seconds = "profile.dependencies.seconds";
    private const double Target = 30;
    private const int Rows = 1_000_000;

    private static readonly string[] Planted =
    [
        "zip -> city", "zip -> county", "zip -> state", "city -> county", "city -> state", "county -> state", "product -> title", "product -> brand", "product -> tax", "person -> born_year", "person -> segment", "store+weekday -> manager",
        "product+country -> price_level", "building+floor+wing -> room",
    ];

    /// <summary>Different values of the columns that say nothing.</summary>
    private static readonly int[] Sizes = [2, 3, 5, 8, 12, 20, 40, 75, 150, 400, 1000, 3000, 10000, 40000, 120000, 2, 4, 6, 10, 30, 250];

    public IReadOnlyList<string> Names => [Seconds];

    public async Task<IReadOnlyList<Figure>> RunAsync(IReadOnlySet<string> wanted, Action<string> say, CancellationToken ct)
    {
        var folder = Directory.CreateTempSubdirectory("qualiz-bench-").FullName;
        try
        {
            await FindAsync(folder, 20_000, ct);
            var watch = new Stopwatch();
            var before = TimeSpan.Zero;
            var found = await FindAsync(folder, Rows, ct, () =>
            {
                before = Environment.CpuUsage.TotalTime;
                watch.Start();
            });
            var seconds = watch.Elapsed.TotalSeconds;
            var names = found.Select(dependency => $"{string.Join('+', dependency.Left)} -> {dependency.Right}").ToList();
            say(string.Create(CultureInfo.InvariantCulture, $"{found.Count} dependencies in {seconds:0.0} s ({(Environment.CpuUsage.TotalTime - before).TotalSeconds:0.0} s of processors, peak {IngestChild.PeakBytes() >> 20} MiB)"));
            say($"planted and not found: {string.Join(", ", Planted.Except(names).DefaultIfEmpty("none"))}");
            say($"found besides: {string.Join(", ", names.Except(Planted).DefaultIfEmpty("none"))}");
            return [new Figure(Seconds, seconds, "s", Target, Target / seconds)];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<IReadOnlyList<ColumnDependency>> FindAsync(string folder, int rows, CancellationToken ct, Action? begin = null)
    {
        var path = Path.Combine(folder, $"{rows}.parquet");
        var options = new EngineOptions { MemoryBytes = IngestChild.MemoryBytes, Threads = IngestChild.Threads, Scratch = folder, Directories = [folder] };
        DatasetSchema schema;
        using (var session = EngineSession.Open(options))
        {
            schema = DatasetFiles.Describe(session, Query(rows));
            await DatasetFiles.WriteAsync(session, Query(rows), path, ct);
        }
        var dataset = new DatasetRef { Files = [new DataFile { Key = "t", Rows = rows, Bytes = 1, Sha256 = "" }], Schema = schema, Rows = rows, Bytes = 1 };
        begin?.Invoke();
        return await DependencyFinder.FindAsync(new LocalDataset(dataset, [path]), options, ct);
    }

    private static string Query(int rows)
    {
        // One row in two hundred has another row's value, column by column.
        static string Wrong(string value, string other, int salt) => $"CASE WHEN hash(i + {salt}) % 200 = 0 THEN {other} ELSE {value} END";
        return $"""
            SELECT i AS id, 'rec-' || i AS record, zip, {Wrong("'City ' || zip // 6", "'City ' || (zip // 6 + 7) % 4000", 101)} AS city, {Wrong("'County ' || zip // 60", "'County 3'", 102)} AS county,
                {Wrong("'S' || zip // 480", "'S1'", 103)} AS state,
                product, {Wrong("'Product no ' || product", "'Produkt no ' || product", 104)} AS title, {Wrong("'Brand ' || (product * 31) % 300", "'Brand 0'", 105)} AS brand, {Wrong("(product * 17) % 5", "9", 106)} AS tax,
                person, {Wrong("1940 + (person * 13) % 70", "1900", 107)} AS born_year, {Wrong("'seg ' || (person * 7) % 12", "'seg 0'", 108)} AS segment,
                store, weekday, {Wrong("'M' || (store * 7 + weekday * 3) % 997", "'M0'", 109)} AS manager,
                country, {Wrong("(product * 3 + country * 11) % 40", "41", 110)} AS price_level,
                building, floor, wing, {Wrong("(building * 31 + floor * 17 + wing * 7) % 301", "0", 111)} AS room,
                hash(i + 20) / 1e15 AS m1, sqrt(hash(i + 21) % 100000) AS m2, CAST(hash(i + 22) % 1000000 / 100 AS DECIMAL(12,2)) AS amount, DATE '2020-01-01' + CAST(hash(i + 23) % 1500 AS INTEGER) AS day,
                TIMESTAMP '2026-01-01' + to_seconds(CAST(hash(i + 24) % 10000000 AS BIGINT)) AS seen, 'user' || hash(i + 25) % 900000 || '@example.org' AS email, 'note ' || hash(i + 26) % 700000 AS note,
                {string.Join(", ", Enumerable.Range(0, Sizes.Length).Select(column => string.Create(CultureInfo.InvariantCulture, $"CAST(hash(i + {300 + column}) % {Sizes[column]} AS BIGINT) AS c{column}")))}
            FROM (
                SELECT range AS i, CAST(hash(range + 1) % 24000 AS BIGINT) AS zip, CAST(hash(range + 2) % 5000 AS BIGINT) AS product, CAST(hash(range + 3) % 200000 AS BIGINT) AS person, CAST(hash(range + 4) % 300 AS BIGINT) AS store,
                    CAST(hash(range + 5) % 7 AS BIGINT) AS weekday, CAST(hash(range + 6) % 30 AS BIGINT) AS country, CAST(hash(range + 7) % 40 AS BIGINT) AS building, CAST(hash(range + 8) % 12 AS BIGINT) AS floor,
                    CAST(hash(range + 9) % 9 AS BIGINT) AS wing
                FROM range({rows}))
            """;
    }
}
