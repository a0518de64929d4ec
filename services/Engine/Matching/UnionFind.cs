namespace Qualiz.Engine.Matching;

/// <summary>Which numbers belong together; the smallest of a group stands for it. Groups may be forbidden to become one. Four bytes a number.</summary>
internal sealed class UnionFind
{
    private readonly int[] _parent;

    /// <summary>By group, the groups it may not become one with.</summary>
    private readonly Dictionary<int, HashSet<int>> _apart = [];

    public UnionFind(long count)
    {
        if (count > Array.MaxLength)
            throw new MatchException("tooManyRows", $"Matching takes at most {Array.MaxLength:N0} rows at a time.");
        _parent = new int[count];
        for (var i = 0; i < _parent.Length; i++)
            _parent[i] = i;
    }

    public int Count => _parent.Length;

    public int Find(int x)
    {
        while (_parent[x] != x)
        {
            // Halving: every other step of the way is cut.
            _parent[x] = _parent[_parent[x]];
            x = _parent[x];
        }
        return x;
    }

    /// <returns>False: that is forbidden, and nothing has changed.</returns>
    public bool Union(int a, int b)
    {
        var (x, y) = (Find(a), Find(b));
        if (x == y)
            return true;
        if (_apart.Count > 0 && AreApart(x, y))
            return false;
        (x, y) = (Math.Min(x, y), Math.Max(x, y));
        _parent[y] = x;
        if (_apart.Remove(y, out var others))
        {
            var kept = _apart.TryGetValue(x, out var own) ? own : _apart[x] = [];
            foreach (var other in others)
            {
                kept.Add(other);
                _apart[other].Remove(y);
                _apart[other].Add(x);
            }
        }
        return true;
    }

    /// <summary>From now on the groups of the two never become one.</summary>
    /// <returns>False: they are one already, and stay so.</returns>
    public bool Forbid(int a, int b)
    {
        var (x, y) = (Find(a), Find(b));
        if (x == y)
            return false;
        Add(x, y);
        Add(y, x);
        return true;

        void Add(int one, int other) => (_apart.TryGetValue(one, out var others) ? others : _apart[one] = []).Add(other);
    }

    public bool AreApart(int a, int b) => _apart.Count > 0 && _apart.TryGetValue(Find(a), out var others) && others.Contains(Find(b));

    /// <summary>Groups that may not become one, the smaller one first.</summary>
    public IEnumerable<(int A, int B)> Forbidden => _apart.SelectMany(entry => entry.Value.Where(other => entry.Key < other).Select(other => (entry.Key, other))).Order();
}

/// <summary>The matching cannot go on. Holds no row values.</summary>
public sealed class MatchException(string code, string message, string? path = null) : Exception(message)
{
    public string Code { get; } = code;
    public string? Path { get; } = path;
}
