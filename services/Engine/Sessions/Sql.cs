using System.Globalization;
using System.Numerics;

namespace Qualiz.Engine.Sessions;

/// <summary>The one place where names and values become SQL text. Values belong into parameters where the statement allows them.</summary>
public static class Sql
{
    /// <summary>A quoted identifier.</summary>
    public static string Identifier(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (name.Contains('\0', StringComparison.Ordinal))
            throw new ArgumentException("A name may not hold the character NUL.", nameof(name));
        return $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    /// <summary>A string literal. NUL ends a statement's text, so it is spelt <c>chr(0)</c>.</summary>
    public static string Literal(string? value)
    {
        if (value is null)
            return "NULL";
        var quoted = $"'{value.Replace("'", "''", StringComparison.Ordinal)}'";
        return value.Contains('\0', StringComparison.Ordinal)
            ? $"({quoted.Replace("\0", "' || chr(0) || '", StringComparison.Ordinal)})"
            : quoted;
    }

    public static string Literal(long value) => value.ToString(CultureInfo.InvariantCulture);

    public static string Literal(BigInteger value) => value.ToString(CultureInfo.InvariantCulture);

    public static string Literal(bool value) => value ? "true" : "false";

    public static string Literal(decimal value) => value.ToString(CultureInfo.InvariantCulture);

    public static string Literal(double value) => $"{Literal(value.ToString("R", CultureInfo.InvariantCulture))}::DOUBLE";

    public static string Literal(DateOnly value) => $"DATE '{value.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}'";

    public static string Literal(DateTimeOffset value) =>
        $"TIMESTAMPTZ '{value.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture)}+00'";

    /// <summary>A list of string literals: <c>['a', 'b']</c>.</summary>
    public static string List(IEnumerable<string> values) => $"[{string.Join(", ", values.Select(Literal))}]";

    public static string Identifiers(IEnumerable<string> names) => string.Join(", ", names.Select(Identifier));
}
