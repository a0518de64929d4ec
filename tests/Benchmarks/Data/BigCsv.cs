using System.Globalization;
using System.Text;

namespace Qualiz.Benchmarks.Data;

/// <summary>Generates a large CSV of customers: mixed columns, some quoted, some empty, and a few lines that are broken. The same every time.</summary>
internal static class BigCsv
{
    public const int RowsOfOne = 5_000_000;

    private static readonly string[] First = ["Anna", "Ben", "Chloé", "Dmitri", "Eve", "Femi", "Gül", "Hans", "Ines", "Jan"];
    private static readonly string[] Last = ["Miller", "O'Neil", "van der Berg", "\"Smith, Jr.\"", "Nakamura", "Øverland", "Brown", "Lee"];
    private static readonly string[] Countries = ["US", "GB", "NO", "DE"];

    /// <returns>How many lines are broken.</returns>
    public static int Write(string path, int rows)
    {
        using var file = new StreamWriter(path, false, new UTF8Encoding(false), 1 << 20);
        file.Write("customer_id,name,email,country,birth_date,balance,visits,active\n");
        var line = new StringBuilder(256);
        var random = 12345u;
        var bad = 0;
        for (var i = 0; i < rows; i++)
        {
            random = (random * 1664525) + 1013904223;
            var last = Last[(random >> 8) % (uint)Last.Length];
            var first = First[(random >> 16) % (uint)First.Length];
            line.Clear();
            line.Append(1_000_000 + i).Append(',');
            if (last[0] == '"')
                line.Append('"').Append(first).Append(' ').Append(last, 1, last.Length - 1);
            else
                line.Append(first).Append(' ').Append(last);
            line.Append(",user").Append((i * 31L) % 4_999_999).Append("@example.org,").Append(Countries[(random >> 4) % 4]).Append(',');
            if (random % 50 != 0)
                line.Append(CultureInfo.InvariantCulture, $"{1950 + (i % 60)}-{1 + (i % 12):00}-{1 + (i % 28):00}");
            line.Append(CultureInfo.InvariantCulture, $",{random % 100_000}.{random % 90 + 10},{i % 1000},").Append(i % 3 == 0 ? "true" : "false");
            // Twenty lines in all have a field too many.
            if (i % (rows / 20) == rows / 40)
            {
                line.Append(",oops");
                bad++;
            }
            file.Write(line.Append('\n'));
        }
        return bad;
    }
}
