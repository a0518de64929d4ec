using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Qualiz.Datasets.Http;
using Qualiz.Datasets.Model;
using Qualiz.Datasets.Resolving;
using Qualiz.Platform.Http;

namespace Qualiz.Datasets.Catalogue;

/// <summary>Datasets and versions of the project in the address; what is not there is a problem.</summary>
internal sealed class CatalogueQueries(DatasetsDb db, Resolver resolver, CurrentProject project)
{
    /// <exception cref="ApiException">No such dataset.</exception>
    public async Task<Dataset> DatasetAsync(string name, CancellationToken ct) =>
        await db.Datasets.AsNoTracking().SingleOrDefaultAsync(dataset => dataset.Project == project.Slug && dataset.Name == name, ct)
        ?? throw Missing(await resolver.MissingAsync(project.Slug, name, ct));

    /// <param name="version">A number, or <c>latest</c>.</param>
    /// <exception cref="ApiException">No such dataset or version.</exception>
    public async Task<DatasetVersion> VersionAsync(string name, string version, CancellationToken ct)
    {
        VersionChoice choice = new VersionChoice.Latest();
        if (version != "latest")
        {
            if (!int.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                throw Missing($"\"{version}\" is no version; write a number or \"latest\".");
            choice = new VersionChoice.Number(number);
        }
        var found = await resolver.FindAsync(project.Slug, new DatasetReference(null, name, choice), ct);
        return found.Version ?? throw Missing(found.Problem!);
    }

    private static ApiException Missing(string message) => new(StatusCodes.Status404NotFound, "notFound", message);
}
