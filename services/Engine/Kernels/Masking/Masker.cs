using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Qualiz.Engine.Kernels.Text;

namespace Qualiz.Engine.Kernels.Masking;

/// <summary>Puts another text in the place of a value. SQL knows an instance by its number, so that no key is ever part of a statement.</summary>
internal abstract class Masker : IDisposable
{
    private static readonly ConcurrentDictionary<int, Masker> Known = new();
    private static int _last;

    protected Masker()
    {
        Number = Interlocked.Increment(ref _last);
        Known[Number] = this;
    }

    /// <summary>The first argument of the kernel.</summary>
    public int Number { get; }

    public static Masker Of(int number) => Known[number];

    /// <summary>Writes the masked text; false where the value cannot be masked. Called by many threads at once.</summary>
    public abstract bool Mask(ReadOnlySpan<byte> text, TextBuffer target);

    public virtual void Dispose() => Known.TryRemove(Number, out _);
}

/// <summary>Every character but the last <paramref name="keepLast"/> becomes <paramref name="with"/>, also all of them where there are no more.</summary>
internal sealed class Redaction(string with, int keepLast) : Masker
{
    private readonly byte[] _with = Encoding.UTF8.GetBytes(with);

    public override bool Mask(ReadOnlySpan<byte> text, TextBuffer target)
    {
        var characters = 0;
        foreach (var c in text)
            characters += IsFirst(c) ? 1 : 0;
        var hidden = characters <= keepLast ? characters : characters - keepLast;
        var at = 0;
        for (var i = 0; i < hidden; i++)
        {
            target.Add(_with);
            do
                at++;
            while (at < text.Length && !IsFirst(text[at]));
        }
        target.Add(text[at..]);
        return true;
    }

    private static bool IsFirst(byte c) => (c & 0xC0) != 0x80;
}

/// <summary>One text for all values.</summary>
internal sealed class Replacement(string text) : Masker
{
    private readonly byte[] _text = Encoding.UTF8.GetBytes(text);

    public override bool Mask(ReadOnlySpan<byte> text, TextBuffer target)
    {
        target.Add(_text);
        return true;
    }
}

/// <summary>HMAC-SHA-256 in hexadecimal digits; as a token its first 130 bits in base 32, which fits where keys go.</summary>
internal sealed class KeyedHash(byte[] key, bool token) : Masker
{
    private const int TokenLength = 26;

    public override bool Mask(ReadOnlySpan<byte> text, TextBuffer target)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, text, hash);
        Span<byte> spelt = stackalloc byte[2 * HMACSHA256.HashSizeInBytes];
        if (!token)
        {
            for (var i = 0; i < hash.Length; i++)
                (spelt[2 * i], spelt[(2 * i) + 1]) = ("0123456789abcdef"u8[hash[i] >> 4], "0123456789abcdef"u8[hash[i] & 15]);
            target.Add(spelt);
            return true;
        }
        for (var i = 0; i < TokenLength; i++)
        {
            var bit = 5 * i;
            // Crockford's digits: no letter looks like a digit.
            spelt[i] = "0123456789abcdefghjkmnpqrstvwxyz"u8[(((hash[bit / 8] << 8) | hash[(bit / 8) + 1]) >> (11 - (bit % 8))) & 31];
        }
        target.Add(spelt[..TokenLength]);
        return true;
    }

    public override void Dispose()
    {
        base.Dispose();
        CryptographicOperations.ZeroMemory(key);
    }
}

/// <summary>
/// Digits become other digits and letters other letters of their case, both by FF1; all other signs stay where they are. What has fewer digits, or
/// fewer letters, than can be encrypted safely, or letters and digits beyond ASCII, cannot be masked.
/// </summary>
internal sealed class FormatPreserving(Ff1 digits, Ff1 letters) : Masker
{
    // The work of a value grows with the square of its length.
    private const int Longest = 1000;

    public override bool Mask(ReadOnlySpan<byte> text, TextBuffer target)
    {
        if (text.Length > Longest)
            return false;
        Span<int> numerals = stackalloc int[text.Length];
        Span<byte> masked = stackalloc byte[text.Length];
        text.CopyTo(masked);
        foreach (var (cipher, isDigits) in ((Ff1, bool)[])[(digits, true), (letters, false)])
        {
            var count = 0;
            foreach (var c in text)
            {
                if (c >= 0x80)
                    return false;
                if (isDigits ? char.IsAsciiDigit((char)c) : char.IsAsciiLetter((char)c))
                    numerals[count++] = isDigits ? c - '0' : (c | 0x20) - 'a';
            }
            if (count == 0)
                continue;
            if (count < cipher.LeastLength)
                return false;
            cipher.Encrypt(numerals[..count]);
            count = 0;
            for (var i = 0; i < text.Length; i++)
            {
                var c = (char)text[i];
                if (isDigits ? char.IsAsciiDigit(c) : char.IsAsciiLetter(c))
                    masked[i] = (byte)(numerals[count++] + (isDigits ? '0' : char.IsAsciiLetterUpper(c) ? 'A' : 'a'));
            }
        }
        target.Add(masked);
        return true;
    }

    public override void Dispose()
    {
        base.Dispose();
        digits.Dispose();
        letters.Dispose();
    }
}
