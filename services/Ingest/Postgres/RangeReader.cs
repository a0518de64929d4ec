using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Unicode;
using DuckDB.NET.Native;
using Npgsql;
using Qualiz.Engine.Types;
using Qualiz.Ingest.Sources;
using Qualiz.Ingest.Typing;

namespace Qualiz.Ingest.Postgres;

/// <summary>
/// Reads rows of COPY's binary form from one line and writes them into the engine's vectors. A value that its type does not hold exactly sets its row aside.
/// </summary>
internal sealed unsafe class RangeReader(TableCopy copy, NpgsqlConnection connection)
{
    private const int MaxRowBytes = 256 << 20;
    private const int DaysTo2000 = 10957;
    private const long MicrosecondsTo2000 = 946_684_800_000_000;

    private static readonly long[] Powers = [1, 10, 100, 1000];

    private readonly PostgresColumn[] _columns = [.. copy.Columns];
    private readonly Target[] _targets = new Target[copy.Columns.Count];
    private readonly int[] _starts = new int[copy.Columns.Count];
    private readonly int[] _lengths = new int[copy.Columns.Count];
    private byte[] _buffer = new byte[1 << 17];
    private int _at;
    private int _filled;
    private NpgsqlRawCopyStream? _stream;

    /// <summary>Fills the chunk; 0: this reader has no more.</summary>
    public int Fill(DuckDBDataChunk chunk, int room)
    {
        for (var i = 0; i < _columns.Length; i++)
            _targets[i] = new Target(NativeMethods.DataChunks.DuckDBDataChunkGetVector(chunk, i), _columns[i]);
        var rows = 0;
        long set = 0;
        while (rows < room)
        {
            if (_stream is null && !Begin())
                break;
            if (!NextTuple())
            {
                End();
                continue;
            }
            var fault = -1;
            for (var i = 0; i < _columns.Length; i++)
            {
                if (_lengths[i] < 0)
                    _targets[i].SetNull(rows);
                else if (!Write(ref _targets[i], rows, _columns[i], _buffer.AsSpan(_starts[i], _lengths[i])))
                {
                    fault = i;
                    break;
                }
            }
            if (fault < 0)
            {
                rows++;
                continue;
            }
            set++;
            copy.Reject(_columns, i => _lengths[i] < 0 ? null : Show(_columns[i], _buffer.AsSpan(_starts[i], _lengths[i])), fault);
            foreach (ref var target in _targets.AsSpan())
                target.SetValid(rows);
        }
        copy.Count(rows + set);
        return rows;
    }

    private bool Begin()
    {
        if (copy.NextRange() is not { } sql)
            return false;
        _stream = connection.BeginRawBinaryCopy(sql);
        _at = _filled = 0;
        Need(19);
        // The signature is Npgsql's to check; what follows is flags and the length of an extension.
        var extension = BinaryPrimitives.ReadInt32BigEndian(_buffer.AsSpan(15));
        Need(19 + extension);
        _at = 19 + extension;
        return true;
    }

    private void End()
    {
        _stream!.Dispose();
        _stream = null;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool NextTuple()
    {
        Need(2);
        var fields = BinaryPrimitives.ReadInt16BigEndian(_buffer.AsSpan(_at));
        if (fields < 0)
        {
            _at += 2;
            return false;
        }
        var length = 2;
        for (var i = 0; i < fields; i++)
        {
            if (_filled - _at < length + 4)
                Need(length + 4);
            var bytes = BinaryPrimitives.ReadInt32BigEndian(_buffer.AsSpan(_at + length));
            length += 4;
            _starts[i] = length;
            _lengths[i] = bytes;
            if (bytes <= 0)
                continue;
            length += bytes;
            if (_filled - _at < length)
                Need(length);
        }
        for (var i = 0; i < fields; i++)
            _starts[i] += _at;
        _at += length;
        return true;
    }

    // At least so many bytes behind the current place; what lies before it may go.
    private void Need(int bytes)
    {
        if (_filled - _at >= bytes)
            return;
        if (bytes > MaxRowBytes)
            throw new IngestException("rowTooLarge", $"A row is larger than {MaxRowBytes >> 20} MB.", "from");
        if (_buffer.Length - _at < bytes)
        {
            var target = _buffer.Length < bytes ? new byte[Math.Max(bytes, _buffer.Length * 2)] : _buffer;
            _buffer.AsSpan(_at, _filled - _at).CopyTo(target);
            _buffer = target;
            _filled -= _at;
            _at = 0;
        }
        while (_filled - _at < bytes)
        {
            var read = _stream!.Read(_buffer.AsSpan(_filled));
            if (read == 0)
                throw new IngestException("sourceUnavailable", "The server ended the line in the middle of its rows.", "from") { Transient = true };
            _filled += read;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool Write(ref Target target, int row, PostgresColumn column, ReadOnlySpan<byte> value)
    {
        switch (column.Form)
        {
            case WireForm.Bool:
                ((byte*)target.Data)[row] = value[0];
                return true;
            case WireForm.Int16:
                ((long*)target.Data)[row] = BinaryPrimitives.ReadInt16BigEndian(value);
                return true;
            case WireForm.Int32:
                ((long*)target.Data)[row] = BinaryPrimitives.ReadInt32BigEndian(value);
                return true;
            case WireForm.Int64:
                ((long*)target.Data)[row] = BinaryPrimitives.ReadInt64BigEndian(value);
                return true;
            case WireForm.Oid:
                ((long*)target.Data)[row] = BinaryPrimitives.ReadUInt32BigEndian(value);
                return true;
            case WireForm.Single:
                ((double*)target.Data)[row] = BinaryPrimitives.ReadSingleBigEndian(value);
                return true;
            case WireForm.Double:
                ((double*)target.Data)[row] = BinaryPrimitives.ReadDoubleBigEndian(value);
                return true;
            case WireForm.Date:
                var days = BinaryPrimitives.ReadInt32BigEndian(value);
                ((int*)target.Data)[row] = days switch { int.MaxValue => int.MaxValue, int.MinValue => -int.MaxValue, _ => days + DaysTo2000 };
                return true;
            case WireForm.Time:
                ((long*)target.Data)[row] = BinaryPrimitives.ReadInt64BigEndian(value);
                return true;
            case WireForm.Timestamp:
                var moment = BinaryPrimitives.ReadInt64BigEndian(value);
                if (moment is not (long.MaxValue or long.MinValue) && moment > long.MaxValue - 1 - MicrosecondsTo2000)
                    return false;
                ((long*)target.Data)[row] = moment switch { long.MaxValue => long.MaxValue, long.MinValue => -long.MaxValue, _ => moment + MicrosecondsTo2000 };
                return true;
            case WireForm.Numeric:
                if (!TryDecimal(value, target.Precision, target.Scale, out var number))
                    return false;
                if (target.Precision > 18)
                    ((Int128*)target.Data)[row] = number;
                else if (target.Precision > 9)
                    ((long*)target.Data)[row] = (long)number;
                else if (target.Precision > 4)
                    ((int*)target.Data)[row] = (int)number;
                else
                    ((short*)target.Data)[row] = (short)number;
                return true;
            case WireForm.Uuid:
                Span<byte> uuid = stackalloc byte[36];
                new Guid(value, bigEndian: true).TryFormat(uuid, out _);
                target.SetText(row, uuid);
                return true;
            default:
                if (column.Form == WireForm.Jsonb)
                    value = value[1..];
                if (!Utf8.IsValid(value) || (column.Check is { } declared && !DeclaredCheck.Fits(declared, value, (byte)'.')))
                    return false;
                target.SetText(row, value);
                return true;
        }
    }

    /// <summary>A number of base 10000 digits as a whole number of the last decimal; false when it does not fit, or is none.</summary>
    internal static bool TryDecimal(ReadOnlySpan<byte> value, int precision, int scale, out Int128 number)
    {
        number = 0;
        var digits = BinaryPrimitives.ReadInt16BigEndian(value);
        var weight = BinaryPrimitives.ReadInt16BigEndian(value[2..]);
        var sign = BinaryPrimitives.ReadUInt16BigEndian(value[4..]);
        if (sign is not (0 or 0x4000))
            return false;
        var limit = Limits[precision];
        // The exponent of ten, in units of the last decimal, of the group last taken in.
        var exponent = 0;
        for (var i = 0; i < digits; i++)
        {
            int group = BinaryPrimitives.ReadInt16BigEndian(value[(8 + (2 * i))..]);
            exponent = ((weight - i) * 4) + scale;
            if (number > limit)
                return false;
            if (exponent >= 0)
            {
                if (number > MaxBeforeGroup)
                    return false;
                number = (number * 10_000) + group;
            }
            else if (exponent > -4)
            {
                var cut = Powers[-exponent];
                if (group % cut != 0)
                    return false;
                number = (number * Powers[4 + exponent]) + (group / cut);
                exponent = 0;
            }
            else if (group != 0)
            {
                return false;
            }
            else
            {
                exponent = 0;
            }
        }
        for (; exponent > 0 && number != 0; exponent--)
        {
            if (number > limit)
                return false;
            number *= 10;
        }
        if (number >= limit)
            return false;
        if (sign != 0)
            number = -number;
        return true;
    }

    private static readonly Int128 MaxBeforeGroup = Int128.MaxValue / 10_000 - 1;

    private static readonly Int128[] Limits = MakeLimits();

    private static Int128[] MakeLimits()
    {
        var limits = new Int128[39];
        limits[0] = 1;
        for (var i = 1; i < limits.Length; i++)
            limits[i] = limits[i - 1] * 10;
        return limits;
    }

    private static string Show(PostgresColumn column, ReadOnlySpan<byte> value) => column.Form switch
    {
        WireForm.Bool => value[0] != 0 ? "true" : "false",
        WireForm.Int16 => BinaryPrimitives.ReadInt16BigEndian(value).ToString(CultureInfo.InvariantCulture),
        WireForm.Int32 => BinaryPrimitives.ReadInt32BigEndian(value).ToString(CultureInfo.InvariantCulture),
        WireForm.Int64 => BinaryPrimitives.ReadInt64BigEndian(value).ToString(CultureInfo.InvariantCulture),
        WireForm.Oid => BinaryPrimitives.ReadUInt32BigEndian(value).ToString(CultureInfo.InvariantCulture),
        WireForm.Single => BinaryPrimitives.ReadSingleBigEndian(value).ToString(CultureInfo.InvariantCulture),
        WireForm.Double => BinaryPrimitives.ReadDoubleBigEndian(value).ToString(CultureInfo.InvariantCulture),
        WireForm.Numeric => ShowNumeric(value),
        WireForm.Uuid => new Guid(value, bigEndian: true).ToString(),
        WireForm.Date => BinaryPrimitives.ReadInt32BigEndian(value) is (int.MaxValue or int.MinValue) and var days ? Infinite(days) : ShowMoment(BinaryPrimitives.ReadInt32BigEndian(value) * TimeSpan.MicrosecondsPerDay, "yyyy-MM-dd"),
        WireForm.Time => new TimeSpan(BinaryPrimitives.ReadInt64BigEndian(value) * 10).ToString("c", CultureInfo.InvariantCulture),
        WireForm.Timestamp => BinaryPrimitives.ReadInt64BigEndian(value) is (long.MaxValue or long.MinValue) and var moment ? Infinite(moment) : ShowMoment(BinaryPrimitives.ReadInt64BigEndian(value), "yyyy-MM-dd HH:mm:ss.FFFFFF"),
        WireForm.Jsonb => Encoding.UTF8.GetString(value[1..]),
        _ => Encoding.UTF8.GetString(value),
    };

    private static string Infinite(long value) => value > 0 ? "infinity" : "-infinity";

    private static string ShowMoment(long microseconds, string format)
    {
        var ticks = (Int128)microseconds * 10 + DateTime.UnixEpoch.AddDays(DaysTo2000).Ticks;
        return ticks >= 0 && ticks <= DateTime.MaxValue.Ticks
            ? new DateTime((long)ticks).ToString(format, CultureInfo.InvariantCulture)
            : string.Create(CultureInfo.InvariantCulture, $"{microseconds} microseconds from 2000-01-01");
    }

    private static string ShowNumeric(ReadOnlySpan<byte> value)
    {
        var digits = BinaryPrimitives.ReadInt16BigEndian(value);
        var weight = BinaryPrimitives.ReadInt16BigEndian(value[2..]);
        var sign = BinaryPrimitives.ReadUInt16BigEndian(value[4..]);
        var scale = BinaryPrimitives.ReadInt16BigEndian(value[6..]);
        if (sign is not (0 or 0x4000))
            return sign switch { 0xd000 => "Infinity", 0xf000 => "-Infinity", _ => "NaN" };
        var text = new StringBuilder(sign == 0 ? "" : "-");
        if (weight < 0)
            text.Append('0');
        for (var place = Math.Max((int)weight, 0); place >= 0 && weight >= 0; place--)
        {
            var group = weight - place < digits ? BinaryPrimitives.ReadInt16BigEndian(value[(8 + (2 * (weight - place)))..]) : (short)0;
            text.Append(group.ToString(place == weight ? "0" : "0000", CultureInfo.InvariantCulture));
        }
        if (scale == 0)
            return text.ToString();
        var fraction = new StringBuilder();
        for (var place = -1; fraction.Length < scale; place--)
        {
            var index = weight - place;
            fraction.Append(CultureInfo.InvariantCulture, $"{(index >= 0 && index < digits ? BinaryPrimitives.ReadInt16BigEndian(value[(8 + (2 * index))..]) : (short)0):0000}");
        }
        return text.Append('.').Append(fraction, 0, scale).ToString();
    }

    /// <summary>A vector under the pen.</summary>
    private struct Target
    {
        private readonly nint _vector;
        private ulong* _validity;

        public Target(nint vector, PostgresColumn column)
        {
            _vector = vector;
            Data = NativeMethods.Vectors.DuckDBVectorGetData(vector);
            if (column.Type is ColumnType.DecimalType number)
                (Precision, Scale) = (number.Precision, number.Scale);
        }

        public void* Data { get; }
        public int Precision { get; }
        public int Scale { get; }

        public void SetNull(int row)
        {
            if (_validity == null)
            {
                NativeMethods.Vectors.DuckDBVectorEnsureValidityWritable(_vector);
                _validity = NativeMethods.Vectors.DuckDBVectorGetValidity(_vector);
            }
            _validity[row >> 6] &= ~(1UL << (row & 63));
        }

        public readonly void SetValid(int row)
        {
            if (_validity != null)
                _validity[row >> 6] |= 1UL << (row & 63);
        }

        // duckdb_string_t: the length, then up to twelve bytes in place, else four and a pointer, which the engine sets.
        public readonly void SetText(int row, ReadOnlySpan<byte> text)
        {
            if (text.Length <= 12)
            {
                var target = (byte*)Data + (16L * row);
                *(uint*)target = (uint)text.Length;
                new Span<byte>(target + 4, 12).Clear();
                text.CopyTo(new Span<byte>(target + 4, 12));
                return;
            }
            fixed (byte* bytes = text)
                NativeMethods.Vectors.DuckDBUnsafeVectorAssignStringElementLength(_vector, (ulong)row, bytes, text.Length);
        }
    }
}
