using System.Data;
using System.Globalization;
using System.IO.Hashing;
using System.Text;
using System.Text.RegularExpressions;
using Npgsql;
using Qualiz.Engine.Types;
using Qualiz.Ingest.Csv;
using Qualiz.Ingest.Sources;

namespace Qualiz.Ingest.Postgres;

/// <summary>A table or query as it is about to be read: its columns, and the statements that read it, one for each range.</summary>
internal sealed partial class SourceTable
{
    // Below this a range is not worth a statement of its own.
    private const long PagesPerRange = 1024;
    private const int PageBytes = 8192;

    private readonly string _from;
    private readonly string _where;
    private readonly long _pages;

    private SourceTable(string label, string from, string where, IReadOnlyList<PostgresColumn> columns, long rows, long pages) =>
        (Label, _from, _where, Columns, EstimatedRows, _pages) = (label, from, where, columns, rows, pages);

    /// <summary>For people and for <c>_source</c>.</summary>
    public string Label { get; }

    public IReadOnlyList<PostgresColumn> Columns { get; }

    public long EstimatedRows { get; }

    /// <summary>What the rows come from, as SQL of the server has it.</summary>
    public static async Task<string> FromAsync(NpgsqlConnection connection, IngestConfig config, CancellationToken ct) =>
        // The line end keeps a comment at the end of the query from going on.
        config.From.Query is null ? await FindAsync(connection, config.From.Table!, ct) : $"({config.From.Query.Trim().TrimEnd(';')}\n) AS source";

    /// <summary>
    /// What a state belongs to. Of a query that is its text but for blanks and literals: these are often parameters, with which it is still the same query.
    /// </summary>
    public static string Identity(string connection, IngestConfig config, string from)
    {
        if (config.From.Query is null)
            return $"{connection}/{from}";
        var text = Blanks().Replace(Literals().Replace(config.From.Query.Trim().TrimEnd(';'), "?"), " ").Trim();
        return $"{connection}/query {Convert.ToHexStringLower(XxHash128.Hash(Encoding.UTF8.GetBytes(text)))}";
    }

    /// <param name="from">From <see cref="FromAsync"/>.</param>
    /// <param name="since">The cursor of the last run; null: everything.</param>
    /// <param name="before">The types that columns had in the last run: a number of any size keeps its type where it fits.</param>
    /// <param name="sample">Looks at so many rows at most where values decide on a type; 0: at all.</param>
    public static async Task<SourceTable> DescribeAsync(
        NpgsqlConnection connection, IngestConfig config, string from, string? since, IReadOnlyDictionary<string, ColumnType> declared, IReadOnlyDictionary<string, ColumnType> before,
        List<string> warnings, int sample, CancellationToken ct)
    {
        var source = config.From;
        var label = source.Query is null ? source.Table! : "query";
        var found = new List<Npgsql.Schema.NpgsqlDbColumn>();
        // Through the extended protocol, which takes one statement only: what is copied below is a query and nothing else.
        await using (var command = new NpgsqlCommand($"SELECT * FROM {from}", connection))
        await using (var reader = await command.ExecuteReaderAsync(CommandBehavior.SchemaOnly, ct))
            found.AddRange((await reader.GetColumnSchemaAsync(ct)).Cast<Npgsql.Schema.NpgsqlDbColumn>());
        if (found.Count == 0)
            throw new IngestException("queryInvalid", $"{label} has no columns.", Path(config));
        if (found.GroupBy(column => column.ColumnName).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new IngestException("queryInvalid", $"The query gives two columns \"{twice.Key}\"; name them apart.", "from.query");
        var names = CsvSniffer.Name(found.Select(column => column.ColumnName), found.Count, warnings);
        var columns = found.Select((column, i) => PostgresColumn.Make(column, names[i], declared.GetValueOrDefault(names[i]))).ToList();
        var where = Where(config, columns, since);
        for (var i = 0; i < columns.Count; i++)
        {
            if (columns[i].Type is null)
                columns[i] = await SizeAsync(connection, from, where, columns[i], before.GetValueOrDefault(columns[i].Name), sample, warnings, ct);
        }
        var (rows, pages) = source.Query is null && since is null ? await MeasureAsync(connection, from, ct) : (0, 0);
        return new SourceTable(label, from, where, columns, rows, pages);
    }

    /// <summary>COPY statements that together give every row once.</summary>
    public IReadOnlyList<string> Ranges(int lines)
    {
        var count = (int)Math.Min(lines * 8L, _pages / PagesPerRange);
        if (lines < 2 || count < 2)
            return [Copy(_where)];
        var step = (_pages / count) + 1;
        var ranges = new List<string>();
        for (var i = 0; i < count; i++)
        {
            var parts = new List<string>();
            if (i > 0)
                parts.Add(string.Create(CultureInfo.InvariantCulture, $"ctid >= '({i * step},0)'::tid"));
            // The last one is open: the table may have grown since it was measured.
            if (i < count - 1)
                parts.Add(string.Create(CultureInfo.InvariantCulture, $"ctid < '({(i + 1) * step},0)'::tid"));
            ranges.Add(Copy($" WHERE {string.Join(" AND ", parts)}"));
        }
        return ranges;
    }

    public static string Path(IngestConfig config) => config.From.Query is null ? "from.table" : "from.query";

    /// <summary>The column that a name in the configuration means, as it is called in the source or with us.</summary>
    public static PostgresColumn Find(IReadOnlyList<PostgresColumn> columns, string name, string path) =>
        columns.FirstOrDefault(column => column.Source == name) ?? columns.FirstOrDefault(column => column.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
        ?? throw new IngestException("columnUnknown", $"There is no column \"{name}\". The source has {string.Join(", ", columns.Take(20).Select(column => column.Name))}.", path);

    [GeneratedRegex(@"'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b")]
    private static partial Regex Literals();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();

    private string Copy(string where) => $"COPY (SELECT {string.Join(", ", Columns.Select(column => column.Ask))} FROM {_from}{where}) TO STDOUT (FORMAT binary)";

    private static async Task<string> FindAsync(NpgsqlConnection connection, string table, CancellationToken ct)
    {
        // As SQL reads the name, or as it is written.
        foreach (var spelt in (string[])[table, string.Join('.', table.Split('.', 2).Select(PostgresLink.Identifier))])
        {
            string? name = null;
            try
            {
                name = await PostgresLink.ScalarAsync<string>(connection, $"SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass({PostgresLink.Literal(spelt)})", ct);
            }
            catch (PostgresException error) when (error.SqlState is "42602" or "42601" or "0A000")
            {
                // No name in SQL's eyes. The transaction is lost with it.
                throw new IngestException("tableUnknown", $"\"{table}\" is no name of a table.", "from.table");
            }
            if (name is not null)
                return name;
        }
        throw new IngestException("tableUnknown", $"There is no table {table}, or this user does not see it.", "from.table");
    }

    private static string Where(IngestConfig config, List<PostgresColumn> columns, string? since)
    {
        if (config.Incremental is not { } incremental)
            return "";
        var cursor = Find(columns, incremental.Cursor, "incremental.cursor");
        var type = cursor.Type;
        var cast = type switch
        {
            _ when type == ColumnType.Timestamp => "timestamp",
            _ when type == ColumnType.TimestampTz => "timestamptz",
            _ when type == ColumnType.Date => "date",
            _ when type == ColumnType.Int64 || type is ColumnType.DecimalType || (type is null && cursor.Form == WireForm.Numeric) => "numeric",
            _ => throw new IngestException("cursorInvalid", $"Column \"{cursor.Source}\" is no cursor: it must be a number, a date or a moment that only grows.", "incremental.cursor"),
        };
        if (incremental.Lookback is { } lookback && cast == "numeric" && lookback.Value > TimeSpan.Zero)
            throw new IngestException("cursorInvalid", $"Column \"{cursor.Source}\" is a number, which a time cannot be looked back on.", "incremental.lookback");
        if (since is null)
            return "";
        var value = $"{PostgresLink.Literal(since)}::{cast}";
        if (incremental.Lookback is { Value: var back } && back > TimeSpan.Zero)
            value = string.Create(CultureInfo.InvariantCulture, $"({value} - interval '{back.TotalSeconds} seconds')");
        // Compared as it is: the server would make a numeric of every row's number, and use no index.
        if (type == ColumnType.Int64 && long.TryParse(since, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _))
            value = $"{PostgresLink.Literal(since)}::bigint";
        // Not only later ones: others may have come at the very same moment. Those seen before are told by their content.
        return $" WHERE {PostgresLink.Identifier(cursor.Source)} >= {value}";
    }

    // A number without a stated size is a decimal as wide as its values are.
    private static async Task<PostgresColumn> SizeAsync(
        NpgsqlConnection connection, string from, string where, PostgresColumn column, ColumnType? before, int sample, List<string> warnings, CancellationToken ct)
    {
        var name = PostgresLink.Identifier(column.Source);
        var rows = sample > 0 ? string.Create(CultureInfo.InvariantCulture, $" LIMIT {sample}") : "";
        await using var command = new NpgsqlCommand(
            $"SELECT max(scale(n))::int, max(length(trunc(abs(n))::text))::int, bool_or(n::text IN ('NaN', 'Infinity', '-Infinity')) FROM (SELECT {name} AS n FROM {from}{where}{rows}) AS numbers", connection);
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        var text = new PostgresColumn(column.Source, column.Name, ColumnType.Text, $"{name}::text", WireForm.Text);
        if (await reader.IsDBNullAsync(1, ct))
            return before is ColumnType.DecimalType ? column with { Type = before } : before == ColumnType.Text ? text : column with { Type = ColumnType.Decimal(38, 9) };
        if (!await reader.IsDBNullAsync(2, ct) && reader.GetBoolean(2))
        {
            warnings.Add($"Column \"{column.Name}\" is text: it has values that are no numbers (NaN or infinity).");
            return text;
        }
        var scale = await reader.IsDBNullAsync(0, ct) ? 0 : reader.GetInt32(0);
        var whole = reader.GetInt32(1);
        if (before == ColumnType.Text)
            return text;
        if (before is ColumnType.DecimalType { Precision: var precision, Scale: var last })
            (scale, whole) = (Math.Max(scale, last), Math.Max(whole, precision - last));
        if (scale + whole > 38)
        {
            warnings.Add($"Column \"{column.Name}\" is text: its numbers have more than 38 digits.");
            return text;
        }
        return column with { Type = before is ColumnType.DecimalType { Precision: 38 } || scale + whole > 18 ? ColumnType.Decimal(38, scale) : ColumnType.Decimal(18, scale) };
    }

    // Only what the server stores itself is read by place, and only servers from 14 on skip to a place.
    private static async Task<(long Rows, long Pages)> MeasureAsync(NpgsqlConnection connection, string from, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            $"""
            SELECT sum(greatest(c.reltuples, 0))::bigint, (max(pg_relation_size(c.oid)) / {PageBytes})::bigint, bool_and(c.relkind IN ('r', 'm', 'p')) AND current_setting('server_version_num')::int >= 140000
            FROM pg_class c
            WHERE c.oid = {PostgresLink.Literal(from)}::regclass OR c.oid IN (SELECT relid FROM pg_partition_tree({PostgresLink.Literal(from)}::regclass))
            """,
            connection);
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        return (reader.IsDBNull(0) ? 0 : reader.GetInt64(0), reader.IsDBNull(1) || !reader.GetBoolean(2) ? 0 : reader.GetInt64(1));
    }
}
