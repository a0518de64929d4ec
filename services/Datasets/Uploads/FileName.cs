using System.Globalization;

namespace Qualiz.Datasets.Uploads;

/// <summary>What a file is called: as people see it, and as part of an object store key.</summary>
internal static class FileName
{
    private const int Longest = 120;

    /// <summary>The last part of whatever path was sent, without invisible characters; null when nothing is left.</summary>
    public static string? Shown(string? given)
    {
        if (given is null)
            return null;
        var last = given[(given.LastIndexOfAny(['/', '\\']) + 1)..];
        var name = new string([.. last.Where(IsVisible)]).Trim();
        if (name.Trim('.', ' ').Length == 0)
            return null;
        if (name.Length <= Longest)
            return name;
        var extension = Path.GetExtension(name);
        return extension.Length is > 0 and <= 16 ? name[..(Longest - extension.Length)] + extension : name[..Longest];
    }

    /// <summary>The same in letters that every store and file system takes.</summary>
    public static string Safe(string shown)
    {
        var safe = string.Concat(shown.Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_' ? letter : '_'));
        // A leading dot hides a file, and the store keeps such names for itself.
        return safe[0] == '.' ? $"_{safe}" : safe;
    }

    /// <summary>Format characters include those that turn the direction of text, which can disguise an extension.</summary>
    private static bool IsVisible(char letter) =>
        char.GetUnicodeCategory(letter) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate);
}
