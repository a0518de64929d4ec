using System.IO.Compression;
using Qualiz.Contracts.Data;
using Qualiz.Ingest.Conversion;
using Qualiz.Ingest.Postgres;
using Qualiz.Ingest.Sources;
using Qualiz.Ingest.Typing;
using Qualiz.Platform.Outbound;

namespace Qualiz.Ingest.Heads;

/// <param name="Provisional">The types come from the beginning of the source only; the names are certain.</param>
/// <param name="Partial">Even names may be missing: not all files were looked at, or not all records of a file that has no header.</param>
internal sealed record HeadSchema(DatasetSchema Schema, bool Provisional, bool Partial, IReadOnlyList<string> Warnings);

/// <summary>The columns that a source will give, from its beginning: quick, and without any effect. For checking a pipeline when it is saved.</summary>
internal sealed class SourceHead(IConfiguration configuration, OutboundGuard guard)
{
    private const int HeadBytes = 1 << 20;
    private const long EngineMemory = 64L << 20;
    private const int MostFiles = 8;

    /// <param name="before">The columns of the last run, which a run holds against those it finds.</param>
    /// <returns>Null when there is nothing to look at yet: no file, or an empty one.</returns>
    /// <exception cref="IngestException">The source cannot be read as configured.</exception>
    public async Task<HeadSchema?> FindAsync(IngestConfig config, SourceAccess access, IReadOnlyList<SeenColumn> before, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(config);
        if ((config.From.Table ?? config.From.Query) is not null)
            return new HeadSchema(await new TableIngest(guard).DescribeAsync(config, access, before, ct), Provisional: false, Partial: false, []);
        var found = await new SourceLocator(configuration, guard).FindAsync(config.From, access, ct, most: MostFiles + 1);
        var warnings = new List<string>();
        var declared = DeclaredTypes.Of(config);
        var surveys = new List<SourceSurvey>();
        var provisional = false;
        var partial = found.Count > MostFiles;
        foreach (var file in found.Take(MostFiles))
        {
            var (path, cut) = await CutAsync(file.Path, Path.Combine(access.Scratch, $"head-{surveys.Count}"), ct);
            // A folder of its own: a surveyor numbers its files in scratch.
            var scratch = Directory.CreateDirectory(Path.Combine(access.Scratch, $"survey-{surveys.Count}")).FullName;
            var surveyor = new Surveyor(config.Format, declared, config.Key, EngineMemory, 1, scratch, _ => { }, head: cut || file.Outline);
            if (await surveyor.SurveyAsync(new SourceFile(file.Id, file.Name, path, new FileInfo(path).Length, new string('0', 32)), warnings, ct) is not { } survey)
                continue;
            surveys.Add(survey);
            provisional |= cut || survey is ParquetSource { Unchecked: true };
            partial |= cut && survey is JsonSource;
        }

        if (surveys.Count == 0)
            return null;
        var columns = SchemaPlan.Make(surveys, config, declared, before, warnings);
        return new HeadSchema(SchemaPlan.Schema(columns, config), provisional || partial, partial, warnings);
    }

    // Formats that are read from their end, or through an index, are taken whole; they are quick to look at.
    private static async Task<(string Path, bool Cut)> CutAsync(string path, string target, CancellationToken ct)
    {
        var gzip = TextFile.IsGzip(path);
        if (!gzip && (new FileInfo(path).Length <= HeadBytes || Surveyor.IsIndexed(path)))
            return (path, false);
        await using var file = File.OpenRead(path);
        await using var stream = gzip ? (Stream)new GZipStream(file, CompressionMode.Decompress) : file;
        var head = new byte[HeadBytes];
        int read;
        try
        {
            read = await stream.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, ct);
        }
        catch (InvalidDataException)
        {
            throw new IngestException("fileUnreadable", $"{Path.GetFileName(path)} is packed (gzip) and damaged.");
        }
        if (read < head.Length)
        {
            await File.WriteAllBytesAsync(target, head.AsMemory(0, read), ct);
            return (target, false);
        }
        await File.WriteAllBytesAsync(target, head.AsMemory(0, LastLineEnd(head)), ct);
        return (target, true);
    }

    // Behind a whole line, and behind whole characters in encodings of two or four bytes.
    private static int LastLineEnd(ReadOnlySpan<byte> head)
    {
        var end = head.LastIndexOf((byte)'\n');
        if (end < 0)
            end = head.LastIndexOf((byte)'\r');
        if (end < 0)
            return head.Length & ~3;
        // A line feed in UTF-32 and UTF-16, little-endian, has zeros behind it; the zeros behind a big-endian one are the next character's.
        var rest = head[(end + 1)..];
        if (end % 4 == 0 && rest.StartsWith((ReadOnlySpan<byte>)[0, 0, 0]))
            return end + 4;
        return end % 2 == 0 && rest.StartsWith((ReadOnlySpan<byte>)[0]) ? end + 2 : end + 1;
    }
}
