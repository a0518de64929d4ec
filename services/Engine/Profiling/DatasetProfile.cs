namespace Qualiz.Engine.Profiling;

/// <summary>What the rows of a dataset look like, column by column; counts are exact.</summary>
public sealed record DatasetProfile
{
    public required long Rows { get; init; }
    public required IReadOnlyList<ColumnProfile> Columns { get; init; }
}

/// <summary>Values are texts in the wire format. Of a masked column there are only counts.</summary>
public sealed record ColumnProfile
{
    public required string Name { get; init; }
    public required string Type { get; init; }

    /// <summary>The column is sensitive: its values are not shown.</summary>
    public bool Masked { get; init; }

    /// <summary>Rows without a value.</summary>
    public required long Nulls { get; init; }

    /// <summary>Rows with a text of nothing or of white space.</summary>
    public long Blank { get; init; }

    /// <summary>Different values.</summary>
    public required long Distinct { get; init; }
    public string? Min { get; init; }
    public string? Max { get; init; }

    /// <summary>Of numbers.</summary>
    public double? Mean { get; init; }

    /// <summary>Characters of the shortest and the longest text.</summary>
    public long? MinLength { get; init; }
    public long? MaxLength { get; init; }

    /// <summary>The most frequent values, most rows first.</summary>
    public IReadOnlyList<ValueCount> Top { get; init; } = [];

    /// <summary>
    /// The most frequent forms of texts: a run of capitals is <c>A</c>, one of other letters <c>a</c>, each digit <c>9</c>; other
    /// signs stand for themselves.
    /// </summary>
    public IReadOnlyList<ValueCount> Patterns { get; init; } = [];
}

public sealed record ValueCount(string Value, long Rows);
