using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DuckDB.NET.Native;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;
using Qualiz.Ingest.Conversion;

namespace Qualiz.Ingest.Repeats;

/// <summary>
/// A hash of a row's content, a column of the engine's vectors at a time. Rows of equal keys have equal hashes; it is kept nowhere, so its form may change.
/// </summary>
internal sealed unsafe class ContentHash(IEnumerable<TargetColumn> columns)
{
    // Digits of pi: they only have to be without a pattern.
    private const ulong A = 0x243F6A8885A308D3;
    private const ulong B = 0x13198A2E03707345;
    private const ulong C = 0xA4093822299F31D1;
    private const ulong D = 0x082EFA98EC4E6C89;

    private readonly (string Argument, Form Form)[] _columns = [.. columns.Select(column => Column(Sql.Identifier(column.Name), column.Decision.Type))];

    private enum Form : byte
    {
        Text = 0,
        One = 1,
        Two = 2,
        Four = 4,
        Eight = 8,
        Sixteen = 16,
    }

    /// <summary>The arguments that a function over the columns takes.</summary>
    public string Arguments => string.Join(", ", _columns.Select(column => column.Argument));

    /// <param name="chunk">A <c>duckdb_data_chunk</c> of the arguments.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Compute(DuckDBDataChunk chunk, Span<ulong> hashes)
    {
        hashes.Fill(A);
        for (var i = 0; i < _columns.Length; i++)
        {
            var vector = NativeMethods.DataChunks.DuckDBDataChunkGetVector(chunk, i);
            var data = (byte*)NativeMethods.Vectors.DuckDBVectorGetData(vector);
            var validity = NativeMethods.Vectors.DuckDBVectorGetValidity(vector);
            switch (_columns[i].Form)
            {
                case Form.Text:
                    Texts((Text*)data, validity, hashes);
                    break;
                case Form.One:
                    Values<byte>(data, validity, hashes);
                    break;
                case Form.Two:
                    Values<ushort>(data, validity, hashes);
                    break;
                case Form.Four:
                    Values<uint>(data, validity, hashes);
                    break;
                case Form.Eight:
                    Values<ulong>(data, validity, hashes);
                    break;
                default:
                    Pairs((ulong*)data, validity, hashes);
                    break;
            }
        }
        foreach (ref var hash in hashes)
            hash = Mix(hash ^ B, D);
    }

    // A double may be written in several ways and a nested value in more: the engine's own hash takes equal ones for equal.
    private static (string Argument, Form Form) Column(string name, ColumnType type) => type switch
    {
        ColumnType.DecimalType { Precision: var precision } => (name, precision <= 4 ? Form.Two : precision <= 9 ? Form.Four : precision <= 18 ? Form.Eight : Form.Sixteen),
        _ when type == ColumnType.Text || type == ColumnType.Json => (name, Form.Text),
        _ when type == ColumnType.Bool => (name, Form.One),
        _ when type == ColumnType.Date => (name, Form.Four),
        _ when type == ColumnType.Int64 || type == ColumnType.Time || type == ColumnType.Timestamp || type == ColumnType.TimestampTz => (name, Form.Eight),
        _ => ($"hash({name})", Form.Eight),
    };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Values<T>(byte* data, ulong* validity, Span<ulong> hashes) where T : unmanaged
    {
        for (var row = 0; row < hashes.Length; row++)
            hashes[row] = IsNull(validity, row) ? Mix(hashes[row] ^ C, D) : Mix(hashes[row] ^ Wide(((T*)data)[row]), B);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Wide<T>(T value) where T : unmanaged =>
        sizeof(T) switch
        {
            1 => Unsafe.As<T, byte>(ref value),
            2 => Unsafe.As<T, ushort>(ref value),
            4 => Unsafe.As<T, uint>(ref value),
            _ => Unsafe.As<T, ulong>(ref value),
        };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Pairs(ulong* data, ulong* validity, Span<ulong> hashes)
    {
        for (var row = 0; row < hashes.Length; row++)
            hashes[row] = IsNull(validity, row) ? Mix(hashes[row] ^ C, D) : Mix(data[2 * row] ^ B, data[(2 * row) + 1] ^ hashes[row]);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Texts(Text* data, ulong* validity, Span<ulong> hashes)
    {
        for (var row = 0; row < hashes.Length; row++)
        {
            var hash = hashes[row];
            var text = data + row;
            if (IsNull(validity, row))
            {
                hash = Mix(hash ^ C, D);
            }
            else if (text->Length <= 12)
            {
                // What is behind a short text is zero, so length and bytes are two words.
                hash = Mix(text->First ^ B, text->Second ^ hash);
            }
            else
            {
                var at = (byte*)text->Second;
                var last = at + text->Length;
                hash ^= text->Length;
                for (; last - at > 16; at += 16)
                    hash = Mix(Word(at) ^ B, Word(at + 8) ^ hash);
                // 13 bytes at least lie before the end, and those looked at twice do no harm.
                at = last - Math.Min(16, text->Length);
                hash = Mix(Word(at) ^ C, Word(last - 8) ^ hash);
            }
            hashes[row] = hash;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Word(byte* at) => Unsafe.ReadUnaligned<ulong>(at);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsNull(ulong* validity, int row) => validity != null && (validity[row >> 6] & (1UL << (row & 63))) == 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mix(ulong left, ulong right)
    {
        var high = Math.BigMul(left, right, out var low);
        return high ^ low;
    }

    /// <summary>duckdb_string_t: the length, then up to twelve bytes in place, else four and a pointer.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 16)]
    private struct Text
    {
        [FieldOffset(0)]
        public uint Length;

        [FieldOffset(0)]
        public ulong First;

        [FieldOffset(8)]
        public ulong Second;
    }
}
