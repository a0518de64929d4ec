namespace Qualiz.Platform.Operators.Config;

/// <summary>The word that was probably meant.</summary>
internal static class NearestName
{
    /// <summary><c>; did you mean "date"</c>, the names themselves when they are few, or nothing.</summary>
    public static string Hint(string word, IReadOnlyCollection<string> names)
    {
        var nearest = names
            .Select(name => (name, distance: Distance(word.ToUpperInvariant(), name.ToUpperInvariant())))
            .Where(candidate => candidate.distance <= Math.Max(2, candidate.name.Length / 3))
            .OrderBy(candidate => candidate.distance)
            .Select(candidate => candidate.name)
            .FirstOrDefault();
        if (nearest is not null)
            return $"; did you mean \"{nearest}\"";
        return names.Count is > 0 and <= 12 ? $"; there are {string.Join(", ", names)}" : "";
    }

    private static int Distance(string a, string b)
    {
        if (a.Length > 100)
            return int.MaxValue;
        var previous = Enumerable.Range(0, b.Length + 1).ToArray();
        var current = new int[b.Length + 1];
        for (var i = 1; i <= a.Length; i++)
        {
            current[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var change = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                current[j] = Math.Min(change, Math.Min(previous[j], current[j - 1]) + 1);
            }

            (previous, current) = (current, previous);
        }

        return previous[b.Length];
    }
}
