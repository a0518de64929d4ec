using System.Security.Cryptography;
using Qualiz.Contracts.Data;
using Qualiz.Datasets.Http;
using Qualiz.Datasets.Model;
using Qualiz.Datasets.Publishing;
using Qualiz.Datasets.Rows;
using Qualiz.Engine.Rows;
using Qualiz.Engine.Sessions;
using Qualiz.Platform.Data;
using Qualiz.Platform.Http;
using Qualiz.Platform.Storage;

namespace Qualiz.Datasets.Catalogue;

/// <summary>Makes an uploaded file a version of a dataset: a list of countries, of codes, of anything that other data is looked up in.</summary>
internal sealed class ReferenceImport(IObjectStore store, DatasetFileAccess files, IUnitOfWork<DatasetsDb> work, Publisher publisher)
{
    public async Task<DatasetVersion> AddAsync(CurrentProject project, string dataset, Upload upload, string? format, string actor, CancellationToken ct)
    {
        var kind = (format ?? Path.GetExtension(Unpacked(upload.Name)).TrimStart('.').ToLowerInvariant()) switch
        {
            "csv" or "tsv" => ReferenceFormat.Csv,
            "parquet" => ReferenceFormat.Parquet,
            var other => throw Problem($"\"{other}\" is no format of reference data; there are csv and parquet.", "format"),
        };
        var scratch = files.NewScratch();
        try
        {
            // Under a name of its own: deleting the upload does not touch the version.
            var key = $"{project.Slug}/datasets/{dataset}/{Guid.CreateVersion7()}/out-0001.parquet";
            var staged = store.GetStagingPath(key, scratch);
            try
            {
                var content = await ImportAsync(kind, upload, key, staged, scratch, ct);
                await work.BeginAsync(ct);
                var added = await publisher.PublishAsync(
                    new Publication { ProjectId = project.Id, Project = project.Slug, Dataset = dataset, Content = content, UploadId = upload.Id, Actor = actor }, ct);
                await work.CommitAsync(ct);
                return added!;
            }
            finally
            {
                File.Delete(staged);
            }
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    private async Task<DatasetRef> ImportAsync(ReferenceFormat kind, Upload upload, string key, string staged, string scratch, CancellationToken ct)
    {
        try
        {
            var source = await store.GetLocalPathAsync(upload.Key, scratch, ct);
            var (schema, rows) = await ReferenceData.ImportAsync(kind, source, staged, scratch, ct);
            string hash;
            await using (var written = File.OpenRead(staged))
                hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(written, ct));
            var stored = await store.PutFileAsync(key, staged, ct);
            var file = new DataFile
            {
                Key = key,
                Rows = rows,
                Bytes = stored.Bytes,
                Sha256 = hash,
                Origin = new RowOrigin { Source = $"upload:{upload.Id}@{upload.Sha256[..16]}" },
            };
            return new DatasetRef { Files = [file], Schema = schema, Rows = rows, Bytes = stored.Bytes };
        }
        catch (FileNotFoundException)
        {
            throw new ApiException(StatusCodes.Status410Gone, "contentGone", $"The file of upload {upload.Id} is gone.");
        }
        catch (EngineException error) when (error.Code is EngineException.FileUnreadable or EngineException.CastFailed or EngineException.InvalidSql)
        {
            throw Problem($"\"{upload.Name}\" cannot be read as {(kind == ReferenceFormat.Csv ? "CSV" : "Parquet")}: it is damaged or of another format.", "upload");
        }
    }

    private static string Unpacked(string name) => name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? name[..^3] : name;

    private static ApiException Problem(string message, string field) =>
        new(StatusCodes.Status422UnprocessableEntity, "invalid", message, [new ApiError(message, field)]);
}
