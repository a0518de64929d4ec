namespace Qualiz.Engine.Kernels.Codes;

/// <summary>
/// E-mail addresses as people have them: <c>local@domain</c> with the local part of RFC 5321's dot-atom (or letters beyond ASCII), a domain of at
/// least two labels, the last of them not a number. Quoted local parts, comments and address literals are not taken.
/// </summary>
internal static class Email
{
    private const int LongestLocal = 64;
    private const int LongestAddress = 254;

    public static bool IsValid(ReadOnlySpan<byte> text)
    {
        if (text.Length is < 6 or > LongestAddress)
            return false;
        var at = text.LastIndexOf((byte)'@');
        return at is > 0 and <= LongestLocal && IsLocal(text[..at]) && IsDomain(text[(at + 1)..]);
    }

    private static bool IsLocal(ReadOnlySpan<byte> local)
    {
        if (local[0] == '.' || local[^1] == '.')
            return false;
        var dot = false;
        foreach (var c in local)
        {
            if (c == '.')
            {
                if (dot)
                    return false;
                dot = true;
                continue;
            }
            dot = false;
            if (c < 0x80 && !IsLetterOrDigit(c) && "!#$%&'*+/=?^_`{|}~-"u8.IndexOf(c) < 0)
                return false;
        }
        return true;
    }

    private static bool IsDomain(ReadOnlySpan<byte> domain)
    {
        var labels = 0;
        var letters = false;
        while (true)
        {
            var end = domain.IndexOf((byte)'.');
            var label = end < 0 ? domain : domain[..end];
            if (label.Length is 0 or > 63 || label[0] == '-' || label[^1] == '-')
                return false;
            letters = false;
            foreach (var c in label)
            {
                if (c < 0x80 && !IsLetterOrDigit(c) && c != '-')
                    return false;
                letters |= c >= 0x80 || c > '9';
            }
            labels++;
            if (end < 0)
                return labels >= 2 && letters && label.Length >= 2;
            domain = domain[(end + 1)..];
        }
    }

    private static bool IsLetterOrDigit(byte c) => (uint)(c - '0') <= 9 || (uint)((c | 0x20) - 'a') <= 25;
}
