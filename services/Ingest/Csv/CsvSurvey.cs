using System.Runtime.CompilerServices;
using Qualiz.Ingest.Typing;

namespace Qualiz.Ingest.Csv;

/// <summary>What a look at every byte of a file has shown. Records = good + rejected, counted independently of the engine.</summary>
internal sealed class CsvSurvey
{
    public long Records { get; private set; }
    public long Rejected { get; private set; }
    public long Good => Records - Rejected;

    /// <summary>Blank lines; they are no records.</summary>
    public long Blank { get; private set; }
    public LineEnds LineEnds { get; private set; }
    public int LongestRecord { get; private set; }

    /// <summary>True when all rejected records have the wrong number of fields, which the engine steps over by itself.</summary>
    public bool OnlyFieldCounts { get; private set; } = true;

    /// <summary>True when the header is not on the first line or goes over its end.</summary>
    public bool TopSpansLines { get; private set; }
    public ColumnEvidence[] Evidence { get; private set; } = [];

    /// <summary>Records with characters beyond ASCII that are UTF-8, and records that are not UTF-8.</summary>
    public long Multibyte { get; private set; }
    public long InvalidText { get; private set; }

    /// <summary>The numbers of the rejected records, 1-based, ascending.</summary>
    public List<long> RejectedRecords { get; } = [];

    /// <summary>The rejected records, with what to add to their record and line numbers.</summary>
    public List<(RejectSpool Spool, long Records, long Lines)> Spools { get; } = [];

    /// <summary>Surveys a UTF-8 file on as many threads as granted.</summary>
    /// <param name="start">Where the text begins (behind a byte order mark).</param>
    public static CsvSurvey Run(string path, long start, CsvLayout layout, int threads, Func<RejectSpool> newSpool, Action<long> progress, CancellationToken ct)
    {
        var length = new FileInfo(path).Length;
        var size = Math.Max(4L << 20, (length / (threads * 4L)) + 1);
        var ranges = new List<(long From, long To)>();
        for (var at = start; at < length || ranges.Count == 0; at += size)
            ranges.Add((at, at + size >= length ? long.MaxValue : at + size));
        var parts = new Part?[ranges.Count];
        // The newline that ends records is not known yet; a part that begins in a quoted field, or in a file that uses lone carriage
        // returns, is simply surveyed again from its right beginning.
        Parallel.For(0, ranges.Count, new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, threads), CancellationToken = ct }, i =>
        {
            var from = i == 0 ? ranges[0].From : FindLineStart(path, ranges[i].From, ranges[i].To);
            if (from >= 0)
                parts[i] = Survey(path, layout, from, ranges[i].To, i == 0 ? layout.TopRecords : 0, newSpool(), progress, ct);
        });

        var survey = new CsvSurvey { Evidence = NewEvidence(layout) };
        var next = ranges[0].From;
        var lines = 0L;
        for (var i = 0; i < ranges.Count; i++)
        {
            if (next >= ranges[i].To || next >= length)
                continue;
            var part = parts[i];
            if (part is null || part.From != next)
                part = Survey(path, layout, next, ranges[i].To, i == 0 ? layout.TopRecords : 0, newSpool(), progress, ct);
            survey.Append(part, lines);
            if (i == 0)
                survey.TopSpansLines = part.TopLines > layout.TopRecords;
            next = part.To;
            lines += part.Lines;
        }
        return survey;
    }

    private void Append(Part part, long lines)
    {
        foreach (var record in part.RejectedRecords)
            RejectedRecords.Add(Records + record);
        if (part.Spool.Count > 0)
            Spools.Add((part.Spool, Records, lines));
        Records += part.Records;
        Rejected += part.Spool.Count;
        Blank += part.Blank;
        Multibyte += part.Multibyte;
        InvalidText += part.InvalidText;
        LineEnds |= part.LineEnds;
        LongestRecord = Math.Max(LongestRecord, part.LongestRecord);
        OnlyFieldCounts &= part.OnlyFieldCounts;
        for (var i = 0; i < Evidence.Length; i++)
            Evidence[i].Merge(part.Evidence[i]);
    }

    private static ColumnEvidence[] NewEvidence(CsvLayout layout)
    {
        var evidence = new ColumnEvidence[layout.Columns.Count];
        for (var i = 0; i < evidence.Length; i++)
            evidence[i] = new ColumnEvidence();
        return evidence;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static Part Survey(string path, CsvLayout layout, long from, long to, int top, RejectSpool spool, Action<long> progress, CancellationToken ct)
    {
        using var rejects = spool;
        using var reader = new RecordReader(Open(path, from), layout, from, to, top);
        var evidence = NewEvidence(layout);
        var part = new Part { From = from, Evidence = evidence, Spool = spool };
        var scanner = reader.Scanner;
        var sign = layout.DecimalSign;
        var longest = 0;
        var records = 0L;
        var reported = 0L;
        while (reader.Next())
        {
            records++;
            if ((records & 0xfff) == 0)
            {
                ct.ThrowIfCancellationRequested();
                progress(records - reported);
                reported = records;
            }
            if (reader.Fault != RecordFault.None)
            {
                part.OnlyFieldCounts &= reader.Fault is RecordFault.TooFewFields or RecordFault.TooManyFields && scanner.Count > 0;
                if (reader.Fault == RecordFault.InvalidText)
                    part.InvalidText++;
                part.RejectedRecords.Add(records);
                spool.Add(records, reader, layout);
                continue;
            }
            var raw = scanner.Raw;
            if (raw.Length > longest)
                longest = raw.Length;
            var fields = scanner.Fields;
            for (var i = 0; i < fields.Length; i++)
            {
                ref readonly var field = ref fields[i];
                ref var column = ref evidence[i];
                if (field.Length == 0)
                {
                    if (field.Quoted)
                        column.QuotedEmpty++;
                    continue;
                }
                if (reader.IsNull(field))
                    continue;
                if (!field.Escaped)
                    column.Observe(scanner.Bytes(field), sign);
                else
                {
                    column.Values++;
                    column.Kinds = ValueKinds.None;
                }
            }
        }
        progress(records - reported);
        part.To = scanner.NextOffset;
        part.TopLines = reader.TopLines;
        part.Records = records;
        part.Lines = scanner.LinesPassed;
        part.Blank = reader.Blank;
        part.Multibyte = reader.Multibyte;
        part.LineEnds = scanner.LineEnds;
        part.LongestRecord = longest;
        return part;
    }

    public static FileStream Open(string path, long offset)
    {
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.SequentialScan);
        stream.Position = offset;
        return stream;
    }

    private static long FindLineStart(string path, long from, long to)
    {
        using var stream = Open(path, from - 1);
        Span<byte> buffer = stackalloc byte[4096];
        var at = from - 1;
        while (at < to)
        {
            var read = stream.Read(buffer);
            if (read == 0)
                return -1;
            var found = buffer[..read].IndexOf((byte)'\n');
            if (found >= 0)
                return at + found + 1;
            at += read;
        }
        return -1;
    }

    private sealed class Part
    {
        public required long From { get; init; }
        public required ColumnEvidence[] Evidence { get; init; }
        public required RejectSpool Spool { get; init; }
        public long To { get; set; }
        public long Records { get; set; }
        public long Lines { get; set; }
        public long Blank { get; set; }
        public long Multibyte { get; set; }
        public long InvalidText { get; set; }
        public LineEnds LineEnds { get; set; }
        public int LongestRecord { get; set; }
        public bool OnlyFieldCounts { get; set; } = true;
        public long TopLines { get; set; }
        public List<long> RejectedRecords { get; } = [];
    }
}
