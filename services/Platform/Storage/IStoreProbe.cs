namespace Qualiz.Platform.Storage;

/// <summary>Asks a store whether it can be read and written now, for <c>/health/ready</c>.</summary>
internal interface IStoreProbe
{
    /// <exception cref="StoreUnavailableException">It cannot; the message says why.</exception>
    Task ProbeAsync(CancellationToken ct);
}
