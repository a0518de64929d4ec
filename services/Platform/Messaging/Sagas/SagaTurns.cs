namespace Qualiz.Platform.Messaging.Sagas;

/// <summary>Lets the messages of one saga in one after the other within this process; different sagas rarely share a turn.</summary>
internal sealed class SagaTurns
{
    private readonly SemaphoreSlim[] _stripes = [.. Enumerable.Range(0, 256).Select(_ => new SemaphoreSlim(1))];

    public async ValueTask<Turn> TakeAsync(Guid id, CancellationToken ct)
    {
        var stripe = _stripes[(uint)id.GetHashCode() % (uint)_stripes.Length];
        await stripe.WaitAsync(ct);
        return new Turn(stripe);
    }

    public readonly struct Turn(SemaphoreSlim stripe) : IDisposable
    {
        public void Dispose() => stripe.Release();
    }
}
