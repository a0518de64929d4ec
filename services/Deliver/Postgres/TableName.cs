using System.Text;

namespace Qualiz.Deliver.Postgres;

/// <summary>A table's name, exactly as written; parts may be quoted: <c>marts.customers</c>, <c>"My schema"."t.x"</c>.</summary>
internal sealed record TableName(string Schema, string Table)
{
    /// <summary>PostgreSQL cuts longer names off without a word.</summary>
    public const int LongestName = 63;

    /// <summary>Quoted, for SQL.</summary>
    public string Sql => $"{Quote(Schema)}.{Quote(Table)}";

    public override string ToString() => $"{Schema}.{Table}";

    public static TableName Parse(string text)
    {
        var parts = new List<string>();
        var at = 0;
        while (true)
        {
            parts.Add(Part(text, ref at));
            if (at == text.Length)
                break;
            if (text[at++] != '.')
                throw Wrong(text);
        }
        return parts switch
        {
            [var table] => new TableName("public", table),
            [var schema, var table] => new TableName(schema, table),
            _ => throw Wrong(text),
        };
    }

    public static string Quote(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    public static bool Fits(string name) => name.Length > 0 && Encoding.UTF8.GetByteCount(name) <= LongestName && !name.Contains('\0', StringComparison.Ordinal);

    private static string Part(string text, ref int at)
    {
        var part = new StringBuilder();
        if (at < text.Length && text[at] == '"')
        {
            for (at++; ; at++)
            {
                if (at >= text.Length)
                    throw Wrong(text);
                if (text[at] != '"')
                    part.Append(text[at]);
                else if (at + 1 < text.Length && text[at + 1] == '"')
                    part.Append(text[at++]);
                else
                    break;
            }
            at++;
        }
        else
        {
            while (at < text.Length && (char.IsLetterOrDigit(text[at]) || text[at] is '_' or '$' or '-'))
                part.Append(text[at++]);
        }
        var name = part.ToString();
        return Fits(name) ? name : throw Wrong(text);
    }

    private static DeliveryException Wrong(string text)
    {
        var shown = text.Length <= 100 ? text : string.Concat(text.AsSpan(0, 97), "...");
        return new DeliveryException("tableName", $"\"{shown}\" is no table name; write schema.table, with each part of at most {LongestName} bytes, in double quotes if it has other signs than letters, digits, _, $ and -.", "to.table");
    }
}
