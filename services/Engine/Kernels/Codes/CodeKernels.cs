using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using PhoneNumbers;
using Qualiz.Engine.Kernels.DuckDb;
using Qualiz.Engine.Kernels.Text;

namespace Qualiz.Engine.Kernels.Codes;

/// <summary>
/// Kernels that bring text with a meaning into one form; null where it is not that. <c>qz_email(text)</c> (trimmed, the domain in lower case),
/// <c>qz_phone(form, text, country)</c>, <c>qz_country(form, text)</c>, <c>qz_currency(form, text)</c>;
/// and <c>qz_format(form, text)</c>, which says whether it is one already.
/// </summary>
internal static unsafe class CodeKernels
{
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void ReadEmail(nint info, nint chunk, nint output) => KernelLibrary.Guard(info, chunk, output, &ReadEmail);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void ReadPhone(nint info, nint chunk, nint output) => KernelLibrary.Guard(info, chunk, output, &ReadPhone);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void ReadCountry(nint info, nint chunk, nint output) => KernelLibrary.Guard(info, chunk, output, &ReadCountry);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void ReadCurrency(nint info, nint chunk, nint output) => KernelLibrary.Guard(info, chunk, output, &ReadCurrency);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void IsFormat(nint info, nint chunk, nint output) => KernelLibrary.Guard(info, chunk, output, &IsFormat);

    private static void IsFormat(in Call call)
    {
        if (call.Rows == 0)
            return;
        var form = call.Column(0).Text(0);
        var texts = call.Column(1);
        var result = new Result(call.Output);
        for (var row = 0; row < call.Rows; row++)
        {
            call.ThrowIfStopped();
            if (texts.IsNull(row))
                result.SetNull(row);
            else
                ((bool*)result.Data)[row] = TextForm.Is(form, texts.Text(row));
        }
    }

    private static void ReadEmail(in Call call)
    {
        var texts = call.Column(0);
        var result = new Result(call.Output);
        var buffer = TextBuffers.Own.Next();
        for (var row = 0; row < call.Rows; row++)
        {
            call.ThrowIfStopped();
            var text = texts.IsNull(row) ? default : WhiteSpace.Trim(texts.Text(row));
            if (!Email.IsValid(text))
            {
                result.SetNull(row);
                continue;
            }
            buffer.Clear();
            buffer.Add(text);
            var domain = buffer.Written[(text.LastIndexOf((byte)'@') + 1)..];
            foreach (ref var c in domain)
            {
                if ((uint)(c - 'A') <= 25)
                    c |= 0x20;
            }
            result.SetText(row, buffer.Text);
        }
    }

    private static void ReadPhone(in Call call)
    {
        if (call.Rows == 0)
            return;
        var form = Encoding.UTF8.GetString(call.Column(0).Text(0)) switch
        {
            "international" => PhoneNumberFormat.INTERNATIONAL,
            "national" => PhoneNumberFormat.NATIONAL,
            _ => PhoneNumberFormat.E164,
        };
        var texts = call.Column(1);
        var countries = call.Column(2);
        var result = new Result(call.Output);
        for (var row = 0; row < call.Rows; row++)
        {
            call.ThrowIfStopped();
            if (texts.IsNull(row))
            {
                result.SetNull(row);
                continue;
            }
            var country = countries.IsNull(row) ? null : CodeTable.Countries.Value.Find(Encoding.UTF8.GetString(countries.Text(row)), "alpha2");
            Set(ref result, row, Phone.Format(Encoding.UTF8.GetString(texts.Text(row)), country, form));
        }
    }

    private static void ReadCountry(in Call call) => Find(call, CodeTable.Countries.Value);

    private static void ReadCurrency(in Call call) => Find(call, CodeTable.Currencies.Value);

    private static void Find(in Call call, CodeTable table)
    {
        if (call.Rows == 0)
            return;
        var form = Encoding.UTF8.GetString(call.Column(0).Text(0));
        var texts = call.Column(1);
        var result = new Result(call.Output);
        for (var row = 0; row < call.Rows; row++)
        {
            call.ThrowIfStopped();
            // No spelling is longer.
            if (texts.IsNull(row) || texts.Texts[row].Length > 200)
                result.SetNull(row);
            else
                Set(ref result, row, table.Find(Encoding.UTF8.GetString(texts.Text(row)), form));
        }
    }

    private static void Set(ref Result result, int row, string? text)
    {
        if (text is null)
            result.SetNull(row);
        else
            result.SetText(row, Encoding.UTF8.GetBytes(text));
    }
}
