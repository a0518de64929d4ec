using Qualiz.Engine.Sessions;

namespace Qualiz.Ingest.Tests;

/// <summary>A file may be called anything; none of it is a pattern, an escape, an option or a way out.</summary>
public sealed class HostileNameTests : IDisposable
{
    private readonly IngestRun _run = new();

    public void Dispose() => _run.Dispose();

    public static TheoryData<string> Names =>
    [
        "it's.csv", "say \"hi\".csv", "two\nlines.csv", "tab\tbell\a.csv", "Zoë ☃ 🦆.csv", "-rf.csv", "--help.csv", "..csv", "a..b.csv", "...", "%2e%2e%2fx.csv", "100%.csv", "%s%n.csv", "semi;colon.csv",
        "$(id) `id` ${HOME}.csv", "back\\slash.csv", " blank .csv", "[a-z].csv", "{a,b}.csv", "~.csv", "#frag?.csv", "a*b.csv", "a:b|c<d>.csv", "NUL", new string('x', 251) + ".csv",
    ];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_file_of_any_name_is_read_and_named(string name)
    {
        _run.Write($"in/{name}", "id,v\n1,x\n2,y,z\n3,w\n");
        // A hidden file has to be asked for.
        var result = await _run.RunAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources, Files = name[0] == '.' ? "in/.*" : "**" } });
        result.Rows("id", "v", "_row").ShouldBe([["1", "x", "1"], ["3", "w", "3"]]);
        result.Value("_source").ShouldNotBeNull().ShouldContain(name);
        result.Outcome.Ledger.Single().Input.ShouldEndWith(name);
        result.Rejected("reasons").Single()[0].ShouldNotBeNull().ShouldContain("3 fields instead of 2");
        result.ShouldBalance();
    }

    [Theory]
    [InlineData("[a].parquet")]
    [InlineData("a*.parquet")]
    [InlineData("it's ?.parquet")]
    public async Task A_name_that_looks_like_a_pattern_means_itself(string name)
    {
        // What the pattern would find.
        foreach (var (file, value) in ((string, string)[])[("a.parquet", "other"), ("ab.parquet", "other"), ("it's x.parquet", "other"), (name, "own")])
        {
            var made = Path.Combine(_run.Sources, "made");
            using (var session = _run.Open(made))
                session.Execute($"COPY (SELECT {Sql.Literal(value)} AS v) TO {Sql.Literal(made)} (FORMAT parquet)");
            Directory.CreateDirectory(Path.Combine(_run.Sources, value));
            File.Move(made, Path.Combine(_run.Sources, value, file));
            if (value == "other")
                File.Copy(Path.Combine(_run.Sources, value, file), Path.Combine(Directory.CreateDirectory(Path.Combine(_run.Sources, "own")).FullName, file));
        }
        var result = await _run.RunAsync();
        result.Rows("v", "_source").Where(row => row[1]!.Contains($"own/{name}@", StringComparison.Ordinal)).ShouldHaveSingleItem()[0].ShouldBe("own");
        result.Rows("v").Count(row => row[0] == "own").ShouldBe(1);
        result.ShouldBalance();
    }

    [Theory]
    [InlineData("csv")]
    [InlineData("parquet")]
    public async Task A_folder_that_looks_like_a_partition_changes_nothing_in_its_files(string kind)
    {
        var file = $"country=XX/day=2026-01-01/a.{kind}";
        var path = Path.Combine(_run.Sources, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using (var session = _run.Open(path))
            session.Execute($"COPY (SELECT 'NO' AS country, 'Oslo' AS city) TO {Sql.Literal(path)} ({(kind == "csv" ? "FORMAT csv, HEADER true" : "FORMAT parquet")})");
        var result = await _run.RunAsync();
        result.Outcome.Outputs["out"].Schema.Columns.Where(column => !column.Hidden).Select(column => column.Name).ShouldBe(["country", "city"]);
        result.Rows("country", "city").ShouldBe([["NO", "Oslo"]]);
        result.ShouldBalance();
    }

    [Theory]
    [InlineData("../outside.csv")]
    [InlineData("in/../../outside.csv")]
    [InlineData("..\\outside.csv")]
    public async Task A_pattern_does_not_lead_out(string files)
    {
        _run.Add(new Platform.Operators.Connection("landing", "folder", new Dictionary<string, string> { ["root"] = _run.Sources }));
        (await _run.FailAsync(new IngestConfig { From = new IngestSource { Connection = "landing", Files = files } })).Code.ShouldBe("accessRefused");
        (await _run.FailAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources, Files = files } })).Code.ShouldBe("accessRefused");
    }

    [Theory]
    [InlineData("imports/../../other")]
    [InlineData("/other")]
    [InlineData("back\\slash/")]
    [InlineData("two\nlines/")]
    public async Task A_key_of_the_store_does_not_lead_out(string key) =>
        (await _run.FailAsync(new IngestConfig { From = new IngestSource { Store = key } })).Code.ShouldBe("accessRefused");
}
