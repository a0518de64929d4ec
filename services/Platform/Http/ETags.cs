using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Qualiz.Platform.Http;

/// <summary>
/// Things that people edit carry an ETag; a change names the one it was made on (<c>If-Match</c>), so that nobody overwrites
/// what they have not seen.
/// </summary>
public static class ETags
{
    /// <param name="version">Changes with every change of the thing: a version number, <c>xmin</c>, a hash.</param>
    public static void SetETag(this HttpResponse response, object version) => response.Headers.ETag = Of(version);

    public static string Of(object version) => $"\"{version}\"";

    /// <summary>
    /// Checks <c>If-Match</c> (or <c>If-None-Match: *</c> for "only when it is new") against what is there now.
    /// </summary>
    /// <param name="current">The thing's version, or null when there is no such thing yet.</param>
    /// <param name="required">True: changing an existing thing without saying which version is refused (428).</param>
    /// <exception cref="ApiException">412 or 428.</exception>
    public static void CheckIfMatch(this HttpRequest request, object? current, bool required = true)
    {
        var headers = request.GetTypedHeaders();
        if (headers.IfNoneMatch is [var none, ..] && none.Equals(EntityTagHeaderValue.Any) && current is not null)
            throw new ApiException(StatusCodes.Status412PreconditionFailed, "changed", "It exists already; get it and change that version.");
        if (headers.IfMatch is not { Count: > 0 } expected)
        {
            if (required && current is not null)
                throw new ApiException(StatusCodes.Status428PreconditionRequired, "versionRequired", "Send If-Match with the ETag of the version that you changed.");
            return;
        }

        if (current is null)
            throw new ApiException(StatusCodes.Status412PreconditionFailed, "changed", "It does not exist (any more).");
        var tag = new EntityTagHeaderValue(Of(current));
        if (!expected.Any(candidate => candidate.Equals(EntityTagHeaderValue.Any) || candidate.Compare(tag, useStrongComparison: false)))
            throw new ApiException(
                StatusCodes.Status412PreconditionFailed, "changed", $"It was changed meanwhile: the current ETag is {Of(current)}. Get it, merge, and send the change again.");
    }

    /// <summary>True when the caller has this version already (<c>If-None-Match</c>): answer 304.</summary>
    public static bool HasCurrent(this HttpRequest request, object version)
    {
        var tag = new EntityTagHeaderValue(Of(version));
        return request.GetTypedHeaders().IfNoneMatch.Any(candidate => candidate.Equals(EntityTagHeaderValue.Any) || candidate.Compare(tag, useStrongComparison: false));
    }
}
