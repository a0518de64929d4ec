namespace Qualiz.Contracts.Text;

/// <summary>"did you mean": the known name closest to a misspelt one, or null when none is close enough to be meant.</summary>
public static class NearestName
{
    // Names are short; whoever sends a longer one did not mistype a name.
    private const int LongestName = 64;

    public static string? Find(string name, IEnumerable<string> known)
    {
        if (name.Length is 0 or > LongestName)
        {
            return null;
        }

        var plain = Plain(name);
        string? best = null;
        var bestDistance = int.MaxValue;
        foreach (var candidate in known)
        {
            if (candidate.Length is 0 or > LongestName || candidate == name)
            {
                continue;
            }

            var other = Plain(candidate);
            var distance = plain == other ? 0 : Distance(plain, other);
            // One slip in a short word, two in a medium one, three in a long one: more is another word.
            var allowed = Math.Max(plain.Length, other.Length) switch
            {
                <= 2 => 0,
                <= 5 => 1,
                <= 8 => 2,
                _ => 3,
            };
            if (distance <= allowed && distance < bestDistance)
            {
                best = candidate;
                bestDistance = distance;
            }
        }

        return best;
    }

    /// <summary>Case and separators are not mistakes to count: <c>not_null</c> means <c>notNull</c>.</summary>
    private static string Plain(string name) =>
        string.Concat(name.Where(letter => letter is not ('_' or '-' or ' ')).Select(char.ToLowerInvariant));

    /// <summary>Edit distance in which swapping two neighbours is one edit (optimal string alignment).</summary>
    internal static int Distance(string a, string b)
    {
        var previous = new int[b.Length + 1];
        var current = new int[b.Length + 1];
        var next = new int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++)
        {
            current[j] = j;
        }

        for (var i = 1; i <= a.Length; i++)
        {
            next[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = a[i - 1] == b[j - 1] ? 0 : 1;
                next[j] = Math.Min(Math.Min(next[j - 1] + 1, current[j] + 1), current[j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    next[j] = Math.Min(next[j], previous[j - 2] + 1);
                }
            }

            (previous, current, next) = (current, next, previous);
        }

        return current[b.Length];
    }
}
