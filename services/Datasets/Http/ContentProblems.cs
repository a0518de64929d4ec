using Qualiz.Engine.Sessions;
using Qualiz.Platform.Http;
using Qualiz.Platform.Storage;

namespace Qualiz.Datasets.Http;

/// <summary>
/// Names what goes wrong with stored files, as long as the answer has not begun; afterwards the server cuts the
/// connection, so that nobody takes a part for the whole.
/// </summary>
internal sealed class ContentProblems : IEndpointFilter
{
    // ENOSPC, as the runtime reports it.
    private const int DiskFull = 28;

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (EngineException error) when (!context.HttpContext.Response.HasStarted)
        {
            throw new ApiException(StatusCodes.Status500InternalServerError, error.Code, error.Message);
        }
        catch (StoreUnavailableException error) when (!context.HttpContext.Response.HasStarted)
        {
            throw error.InnerException is IOException io && (io.HResult & 0xFFFF) == DiskFull
                ? new ApiException(StatusCodes.Status507InsufficientStorage, "diskFull", "The object store's disk is full; free space and try again.")
                : new ApiException(StatusCodes.Status503ServiceUnavailable, "storeUnavailable", "The object store cannot be used now; try again later.");
        }
    }
}
