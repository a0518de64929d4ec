using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using Qualiz.Engine.Kernels.DuckDb;

namespace Qualiz.Engine.Kernels.Text;

/// <summary>
/// Kernels that read text as something else; null where it is not that. <c>qz_number(format, text)</c> gives the number's text in one form,
/// <c>qz_date(formats, text)</c> and <c>qz_timestamp(formats, text)</c> take the first format that fits, <c>qz_boolean(words, text)</c> words for true and false,
/// <c>qz_blank(text)</c> says whether there is nothing but white space.
/// </summary>
internal static unsafe class ReadingKernels
{
    private static readonly Settings<NumberFormat> Numbers = new(NumberFormat.Read);
    private static readonly Settings<DateFormat[]> Dates = new(ReadFormats);
    private static readonly Settings<WordList> Words = new(WordList.Read);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void Number(nint info, nint chunk, nint output) => KernelLibrary.Guard(info, chunk, output, &Number);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void Date(nint info, nint chunk, nint output) => KernelLibrary.Guard(info, chunk, output, &Date);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void Timestamp(nint info, nint chunk, nint output) => KernelLibrary.Guard(info, chunk, output, &Timestamp);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void Boolean(nint info, nint chunk, nint output) => KernelLibrary.Guard(info, chunk, output, &Boolean);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void Blank(nint info, nint chunk, nint output) => KernelLibrary.Guard(info, chunk, output, &Blank);

    private static DateFormat[] ReadFormats(string json)
    {
        using var document = JsonDocument.Parse(json);
        var culture = document.RootElement.TryGetProperty("locale", out var locale) && locale.GetString() is { } name ? CultureInfo.GetCultureInfo(name) : null;
        return [.. document.RootElement.GetProperty("formats").EnumerateArray().Select(format => DateFormat.TryRead(format.GetString()!, out var read, culture) ? read : throw new FormatException())];
    }

    private static void Number(in Call call)
    {
        if (call.Rows == 0)
            return;
        var format = Numbers.Of(call.Column(0).Text(0));
        var texts = call.Column(1);
        var result = new Result(call.Output);
        var target = TextBuffers.Own.Next();
        for (var row = 0; row < call.Rows; row++)
        {
            call.ThrowIfStopped();
            if (!texts.IsNull(row) && format.TryRead(texts.Text(row), target))
                result.SetText(row, target.Text);
            else
                result.SetNull(row);
        }
    }

    private static void Date(in Call call) => Moments(call, days: true);

    private static void Timestamp(in Call call) => Moments(call, days: false);

    private static void Moments(in Call call, bool days)
    {
        const long Day = 86_400_000_000;
        if (call.Rows == 0)
            return;
        var formats = Dates.Of(call.Column(0).Text(0));
        var texts = call.Column(1);
        var result = new Result(call.Output);
        for (var row = 0; row < call.Rows; row++)
        {
            call.ThrowIfStopped();
            if (texts.IsNull(row) || !TryParse(formats, texts.Text(row), out var local, out var offset))
                result.SetNull(row);
            // The day is the one that stands there, a moment is one in UTC.
            else if (days)
                ((int*)result.Data)[row] = (int)(local >= 0 ? local / Day : (local - Day + 1) / Day);
            else
                ((long*)result.Data)[row] = local - (offset * 60_000_000L);
        }
    }

    private static bool TryParse(DateFormat[] formats, ReadOnlySpan<byte> text, out long local, out int offset)
    {
        foreach (var format in formats)
        {
            if (format.TryParse(text, out local, out offset))
                return true;
        }
        (local, offset) = (0, 0);
        return false;
    }

    private static void Boolean(in Call call)
    {
        if (call.Rows == 0)
            return;
        var words = Words.Of(call.Column(0).Text(0));
        var texts = call.Column(1);
        var result = new Result(call.Output);
        for (var row = 0; row < call.Rows; row++)
        {
            call.ThrowIfStopped();
            if (!texts.IsNull(row) && words.TryFind(texts.Text(row), out var value))
                ((bool*)result.Data)[row] = value;
            else
                result.SetNull(row);
        }
    }

    private static void Blank(in Call call)
    {
        var texts = call.Column(0);
        var result = new Result(call.Output);
        for (var row = 0; row < call.Rows; row++)
        {
            call.ThrowIfStopped();
            if (texts.IsNull(row))
                result.SetNull(row);
            else
                ((bool*)result.Data)[row] = WhiteSpace.IsBlank(texts.Text(row));
        }
    }

    /// <summary>Words for true and false; upper and lower case are the same, blanks around them do not matter.</summary>
    private sealed class WordList
    {
        private readonly Dictionary<string, bool> _words = new(StringComparer.OrdinalIgnoreCase);
        private int _longest;

        public static WordList Read(string json)
        {
            using var document = JsonDocument.Parse(json);
            var list = new WordList();
            foreach (var value in (bool[])[true, false])
            {
                foreach (var word in document.RootElement.GetProperty(value ? "true" : "false").EnumerateArray())
                {
                    list._words.TryAdd(word.GetString()!, value);
                    list._longest = Math.Max(list._longest, System.Text.Encoding.UTF8.GetByteCount(word.GetString()!));
                }
            }
            return list;
        }

        public bool TryFind(ReadOnlySpan<byte> text, out bool value)
        {
            value = false;
            text = WhiteSpace.Trim(text);
            // A letter of the other case has at most three times the bytes.
            if (text.Length > 3 * _longest || text.Length > 512)
                return false;
            Span<char> word = stackalloc char[text.Length];
            System.Text.Unicode.Utf8.ToUtf16(text, word, out _, out var written);
            return _words.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(word[..written], out value);
        }
    }
}
