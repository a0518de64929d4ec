namespace Qualiz.Ingest.Tests;

/// <summary>The key of a record that is set aside is the one that its row would have.</summary>
public sealed class RejectedKeyTests : IDisposable
{
    private readonly IngestRun _run = new();

    public void Dispose() => _run.Dispose();

    [Theory]
    [InlineData("a.csv", "id,n\n7,1\n 007 ,x\n", "int64")]
    [InlineData("a.csv", "id,n\n7.5,1\n7.50,x\n", "decimal(9,2)")]
    [InlineData("a.csv", "id,n\n31.12.2020,1\n31.12.2020,x\n", null)]
    [InlineData("a.csv", "id,n\n1.10,1\n1.1,x\n", null)]
    [InlineData("a.csv", "id,n\ntrue,1\nTRUE,x\n", null)]
    [InlineData("a.csv", "id,n\n2020-01-01T10:00Z,1\n2020-01-01T10:00:00+00:00,x\n", "timestamptz")]
    [InlineData("a.csv", "id,n\n,1\n,x\n", null)]
    [InlineData("a.csv", "id,n\n,1\n,x\n", "int64")]
    [InlineData("a.jsonl", "{\"id\": null, \"n\": 1}\n{\"n\": \"x\"}\n", null)]
    [InlineData("a.jsonl", "{\"id\": 1.10, \"n\": 1}\n{\"id\": 1.1, \"n\": \"x\"}\n", null)]
    [InlineData("a.jsonl", "{\"id\": \"a/b~c\", \"n\": 1}\n{\"id\": \"a/b~c\", \"n\": \"x\"}\n", null)]
    public async Task A_declared_key_is_written_as_its_type_writes_it(string file, string text, string? type)
    {
        _run.Write(file, text);
        var types = new Dictionary<string, string> { ["n"] = "int64" };
        if (type is not null)
            types["id"] = type;
        var result = await _run.RunAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources }, Key = ["id"], Types = types });
        result.Outcome.RowsRejected.ShouldBe(1);
        result.Rejected("_key").Single().ShouldBe(result.Rows("_key").Single());
    }

    [Fact]
    public async Task A_key_that_does_not_fit_its_type_is_its_text()
    {
        _run.Write("a.csv", "id/~,n\n7,1\nseven,2\neight,3\nseven,4\n");
        var result = await _run.RunAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources }, Key = ["ID/~"], Types = new Dictionary<string, string> { ["id/~"] = "int64" } });
        var keys = result.Rejected("_key").Select(row => row[0]).ToList();
        keys.Count.ShouldBe(3);
        (keys[0] == keys[2], keys[0] == keys[1]).ShouldBe((true, false));
        keys.ShouldAllBe(key => key!.Length == 16);
    }

    [Fact]
    public async Task Equal_broken_lines_have_keys_of_their_own()
    {
        _run.Write("a.csv", "id,v\n1,x\n2,x\n3,x\n4,x\n1,2,3\n1,2,3\n1,2,3\n");
        var keys = (await _run.RunAsync()).Rejected("_key").Select(row => row[0]).ToList();
        keys.Distinct().Count().ShouldBe(3);
        keys.ShouldAllBe(key => key!.Length == 16 && key.All(char.IsAsciiHexDigitLower));
    }

    [Theory]
    [InlineData("decimal(4,4)", "decimal(18,4)")]
    [InlineData("decimal(4,4)", "decimal(10,6)")]
    [InlineData("decimal(9,9)", "decimal(38,20)")]
    public async Task A_wider_decimal_changes_no_key(string narrow, string wide)
    {
        _run.Write("a.csv", "v\n0.1234\n-0.0001\n0\n.5\n-0.9\n0.1000\n");
        List<IReadOnlyList<string?[]>> keys = [];
        foreach (var type in (string[])[narrow, wide])
        {
            _run.State = null;
            var result = await _run.RunAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources }, Types = new Dictionary<string, string> { ["v"] = type } });
            result.TypeOf("v").ShouldBe(type);
            result.Outcome.RowsRejected.ShouldBe(0);
            keys.Add(result.Rows("_key"));
        }
        keys[1].ShouldBe(keys[0]);
    }
}
