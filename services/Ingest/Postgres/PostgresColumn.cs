using Npgsql.Schema;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;
using Qualiz.Ingest.Sources;
using Qualiz.Ingest.Typing;

namespace Qualiz.Ingest.Postgres;

/// <summary>How a value stands in COPY's binary form.</summary>
internal enum WireForm : byte
{
    Bool,
    Int16,
    Int32,
    Int64,

    /// <summary>An unsigned 32-bit number.</summary>
    Oid,
    Single,
    Double,
    Numeric,
    Text,

    /// <summary>Text behind a version byte.</summary>
    Jsonb,
    Uuid,
    Date,
    Time,
    Timestamp,
}

/// <summary>A column of a PostgreSQL table or query: what the server is asked for, what comes, and what becomes of it.</summary>
/// <param name="Source">Its name there.</param>
/// <param name="Name">Its name with us.</param>
/// <param name="Type">Null where the values must be looked at first: numbers of any size.</param>
/// <param name="Ask">SQL for the server.</param>
/// <param name="Check">The declared type that each value, coming as text, is held against; else null.</param>
internal sealed record PostgresColumn(string Source, string Name, ColumnType? Type, string Ask, WireForm Form, ColumnType? Check = null)
{
    /// <summary>The elements of an array, which comes as a JSON list of texts.</summary>
    public ColumnType? Element { get; init; }

    /// <summary>The type of the engine's vector that the wire form is written to.</summary>
    public ColumnType VectorType => Check is not null || Element is not null || Form is WireForm.Text or WireForm.Jsonb or WireForm.Uuid ? ColumnType.Text : Type!;

    /// <summary>Engine SQL of the value, from the vector.</summary>
    public string Expression()
    {
        var name = Sql.Identifier(Name);
        if (Check is not null)
            return DeclaredCheck.Expression(Check, name, (byte)'.');
        if (Element is not null)
            return $"CAST(CAST(CAST({name} AS JSON) AS VARCHAR[]) AS {Element.DuckDb}[])";
        return Type == ColumnType.Json ? $"CAST({name} AS JSON)" : name;
    }

    public static PostgresColumn Make(NpgsqlDbColumn column, string name, ColumnType? declared)
    {
        var source = column.ColumnName;
        var reference = PostgresLink.Identifier(source);
        var natural = Natural(source, name, reference, column);
        if (declared is null || declared == natural.Type)
            return natural.Type is null && declared is not null ? natural with { Type = declared } : natural;
        if (declared == ColumnType.Text)
            return new PostgresColumn(source, name, ColumnType.Text, $"{reference}::text", WireForm.Text);
        // A number with any digits may well fit the decimal that is declared; the reader says of each whether it does.
        if (declared is ColumnType.DecimalType && natural.Form == WireForm.Numeric)
            return natural with { Type = declared };
        return new PostgresColumn(source, name, declared, natural.Element is null ? $"{reference}::text" : natural.Ask, WireForm.Text, declared);
    }

    private static PostgresColumn Natural(string source, string name, string reference, NpgsqlDbColumn column)
    {
        PostgresColumn Plain(ColumnType? type, WireForm form) => new(source, name, type, reference, form);
        var oid = column.TypeOID;
        return oid switch
        {
            16 => Plain(ColumnType.Bool, WireForm.Bool),
            21 => Plain(ColumnType.Int64, WireForm.Int16),
            23 => Plain(ColumnType.Int64, WireForm.Int32),
            20 => Plain(ColumnType.Int64, WireForm.Int64),
            26 => Plain(ColumnType.Int64, WireForm.Oid),
            700 => Plain(ColumnType.Double, WireForm.Single),
            701 => Plain(ColumnType.Double, WireForm.Double),
            1700 => Plain(column is { NumericPrecision: <= 38 and > 0 and var precision, NumericScale: >= 0 and var scale } && scale <= precision ? ColumnType.Decimal((int)precision, (int)scale) : null, WireForm.Numeric),
            25 or 1043 or 1042 or 19 => Plain(ColumnType.Text, WireForm.Text),
            2950 => Plain(ColumnType.Text, WireForm.Uuid),
            114 => Plain(ColumnType.Json, WireForm.Text),
            3802 => Plain(ColumnType.Json, WireForm.Jsonb),
            1082 => Plain(ColumnType.Date, WireForm.Date),
            1083 => Plain(ColumnType.Time, WireForm.Time),
            1114 => Plain(ColumnType.Timestamp, WireForm.Timestamp),
            1184 => Plain(ColumnType.TimestampTz, WireForm.Timestamp),
            17 => throw new IngestException("typeUnsupported", $"Column \"{source}\" is of type bytea, which Qualiz does not have. Read the table with a query that leaves it out or encodes it as text.", "from"),
            _ when Elements.TryGetValue(oid, out var element) =>
                new PostgresColumn(source, name, ColumnType.List(element), $"to_json({reference}::text[])::text", WireForm.Text) { Element = element },
            // Enumerations, ranges, addresses, shapes, the types of extensions: their text is exact.
            _ => new PostgresColumn(source, name, ColumnType.Text, $"{reference}::text", WireForm.Text),
        };
    }

    // Arrays of what we have; of numbers without a size, texts.
    private static readonly Dictionary<uint, ColumnType> Elements = new()
    {
        [1000] = ColumnType.Bool,
        [1005] = ColumnType.Int64,
        [1007] = ColumnType.Int64,
        [1016] = ColumnType.Int64,
        [1021] = ColumnType.Double,
        [1022] = ColumnType.Double,
        [1231] = ColumnType.Text,
        [1009] = ColumnType.Text,
        [1015] = ColumnType.Text,
        [1014] = ColumnType.Text,
        [2951] = ColumnType.Text,
        [1182] = ColumnType.Date,
        [1183] = ColumnType.Time,
        [1115] = ColumnType.Timestamp,
        [1185] = ColumnType.TimestampTz,
    };
}
