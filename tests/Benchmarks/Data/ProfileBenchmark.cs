using System.Diagnostics;
using System.Text.Json;
using Qualiz.Contracts.Data;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Profiling;
using Qualiz.Engine.Sessions;

namespace Qualiz.Benchmarks.Data;

/// <summary>
/// The profile of 5 million rows by 10 columns of all kinds, half of them with very many values, against the engine's bare copy of the same Parquet file. Bare and
/// ours take turns, each in a new process with the same memory and threads.
/// </summary>
internal sealed class ProfileBenchmark : IBenchmark
{
    private const string Ratio = "profile.ratio";
    private const double Allowed = 3;
    private const int Rounds = 3;

    public IReadOnlyList<string> Names => [Ratio];

    public async Task<IReadOnlyList<Figure>> RunAsync(IReadOnlySet<string> wanted, Action<string> say, CancellationToken ct)
    {
        var (bare, ours) = await SideBySide.RunAsync(ProfileChild.Argument, Rounds, _ => "", say, ct);
        return [new Figure(Ratio, ours / bare, "bare copies", Allowed, Allowed * bare / ours)];
    }
}

/// <summary>One run in a process of its own.</summary>
internal static class ProfileChild
{
    public const string Argument = "profile-child";
    private const int Rows = 5_000_000;
    private const string File = "people.parquet";

    private static readonly DatasetSchema Schema = new()
    {
        Columns =
        [
            Column("id", "int64"), Column("name", "text"), Column("email", "text"), Column("country", "text"), Column("phone", "text"),
            Column("born", "date"), Column("seen", "timestamp"), Column("balance", "decimal(12,2)"), Column("score", "double"), Column("active", "bool"),
        ],
    };

    /// <summary>Arguments: prepare|ours|bare, a folder. Prints seconds, rows and peak bytes.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        var (kind, folder) = (args[0], args[1]);
        if (kind == "prepare")
        {
            Prepare(folder, Rows);
            Console.WriteLine("{}");
            return 0;
        }
        // Neither side is measured on loading code.
        var small = Directory.CreateDirectory(Path.Combine(folder, $"small-{kind}")).FullName;
        Prepare(small, 200_000);
        await OneAsync(kind, small);
        var before = Environment.CpuUsage.TotalTime;
        var watch = Stopwatch.StartNew();
        var rows = await OneAsync(kind, folder);
        var seconds = watch.Elapsed.TotalSeconds;
        Console.WriteLine(JsonSerializer.Serialize(new ChildResult(seconds, (Environment.CpuUsage.TotalTime - before).TotalSeconds, rows, 0, IngestChild.PeakBytes())));
        Directory.Delete(small, recursive: true);
        return 0;
    }

    private static async Task<long> OneAsync(string kind, string folder)
    {
        var options = new EngineOptions { MemoryBytes = IngestChild.MemoryBytes, Threads = IngestChild.Threads, Scratch = folder };
        var path = Path.Combine(folder, File);
        if (kind == "bare")
        {
            using var session = EngineSession.Open(options with { Directories = [folder], PreserveOrder = false });
            var copy = Path.Combine(folder, "copy.parquet");
            var rows = session.Execute($"COPY (SELECT * FROM read_parquet({Sql.Literal(path)})) TO {Sql.Literal(copy)}");
            System.IO.File.Delete(copy);
            return rows;
        }
        long count;
        using (var session = EngineSession.Open(options with { Paths = [path] }))
            count = session.Scalar<long>("SELECT CAST(sum(num_rows) AS BIGINT) FROM parquet_file_metadata(?)", path);
        var dataset = new DatasetRef { Files = [new DataFile { Key = File, Rows = count, Bytes = 1, Sha256 = "" }], Schema = Schema, Rows = count, Bytes = 1 };
        return (await DatasetProfiler.ProfileAsync(new LocalDataset(dataset, [path]), options, CancellationToken.None)).Rows;
    }

    private static void Prepare(string folder, int rows)
    {
        using var session = EngineSession.Open(new EngineOptions { MemoryBytes = IngestChild.MemoryBytes, Threads = IngestChild.Threads, Scratch = folder, Directories = [folder] });
        session.Execute($"""
            COPY (
                SELECT i AS id,
                    ['Anna', 'Ben', 'Chloé', 'Dmitri', 'Eve', 'Femi', 'Gül', 'Hans', 'Ines', 'Jan'][1 + h % 10] || ' ' || ['Miller', 'O''Neil', 'van der Berg', 'Øverland'][1 + (h // 16) % 4] || (h // 64) % 50000 AS name,
                    'user' || (i * 31) % {rows - 1} || '@example.org' AS email,
                    CASE WHEN h % 50 > 0 THEN ['US', 'GB', 'NO', 'DE'][1 + (h // 32) % 4] END AS country,
                    CASE WHEN h % 3 = 0 THEN '+47 ' || 100 + h % 900 || ' ' || 10000 + (h // 1024) % 90000 ELSE '(' || 200 + h % 700 || ') 555-' || 1000 + (h // 4096) % 9000 END AS phone,
                    CASE WHEN h % 50 <> 1 THEN DATE '1950-01-01' + CAST((h // 128) % 20000 AS INTEGER) END AS born,
                    TIMESTAMP '2026-01-01' + to_milliseconds(CAST((h // 256) % 20000000000 AS BIGINT)) AS seen,
                    CAST((h // 512) % 10000000 / 100 AS DECIMAL(12,2)) AS balance,
                    sqrt((h // 8) % 100000000) AS score,
                    h % 3 = 0 AS active
                FROM (SELECT range AS i, CAST(hash(range) // 4 AS BIGINT) AS h FROM range({rows}))
            ) TO {Sql.Literal(Path.Combine(folder, File))} ({DatasetFiles.ParquetOptions})
            """);
    }

    private static DatasetColumn Column(string name, string type) => new() { Name = name, Type = type };
}
