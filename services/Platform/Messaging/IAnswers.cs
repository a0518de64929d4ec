namespace Qualiz.Platform.Messaging;

/// <summary>
/// Answers a kind of request by what it returns. Asked from the process that it runs in, it is called there, without the bus: a claim in Standalone is then
/// a method call and not two messages. Registered with <c>AddAnswers</c>.
/// </summary>
public interface IAnswers<in TRequest> where TRequest : class
{
    Task<object> AnswerAsync(TRequest request, CancellationToken ct);
}
