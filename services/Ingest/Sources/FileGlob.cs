using System.Text;
using System.Text.RegularExpressions;

namespace Qualiz.Ingest.Sources;

/// <summary>A pattern for files: <c>*</c> within a name, <c>**</c> over folders, <c>?</c> one character.</summary>
internal sealed class FileGlob
{
    private readonly Regex _pattern;
    private readonly bool _hiddenNames;
    private readonly bool _hiddenFolders;

    public FileGlob(string pattern)
    {
        var normal = pattern.Replace('\\', '/').TrimStart('/');
        if (normal.Split('/').Contains(".."))
            throw new IngestException("accessRefused", $"The pattern \"{pattern}\" leaves its folder (\"..\").", "from.files");
        var wild = normal.IndexOfAny(['*', '?']);
        var slash = normal.LastIndexOf('/', wild < 0 ? normal.Length - 1 : wild);
        Folder = slash < 0 ? "" : normal[..slash];
        Exact = wild < 0 ? normal : null;
        var parts = normal.Split('/');
        (_hiddenFolders, _hiddenNames) = (parts[..^1].Any(IsHidden), IsHidden(parts[^1]));
        var regex = new StringBuilder("\\A");
        for (var i = 0; i < normal.Length; i++)
        {
            if (normal[i] == '*' && i + 1 < normal.Length && normal[i + 1] == '*')
            {
                i++;
                if (i + 1 < normal.Length && normal[i + 1] == '/')
                {
                    regex.Append("(?:[^/]+/)*");
                    i++;
                }
                else
                {
                    regex.Append(".*");
                }
            }
            else
            {
                regex.Append(normal[i] switch { '*' => "[^/]*", '?' => "[^/]", var c => Regex.Escape(c.ToString()) });
            }
        }
        _pattern = new Regex(regex.Append("\\z").ToString(), RegexOptions.NonBacktracking | RegexOptions.Singleline);
    }

    /// <summary>The part before the first wild character, by folders.</summary>
    public string Folder { get; }

    /// <summary>The path itself when there is no wild character.</summary>
    public string? Exact { get; }

    /// <summary>As in a shell, names that begin with a dot are only found by patterns that have it: other programs keep there what is not finished, or not meant to be read.</summary>
    public bool Matches(string relativePath)
    {
        if (!_pattern.IsMatch(relativePath))
            return false;
        var parts = relativePath.Split('/');
        return (_hiddenNames || !IsHidden(parts[^1])) && (_hiddenFolders || !parts[..^1].Any(IsHidden));
    }

    private static bool IsHidden(string part) => part.StartsWith('.');
}
