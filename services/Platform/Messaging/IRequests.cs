namespace Qualiz.Platform.Messaging;

/// <summary>
/// Questions to another service. A lost connection, a silent service or its broken database is asked again, with back-off
/// up to 30 s and without limit, until <c>ct</c> ends it; so give a token that ends.
/// </summary>
public interface IRequests
{
    /// <exception cref="RequestFailedException">The other side failed for a reason that asking again does not heal.</exception>
    Task<TAnswer> AskAsync<TAnswer>(string queue, object request, CancellationToken ct) where TAnswer : class;

    /// <summary>A question with two possible kinds of answer.</summary>
    /// <exception cref="RequestFailedException">The other side failed for a reason that asking again does not heal.</exception>
    Task<Answer<TFirst, TSecond>> AskAsync<TFirst, TSecond>(string queue, object request, CancellationToken ct)
        where TFirst : class
        where TSecond : class;
}

/// <summary>Exactly one is set: <c>if (answer.First is { } claimed) ...</c></summary>
public sealed record Answer<TFirst, TSecond>(TFirst? First, TSecond? Second)
    where TFirst : class
    where TSecond : class;

public sealed class RequestFailedException(string message, Exception? inner = null) : Exception(message, inner);
