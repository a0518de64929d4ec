using Qualiz.OperatorKit;

namespace Qualiz.Deliver.Tests;

public sealed class KeyInferenceTests : IDisposable
{
    private readonly OperatorBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task Key_columns_must_be_there()
    {
        var config = OperatorBench.Config<DeliverConfig>("""{"to": {"connection": "dwh", "table": "t"}, "mode": "upsert", "key": ["entity_id", "emial"]}""");
        var inferred = await PostgresBench.Operator().InferOutputAsync(config, _bench.Inference(["entity_id text", "email text"]), default);
        var problem = inferred.Problems.ShouldHaveSingleItem();
        (problem.Path, problem.Suggestion).ShouldBe(("key[1]", "email"));
        inferred.Outputs.ShouldBeEmpty();
        (await PostgresBench.Operator().InferOutputAsync(config, _bench.Inference([null]), default)).NotChecked.ShouldBe("the columns of in are not known");
    }
}
