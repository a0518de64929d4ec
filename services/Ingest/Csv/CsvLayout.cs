using Qualiz.Engine.Types;

namespace Qualiz.Ingest.Csv;

/// <summary>What is known of a text file before it is surveyed.</summary>
internal sealed record CsvLayout
{
    public required CsvDialect Dialect { get; init; }

    /// <summary>The columns' names, unique without regard to case.</summary>
    public required IReadOnlyList<string> Columns { get; init; }

    /// <summary>A declared type per column, or null where it is to be found out.</summary>
    public required IReadOnlyList<ColumnType?> Declared { get; init; }

    /// <summary>How dates of a column with a declared type are written beside those with the year first; empty: in no column.</summary>
    public IReadOnlyList<string?> Dates { get; init; } = [];

    /// <summary>How many records at the top are no data: lines above the header, then the header.</summary>
    public required int Preamble { get; init; }

    /// <summary>How many records the names of the columns take; 0: there are none.</summary>
    public required int HeaderRows { get; init; }

    /// <summary>The header's last record as it stands in the file; none where there is no header, or only one column.</summary>
    public IReadOnlyList<byte[]> HeaderFields { get; init; } = [];

    /// <summary>The quotes of the header are wrong, so that others may cut it in other ways.</summary>
    public bool HeaderFaulty { get; init; }

    /// <summary>Records that lack fields at their end are filled with nulls: it is the file's habit.</summary>
    public bool Pad { get; init; }
    public byte DecimalSign { get; init; } = (byte)'.';

    /// <summary>Unquoted texts that stand for null, beside the empty one.</summary>
    public IReadOnlyList<byte[]> Nulls { get; init; } = [];

    public int TopRecords => Preamble + HeaderRows;
}
