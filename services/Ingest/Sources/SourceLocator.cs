using System.Globalization;
using System.Net;
using Amazon.S3;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Outbound;
using Qualiz.Platform.Storage;

namespace Qualiz.Ingest.Sources;

/// <summary>A file that was found, before it is looked at.</summary>
/// <param name="Outline">The path has no more than a look at the columns takes: see <see cref="ObjectOutline"/>.</param>
internal sealed record FoundFile(string Id, string Name, string Path, long Bytes, bool Outline = false, string? Version = null);

/// <summary>What finding and reading a source may use.</summary>
internal sealed record SourceAccess(string Project, IObjectStore Store, IConnections Connections, string Scratch)
{
    public static SourceAccess Of(StepContext step) => new(step.Command.Project, step.Store, step.Connections, step.Scratch);
}

/// <summary>Finds the files that <c>from:</c> means, in the order of their names.</summary>
internal sealed class SourceLocator(IConfiguration configuration, OutboundGuard guard)
{
    // A pattern that finds more is a mistake, or a job for several steps.
    private const int MaxFiles = 100_000;

    /// <param name="most">For a look: no more than the first so many, and of each that is not on this machine no more than the look takes.</param>
    /// <param name="seen">Files that are read already: what a listing shows to be the same is left out.</param>
    public async Task<IReadOnlyList<FoundFile>> FindAsync(IngestSource source, SourceAccess access, CancellationToken ct, int most = int.MaxValue, SeenBefore? seen = null)
    {
        if (source.Connection is { } connection)
            return await InConnectionAsync(await access.Connections.OpenAsync(connection, ct), source, access, most, seen, ct);
        if (source.Url is { } url)
            return [await new WebFile(configuration, guard).FetchAsync(url, access.Scratch, most == int.MaxValue ? null : ObjectOutline.HeadBytes, ct)];
        if (source.Folder is { } folder)
            return InFolder(folder, source.Files, seen);
        if (source.Upload is { } upload)
            return await InUploadAsync(upload, access, most, ct);
        var prefix = $"{access.Project}/{CheckKey(source.Store!)}";
        var glob = source.Files is null ? null : new FileGlob(source.Files);
        return await InStoreAsync(access.Store, prefix, key => glob is null || glob.Matches(key[prefix.Length..].TrimStart('/')), key => $"store:{key[(access.Project.Length + 1)..]}", access.Scratch, most, seen, ct);
    }

    private async Task<IReadOnlyList<FoundFile>> InConnectionAsync(Connection connection, IngestSource source, SourceAccess access, int most, SeenBefore? seen, CancellationToken ct)
    {
        if (connection.Type == WebConnection.Type)
            return [await new WebFile(configuration, guard, OpenWeb(connection, source)).FetchAsync(source.Url!, access.Scratch, most == int.MaxValue ? null : ObjectOutline.HeadBytes, ct)];
        if (source.Files is not { } files)
            throw new IngestException("connectionInvalid", $"The connection \"{connection.Name}\" is of type {connection.Type}; url goes with type http.", "from.connection");
        switch (connection.Type)
        {
            case "folder":
                var root = connection.Settings.GetValueOrDefault("root") is { Length: > 0 } setting
                    ? setting
                    : throw new IngestException("connectionInvalid", $"The connection \"{connection.Name}\" has no root.", "from.connection");
                return Under(CheckRoot(root, "from.connection"), files, $"{connection.Name}/", seen);
            case "s3":
                return await InBucketAsync(connection, new FileGlob(files), access, most, seen, ct);
            default:
                throw new IngestException("connectionInvalid", $"The connection \"{connection.Name}\" is of type {connection.Type}; files come from folder, s3 and http.", "from.connection");
        }
    }

    /// <summary>The platform's own store is waited for without limit; a user's is a source like others, whose absence the step's retry rules over.</summary>
    private async Task<IReadOnlyList<FoundFile>> InBucketAsync(Connection connection, FileGlob glob, SourceAccess access, int most, SeenBefore? seen, CancellationToken ct)
    {
        var bucket = OpenBucket(connection, guard);
        using var time = CancellationTokenSource.CreateLinkedTokenSource(ct);
        time.CancelAfter(configuration.GetValue("Ingest:S3:Timeout", TimeSpan.FromMinutes(30)));
        try
        {
            return await InStoreAsync(bucket, glob.Folder, glob.Matches, key => $"{connection.Name}/{key}", access.Scratch, most, seen, time.Token);
        }
        catch (Exception error) when (Refused(error) is { } refused)
        {
            throw new IngestException("addressRefused", refused.Message, "from.connection");
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new IngestException("sourceUnavailable", $"The bucket of \"{connection.Name}\" took too long.", "from.connection") { Transient = true };
        }
        catch (StoreUnavailableException error)
        {
            throw Unavailable(connection, error);
        }
        finally
        {
            (bucket as IDisposable)?.Dispose();
        }
    }

    private static OutboundRefusedException? Refused(Exception? error)
    {
        while (error is not (null or OutboundRefusedException))
            error = error.InnerException;
        return (OutboundRefusedException?)error;
    }

    // The bucket's words, which name no object; refused credentials and a bucket that does not exist stay what they are however often one asks.
    private static IngestException Unavailable(Connection connection, StoreUnavailableException error) => error.InnerException switch
    {
        AmazonS3Exception { StatusCode: HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized } => new("accessRefused", $"The bucket of \"{connection.Name}\" refuses the access key, or does not let it read.", "from.connection"),
        AmazonS3Exception { StatusCode: HttpStatusCode.NotFound } => new("connectionInvalid", $"The bucket of \"{connection.Name}\" does not exist.", "from.connection"),
        var cause => new("sourceUnavailable", $"The bucket of \"{connection.Name}\" cannot be reached{(cause is HttpRequestException ? $": {cause.Message.TrimEnd('.')}" : "")}.", "from.connection") { Transient = true },
    };

    private static WebConnection OpenWeb(Connection connection, IngestSource source)
    {
        if (source.Url is null)
            throw new IngestException("connectionInvalid", $"The connection \"{connection.Name}\" is of type http, where files cannot be listed; say which file with url.", "from.files");
        try
        {
            return WebConnection.Open(connection);
        }
        catch (ArgumentException error)
        {
            throw new IngestException("connectionInvalid", $"{connection.Name}: {error.Message}.", "from.connection");
        }
    }

    private static IObjectStore OpenBucket(Connection connection, OutboundGuard guard)
    {
        try
        {
            return ConnectionBuckets.Open(connection.Settings, guard);
        }
        catch (ArgumentException error)
        {
            throw new IngestException("connectionInvalid", $"{connection.Name}: {error.Message}", "from.connection");
        }
    }

    private List<FoundFile> InFolder(string folder, string? files, SeenBefore? seen)
    {
        if (files is null)
        {
            // One path with a pattern in it, or a folder as a whole.
            var wild = folder.IndexOfAny(['*', '?']);
            var slash = wild < 0 ? -1 : folder.LastIndexOf('/', wild);
            if (wild >= 0)
                (folder, files) = (slash <= 0 ? "/" : folder[..slash], folder[(slash + 1)..]);
            else if (File.Exists(Absolute(folder)))
                (folder, files) = (Path.GetDirectoryName(folder) ?? "", Path.GetFileName(folder));
            else
                files = "**";
        }
        return Under(CheckRoot(folder, "from.folder"), files, "", seen);
    }

    private static async Task<IReadOnlyList<FoundFile>> InUploadAsync(string upload, SourceAccess access, int most, CancellationToken ct)
    {
        if (!Guid.TryParse(upload, out var id))
            throw new IngestException("configInvalid", $"\"{upload}\" is no upload id.", "from.upload");
        var found = await InStoreAsync(access.Store, $"{access.Project}/uploads/{id:D}/", _ => true, _ => $"upload:{id:D}", access.Scratch, most, null, ct);
        return found.Count > 0 ? found : throw new IngestException("uploadUnknown", $"There is no upload {id:D} in this project.", "from.upload");
    }

    private static async Task<IReadOnlyList<FoundFile>> InStoreAsync(
        IObjectStore store, string prefix, Func<string, bool> matches, Func<string, string> id, string scratch, int most, SeenBefore? seen, CancellationToken ct)
    {
        var keys = new List<StoredObject>();
        await foreach (var item in store.ListAsync(prefix, ct))
        {
            // A "folder", as consoles of buckets make them, is an object without content whose key ends so.
            if (item.Key.EndsWith('/') || !matches(item.Key))
                continue;
            if (StoreKey.Problem(item.Key) is { } problem)
                throw new IngestException("fileName", $"\"{item.Key}\" cannot be read: {problem} Name the files so that the pattern leaves it out, or give it another name.", "from.files");
            if (seen?.LeavesOut(id(item.Key), item) == true)
                continue;
            keys.Add(item);
            Limit(keys.Count);
        }
        var found = new List<FoundFile>();
        foreach (var item in keys.OrderBy(item => item.Key, StringComparer.Ordinal).Take(most))
        {
            var outline = most < int.MaxValue && item.Bytes > ObjectOutline.HeadBytes;
            var path = outline ? await ObjectOutline.FetchAsync(store, item, Path.Combine(scratch, $"outline-{found.Count}"), ct) : await store.GetLocalPathAsync(item.Key, scratch, ct);
            found.Add(new FoundFile(id(item.Key), Path.GetFileName(item.Key), path, item.Bytes, outline, item.Version));
        }
        return found;
    }

    private List<FoundFile> Under(string root, string files, string idPrefix, SeenBefore? seen)
    {
        var glob = new FileGlob(files);
        var found = new List<FoundFile>();
        var unknown = 0;
        foreach (var path in Candidates(root, glob))
        {
            var relative = Path.GetRelativePath(root, path);
            if (!glob.Matches(relative))
                continue;
            // A link may lead anywhere: what counts is where it ends.
            var real = RealPath.Resolve(path);
            if (!Roots().Any(allowed => RealPath.IsUnder(real, allowed)))
                throw new IngestException("accessRefused", $"{relative} is a link that leads out of the folders opened for sources.", "from");
            var id = idPrefix.Length > 0 ? idPrefix + relative : path;
            found.Add(new FoundFile(id, relative, real, new FileInfo(real).Length));
            unknown += seen?.Knows(id) == true ? 0 : 1;
            Limit(unknown);
        }
        return [.. found.OrderBy(file => file.Id, StringComparer.Ordinal)];
    }

    private static IEnumerable<string> Candidates(string root, FileGlob glob)
    {
        if (glob.Exact is { } exact)
            return File.Exists(Path.Combine(root, exact)) ? [Path.Combine(root, exact)] : [];
        var start = Path.Combine(root, glob.Folder);
        // Folders that are links are not entered: they may lead round in circles.
        return !Directory.Exists(start) ? [] : Walk(start);

        static IEnumerable<string> Walk(string folder)
        {
            foreach (var file in Directory.EnumerateFiles(folder))
            {
                // A delivery into the same folder writes there.
                if (!Path.GetFileName(file).StartsWith(StoreKey.Unfinished, StringComparison.Ordinal))
                    yield return file;
            }
            foreach (var child in Directory.EnumerateDirectories(folder))
            {
                if (new DirectoryInfo(child).LinkTarget is not null)
                    continue;
                foreach (var file in Walk(child))
                    yield return file;
            }
        }
    }

    private string CheckRoot(string folder, string field)
    {
        var roots = Roots();
        if (roots.Count == 0)
            throw new IngestException("accessRefused", "No folder is opened for sources. The administrator sets Folders:Roots.", field);
        var real = RealPath.Resolve(Absolute(folder));
        if (!roots.Any(root => RealPath.IsUnder(real, root)))
            throw new IngestException("accessRefused", $"The folder {folder} does not lie under a folder opened for sources (Folders:Roots).", field);
        return real;
    }

    // A relative folder lies under the first root that has it.
    private string Absolute(string folder) =>
        Path.IsPathRooted(folder)
            ? folder
            : Roots().Select(root => Path.Combine(root, folder)).FirstOrDefault(path => Path.Exists(path)) ?? Path.Combine(Roots() is [var first, ..] ? first : "/", folder);

    private IReadOnlyList<string> Roots()
    {
        var section = configuration.GetSection("Folders:Roots");
        var roots = section.Value is { Length: > 0 } one ? one.Split([';', ','], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) : section.Get<string[]>() ?? [];
        return [.. roots.Select(RealPath.Resolve)];
    }

    private static string CheckKey(string key) =>
        key.StartsWith('/') || key.Split('/').Contains("..") || key.Any(c => c == '\\' || char.IsControl(c)) ? throw new IngestException("accessRefused", $"\"{key}\" is no key of this project.", "from.store") : key;

    private static void Limit(int count)
    {
        if (count > MaxFiles)
            throw new IngestException("tooManyFiles", string.Create(CultureInfo.InvariantCulture, $"The pattern finds more than {MaxFiles:N0} files."), "from.files");
    }
}
