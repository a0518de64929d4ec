using System.Diagnostics;
using System.Text.Json;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Npgsql;
using Qualiz.Platform.Storage;

namespace Qualiz.Platform.Http;

/// <summary>Turns what a handler throws into a problem; what it does not know stays on our side of the wire.</summary>
internal sealed partial class ProblemHandler(IProblemDetailsService problems, ILogger<ProblemHandler> log) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext context, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is OperationCanceledException && context.RequestAborted.IsCancellationRequested)
        {
            context.Response.StatusCode = 499;
            return true;
        }

        var problem = exception switch
        {
            ApiException api => ApiProblem.Details(api.Status, api.Code, api.Message, api.Errors),
            BadHttpRequestException { InnerException: JsonException json } =>
                ApiProblem.Details(400, "badRequest", Sentence(json), [new ApiError(Sentence(json), json.Path?.TrimStart('$', '.'), null, (int?)json.LineNumber + 1, (int?)json.BytePositionInLine + 1)]),
            BadHttpRequestException bad => ApiProblem.Details(bad.StatusCode, "badRequest", bad.Message, null),
            NpgsqlException { IsTransient: true } => ApiProblem.Details(503, "unavailable", "The database is not available now; try again in a moment.", null),
            StoreUnavailableException => ApiProblem.Details(503, "storeUnavailable", "The object store cannot be used now; try again later.", null),
            _ => ApiProblem.Details(500, "internal", $"An error of ours, noted under {TraceId(context)}.", null),
        };
        if (problem.Status >= 500)
            LogFailed(log, exception, context.Request.Method, context.Request.Path);
        if (problem.Status == 503)
            context.Response.Headers.RetryAfter = "2";
        context.Response.StatusCode = problem.Status!.Value;
        return await problems.TryWriteAsync(new ProblemDetailsContext { HttpContext = context, ProblemDetails = problem });
    }

    internal static string TraceId(HttpContext context) => Activity.Current?.TraceId.ToString() ?? context.TraceIdentifier;

    // The serializer's messages end with the path, which is given apart, and may name our types.
    private static string Sentence(JsonException exception)
    {
        var text = exception.Message;
        var end = text.IndexOf(" Path:", StringComparison.Ordinal);
        text = end < 0 ? text : text[..end];
        return text.Contains("could not be mapped to any .NET member", StringComparison.Ordinal)
            ? $"\"{exception.Path?.TrimStart('$', '.')}\" is not known here."
            : text.StartsWith("The JSON value could not be converted", StringComparison.Ordinal) ? "The value does not fit." : text;
    }

    [LoggerMessage(LogLevel.Error, "{Method} {Path} failed")]
    private static partial void LogFailed(ILogger logger, Exception exception, string method, PathString path);
}
