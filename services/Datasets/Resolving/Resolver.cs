using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Qualiz.Contracts.Text;
using Qualiz.Datasets.Http;
using Qualiz.Datasets.Model;

namespace Qualiz.Datasets.Resolving;

/// <summary>Exactly one is set.</summary>
internal sealed record Resolution(DatasetVersion? Version, Dataset? Dataset, string? Problem);

/// <summary>Turns references into versions and remembers, per run, what each of them meant.</summary>
internal sealed class Resolver(DatasetsDb db, ProjectDirectory projects, TimeProvider time)
{
    public async Task<Resolution> ResolveAsync(string project, Guid runId, string text, IReadOnlyList<Guid> readsLike, CancellationToken ct)
    {
        if (Parse(project, text, out var reference) is { } refused)
            return refused;
        while (true)
        {
            if (await PinnedAsync(project, runId, text, ct) is { } pinned)
                return pinned;
            var found = await ReadByAsync(project, readsLike, text, ct) ?? await FindAsync(project, reference!, ct);
            if (found.Version is null)
                return found;
            // Two steps of a run may ask at the same moment: the first to write decides for both. And retention may take the version
            // away at this moment: then the lock waits for it, nothing is written, and the question is asked again.
            await db.Database.ExecuteSqlAsync(
                $"""
                insert into datasets.read_pin (run_id, reference, dataset_id, number, pinned_at)
                select {runId}, {text}, dataset_id, number, {time.GetUtcNow()} from datasets.version
                 where dataset_id = {found.Version.DatasetId} and number = {found.Version.Number} and removed_at is null for share
                on conflict (run_id, reference) do nothing
                """,
                ct);
        }
    }

    /// <summary>The version a reference means now, for nobody's run.</summary>
    public async Task<Resolution> DescribeAsync(string project, string text, CancellationToken ct) =>
        Parse(project, text, out var reference) ?? await FindAsync(project, reference!, ct);

    private static Resolution? Parse(string project, string text, out DatasetReference? reference)
    {
        reference = DatasetReference.Parse(text, out var error);
        if (reference is null)
            return Unknown(error!);
        return reference.Project is { } other && other != project
            ? Unknown($"\"{text}\" belongs to project \"{other}\"; reading another project's dataset needs a grant there, and grants are not available yet.")
            : null;
    }

    /// <summary>The version a reference means now.</summary>
    public async Task<Resolution> FindAsync(string project, DatasetReference reference, CancellationToken ct)
    {
        var dataset = await db.Datasets.AsNoTracking().SingleOrDefaultAsync(dataset => dataset.Project == project && dataset.Name == reference.Name, ct);
        if (dataset is null)
            return Unknown(await MissingAsync(project, reference.Name, ct));

        var versions = db.Versions.AsNoTracking().Where(version => version.DatasetId == dataset.Id && version.RemovedAt == null);
        var before = reference.Version is VersionChoice.AsOf(var last) ? await EndOfAsync(project, last, ct) : default;
        var newestFirst = versions.OrderByDescending(version => version.Number);
        var (version, problem) = reference.Version switch
        {
            VersionChoice.Latest => (
                await versions.SingleOrDefaultAsync(version => version.Number == dataset.Latest, ct),
                $"Dataset \"{dataset.Name}\" has no version yet."),
            VersionChoice.Number(var number) => (
                await versions.SingleOrDefaultAsync(version => version.Number == number, ct),
                $"Dataset \"{dataset.Name}\" has no version {number}; its latest is {dataset.Latest}."),
            VersionChoice.AsOf(var day) => (
                await newestFirst.FirstOrDefaultAsync(version => version.CreatedAt < before, ct),
                string.Create(CultureInfo.InvariantCulture, $"Dataset \"{dataset.Name}\" has no version of {day:yyyy-MM-dd} or before.")),
            VersionChoice.OfRun(var run) => (
                await newestFirst.FirstOrDefaultAsync(version => version.RunId == run, ct),
                $"Run {run} published no version of dataset \"{dataset.Name}\"."),
            _ => throw new InvalidOperationException("Unknown choice of version."),
        };
        if (version is null && reference.Version is VersionChoice.Number(var asked)
            && await db.Versions.AnyAsync(other => other.DatasetId == dataset.Id && other.Number == asked && other.RemovedAt != null, ct))
            problem = $"Version {asked} of dataset \"{dataset.Name}\" has been removed (retention); its latest is {dataset.Latest}.";
        return version is null ? Unknown(problem) : new Resolution(version, dataset, null);
    }

    public async Task<string> MissingAsync(string project, string name, CancellationToken ct)
    {
        var known = await db.Datasets.AsNoTracking().Where(dataset => dataset.Project == project).Select(dataset => dataset.Name).ToListAsync(ct);
        return NearestName.Find(name, known) is { } nearest
            ? $"There is no dataset \"{name}\" in project \"{project}\"; did you mean \"{nearest}\"?"
            : $"There is no dataset \"{name}\" in project \"{project}\".";
    }

    /// <summary>The first moment after a day, which is one of the project's time zone.</summary>
    private async Task<DateTimeOffset> EndOfAsync(string project, DateOnly day, CancellationToken ct)
    {
        if (day == DateOnly.MaxValue)
            return DateTimeOffset.MaxValue;
        var found = await projects.FindAsync(project, ct);
        var zone = found.First?.TimeZone is { } name && TimeZoneInfo.TryFindSystemTimeZoneById(name, out var known) ? known : TimeZoneInfo.Utc;
        var midnight = day.AddDays(1).ToDateTime(TimeOnly.MinValue, DateTimeKind.Unspecified);
        // Where clocks are put forward at midnight the day begins later; of two midnights the first counts, as for a run's day.
        while (zone.IsInvalidTime(midnight))
            midnight = midnight.AddMinutes(15);
        return new DateTimeOffset(midnight, zone.IsAmbiguousTime(midnight) ? zone.GetAmbiguousTimeOffsets(midnight).Max() : zone.GetUtcOffset(midnight)).ToUniversalTime();
    }

    /// <summary>What an earlier run read that this one does again; the nearest that has read it decides.</summary>
    private async Task<Resolution?> ReadByAsync(string project, IReadOnlyList<Guid> runs, string text, CancellationToken ct)
    {
        foreach (var run in runs)
        {
            if (await PinnedAsync(project, run, text, ct) is { } read)
                return read;
        }

        return null;
    }

    private async Task<Resolution?> PinnedAsync(string project, Guid runId, string text, CancellationToken ct)
    {
        var pinned = await (
            from pin in db.Pins.AsNoTracking()
            join version in db.Versions.AsNoTracking() on new { pin.DatasetId, pin.Number } equals new { version.DatasetId, version.Number }
            join dataset in db.Datasets.AsNoTracking() on pin.DatasetId equals dataset.Id
            where pin.RunId == runId && pin.Reference == text && dataset.Project == project
            select new { version, dataset }).SingleOrDefaultAsync(ct);
        return pinned is null ? null
            : pinned.version.RemovedAt is not null ? Unknown($"Version {pinned.version.Number} of dataset \"{pinned.dataset.Name}\", which this run read, has been removed (retention); start a new run.")
            : new Resolution(pinned.version, pinned.dataset, null);
    }

    private static Resolution Unknown(string problem) => new(null, null, problem);
}
