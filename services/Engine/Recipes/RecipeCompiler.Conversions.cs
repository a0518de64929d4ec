using System.Text.Json.Nodes;
using Qualiz.Contracts.Values;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Recipes;

/// <summary>Rules that read text as another type.</summary>
public sealed partial class RecipeCompiler
{
    private void Apply(NumberRule rule, string path)
    {
        var type = TypeOf(rule.Type, $"{path}.type");
        if (!type.IsNumeric)
            throw new RecipeException(RecipeException.ColumnType, $"The type of a number is int64, decimal(p,s) or double, not {type}.", $"{path}.type");
        var locale = Culture(rule.Locale, path)?.NumberFormat;
        var point = rule.Decimal ?? locale?.NumberDecimalSeparator ?? ".";
        var thousands = rule.Thousands ?? locale?.NumberGroupSeparator switch { "\u00a0" or "\u202f" => " ", "\u2019" => "'", var other => other };
        if (point.Length != 1 || char.IsAsciiDigit(point[0]) || point[0] is '+' or '-')
            throw new RecipeException(RecipeException.FormatInvalid, "The decimal separator is one character, usually . or ,", $"{path}.decimal");
        if (thousands is { Length: not 1 } || thousands == point)
            throw new RecipeException(RecipeException.FormatInvalid, "The thousands separator is one character other than the decimal separator.", $"{path}.thousands");
        var settings = new NumberSettings(point, thousands, rule.Remove, type);
        Convert(rule, path, rule.Columns, type, rule.Else, rule.Default, $"not a number of type {type}", column =>
            column.Type == ColumnType.Text ? Number(Quote(column.Name), settings)
            : column.Type.IsNumeric ? Exact(column, type)
            : null);
    }

    /// <summary>A number read from text; null where it is none.</summary>
    private static string Number(string text, NumberSettings settings)
    {
        var format = new JsonObject
        {
            ["decimal"] = settings.Decimal,
            ["thousands"] = settings.Thousands,
            ["remove"] = Words(settings.Remove),
            // Digits that the type could not hold are a failure, not something to round away.
            ["scale"] = settings.Type switch { ColumnType.DecimalType { Scale: var scale } => scale, var type when type == ColumnType.Int64 => 0, _ => null },
            ["exponent"] = settings.Type == ColumnType.Double,
        };
        return $"TRY_CAST(qz_number({Sql.Literal(format.ToJsonString())}, {text}) AS {settings.Type.DuckDb})";
    }

    private sealed record NumberSettings(string Decimal, string? Thousands, IReadOnlyList<string> Remove, ColumnType Type);

    private void Apply(DateRule rule, string path)
    {
        var type = rule.To switch
        {
            DateTarget.Date => ColumnType.Date,
            DateTarget.Timestamp => ColumnType.Timestamp,
            _ => ColumnType.TimestampTz,
        };
        var culture = Culture(rule.Locale, path);
        for (var i = 0; i < rule.Formats.Count; i++)
        {
            if (!Kernels.Text.DateFormat.TryRead(rule.Formats[i], out _))
                throw new RecipeException(RecipeException.FormatInvalid, $"\"{rule.Formats[i]}\" is no date format; it is made of yyyy, MM, MMM, dd, HH, mm, ss, zzz and the signs between them.", $"{path}.formats[{Number(i)}]");
        }
        var settings = Sql.Literal(new JsonObject { ["formats"] = Words(rule.Formats), ["locale"] = culture?.Name }.ToJsonString());
        Convert(rule, path, rule.Columns, type, rule.Else, rule.Default, $"not a {type} as {string.Join(" or ", rule.Formats)}", column =>
            column.Type == ColumnType.Text
                ? rule.To switch
                {
                    DateTarget.Date => $"qz_date({settings}, {Quote(column.Name)})",
                    DateTarget.Timestamp => $"qz_timestamp({settings}, {Quote(column.Name)})",
                    _ => $"CAST(qz_timestamp({settings}, {Quote(column.Name)}) AS TIMESTAMPTZ)",
                }
            : IsTemporal(column.Type) ? Exact(column, type)
            : null);
    }

    private void Apply(CastRule rule, string path)
    {
        var type = TypeOf(rule.Type, $"{path}.type");
        Convert(rule, path, rule.Columns, type, rule.Else, rule.Default, $"not a value of type {type}", column =>
            (column.Type.IsNumeric && type.IsNumeric) || (IsTemporal(column.Type) && IsTemporal(type)) ? Exact(column, type)
            : column.Type == ColumnType.Text && type.IsNumeric ? Number(Quote(column.Name), new NumberSettings(".", null, [], type))
            : $"TRY_CAST({Quote(column.Name)} AS {type.DuckDb})");
    }

    private void Apply(BooleanRule rule, string path)
    {
        var both = rule.True.Intersect(rule.False, StringComparer.OrdinalIgnoreCase).FirstOrDefault();
        if (both is not null)
            throw new RecipeException(RecipeException.ValueInvalid, $"\"{both}\" is a word for true and for false.", $"{path}.false");
        var settings = Sql.Literal(new JsonObject { ["true"] = Words(rule.True), ["false"] = Words(rule.False) }.ToJsonString());
        Convert(rule, path, rule.Columns, ColumnType.Bool, rule.Else, rule.Default, "not a word for true or false", column =>
            column.Type == ColumnType.Bool ? Quote(column.Name)
            : column.Type == ColumnType.Text ? $"qz_boolean({settings}, {Quote(column.Name)})"
            : column.Type == ColumnType.Int64 ? $"qz_boolean({settings}, CAST({Quote(column.Name)} AS VARCHAR))"
            : null);
    }

    /// <summary>A rule that reads cells as another type, and what becomes of those that cannot be read.</summary>
    /// <param name="reader">The converted value, which is null where it failed; null for a column of a wrong type.</param>
    private void Convert(
        Rule rule, string path, ColumnSelection selection, ColumnType type, Else otherwise, Scalar? byDefault, string message, Func<RecipeColumn, string?> reader)
    {
        var instead = Otherwise(otherwise, byDefault, type, path);
        var columns = Columns(selection, path, column => column.Type == ColumnType.Text || (!selection.IsAll && reader(column) is not null),
            column => Unfit(rule.Kind, column, "text", path, selection));
        var number = AddChangingRule(rule.Kind, path);
        // What has the type already has nothing to be read; of text only the rule knows.
        columns.RemoveAll(column => column.Type == type && type != ColumnType.Text);
        if (columns.Count == 0)
            return;
        var reads = columns.ConvertAll(column => (Column: column, Read: reader(column)!, Name: Temporary(), Flag: Temporary(), Change: Temporary(), Before: column.Current.Wanted(), TypeBefore: column.Type));
        Layer(added: [.. reads.Select(read => (read.Name, read.Read))]);
        // Blank text is an empty cell of the new type.
        Layer(added: [.. reads.Select(read => (read.Flag, Quote(read.Column.Name) is var cell && read.Column.Type == ColumnType.Text
            ? $"CASE WHEN {Quote(read.Name)} IS NULL THEN NOT coalesce(qz_blank({cell}), true) ELSE false END"
            : $"{Quote(read.Name)} IS NULL AND {cell} IS NOT NULL"))]);

        var replaced = new Dictionary<RecipeColumn, string>();
        var changes = new List<(string, string)>();
        foreach (var (column, _, name, flag, change, before, _) in reads)
        {
            var cell = Quote(column.Name);
            var converted = Quote(name);
            var failure = AddFailure(rule.Kind, column.Name, path, otherwise, flag, message, () => Quote(before.Name));
            var keepsText = otherwise == Else.Keep && column.Type == ColumnType.Text;
            if (otherwise == Else.Keep && !keepsText)
                throw new RecipeException(RecipeException.ColumnType, $"Column \"{column.Name}\" is {column.Type} and would become {type}: a value that fails cannot be kept.", $"{path}.else");
            replaced[column] = otherwise switch
            {
                // A column has one type: when what fails is kept, all of it stays text, and what was read is written in one form.
                Else.Keep when keepsText => $"CASE WHEN {converted} IS NOT NULL THEN CAST({converted} AS VARCHAR) ELSE {cell} END",
                Else.Default => $"CASE WHEN {Quote(flag)} THEN {instead} ELSE {converted} END",
                _ => converted,
            };
            changes.Add((change, column.Type == type
                ? $"({replaced[column]}) IS DISTINCT FROM {cell}"
                : $"CAST({replaced[column]} AS VARCHAR) IS DISTINCT FROM CAST({cell} AS VARCHAR)"));
            if (failure.Rejects)
                column.Unread.Add((flag, before, null));
        }
        Layer(replaced, changes, [.. reads.Select(read => read.Name)]);
        foreach (var (column, _, _, _, change, before, typeBefore) in reads)
        {
            if (otherwise != Else.Keep || column.Type != ColumnType.Text)
                column.Type = type;
            column.Nullable = true;
            AddChange(number, change, column.Name, before, typeBefore, column.Current, column.Type);
        }
    }

    private static bool IsTemporal(ColumnType type) => type == ColumnType.Date || type == ColumnType.Timestamp || type == ColumnType.TimestampTz;

    /// <summary>A numeric or temporal column in another such type, null where that would lose something.</summary>
    private static string Exact(RecipeColumn column, ColumnType type)
    {
        var name = Quote(column.Name);
        return column.Type == type ? name
            : $"CASE WHEN TRY_CAST(TRY_CAST({name} AS {type.DuckDb}) AS {column.Type.DuckDb}) = {name} THEN TRY_CAST({name} AS {type.DuckDb}) END";
    }
}
