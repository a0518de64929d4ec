namespace Qualiz.Platform.Storage;

/// <summary>The object store cannot be used now: unreachable, full or read-only. Infrastructure: whoever meets it waits and tries again.</summary>
public sealed class StoreUnavailableException(string message, Exception? inner = null) : IOException(message, inner);
