using Qualiz.Engine.Types;
using Qualiz.Ingest.Csv;
using Qualiz.Ingest.Json;
using Qualiz.Ingest.Sources;
using Qualiz.Ingest.Typing;

namespace Qualiz.Ingest.Conversion;

/// <summary>A column as one file has shown it.</summary>
/// <param name="Fixed">A type that the file itself states (Parquet, nested JSON); null: <paramref name="Evidence"/> decides.</param>
internal sealed record ColumnFinding(string Name, ColumnType? Fixed, ColumnEvidence Evidence)
{
    /// <summary>What the values were in JSON.</summary>
    public JsonShape? Shape { get; init; }
}

/// <summary>What is known of a source file once every byte of it has been looked at, before anything is written.</summary>
internal abstract record SourceSurvey(SourceFile File, IReadOnlyList<ColumnFinding> Columns, long Records, long Rejected)
{
    public long Good => Records - Rejected;

    public IReadOnlyList<(RejectSpool Spool, long Records, long Lines)> Spools { get; init; } = [];
}

internal sealed record CsvSource(SourceFile File, IReadOnlyList<ColumnFinding> Columns, TextFile Text, CsvLayout Layout, CsvSurvey Survey)
    : SourceSurvey(File, Columns, Survey.Records, Survey.Rejected);

internal sealed record JsonSource(SourceFile File, IReadOnlyList<ColumnFinding> Columns, TextFile Text, bool Lines, long Records, long Rejected, IReadOnlyList<long> RejectedRecords)
    : SourceSurvey(File, Columns, Records, Rejected)
{
    /// <summary>The members of the records, one per column, as they are spelt.</summary>
    public required IReadOnlyList<string> Members { get; init; }
}

/// <summary>A column of a Parquet file by its own name, with the engine's type.</summary>
internal sealed record StoredColumn(string Name, string Type);

/// <param name="Stored">By the names of <paramref name="Columns"/>, which may be others than the file's.</param>
internal sealed record ParquetSource(SourceFile File, IReadOnlyList<ColumnFinding> Columns, IReadOnlyDictionary<string, StoredColumn> Stored, long Records)
    : SourceSurvey(File, Columns, Records, 0)
{
    /// <summary>A type depends on values that were not looked at.</summary>
    public bool Unchecked { get; init; }
}
