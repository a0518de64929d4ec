namespace Qualiz.Contracts.Data;

/// <summary>A dataset: Parquet files in the object store. Readers open only the files listed here, never a glob.</summary>
public sealed record DatasetRef
{
    public required IReadOnlyList<DataFile> Files { get; init; }
    public required DatasetSchema Schema { get; init; }
    public required long Rows { get; init; }
    public required long Bytes { get; init; }

    /// <summary>
    /// It holds only what is new since its source was last read, so that a row which is not in it need not be gone. What a step makes of it is partial too.
    /// </summary>
    public bool Partial { get; init; }

    public static DatasetRef Of(DatasetSchema schema, params IReadOnlyList<DataFile> files) =>
        new() { Files = files, Schema = schema, Rows = files.Sum(file => file.Rows), Bytes = files.Sum(file => file.Bytes) };
}

/// <summary>One file of a dataset.</summary>
public sealed record DataFile
{
    /// <summary>The object store key.</summary>
    public required string Key { get; init; }
    public required long Rows { get; init; }
    public required long Bytes { get; init; }

    /// <summary>SHA-256 of the content, lower-case hexadecimal.</summary>
    public required string Sha256 { get; init; }

    /// <summary>
    /// Set on a file as it came in, whose rows' identity is not stored but follows from their place in it; null when the file
    /// holds <c>_source</c>, <c>_row</c> and <c>_key</c> as columns. Engine/Datasets opens both alike.
    /// </summary>
    public RowOrigin? Origin { get; init; }

    /// <summary>Set when the file holds fewer columns than the dataset, or in another order; what it lacks is empty in its rows. Null: those of the dataset.</summary>
    public DatasetSchema? Schema { get; init; }
}

/// <summary>Where the rows of a file came from: row <c>n</c> (0-based) of the file is record <c>n + 1 + skipped</c> of the source.</summary>
public sealed record RowOrigin
{
    /// <summary>The value of <c>_source</c>: <c>&lt;source id&gt;@&lt;version or file hash&gt;</c>.</summary>
    public required string Source { get; init; }

    /// <summary>Places where records of the source are missing in the file because they were rejected; ascending.</summary>
    public IReadOnlyList<RowGap> Gaps { get; init; } = [];

    /// <summary>The columns that <c>_key</c> is the hash of; null: all columns, the content as ingested.</summary>
    public IReadOnlyList<string>? Key { get; init; }

    /// <summary>Rows whose content has been in the dataset before, ascending; only where the content is the key.</summary>
    public IReadOnlyList<RowRepeat> Repeats { get; init; } = [];
}

/// <param name="Row">The row of the file (0-based).</param>
/// <param name="Ordinal">How many rows of this content there are up to this one; 2 or more.</param>
public sealed record RowRepeat(long Row, long Ordinal);

/// <param name="Row">From this row of the file on (0-based) ...</param>
/// <param name="Skipped">... this many records of the source are missing before it, in all.</param>
public sealed record RowGap(long Row, long Skipped);

public sealed record DatasetSchema
{
    public required IReadOnlyList<DatasetColumn> Columns { get; init; }

    public DatasetColumn? Find(string name) =>
        Columns.FirstOrDefault(column => string.Equals(column.Name, name, StringComparison.Ordinal));
}

public sealed record DatasetColumn
{
    public required string Name { get; init; }

    /// <summary>
    /// The type in the words of the pipeline file: text, bool, int64, decimal(p,s), double, date, time, timestamp,
    /// timestamptz, json, list(T), struct(name T, ...).
    /// </summary>
    public required string Type { get; init; }

    public bool Nullable { get; init; } = true;

    /// <summary>A sensitivity tag (<c>personal</c>, <c>secret</c>, ...) or null; it follows the column through the operators.</summary>
    public string? Sensitivity { get; init; }

    /// <summary>
    /// Of a column that holds whole rows as JSON: the columns that those have or had, as far as known, each with its tag; else empty. A member
    /// that is not among them may be any of them under another name.
    /// </summary>
    public IReadOnlyList<DatasetColumn> Members { get; init; } = [];

    /// <summary>True for the columns that carry a row's identity (<c>_source</c>, <c>_row</c>, <c>_key</c>): kept, not shown.</summary>
    public bool Hidden { get; init; }

    /// <summary>The column that holds the values of both, as a step does that puts rows on top of each other: what is sensitive in one is sensitive.</summary>
    public DatasetColumn With(DatasetColumn other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return this with
        {
            Nullable = Nullable || other.Nullable,
            Sensitivity = SensitivityTags.Strictest(this, other),
            Members = [.. Members.Concat(other.Members).GroupBy(member => member.Name, StringComparer.Ordinal).Select(members => members.Aggregate((one, next) => one.With(next)))],
        };
    }
}
