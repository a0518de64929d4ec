using System.Text.Json;
using Qualiz.Platform.Operators;
using Xunit.Abstractions;

namespace Qualiz.Ingest.Tests;

/// <summary>Real and hostile files beside the repository; where they are not, the tests say so and prove nothing.</summary>
public sealed class SharedDataTests(ITestOutputHelper output) : IDisposable
{
    private readonly IngestRun _run = new();

    public void Dispose() => _run.Dispose();

    [Fact]
    public async Task The_spectrum_of_csv_is_read_as_its_authors_meant_it()
    {
        if (Folder("d_csv_spectrum") is not { } folder)
            return;
        foreach (var path in Directory.EnumerateFiles(Path.Combine(folder, "csvs"), "*.csv").Order())
        {
            Clear();
            var name = Path.GetFileNameWithoutExtension(path);
            _run.Write($"{name}.csv", await File.ReadAllBytesAsync(path));
            _run.State = null;
            var result = await _run.RunAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources }, Format = new IngestFormat { Header = HeaderMode.Present } });
            result.ShouldBalance();
            var expected = JsonSerializer.Deserialize<List<Dictionary<string, string>>>(await File.ReadAllTextAsync(Path.Combine(folder, "json", $"{name}.json")))!;
            var columns = expected[0].Keys.ToArray();
            var rows = result.Rows(columns);
            rows.Count.ShouldBe(expected.Count, name);
            for (var i = 0; i < rows.Count; i++)
                rows[i].Select(value => value ?? "").ShouldBe(columns.Select(column => expected[i][column]), name);
        }
    }

    [Theory]
    [InlineData("c_messy_kaggle", "*.csv")]
    [InlineData("c_montreal_bikes", "*.csv")]
    [InlineData("c_openflights", "*.dat")]
    [InlineData("c_us_open_gov", "*.csv")]
    [InlineData("c_openrefine_lessons", "*.csv")]
    [InlineData("c_jsonl_mongo", "*.json")]
    [InlineData("c_kylo_userdata", "*.parquet")]
    [InlineData("c_excel", "*.xls*")]
    [InlineData("c_us_open_gov", "*.xls*")]
    [InlineData("d_csv_spectrum/csvs", "*")]
    [InlineData("d_csvkit_examples", "*")]
    [InlineData("d_frictionless", "*")]
    [InlineData("d_pollock/polluted/csv", "*")]
    [InlineData("d_pollock/survey_sample/csv", "*")]
    [InlineData("d_json_test_suite/test_transform", "*")]
    public async Task Every_row_of_nasty_files_is_accounted(string set, string pattern)
    {
        if (Folder(set) is not { } folder)
            return;
        var files = Directory.EnumerateFiles(folder, pattern, SearchOption.AllDirectories).Where(path => !path.Contains("/clean/", StringComparison.Ordinal)).Order().ToList();
        files.ShouldNotBeEmpty();
        foreach (var path in files)
        {
            Clear();
            _run.State = null;
            _run.Write(Path.GetFileName(path), await File.ReadAllBytesAsync(path));
            var result = await _run.TryAsync();
            if (result is StepResult.Failed { Error: var error })
            {
                // A whole file may be unreadable, but then for a reason that a person understands.
                error.Code.ShouldBeOneOf(["fileUnreadable", "encoding", "typeUnsupported"], $"{Path.GetFileName(path)}: {error.Message}");
                error.Message.Length.ShouldBeGreaterThan(20);
                output.WriteLine($"{Path.GetFileName(path)}: {error.Message}");
                continue;
            }
            var ingested = new Ingested(((StepResult.Completed)result).Outcome, _run);
            ingested.ShouldBalance();
            output.WriteLine($"{Path.GetFileName(path)}: {ingested.Outcome.RowsIn} in, {ingested.Outcome.RowsOut} out, {ingested.Outcome.RowsRejected} rejected {string.Join(" ", ingested.Outcome.Warnings)}");
        }
    }

    [Fact]
    public async Task Json_that_is_none_is_refused_and_json_that_is_is_read()
    {
        if (Folder("d_json_test_suite/test_parsing") is not { } folder)
            return;
        foreach (var path in Directory.EnumerateFiles(folder, "*.json").Order())
        {
            var name = Path.GetFileName(path);
            Clear();
            _run.State = null;
            _run.Write("a.json", await File.ReadAllBytesAsync(path));
            var result = await _run.TryAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources }, Format = new IngestFormat { Type = FileFormat.Json, Encoding = TextEncoding.Utf8 } });
            var refused = result is StepResult.Failed || ((StepResult.Completed)result).Outcome is { RowsRejected: > 0 } or { RowsIn: 0 };
            if (name.StartsWith("n_", StringComparison.Ordinal))
                refused.ShouldBeTrue(name);
            // Valid JSON is read, but for an object that names a member twice: one of its values would be lost.
            if (name.StartsWith("y_", StringComparison.Ordinal) && !name.Contains("duplicated_key", StringComparison.Ordinal))
                result.ShouldBeOfType<StepResult.Completed>(name).Outcome.RowsRejected.ShouldBe(0, name);
            if (result is StepResult.Completed { Outcome: var outcome })
                new Ingested(outcome, _run).ShouldBalance();
            output.WriteLine($"{name}: {(refused ? "refused" : "read")}");
        }
    }

    private void Clear()
    {
        foreach (var file in Directory.EnumerateFiles(_run.Sources))
            File.Delete(file);
    }

    private string? Folder(string set)
    {
        var shared = Environment.GetEnvironmentVariable("QUALIZ_SHARED") ?? Path.Combine(Repository(), "..", "shared");
        var folder = Path.Combine(shared, "data", set);
        if (Directory.Exists(folder))
            return folder;
        output.WriteLine($"{set} is not on this machine (QUALIZ_SHARED): nothing is tested here.");
        return null;
    }

    private static string Repository()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Qualiz.sln")))
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("There is no Qualiz.sln above the tests.");
        return folder;
    }
}
