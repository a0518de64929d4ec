using System.Collections.Frozen;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Qualiz.Engine.Kernels.Codes;

/// <summary>Forms of text that can be told without looking anywhere, with their check digits.</summary>
internal static class TextForm
{
    /// <summary>No URL and no address is longer; JSON may be.</summary>
    private const int LongestUrl = 2048;

    public static bool Is(ReadOnlySpan<byte> form, ReadOnlySpan<byte> text) => form switch
    {
        _ when form.SequenceEqual("uuid"u8) => IsUuid(text),
        _ when form.SequenceEqual("url"u8) => IsUrl(text),
        _ when form.SequenceEqual("ip"u8) => IsIpv4(text) || IsIpv6(text),
        _ when form.SequenceEqual("ipv4"u8) => IsIpv4(text),
        _ when form.SequenceEqual("ipv6"u8) => IsIpv6(text),
        _ when form.SequenceEqual("json"u8) => IsJson(text),
        _ when form.SequenceEqual("iban"u8) => IsIban(text),
        _ when form.SequenceEqual("luhn"u8) => IsLuhn(text),
        _ when form.SequenceEqual("ean"u8) => IsEan(text),
        _ when form.SequenceEqual("isbn"u8) => IsIsbn(text),
        _ => throw new ArgumentOutOfRangeException(nameof(form)),
    };

    public static bool IsUuid(ReadOnlySpan<byte> text)
    {
        if (text.Length != 36)
            return false;
        for (var i = 0; i < text.Length; i++)
        {
            if (i is 8 or 13 or 18 or 23 ? text[i] != '-' : !char.IsAsciiHexDigit((char)text[i]))
                return false;
        }
        return true;
    }

    public static bool IsUrl(ReadOnlySpan<byte> text)
    {
        if (text.Length is < 8 or > LongestUrl)
            return false;
        foreach (var c in text)
        {
            if (c <= ' ' || c == 0x7f || "<>\"{}|\\^`"u8.Contains(c))
                return false;
        }
        return Uri.TryCreate(Encoding.UTF8.GetString(text), UriKind.Absolute, out var url)
            && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps)
            && url.HostNameType is UriHostNameType.Dns or UriHostNameType.IPv4 or UriHostNameType.IPv6
            && text[(url.Scheme.Length + 1)..].StartsWith("//"u8);
    }

    /// <summary>Four decimal numbers to 255 without leading zeros, which some take for octal.</summary>
    public static bool IsIpv4(ReadOnlySpan<byte> text)
    {
        if (text.Length is < 7 or > 15)
            return false;
        var parts = 0;
        while (true)
        {
            var end = text.IndexOf((byte)'.');
            var part = end < 0 ? text : text[..end];
            if (part.Length is 0 or > 3 || !IsDigits(part) || (part.Length > 1 && part[0] == '0') || Number(part) > 255)
                return false;
            parts++;
            if (end < 0)
                return parts == 4;
            text = text[(end + 1)..];
        }
    }

    public static bool IsIpv6(ReadOnlySpan<byte> text)
    {
        if (text.Length is < 2 or > 45)
            return false;
        foreach (var c in text)
        {
            // No brackets, zones, ports or prefixes.
            if (!char.IsAsciiHexDigit((char)c) && c is not ((byte)':' or (byte)'.'))
                return false;
        }
        return IPAddress.TryParse(text, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6;
    }

    public static bool IsJson(ReadOnlySpan<byte> text)
    {
        try
        {
            var reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = 1_000_000 });
            var any = false;
            while (reader.Read())
                any = true;
            return any;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    public static bool IsIban(ReadOnlySpan<byte> text)
    {
        if (text.Length is < 15 or > 34)
            return false;
        foreach (var c in text)
        {
            if (!char.IsAsciiDigit((char)c) && !char.IsAsciiLetterUpper((char)c))
                return false;
        }
        if (!char.IsAsciiDigit((char)text[2]) || !char.IsAsciiDigit((char)text[3])
            || !IbanLengths.TryGetValue(Encoding.ASCII.GetString(text[..2]), out var length) || length != text.Length)
            return false;
        // ISO 7064 MOD 97-10 over the text with its first four characters at the end, letters as 10 to 35.
        var rest = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[(i + 4) % text.Length];
            rest = char.IsAsciiDigit((char)c) ? ((rest * 10) + c - '0') % 97 : ((rest * 100) + c - 'A' + 10) % 97;
        }
        return rest == 1;
    }

    public static bool IsLuhn(ReadOnlySpan<byte> text)
    {
        if (text.Length < 2 || !IsDigits(text))
            return false;
        var sum = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var digit = text[^(i + 1)] - '0';
            if (i % 2 == 1)
                digit = digit > 4 ? (2 * digit) - 9 : 2 * digit;
            sum = (sum + digit) % 10;
        }
        return sum == 0;
    }

    public static bool IsEan(ReadOnlySpan<byte> text)
    {
        if (text.Length is not (8 or 12 or 13 or 14) || !IsDigits(text))
            return false;
        var sum = 0;
        for (var i = 0; i < text.Length; i++)
            sum += (text[^(i + 1)] - '0') * (i % 2 == 0 ? 1 : 3);
        return sum % 10 == 0;
    }

    public static bool IsIsbn(ReadOnlySpan<byte> text)
    {
        if (text.Length == 13)
            return IsEan(text) && (text.StartsWith("978"u8) || text.StartsWith("979"u8));
        if (text.Length != 10 || !IsDigits(text[..9]) || (text[9] != 'X' && !char.IsAsciiDigit((char)text[9])))
            return false;
        var sum = text[9] == 'X' ? 10 : text[9] - '0';
        for (var i = 0; i < 9; i++)
            sum += (10 - i) * (text[i] - '0');
        return sum % 11 == 0;
    }

    private static bool IsDigits(ReadOnlySpan<byte> text) => text.IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0;

    private static int Number(ReadOnlySpan<byte> digits)
    {
        var number = 0;
        foreach (var c in digits)
            number = (10 * number) + c - '0';
        return number;
    }

    // SWIFT's registry of IBAN formats.
    private static readonly FrozenDictionary<string, int> IbanLengths = (
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 " +
        "IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 " +
        "SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30")
        .Split(' ').ToFrozenDictionary(entry => entry[..2], entry => int.Parse(entry.AsSpan(2), System.Globalization.CultureInfo.InvariantCulture), StringComparer.Ordinal);
}
