using Qualiz.Platform.Storage;
using Qualiz.TestKit;

namespace Qualiz.Platform.Tests.Storage;

public sealed class S3ObjectStoreTests(S3Fixture server) : ObjectStoreContract, IClassFixture<S3Fixture>
{
    private readonly S3ObjectStore _store = server.Connect(Guid.CreateVersion7().ToString("N"));

    private protected override IObjectStore Store => _store;

    [Fact]
    public async Task A_store_that_cannot_be_reached_is_unavailable_not_empty()
    {
        using var nowhere = server.Connect("x", LocalServer.FreePort());
        await Should.ThrowAsync<StoreUnavailableException>(() => nowhere.ExistsAsync("x", default));
        await Should.ThrowAsync<StoreUnavailableException>(() => nowhere.OpenReadAsync("x", default));
        await Should.ThrowAsync<StoreUnavailableException>(() => nowhere.ProbeAsync(default));
    }

    [Fact]
    public async Task Two_prefixes_of_one_bucket_do_not_see_each_other()
    {
        using var other = server.Connect(Guid.CreateVersion7().ToString("N"));
        await PutAsync("mine", "x");
        (await other.ExistsAsync("mine", default)).ShouldBeFalse();
    }

    protected override void Dispose(bool disposing)
    {
        _store.Dispose();
        base.Dispose(disposing);
    }
}
