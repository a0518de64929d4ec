namespace Qualiz.Engine.Matching;

/// <summary>Which numbers belong together; the smallest of a group stands for it. Four bytes a number.</summary>
internal sealed class UnionFind
{
    private readonly int[] _parent;

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

    public void Union(int a, int b)
    {
        var (x, y) = (Find(a), Find(b));
        if (x < y)
            _parent[y] = x;
        else if (y < x)
            _parent[x] = y;
    }
}

/// <summary>The matching cannot go on. Holds no row values.</summary>
public sealed class MatchException(string code, string message, string? path = null) : Exception(message)
{
    public string Code { get; } = code;
    public string? Path { get; } = path;
}
