namespace Qualiz.Ingest.Csv;

/// <summary>Copies the good records of a file, as the survey judged them, into the one form of CSV that the engine is told to read.</summary>
internal static class CsvRewriter
{
    /// <param name="numbered">Puts each record's number in the source before its fields.</param>
    /// <returns>The length of the longest record written.</returns>
    public static long Rewrite(string source, long start, CsvLayout layout, bool numbered, string target, CancellationToken ct)
    {
        using var reader = new RecordReader(CsvSurvey.Open(source, start), layout, start, long.MaxValue, layout.TopRecords);
        using var writer = new CsvWriter(new FileStream(target, FileMode.Create, FileAccess.Write, FileShare.None, 1));
        var scanner = reader.Scanner;
        var width = layout.Columns.Count;
        var text = Array.Empty<byte>();
        for (var record = 1L; reader.Next(); record++)
        {
            if ((record & 0xfff) == 0)
                ct.ThrowIfCancellationRequested();
            if (reader.Fault != RecordFault.None)
                continue;
            if (numbered)
                writer.Number(record);
            var fields = scanner.Fields;
            for (var i = 0; i < width; i++)
            {
                if (i >= fields.Length || reader.IsNull(fields[i]))
                {
                    // One column alone: an empty line would be no record.
                    if (width == 1 && !numbered)
                        writer.NullWord();
                    else
                        writer.Null();
                }
                else if (!fields[i].Escaped)
                {
                    writer.Text(scanner.Bytes(fields[i]));
                }
                else
                {
                    if (text.Length < fields[i].Length)
                        text = new byte[fields[i].Length];
                    writer.Text(text.AsSpan(0, scanner.Unescape(fields[i], text)));
                }
            }
            writer.EndRecord();
        }
        return writer.LongestRecord;
    }
}
