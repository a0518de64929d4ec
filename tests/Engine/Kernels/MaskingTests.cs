using System.Globalization;
using System.Text;
using CsCheck;
using Qualiz.Engine.Kernels.Masking;
using Qualiz.Engine.Kernels.Text;

namespace Qualiz.Engine.Tests.Kernels;

public sealed class MaskingTests
{
    private const string Key128 = "2B7E151628AED2A6ABF7158809CF4F3C";
    private const string Key192 = Key128 + "EF4359D8D580AA4F";
    private const string Key256 = Key192 + "7F036D6F04FC6A94";

    // The nine samples that NIST published with SP 800-38G.
    [Theory]
    [InlineData(Key128, 10, "", "0123456789", "2433477484")]
    [InlineData(Key128, 10, "39383736353433323130", "0123456789", "6124200773")]
    [InlineData(Key128, 36, "3737373770717273373737", "0123456789abcdefghi", "a9tv40mll9kdu509eum")]
    [InlineData(Key192, 10, "", "0123456789", "2830668132")]
    [InlineData(Key192, 10, "39383736353433323130", "0123456789", "2496655549")]
    [InlineData(Key192, 36, "3737373770717273373737", "0123456789abcdefghi", "xbj3kv35jrawxv32ysr")]
    [InlineData(Key256, 10, "", "0123456789", "6657667009")]
    [InlineData(Key256, 10, "39383736353433323130", "0123456789", "1001623463")]
    [InlineData(Key256, 36, "3737373770717273373737", "0123456789abcdefghi", "xs8a0azh2avyalyzuwd")]
    public void Ff1_gives_the_standards_own_samples(string key, int radix, string tweak, string plain, string cipher)
    {
        using var ff1 = new Ff1(Convert.FromHexString(key), radix, Convert.FromHexString(tweak));
        const string alphabet = "0123456789abcdefghijklmnopqrstuvwxyz";
        var numerals = plain.Select(c => alphabet.IndexOf(c, StringComparison.Ordinal)).ToArray();
        ff1.Encrypt(numerals);
        string.Concat(numerals.Select(numeral => alphabet[numeral])).ShouldBe(cipher);
    }

    [Fact]
    public void Ff1_maps_different_strings_to_different_strings_and_refuses_what_can_be_tried_out()
    {
        using var ff1 = new Ff1(Convert.FromHexString(Key256), 10);
        ff1.LeastLength.ShouldBe(6);
        using var letters = new Ff1(Convert.FromHexString(Key256), 26);
        letters.LeastLength.ShouldBe(5);
        var seen = new HashSet<string>();
        for (var i = 0; i < 20_000; i++)
        {
            var numerals = i.ToString("000000", CultureInfo.InvariantCulture).Select(c => c - '0').ToArray();
            ff1.Encrypt(numerals);
            numerals.ShouldAllBe(numeral => numeral >= 0 && numeral < 10);
            seen.Add(string.Concat(numerals)).ShouldBeTrue();
        }
        Should.Throw<ArgumentOutOfRangeException>(() => ff1.Encrypt(new int[5]));
    }

    [Fact]
    public void The_format_of_any_text_stays_or_the_text_cannot_be_masked()
    {
        using var masker = new FormatPreserving(new Ff1(Convert.FromHexString(Key256), 10), new Ff1(Convert.FromHexString(Key128), 26));
        Gen.Select(Gen.Char["aZ09 -.@ø"].Array[0, 40], Gen.Bool).Sample((signs, _) =>
        {
            var text = new string(signs);
            var (digits, letters) = (text.Count(char.IsAsciiDigit), text.Count(char.IsAsciiLetter));
            var masked = Mask(masker, text);
            if (text.Contains('ø', StringComparison.Ordinal) || digits is > 0 and < 6 || letters is > 0 and < 5)
            {
                masked.ShouldBeNull();
                return;
            }
            masked.ShouldNotBeNull();
            masked.Length.ShouldBe(text.Length);
            for (var i = 0; i < text.Length; i++)
            {
                if (char.IsAsciiDigit(text[i]))
                    char.IsAsciiDigit(masked[i]).ShouldBeTrue();
                else if (char.IsAsciiLetterUpper(text[i]))
                    char.IsAsciiLetterUpper(masked[i]).ShouldBeTrue();
                else if (char.IsAsciiLetterLower(text[i]))
                    char.IsAsciiLetterLower(masked[i]).ShouldBeTrue();
                else
                    masked[i].ShouldBe(text[i]);
            }
            Mask(masker, text).ShouldBe(masked);
        }, iter: 300, threads: 1);
    }

    [Theory]
    [InlineData("123-45-6789", 4, "*", "*******6789")]
    [InlineData("6789", 4, "*", "****")]
    [InlineData("678", 4, "*", "***")]
    [InlineData("", 4, "*", "")]
    [InlineData("Çağla", 2, "•", "•••la")]
    [InlineData("a🦆b", 0, "🦆", "🦆🦆🦆")]
    public void Redaction_counts_characters_and_never_shows_a_value_whole(string text, int keepLast, string with, string masked)
    {
        using var masker = new Redaction(with, keepLast);
        Mask(masker, text).ShouldBe(masked);
    }

    // RFC 4231, test case 2.
    [Fact]
    public void A_hash_is_hmac_sha_256_and_a_token_its_beginning()
    {
        var key = Encoding.ASCII.GetBytes("Jefe");
        using var hash = new KeyedHash([.. key], token: false);
        Mask(hash, "what do ya want for nothing?").ShouldBe("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        using var token = new KeyedHash([.. key], token: true);
        // 5b dc c1 46 bf ... as groups of five bits: 01011 01111 01110 01100 00010 10001 10101 11111 ...
        var spelt = Mask(token, "what do ya want for nothing?")!;
        spelt.ShouldStartWith("bfec2hnz");
        spelt.Length.ShouldBe(26);
    }

    private static string? Mask(Masker masker, string text)
    {
        var buffer = new TextBuffer();
        return masker.Mask(Encoding.UTF8.GetBytes(text), buffer) ? Encoding.UTF8.GetString(buffer.Text) : null;
    }
}
