using System.Net;
using System.Text.Json;

namespace Qualiz.Cli;

/// <summary>The server refused, and said why (RFC 9457).</summary>
internal sealed class ProblemException(HttpStatusCode status, string title, string? detail, IReadOnlyList<ProblemError> errors)
    : Exception(detail ?? title)
{
    public HttpStatusCode Status => status;
    public string Title => title;
    public IReadOnlyList<ProblemError> Errors => errors;

    public static ProblemException From(HttpStatusCode status, string body)
    {
        try
        {
            var problem = JsonDocument.Parse(body).RootElement;
            var errors = problem.List("errors").Select(error => error.Deserialize<ProblemError>(ApiJson.Options)!).ToList();
            return new(status, problem.Text("title") ?? status.ToString(), problem.Text("detail"), errors);
        }
        catch (JsonException)
        {
            return new(status, $"The server answered {(int)status} {status}.", null, []);
        }
    }
}

/// <summary>One thing that is wrong in what was sent, with its place where that is known.</summary>
internal sealed record ProblemError(string? Message, string? Path, string? File, int? Line, int? Column, string? Suggestion, string? Severity)
{
    public bool IsWarning => Severity == "warning";

    /// <summary><c>customers.yaml:35:18 steps.clean.with.rules[2].rule: "dat" is no rule; did you mean "date"?</c></summary>
    public string Describe(string? file)
    {
        var place = (file ?? File) is { } name
            ? Line is null ? name : Column is null ? $"{name}:{Line}" : $"{name}:{Line}:{Column}"
            : null;
        var hint = Suggestion is { Length: > 0 } meant && Message?.Contains(meant, StringComparison.Ordinal) != true ? $"; did you mean \"{meant}\"?" : "";
        return $"{string.Join(' ', new[] { place, Path }.Where(part => !string.IsNullOrEmpty(part)))}: {(IsWarning ? "warning: " : "")}{Message}{hint}".TrimStart(':', ' ');
    }
}

/// <summary>Nobody answers at the address.</summary>
internal sealed class UnreachableException(string message, Exception inner) : Exception(message, inner);
