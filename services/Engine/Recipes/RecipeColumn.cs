using Qualiz.Contracts.Data;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Recipes;

/// <summary>A column of the data on its way through a recipe.</summary>
internal sealed class RecipeColumn(string name, ColumnType type)
{
    public string Name { get; set; } = name;
    public ColumnType Type { get; set; } = type;
    public bool Nullable { get; set; } = true;
    public string? Sensitivity { get; set; }

    /// <summary>The names that its values have, or have had on their way: its own ones and those of the columns that it was made from.</summary>
    public HashSet<string> Origins { get; } = new(StringComparer.Ordinal) { name };

    /// <summary>Values of these columns have come in.</summary>
    public void AlsoHolds(params IEnumerable<RecipeColumn?> others)
    {
        foreach (var other in others.OfType<RecipeColumn>())
        {
            Sensitivity = SensitivityTags.Strictest(Sensitivity, other.Sensitivity);
            Origins.UnionWith(other.Origins);
        }
    }

    /// <summary>The value it has now.</summary>
    public CellVersion Current { get; set; } = new(name);

    /// <summary>Operations on text that are not yet part of the query: those of one column are done together.</summary>
    public List<(string Operation, int Rule)> Pending { get; } = [];

    /// <summary>Events for whose rows another value than the column's goes into the rejected row: the text that could not be converted, the list that was not taken apart.</summary>
    public List<(string Event, CellVersion Value, ColumnType? Type)> Unread { get; } = [];
}

/// <summary>A value that a column had at some point, for those who want it later: reasons, the change log, the row as ingested.</summary>
internal sealed class CellVersion(string name)
{
    /// <summary>The column that holds it, in the last projection.</summary>
    public string Name { get; set; } = name;

    /// <summary>Somebody wants it, so it travels along when the column gets another value.</summary>
    public bool IsWanted { get; private set; }

    public CellVersion Wanted()
    {
        IsWanted = true;
        return this;
    }
}

/// <summary>A column as it came in.</summary>
internal sealed record IngestedColumn(string Name, ColumnType Type, CellVersion Value);
