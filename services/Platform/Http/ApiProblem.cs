using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Qualiz.Platform.Http;

/// <summary>One thing that is wrong with a request; the places are set where they are known.</summary>
/// <param name="File">The file that was sent, when it has a name.</param>
/// <param name="Path">The field: <c>steps.clean.with.rules[2].rule</c>.</param>
/// <param name="Suggestion">What was probably meant.</param>
/// <param name="Severity"><c>warning</c> for what does not stand in the way; null is an error.</param>
public sealed record ApiError(
    string Message, string? Path = null, string? File = null, int? Line = null, int? Column = null, string? Suggestion = null, string? Severity = null);

/// <summary>The problems that all services answer with (RFC 9457). Results for handlers, and <see cref="ApiException"/> for the depths.</summary>
public static class ApiProblem
{
    public const string TypePrefix = "https://qualiz.dev/problems/";

    /// <param name="code">Stable, camelCase, the end of the problem's <c>type</c>.</param>
    /// <param name="detail">One or two sentences for a person: what is wrong and what to do. No row values, no secrets.</param>
    public static ProblemHttpResult Of(int status, string code, string detail, IReadOnlyList<ApiError>? errors = null) =>
        TypedResults.Problem(Details(status, code, detail, errors));

    public static ProblemHttpResult NotFound(string what, string name, string? suggestion = null) =>
        Of(StatusCodes.Status404NotFound, "notFound", $"There is no {what} \"{name}\"{(suggestion is null ? "." : $"; did you mean \"{suggestion}\"?")}");

    public static ProblemHttpResult Invalid(string detail, IReadOnlyList<ApiError>? errors = null) =>
        Of(StatusCodes.Status422UnprocessableEntity, "invalid", detail, errors);

    public static ProblemHttpResult BadRequest(string detail, IReadOnlyList<ApiError>? errors = null) =>
        Of(StatusCodes.Status400BadRequest, "badRequest", detail, errors);

    public static ProblemHttpResult Conflict(string code, string detail) => Of(StatusCodes.Status409Conflict, code, detail);

    internal static ProblemDetails Details(int status, string code, string detail, IReadOnlyList<ApiError>? errors)
    {
        var problem = new ProblemDetails { Status = status, Type = TypePrefix + code, Title = Title(status), Detail = detail };
        if (errors is { Count: > 0 })
            problem.Extensions["errors"] = errors;
        return problem;
    }

    internal static string Title(int status) => status switch
    {
        400 => "The request cannot be read",
        401 => "Sign in first",
        403 => "Not allowed",
        404 => "Not found",
        405 => "This address does not take this method",
        409 => "In conflict with what is there",
        412 => "Changed by someone else meanwhile",
        413 => "Too large",
        415 => "This kind of content is not understood here",
        422 => "The content is not right",
        428 => "Say which version is meant",
        429 => "Too many requests",
        503 => "Not available now",
        >= 500 => "Something broke on our side",
        _ => "Not done",
    };
}

/// <summary>A problem found where no result can be returned. Becomes the same answer as <see cref="ApiProblem.Of"/>.</summary>
public sealed class ApiException(int status, string code, string detail, IReadOnlyList<ApiError>? errors = null) : Exception(detail)
{
    public int Status => status;
    public string Code => code;
    public IReadOnlyList<ApiError>? Errors => errors;

    public static ApiException NotFound(string what, string name) =>
        new(StatusCodes.Status404NotFound, "notFound", $"There is no {what} \"{name}\".");
}
