using System.Text;

namespace Qualiz.Benchmarks.Quality;

/// <summary>Reads the files of the match sets: one delimiter, one quote, perhaps an escape.</summary>
internal static class DelimitedText
{
    public static (IReadOnlyList<string> Header, List<string[]> Rows) Read(string path, char delimiter = ',', char quote = '"', char? escape = null, Encoding? encoding = null)
    {
        var text = File.ReadAllText(path, encoding ?? Encoding.UTF8);
        var records = new List<string[]>();
        var fields = new List<string>();
        var field = new StringBuilder();
        var (quoted, any) = (false, false);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (escape == c && i + 1 < text.Length)
                field.Append(text[++i]);
            else if (quoted)
            {
                if (c != quote)
                    field.Append(c);
                else if (i + 1 < text.Length && text[i + 1] == quote)
                    field.Append(text[++i]);
                else
                    quoted = false;
            }
            else if (c == quote && field.ToString().Trim().Length == 0)
                (quoted, any) = (true, true);
            else if (c == delimiter)
            {
                fields.Add(field.ToString());
                field.Clear();
                any = true;
            }
            else if (c == '\n')
                End();
            else if (c != '\r')
                field.Append(c);
        }
        End();
        return ([.. records[0].Select(name => name.Trim())], records[1..]);

        void End()
        {
            if (any || field.Length > 0)
            {
                fields.Add(field.ToString());
                records.Add([.. fields]);
            }
            fields.Clear();
            field.Clear();
            any = false;
        }
    }
}
