using System.Buffers.Text;
using System.Text.Json;
using Qualiz.Contracts.Data;
using Qualiz.Engine.Rows;

namespace Qualiz.Datasets.Rows;

/// <summary>Rows that can be looked at: a version of a dataset, or what a step wrote.</summary>
internal sealed record RowSource
{
    public required DatasetRef Content { get; init; }

    /// <summary>For the audit: <c>dataset:name@12</c>, <c>run:&lt;id&gt;/step.port</c>.</summary>
    public required string Subject { get; init; }

    /// <summary>The name of a downloaded file, without its extension.</summary>
    public required string FileName { get; init; }

    /// <summary>Cursors of other content do not fit it.</summary>
    public required string Stamp { get; init; }

    /// <summary>Set for rejected rows, whose values are JSON.</summary>
    public RejectedMask? MaskInside { get; init; }

    /// <summary>The change log of a step: its rows can be chosen by rule and column.</summary>
    public bool IsChangeLog { get; init; }

    /// <summary>The columns to show, or all.</summary>
    public IReadOnlyList<DatasetColumn> Visible(bool hidden) =>
        hidden ? Content.Schema.Columns : [.. Content.Schema.Columns.Where(column => !column.Hidden)];
}

/// <summary>What callers may ask of rows.</summary>
internal sealed record RowsRequest
{
    /// <summary>Names, separated by commas; default all.</summary>
    public string? Columns { get; init; }

    /// <summary>With the columns that carry a row's identity.</summary>
    public bool? Hidden { get; init; }

    /// <summary>Sensitive values in clear; audited.</summary>
    public bool? Unmask { get; init; }

    /// <summary>Of rejected rows those with this rule or check among their reasons; of a change log the cells that this rule changed, e.g. <c>rules[2]</c>.</summary>
    public string? Rule { get; init; }

    /// <summary>Of rejected rows those with a reason about this column; of a change log the cells of this column.</summary>
    public string? Column { get; init; }

    /// <summary>Of a download: parquet (default), csv, jsonl.</summary>
    public string? Format { get; init; }
}

/// <summary>How values of a column are to be put together.</summary>
internal sealed record ClustersRequest
{
    public const int DefaultLimit = 100;
    public const int MostClusters = 10_000;

    /// <summary>fingerprint (default: the same words), ngram (the same letters), phonetic (the same sound), nearest (a letter or two apart).</summary>
    public string? By { get; init; }

    /// <summary>At most so many clusters, those with the most rows to change; default 100, at most 10,000.</summary>
    public int? Limit { get; init; }

    /// <summary>Also of a sensitive column; audited.</summary>
    public bool? Unmask { get; init; }
}

/// <summary>Where the next page begins, in which content.</summary>
internal sealed record RowCursor(string Stamp, int File, long Row)
{
    public string Encode() => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(this, JsonSerializerOptions.Web));
}

internal sealed record ColumnView(string Name, string Type, bool Nullable, string? Sensitivity, bool Hidden, bool Masked)
{
    public static ColumnView Of(DatasetColumn column, bool unmask) =>
        new(column.Name, column.Type, column.Nullable, column.Sensitivity, column.Hidden, column.Sensitivity is not null && !unmask);
}

internal sealed record SchemaView(IReadOnlyList<ColumnView> Columns, long Rows, long Bytes)
{
    public static SchemaView Of(RowSource source) =>
        new([.. source.Content.Schema.Columns.Select(column => ColumnView.Of(column, unmask: false))], source.Content.Rows, source.Content.Bytes);
}
