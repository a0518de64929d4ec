using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;

namespace Qualiz.Engine.Kernels.Masking;

/// <summary>
/// Format-preserving encryption FF1 of NIST SP 800-38G with AES: a permutation of the strings of one length over one alphabet. The numerals of a
/// string are 0 to radix - 1.
/// </summary>
internal sealed class Ff1 : IDisposable
{
    /// <summary>Of fewer strings than this the permutation could be tried out (the bound of SP 800-38G revision 1).</summary>
    public const int LeastStrings = 1_000_000;

    private const int Rounds = 10;
    private const int Block = 16;
    private readonly Aes _aes;
    private readonly int _radix;
    private readonly byte[] _tweak;

    public Ff1(ReadOnlySpan<byte> key, int radix, ReadOnlySpan<byte> tweak = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(radix, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(radix, 1 << 16);
        _aes = Aes.Create();
        _aes.Key = key.ToArray();
        _radix = radix;
        _tweak = tweak.ToArray();
        LeastLength = (int)Math.Ceiling(Math.Log(LeastStrings, radix) - 1e-9);
    }

    /// <summary>The length from which on strings can be encrypted.</summary>
    public int LeastLength { get; }

    public void Encrypt(Span<int> numerals)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(numerals.Length, LeastLength);
        // The names are those of the standard's algorithm 7.
        var n = numerals.Length;
        var u = n / 2;
        var v = n - u;
        var (powerU, powerV) = (BigInteger.Pow(_radix, u), BigInteger.Pow(_radix, v));
        var b = (int)(((powerV - 1).GetBitLength() + 7) / 8);
        var d = (4 * ((b + 3) / 4)) + 4;
        var padding = ((-_tweak.Length - b - 1) % Block + Block) % Block;
        var pq = new byte[Block + _tweak.Length + padding + 1 + b];
        pq[0] = 1;
        pq[1] = 2;
        pq[2] = 1;
        pq[3] = (byte)(_radix >> 16);
        pq[4] = (byte)(_radix >> 8);
        pq[5] = (byte)_radix;
        pq[6] = Rounds;
        pq[7] = (byte)u;
        BinaryPrimitives.WriteInt32BigEndian(pq.AsSpan(8), n);
        BinaryPrimitives.WriteInt32BigEndian(pq.AsSpan(12), _tweak.Length);
        _tweak.CopyTo(pq, Block);
        var encrypted = new byte[pq.Length];
        var stream = new byte[(d + Block - 1) / Block * Block];
        var a = Number(numerals[..u]);
        var other = Number(numerals[u..]);
        for (var i = 0; i < Rounds; i++)
        {
            pq[^(b + 1)] = (byte)i;
            Write(other, pq.AsSpan(pq.Length - b));
            _aes.EncryptCbc(pq, Zeros, encrypted, PaddingMode.None);
            var r = encrypted.AsSpan(encrypted.Length - Block);
            r.CopyTo(stream);
            for (var j = 1; j < stream.Length / Block; j++)
            {
                var block = stream.AsSpan(j * Block, Block);
                r.CopyTo(block);
                BinaryPrimitives.WriteInt32BigEndian(block[12..], BinaryPrimitives.ReadInt32BigEndian(block[12..]) ^ j);
                _aes.EncryptEcb(block.ToArray(), block, PaddingMode.None);
            }
            var y = new BigInteger(stream.AsSpan(0, d), isUnsigned: true, isBigEndian: true);
            var c = (a + y) % (i % 2 == 0 ? powerU : powerV);
            (a, other) = (other, c);
        }
        Spell(a, numerals[..u]);
        Spell(other, numerals[u..]);
    }

    public void Dispose() => _aes.Dispose();

    private static readonly byte[] Zeros = new byte[Block];

    private BigInteger Number(ReadOnlySpan<int> numerals)
    {
        var number = BigInteger.Zero;
        foreach (var numeral in numerals)
            number = (number * _radix) + numeral;
        return number;
    }

    private void Spell(BigInteger number, Span<int> numerals)
    {
        for (var i = numerals.Length - 1; i >= 0; i--)
        {
            number = BigInteger.DivRem(number, _radix, out var numeral);
            numerals[i] = (int)numeral;
        }
    }

    private static void Write(BigInteger number, Span<byte> target)
    {
        target.Clear();
        var length = number.GetByteCount(isUnsigned: true);
        number.TryWriteBytes(target[(target.Length - length)..], out _, isUnsigned: true, isBigEndian: true);
    }
}
