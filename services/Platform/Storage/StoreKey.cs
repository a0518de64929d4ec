namespace Qualiz.Platform.Storage;

public static class StoreKey
{
    /// <summary>Names that begin like this are files still being written; no key may have one.</summary>
    public const string Unfinished = ".part-";

    private const int LongestKey = 1024;
    private const int LongestSegment = 200;

    /// <exception cref="ArgumentException">The key is malformed or would leave the store.</exception>
    public static void Check(string key)
    {
        if (Problem(key) is { } problem)
            throw new ArgumentException(problem, nameof(key));
    }

    /// <summary>What is wrong with the key; null: nothing.</summary>
    public static string? Problem(string key)
    {
        if (key.Length is 0 or > LongestKey)
            return "A key has 1 to 1024 characters.";
        foreach (var segment in key.Split('/'))
        {
            if (segment is "" or "." or ".." || segment.Length > LongestSegment || segment.StartsWith(Unfinished, StringComparison.Ordinal))
                return "A key is relative, with forward slashes and without empty, \".\" or \"..\" parts.";
            if (segment.Contains('\\', StringComparison.Ordinal) || segment.Any(char.IsControl))
                return "A key has no backslashes and no control characters.";
        }
        return null;
    }

    /// <summary>A prefix may be empty, end within a name or with a slash; the rest is as for keys.</summary>
    public static void CheckPrefix(string prefix)
    {
        var whole = prefix.EndsWith('/') ? prefix[..^1] : prefix;
        if (prefix.Length > 0)
            Check(whole);
    }
}
