using System.Globalization;

namespace Qualiz.Datasets.Resolving;

/// <summary>Which version of a dataset a reference means.</summary>
internal abstract record VersionChoice
{
    public sealed record Latest : VersionChoice;

    public sealed record Number(int Value) : VersionChoice;

    /// <summary>The newest one created on or before that day (UTC).</summary>
    public sealed record AsOf(DateOnly Day) : VersionChoice;

    public sealed record OfRun(Guid RunId) : VersionChoice;
}

/// <summary><c>dataset:name</c>, <c>dataset:name@12</c>, <c>@2026-11-20</c>, <c>@run:&lt;id&gt;</c>, <c>dataset:project/name</c>.</summary>
/// <param name="Project">Null: the asker's own.</param>
internal sealed record DatasetReference(string? Project, string Name, VersionChoice Version)
{
    private const string Prefix = "dataset:";

    /// <summary>Null, with a sentence for a person, when the text is none.</summary>
    public static DatasetReference? Parse(string text, out string? error)
    {
        error = null;
        if (!text.StartsWith(Prefix, StringComparison.Ordinal))
        {
            error = $"\"{text}\" is no dataset reference; it begins with \"dataset:\".";
            return null;
        }
        var rest = text[Prefix.Length..];
        var at = rest.IndexOf('@', StringComparison.Ordinal);
        var path = at < 0 ? rest : rest[..at];
        var slash = path.IndexOf('/', StringComparison.Ordinal);
        var project = slash < 0 ? null : path[..slash];
        var name = path[(slash + 1)..];
        if (name.Length == 0 || project?.Length == 0 || name.Contains('/', StringComparison.Ordinal))
        {
            error = $"\"{text}\" names no dataset; write \"dataset:name\".";
            return null;
        }
        var version = at < 0 ? new VersionChoice.Latest() : Choice(rest[(at + 1)..]);
        if (version is not null)
            return new DatasetReference(project, name, version);
        error = $"\"{rest[(at + 1)..]}\" in \"{text}\" is no version; write a number (@12), a day (@2026-11-20) or a run (@run:<id>).";
        return null;
    }

    private static VersionChoice? Choice(string text)
    {
        if (text == "latest")
            return new VersionChoice.Latest();
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0)
            return new VersionChoice.Number(number);
        if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
            return new VersionChoice.AsOf(day);
        return text.StartsWith("run:", StringComparison.Ordinal) && Guid.TryParse(text.AsSpan(4), out var run) ? new VersionChoice.OfRun(run) : null;
    }
}
