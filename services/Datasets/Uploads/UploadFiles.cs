using Microsoft.EntityFrameworkCore;
using Qualiz.Datasets.Http;
using Qualiz.Datasets.Model;
using Qualiz.Platform.Storage;

namespace Qualiz.Datasets.Uploads;

/// <summary>
/// Files that people send. The object is written before its row and removed after it: what a crash may leave is an object
/// that nobody lists, never a row without its file.
/// </summary>
internal sealed class UploadFiles(DatasetsDb db, IObjectStore store, TimeProvider time, ILogger<UploadFiles> log)
{
    public async Task<Upload> ReceiveAsync(CurrentProject project, string name, Stream content, string actor, CancellationToken ct)
    {
        var id = Guid.CreateVersion7();
        var key = $"{project.Slug}/uploads/{id}/{FileName.Safe(name)}";
        await using var measured = new HashingStream(content);
        await store.PutAsync(key, measured, ct);
        var upload = new Upload
        {
            Id = id,
            Project = project.Slug,
            Name = name,
            Key = key,
            Bytes = measured.Bytes,
            Sha256 = measured.Sha256(),
            Actor = actor,
            CreatedAt = time.GetUtcNow(),
        };
        db.Uploads.Add(upload);
        await db.SaveChangesAsync(ct);
        return upload;
    }

    public async Task<bool> DeleteAsync(CurrentProject project, Guid id, CancellationToken ct)
    {
        var upload = await db.Uploads.AsNoTracking().SingleOrDefaultAsync(upload => upload.Project == project.Slug && upload.Id == id, ct);
        if (upload is null || await db.Uploads.Where(other => other.Id == id).ExecuteDeleteAsync(ct) == 0)
            return false;
        try
        {
            await store.DeleteAsync(upload.Key, CancellationToken.None);
        }
        catch (IOException error)
        {
            log.LogWarning(error, "Could not remove {Key} from the object store", upload.Key);
        }
        return true;
    }
}
