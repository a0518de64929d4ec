using Microsoft.AspNetCore.Http;

namespace Qualiz.Platform.Http;

/// <summary>
/// Refuses changes that another site's page sends through the user's browser: the API may listen on loopback without sign-in,
/// and a browser lets any page post there.
/// </summary>
internal sealed class CrossSiteGuard(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method) || HttpMethods.IsOptions(context.Request.Method))
            return next(context);
        var site = context.Request.Headers["Sec-Fetch-Site"].ToString();
        var origin = context.Request.Headers.Origin.ToString();
        var foreign = site.Length > 0
            ? site is not ("same-origin" or "none")
            : origin.Length > 0 && (!Uri.TryCreate(origin, UriKind.Absolute, out var from) || from.Authority != context.Request.Host.Value);
        if (foreign)
            throw new ApiException(StatusCodes.Status403Forbidden, "crossSite", "Changes from another site's page are refused.");
        return next(context);
    }
}
