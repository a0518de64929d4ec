using Qualiz.Platform.Http;

namespace Qualiz.Datasets.Http;

/// <summary>The project in the address of this request.</summary>
internal sealed class CurrentProject
{
    public Guid Id { get; set; }
    public string Slug { get; set; } = "";
}

/// <summary>Answers 404 for projects that are not there, before anything else is done.</summary>
internal sealed class ProjectFilter(ProjectDirectory projects) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        var slug = (string)http.Request.RouteValues["project"]!;
        var found = await projects.FindAsync(slug, http.RequestAborted);
        if (found.First is not { } project)
            return ApiProblem.Of(StatusCodes.Status404NotFound, "notFound", found.Second!.Message);
        var current = http.RequestServices.GetRequiredService<CurrentProject>();
        (current.Id, current.Slug) = (project.ProjectId, project.Project);
        return await next(context);
    }
}
