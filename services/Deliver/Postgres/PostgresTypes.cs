using Qualiz.Engine.Rows;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Deliver.Postgres;

/// <summary>Our types in PostgreSQL: the type a new column gets, the text that COPY reads, and which existing columns can hold what.</summary>
internal static class PostgresTypes
{
    public static string For(ColumnType type) => type switch
    {
        ColumnType.DecimalType number => $"numeric({number.Precision},{number.Scale})",
        _ when type == ColumnType.Text => "text",
        _ when type == ColumnType.Bool => "boolean",
        _ when type == ColumnType.Int64 => "bigint",
        _ when type == ColumnType.Double => "double precision",
        _ when type == ColumnType.Date => "date",
        _ when type == ColumnType.Time => "time",
        _ when type == ColumnType.Timestamp => "timestamp",
        _ when type == ColumnType.TimestampTz => "timestamptz",
        _ => "jsonb",
    };

    /// <summary>Engine SQL of a column's text as COPY's text format reads it back exactly.</summary>
    public static string CopyText(string column, ColumnType type) => type switch
    {
        _ when type == ColumnType.Text || type == ColumnType.Json => Escape(column),
        ColumnType.ListType or ColumnType.StructType => Escape(RowJson.WithNumbers(type, column)),
        // The engine writes years before Christ as "0044-03-15 (BC) 10:00:00".
        _ when type == ColumnType.Date || type == ColumnType.Timestamp || type == ColumnType.TimestampTz =>
            $"CASE WHEN {column} < '0001-01-01' AND isfinite({column}) THEN replace(CAST({column} AS VARCHAR), ' (BC)', '') || ' BC' ELSE CAST({column} AS VARCHAR) END",
        _ => $"CAST({column} AS VARCHAR)",
    };

    private static string Escape(string text)
    {
        foreach (var (sign, escaped) in (ReadOnlySpan<(string, string)>)[(@"\", @"\\"), ("\t", @"\t"), ("\n", @"\n"), ("\r", @"\r")])
            text = $"replace({text}, {Sql.Literal(sign)}, {Sql.Literal(escaped)})";
        return text;
    }

    /// <summary>How a staged value gets into an existing column; null when that could change it.</summary>
    public static string? Assignment(string staged, ColumnType type, TargetColumn column)
    {
        var (name, modifier) = (column.TypeName, column.TypeModifier);
        switch (type)
        {
            case ColumnType.DecimalType number when name == "numeric":
                return modifier < 0 || Scale(modifier) >= number.Scale ? staged : null;
            // Out of range is an error of the server, never a changed value.
            case ColumnType.DecimalType { Scale: 0 } when name is "int8" or "int4" or "int2":
                return staged;
            case ColumnType.DecimalType when name is "text" or "varchar":
                return staged;
            case ColumnType.DecimalType:
                return null;
        }
        if (type.IsNested)
            return name is "jsonb" or "json" or "text" ? staged : null;
        if (type == ColumnType.Text)
        {
            return name is "text" or "varchar" or "bpchar" or "citext" ? staged
                : name is "uuid" || column.IsEnum ? $"CAST({staged} AS {column.FormattedType})"
                : null;
        }
        if (type == ColumnType.Int64)
            return name is "int8" or "int4" or "int2" or "text" or "varchar" || (name == "numeric" && (modifier < 0 || Scale(modifier) >= 0)) ? staged : null;
        if (type == ColumnType.Double)
            return name == "float8" ? staged : null;
        if (type == ColumnType.Bool)
            return name == "bool" ? staged : null;
        if (type == ColumnType.Date)
            return name is "date" or "timestamp" ? staged : null;
        // A precision below microseconds would round.
        if (type == ColumnType.Time)
            return name == "time" && modifier is < 0 or >= 6 ? staged : null;
        if (type == ColumnType.Timestamp)
            return name == "timestamp" && modifier is < 0 or >= 6 ? staged : null;
        return name == "timestamptz" && modifier is < 0 or >= 6 ? staged : null;
    }

    private static int Scale(int modifier) => (((modifier - 4) & 0x7ff) ^ 1024) - 1024;
}
