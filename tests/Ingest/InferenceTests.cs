using Qualiz.Contracts.Data;
using Qualiz.Contracts.Operators.V1;
using Qualiz.OperatorKit;

namespace Qualiz.Ingest.Tests;

public sealed class InferenceTests : IDisposable
{
    private readonly IngestRun _run = new();

    public void Dispose() => _run.Dispose();

    [Fact]
    public async Task A_source_shows_the_columns_it_has_now()
    {
        _run.Write("a.csv", "id,email\n1,a@example.org\n");
        var inferred = await _run.InferAsync("""{"from": {"folder": "$"}, "types": {"id": "text"}}""");
        OperatorBench.Shown(inferred.Outputs["out"]).ShouldBe(["id text", "email text"]);
        (inferred.Certainty, inferred.NotChecked, inferred.Problems.Count).ShouldBe((SchemaCertainty.Exact, null, 0));
        inferred.Outputs.Keys.ShouldBe(["out", "rejected"]);
    }

    [Fact]
    public async Task Columns_that_the_configuration_names_must_be_there()
    {
        _run.Write("a.csv", "id,email\n1,a@example.org\n");
        var inferred = await _run.InferAsync("""{"from": {"folder": "$"}, "types": {"emial": "text"}, "key": ["ix", "id", "emails"], "sensitivity": {"mail": "personal"}}""");
        inferred.Problems.Select(problem => $"{problem.Path} {problem.Suggestion}").ShouldBe(["types.emial email", "key[0] ", "key[2] email", "sensitivity.mail email"], ignoreOrder: true);
        OperatorBench.Shown(inferred.Outputs["out"]).ShouldBe(["id int64", "email text"]);
    }

    [Fact]
    public async Task Several_files_are_united_and_with_very_many_it_is_a_guess()
    {
        _run.Write("a.csv", "id\n1\n");
        _run.Write("b.csv", "id,email\n1,x\n");
        var two = await _run.InferAsync("""{"from": {"folder": "$"}}""");
        (OperatorBench.Shown(two.Outputs["out"]).Count, two.Certainty).ShouldBe((2, SchemaCertainty.Exact));
        for (var i = 0; i < 10; i++)
            _run.Write($"c{i}.csv", "id,note\n1,x\n");
        (await _run.InferAsync("""{"from": {"folder": "$"}}""")).Certainty.ShouldBe(SchemaCertainty.Guess);
    }

    [Fact]
    public async Task A_column_of_the_last_run_is_still_there_when_todays_file_lacks_it()
    {
        _run.Write("a.csv", "id\n1\n");
        var last = new Dictionary<string, DatasetSchema> { ["out"] = OperatorBench.Columns("id int64", "email text") };
        OperatorBench.Shown((await _run.InferAsync("""{"from": {"folder": "$"}}""", OperatorBench.Request() with { Last = last })).Outputs["out"]).ShouldBe(["id int64", "email text"]);
    }

    [Theory]
    [InlineData("""{"from": {"folder": "$"}}""", "there is no file to look at yet")]
    [InlineData("""{"from": {"folder": "/etc"}}""", "does not lie under a folder opened for sources")]
    public async Task What_cannot_be_looked_at_is_not_checked_and_no_error(string config, string why)
    {
        var inferred = await _run.InferAsync(config);
        inferred.NotChecked.ShouldNotBeNull().ShouldContain(why);
        inferred.Problems.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("""{"from": {"connection": "s3", "files": "*.csv"}}""", "s3")]
    [InlineData("""{"from": {"connection": "nosuch", "table": "t"}}""", "nosuch")]
    public async Task A_connection_that_only_a_run_may_open_is_left_alone(string config, string name)
    {
        var inferred = await _run.InferAsync(config);
        inferred.NotChecked.ShouldNotBeNull().ShouldContain(name);
        inferred.Problems.ShouldBeEmpty();
    }

    [Fact]
    public async Task Files_found_with_assumed_parameters_are_a_guess()
    {
        _run.Write("a.csv", "id\n1\n");
        (await _run.InferAsync("""{"from": {"folder": "$"}}""", OperatorBench.Request() with { Assumed = true })).Certainty.ShouldBe(SchemaCertainty.Guess);
    }
}
