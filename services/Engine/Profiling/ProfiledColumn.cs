using System.Globalization;
using Qualiz.Contracts.Data;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Kernels.Profiling;
using Qualiz.Engine.Rows;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Profiling;

/// <summary>How a column goes into the profile, and how its values come out of it again.</summary>
internal sealed class ProfiledColumn
{
    /// <summary>Longer values are cut in what is shown.</summary>
    private const int Shown = 80;

    private readonly ColumnType _type;

    public ProfiledColumn(DatasetColumn column)
    {
        Name = column.Name;
        TypeName = column.Type;
        Masked = column.Sensitivity is not null;
        _type = DatasetFiles.TypeOf(column);
        var name = Sql.Identifier(column.Name);
        // What is nested is compared as the text that it travels as. Files as they came in may hold narrower types than their column's.
        Expression = _type.IsNested ? $"CAST({WireExpression.Of(_type, name).Sql} AS VARCHAR)" : $"CAST({name} AS {_type.DuckDb})";
        Kind = _type switch
        {
            { IsNested: true } => ValueKind.Opaque,
            ColumnType.DecimalType { Precision: <= 4 } => ValueKind.Decimal16,
            ColumnType.DecimalType { Precision: <= 9 } => ValueKind.Decimal32,
            ColumnType.DecimalType { Precision: <= 18 } => ValueKind.Decimal64,
            ColumnType.DecimalType => ValueKind.Decimal128,
            _ when _type == ColumnType.Text => ValueKind.Text,
            _ when _type == ColumnType.Bool => ValueKind.Bool,
            _ when _type == ColumnType.Int64 => ValueKind.Whole,
            _ when _type == ColumnType.Double => ValueKind.Real,
            _ when _type == ColumnType.Date => ValueKind.Day,
            _ => ValueKind.Moment,
        };
        Scale = _type is ColumnType.DecimalType { Scale: var scale } ? scale : 0;
    }

    public string Name { get; }

    public string TypeName { get; }

    public bool Masked { get; }

    public ValueKind Kind { get; }

    /// <summary>Digits behind the point of a decimal.</summary>
    public int Scale { get; }

    /// <summary>What the kernel is given.</summary>
    public string Expression { get; }

    /// <summary>A value, in a relation with the column's name, as a text in the wire format.</summary>
    public string Wire => $"CAST({WireExpression.Of(_type, Sql.Identifier(Name)).Sql} AS VARCHAR)";

    public bool IsText => Kind is ValueKind.Text or ValueKind.Opaque;

    /// <summary>What is measured is different by nature, and tells nothing apart.</summary>
    public bool CanBeKey => Kind is ValueKind.Text or ValueKind.Whole or ValueKind.Day || (Kind >= ValueKind.Decimal16 && Scale == 0);

    /// <summary>A value as SQL of the column's type.</summary>
    public string Literal(Int128 value) => Kind switch
    {
        ValueKind.Bool => Sql.Literal(value != 0),
        ValueKind.Real => Sql.Literal(ColumnSketch.Disorder((long)value)),
        ValueKind.Day => value == int.MaxValue ? "DATE 'infinity'" : value == -int.MaxValue ? "DATE '-infinity'" : $"(DATE '1970-01-01' + CAST({Number(value)} AS INTEGER))",
        ValueKind.Moment when _type == ColumnType.Time => value >= 86_400_000_000 ? "TIME '24:00:00'" : $"(TIME '00:00:00' + to_microseconds(CAST({Number(value)} AS BIGINT)))",
        ValueKind.Moment => $"CAST({(value == long.MaxValue ? "TIMESTAMP 'infinity'" : value == -long.MaxValue ? "TIMESTAMP '-infinity'" : $"make_timestamp(CAST({Number(value)} AS BIGINT))")} AS {_type.DuckDb})",
        ValueKind.Whole => $"CAST({Number(value)} AS BIGINT)",
        _ => $"CAST('{Decimal(value)}' AS {_type.DuckDb})",
    };

    /// <summary>Values as texts in the wire format.</summary>
    public async Task<IReadOnlyList<string>> ShowAsync(EngineSession session, IReadOnlyList<Int128> values, CancellationToken ct)
    {
        if (values.Count == 0)
            return [];
        if (Kind is ValueKind.Real or ValueKind.Day or ValueKind.Moment)
        {
            var select = string.Join(", ", values.Select(value => $"CAST({WireExpression.Of(_type, Literal(value)).Sql} AS VARCHAR)"));
            return (await session.QueryAsync($"SELECT {select}", row => (IReadOnlyList<string>)[.. Enumerable.Range(0, values.Count).Select(row.GetString)], ct).ConfigureAwait(false)).Single();
        }
        return [.. values.Select(value => Kind == ValueKind.Bool ? value != 0 ? "true" : "false" : Kind == ValueKind.Whole ? Number(value) : Decimal(value))];
    }

    /// <summary>A number as plain digits.</summary>
    public string Plain(Int128 value) => Kind == ValueKind.Real ? ColumnSketch.Disorder((long)value).ToString("R", CultureInfo.InvariantCulture) : Kind == ValueKind.Whole ? Number(value) : Decimal(value);

    /// <summary>The beginning of a text.</summary>
    public static string Show(string text)
    {
        if (text.Length <= Shown)
            return text;
        var end = 0;
        for (var characters = 0; characters < Shown && end < text.Length; characters++)
            end += char.IsSurrogatePair(text, end) ? 2 : 1;
        return text[..end];
    }

    private static string Number(Int128 value) => value.ToString(CultureInfo.InvariantCulture);

    private string Decimal(Int128 value)
    {
        if (Scale == 0)
            return Number(value);
        var digits = Int128.Abs(value).ToString(CultureInfo.InvariantCulture).PadLeft(Scale + 1, '0');
        return $"{(value < 0 ? "-" : "")}{digits[..^Scale]}.{digits[^Scale..]}";
    }
}
