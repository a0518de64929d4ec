using Qualiz.Contracts.Operators.V1;
using Qualiz.OperatorKit;

namespace Qualiz.Cleanse.Tests;

public sealed class RecipeInferenceTests : IDisposable
{
    private static readonly string[] Customers = ["email text", "phone text", "balance text", "born text"];
    private readonly OperatorBench _bench = new();

    public void Dispose() => _bench.Dispose();

    private Task<OutputInferred> InferAsync(string config, params string[]?[] inputs) =>
        new CleanseOperator().InferOutputAsync(OperatorBench.Config<CleanseConfig>(config), _bench.Inference(inputs), default);

    [Fact]
    public async Task Rules_change_the_columns()
    {
        var inferred = await InferAsync("""
            {"rules": [
              {"rule": "number", "columns": ["balance"], "type": "decimal(18,2)"},
              {"rule": "date", "columns": ["born"], "formats": ["yyyy-MM-dd"]},
              {"rule": "derive", "column": "adult", "expression": "born < DATE '2008-01-01'"}]}
            """, Customers);
        inferred.Problems.ShouldBeEmpty();
        inferred.NotChecked.ShouldBeNull();
        OperatorBench.Shown(inferred.Outputs["out"]).ShouldBe(["email text", "phone text", "balance decimal(18,2)", "born date", "adult bool"]);
        inferred.Outputs["rejected"].Columns.ShouldContain(column => column.Name == "reasons");
    }

    [Fact]
    public async Task All_unknown_columns_are_told_at_their_places()
    {
        var inferred = await InferAsync("""
            {"rules": [
              {"rule": "trim", "columns": ["email", "phne"]},
              {"rule": "filter", "where": "length(email) > 3 and emial is not null"},
              {"rule": "derive", "column": "key", "expression": "email || phone"}],
             "checks": [
              {"check": "notNull", "columns": ["emial"]},
              {"check": "notNull", "columns": ["key"]},
              {"check": "range", "columns": ["balnce"], "min": 0}]}
            """, Customers);
        inferred.Problems.Select(problem => $"{problem.Path}@{problem.Position}: {problem.Message}").ShouldBe(
        [
            "rules[0].columns[1]@: Column \"phne\" does not exist; did you mean \"phone\"?",
            "rules[1].where@22: Column \"emial\" does not exist; did you mean \"email\"?",
            "checks[0].columns[0]@: Column \"emial\" does not exist; did you mean \"email\"?",
            "checks[2].columns[0]@: Column \"balnce\" does not exist; did you mean \"balance\"?",
        ]);
        inferred.Problems.ShouldAllBe(problem => problem.Needs == SchemaCertainty.Names && problem.Suggestion != null);
        OperatorBench.Shown(inferred.Outputs["out"]).ShouldContain("key text");
    }

    [Fact]
    public async Task Behind_a_rule_that_makes_columns_and_is_wrong_nothing_is_said()
    {
        var inferred = await InferAsync("""
            {"rules": [{"rule": "derive", "column": "key", "expression": "emial"}, {"rule": "trim", "columns": ["key", "nonsense"]}]}
            """, Customers);
        inferred.Problems.Select(problem => problem.Path).ShouldBe(["rules[0].expression"]);
        inferred.Outputs.Keys.ShouldBe(["rejected", "changes"]);
    }

    [Fact]
    public async Task What_depends_on_types_needs_them_to_be_known_and_a_pattern_does_not()
    {
        var inferred = await InferAsync("""
            {"rules": [{"rule": "regex", "columns": ["email"], "pattern": "("}], "checks": [{"check": "range", "columns": ["email"], "min": 1}]}
            """, Customers);
        inferred.Problems.Select(problem => $"{problem.Code} {problem.Needs}").ShouldBe(["patternInvalid ", "columnType Exact"]);
    }

    [Fact]
    public async Task Stacked_inputs_are_looked_at_together_and_an_unknown_one_leaves_all_unchecked()
    {
        const string config = """{"rules": [{"rule": "trim", "columns": ["email", "fax"]}]}""";
        (await InferAsync(config, Customers, ["fax text"])).Problems.ShouldBeEmpty();
        var unknown = await InferAsync(config, Customers, null);
        unknown.NotChecked.ShouldBe("the columns of in2 are not known");
        unknown.Problems.ShouldBeEmpty();
    }
}
