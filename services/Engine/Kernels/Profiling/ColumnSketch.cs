using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;
using Qualiz.Engine.Kernels.DuckDb;
using Qualiz.Engine.Kernels.Text;

namespace Qualiz.Engine.Kernels.Profiling;

/// <summary>How the values of a column lie in memory and what can be said of them.</summary>
internal enum ValueKind
{
    Text,

    /// <summary>Texts that stand for something else: they are counted and nothing more.</summary>
    Opaque,
    Bool,

    /// <summary>int32 days.</summary>
    Day,

    /// <summary>int64 microseconds, or another int64 with an order.</summary>
    Moment,
    Whole,
    Real,
    Decimal16,
    Decimal32,
    Decimal64,
    Decimal128,
}

/// <summary>How much one column may take in memory, whatever is in it.</summary>
/// <param name="Values">Different values that are counted one by one.</param>
/// <param name="TextBytes">Bytes of their long texts.</param>
/// <param name="Sample">Values that are sampled when there are more.</param>
/// <param name="Frequent">Counters for the frequent ones then.</param>
/// <param name="Masks">Different forms of texts.</param>
internal sealed record SketchLimits(int Values, int TextBytes, int Sample, int Frequent, int Masks);

/// <summary>
/// What is known of a column after some of its rows. While there is room, values are counted one by one and all else follows from them at the end; with too many of them it
/// goes on with sketches. What comes out depends on the values alone, not on their order or on who saw which.
/// </summary>
internal sealed unsafe class ColumnSketch
{
    private const int ExtremeValues = 5;
    private static readonly UTF8Encoding Utf8 = new(false);
    private readonly ValueKind _kind;
    private readonly double _scale;
    private readonly SketchLimits _limits;
    private readonly List<Int128> _smallest = [];
    private readonly List<Int128> _largest = [];
    private Int128 _smallestLimit = Int128.MaxValue;
    private Int128 _largestLimit = Int128.MinValue;
    private long _smallestLong = long.MaxValue;
    private long _largestLong = long.MinValue;
    private List<(long First, long Last)>? _runs = [];
    private byte[]? _min;
    private byte[]? _max;

    /// <param name="scale">Digits behind the point of a decimal.</param>
    public ColumnSketch(ValueKind kind, int scale, SketchLimits limits)
    {
        _kind = kind;
        _scale = Math.Pow(10, scale);
        _limits = limits;
        Exact = new ValueTable(IsText, limits.Values, limits.TextBytes);
    }

    public long Nulls { get; private set; }

    public long Values { get; private set; }

    /// <summary>All values with their rows; null when they are too many.</summary>
    public ValueTable? Exact { get; private set; }

    public DistinctSketch? Distinct { get; private set; }

    public ValueSample? Sample { get; private set; }

    public FrequentValues? Frequent { get; private set; }

    /// <summary>Null where there are too many.</summary>
    public ValueTable? Masks { get; private set; }

    public NumberSketch? Numbers { get; private set; }

    public MomentSketch? Moments { get; private set; }

    public long Infinite { get; private set; }

    public long Blank { get; private set; }

    public long ShortestText { get; private set; } = long.MaxValue;

    public long LongestText { get; private set; } = -1;

    public long Characters { get; private set; }

    /// <summary>Of values that are no texts: the smallest different ones, the smallest first.</summary>
    public IReadOnlyList<Int128> Smallest => _smallest;

    public IReadOnlyList<Int128> Largest => _largest;

    /// <summary>The first text in the order of its bytes, or its beginning.</summary>
    public string? Min => _min is null ? null : Utf8.GetString(_min);

    public string? Max => _max is null ? null : Utf8.GetString(_max);

    /// <summary>
    /// Every vector of rows went up without a step down or twice the same, and no two of them overlap: whole numbers that are there once, as ids are which were given in order.
    /// </summary>
    public bool Ascends
    {
        get
        {
            if (_runs is null)
                return false;
            _runs.Sort();
            for (var i = 1; i < _runs.Count; i++)
            {
                if (_runs[i].First <= _runs[i - 1].Last)
                    return false;
            }
            return _runs.Count > 0;
        }
    }

    private bool IsText => _kind is ValueKind.Text or ValueKind.Opaque;

    public void Add(in Column column, in Call call)
    {
        var rows = call.Rows;
        switch (_kind)
        {
            case ValueKind.Text or ValueKind.Opaque:
                for (var row = 0; row < rows; row++)
                {
                    if (column.IsNull(row))
                    {
                        Nulls++;
                        continue;
                    }
                    if (!column.Texts[row].IsInline)
                        call.ThrowIfStopped();
                    Add(Cell.Of(column.Texts + row));
                }
                break;
            case ValueKind.Bool:
                for (var row = 0; row < rows; row++)
                    AddOrNull(column, row, column.IsNull(row) ? default : Cell.Of((long)((byte*)column.Data)[row]));
                break;
            case ValueKind.Day or ValueKind.Decimal32:
                for (var row = 0; row < rows; row++)
                    AddOrNull(column, row, column.IsNull(row) ? default : Cell.Of((long)((int*)column.Data)[row]));
                break;
            case ValueKind.Decimal16:
                for (var row = 0; row < rows; row++)
                    AddOrNull(column, row, column.IsNull(row) ? default : Cell.Of((long)((short*)column.Data)[row]));
                break;
            case ValueKind.Moment or ValueKind.Whole or ValueKind.Decimal64:
                if (_kind == ValueKind.Whole)
                    Run(new ReadOnlySpan<long>(column.Data, rows), column.HasNulls);
                for (var row = 0; row < rows; row++)
                    AddOrNull(column, row, column.IsNull(row) ? default : Cell.Of(((long*)column.Data)[row]));
                break;
            case ValueKind.Decimal128:
                for (var row = 0; row < rows; row++)
                    AddOrNull(column, row, column.IsNull(row) ? default : Cell.Of(((Int128*)column.Data)[row]));
                break;
            case ValueKind.Real:
                for (var row = 0; row < rows; row++)
                    AddOrNull(column, row, column.IsNull(row) ? default : Cell.Of(Order(((double*)column.Data)[row])));
                break;
        }
    }

    /// <summary>Takes over what another one, which is not used any more, has seen.</summary>
    public void Add(ColumnSketch other)
    {
        Nulls += other.Nulls;
        Values += other.Values;
        if (other._runs is null)
            _runs = null;
        else
            _runs?.AddRange(other._runs);
        if (Exact is not null && other.Exact is not null)
        {
            other.Exact.Each(Count);
            return;
        }
        Overflow();
        other.Overflow();
        Distinct!.Add(other.Distinct!);
        Sample!.Add(other.Sample!);
        Frequent!.Add(other.Frequent!);
        if (Masks is not null && (other.Masks is null || !other.Masks.TryAddTo(Masks)))
            Masks = null;
        Numbers?.Add(other.Numbers!);
        Moments?.Add(other.Moments!);
        Infinite += other.Infinite;
        Blank += other.Blank;
        ShortestText = Math.Min(ShortestText, other.ShortestText);
        LongestText = Math.Max(LongestText, other.LongestText);
        Characters += other.Characters;
        if (other._min is not null)
        {
            Ends(other._min);
            Ends(other._max);
        }
        foreach (var value in other._smallest.Concat(other._largest))
            Extremes(value);
    }

    /// <summary>Derives everything from the counted values. Called once, after the last row.</summary>
    public void Finish()
    {
        if (Exact is not { } exact)
            return;
        Begin(sketches: false);
        exact.Each(Describe);
    }

    /// <summary>A value that is no text, as it stands in the tables.</summary>
    public Int128 Number(in ValueTable.Entry entry) => _kind == ValueKind.Decimal128 ? new Int128(entry.High, entry.Low) : (long)entry.Low;

    /// <summary>A number as it is for calculation.</summary>
    public double Real(Int128 value) => _kind switch
    {
        ValueKind.Real => Disorder((long)value),
        ValueKind.Decimal128 => (double)value / _scale,
        ValueKind.Whole => (long)value,
        // Of 128 bits the conversion takes much longer.
        _ => (long)value / _scale,
    };

    /// <summary>The bits of a number in its order; what is no number is the greatest.</summary>
    public static long Order(double value)
    {
        var bits = BitConverter.DoubleToInt64Bits(value == 0 ? 0 : double.IsNaN(value) ? BitConverter.Int64BitsToDouble(0x7ff8000000000000) : value);
        return bits >= 0 ? bits : bits ^ long.MaxValue;
    }

    public static double Disorder(long order) => BitConverter.Int64BitsToDouble(order >= 0 ? order : order ^ long.MaxValue);

    private void Run(ReadOnlySpan<long> values, bool nulls)
    {
        if (_runs is null)
            return;
        for (var i = 1; i < values.Length && !nulls; i++)
            nulls = values[i] <= values[i - 1];
        if (nulls)
            _runs = null;
        else
            _runs.Add((values[0], values[^1]));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void AddOrNull(in Column column, int row, in Cell cell)
    {
        if (column.IsNull(row))
            Nulls++;
        else
            Add(cell);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Add(in Cell cell)
    {
        Values++;
        Count(cell.Hash, cell, 1);
    }

    private void Count(ulong hash, in Cell cell, long rows)
    {
        if (Exact is not null)
        {
            if (Exact.TryAdd(hash, cell, rows))
                return;
            Overflow();
        }
        Sketch(hash, cell, rows);
    }

    private void Overflow()
    {
        if (Exact is not { } exact)
            return;
        Begin(sketches: true);
        Exact = null;
        exact.Each(Sketch);
    }

    private void Begin(bool sketches)
    {
        if (sketches)
        {
            Distinct = new DistinctSketch();
            Sample = new ValueSample(IsText, _limits.Sample);
            Frequent = new FrequentValues(IsText, _limits.Frequent);
        }
        if (_kind == ValueKind.Text)
            Masks = new ValueTable(true, _limits.Masks, _limits.Masks * 64);
        else if (_kind is ValueKind.Day or ValueKind.Moment)
            Moments = new MomentSketch();
        else if (_kind is not (ValueKind.Opaque or ValueKind.Bool))
            Numbers = new NumberSketch();
    }

    private void Sketch(ulong hash, in Cell cell, long rows)
    {
        Distinct!.Add(hash);
        Sample!.Add(hash, cell, rows);
        Frequent!.Add(hash, cell, rows);
        Describe(hash, cell, rows);
    }

    private void Describe(ulong hash, in Cell cell, long rows)
    {
        if (_kind == ValueKind.Opaque)
            return;
        if (_kind == ValueKind.Text)
        {
            Describe(cell, rows);
            return;
        }
        var value = _kind == ValueKind.Decimal128 ? new Int128(cell.High, cell.Low) : (long)cell.Low;
        if (_kind == ValueKind.Decimal128 ? value < _smallestLimit || value > _largestLimit || _smallest.Count < ExtremeValues : (long)cell.Low < _smallestLong || (long)cell.Low > _largestLong || _smallest.Count < ExtremeValues)
            Extremes(value);
        if (Numbers is not null)
            Numbers.Add(Real(value), rows);
        else if (Moments is null)
            return;
        // The engine's infinities.
        else if (_kind == ValueKind.Day ? value == int.MaxValue || value == -int.MaxValue : value == long.MaxValue || value == -long.MaxValue)
            Infinite += rows;
        else
            Moments.Add((long)value, rows);
    }

    private void Describe(in Cell cell, long rows)
    {
        Span<byte> place = stackalloc byte[16];
        scoped ReadOnlySpan<byte> text;
        if (cell.Text is not null)
        {
            text = new(cell.Text, cell.TextLength);
        }
        else
        {
            BinaryPrimitives.WriteUInt32LittleEndian(place, (uint)(cell.Low >> 32));
            BinaryPrimitives.WriteUInt64LittleEndian(place[4..], cell.High);
            text = place[..cell.TextLength];
        }
        var characters = Length(text);
        ShortestText = Math.Min(ShortestText, characters);
        LongestText = Math.Max(LongestText, characters);
        Characters += characters * rows;
        if (text.Length == 0 || (text[0] is <= (byte)' ' or >= 0x80 && WhiteSpace.IsBlank(text)))
            Blank += rows;
        Ends(text);
        if (Masks is null)
            return;
        var mask = stackalloc byte[CharacterMask.LongestBytes];
        var form = Cell.Of(mask, CharacterMask.Write(text, new Span<byte>(mask, CharacterMask.LongestBytes)));
        if (!Masks.TryAdd(form.Hash, form, rows))
            Masks = null;
    }

    private static int Length(ReadOnlySpan<byte> text)
    {
        if (Ascii.IsValid(text))
            return text.Length;
        var length = 0;
        foreach (var c in text)
            length += (c & 0xc0) != 0x80 ? 1 : 0;
        return length;
    }

    private void Ends(ReadOnlySpan<byte> text)
    {
        if (_min is null || text.SequenceCompareTo(_min) < 0)
            _min = Beginning(text);
        if (_max is null || text.SequenceCompareTo(_max) > 0)
            _max = Beginning(text);
    }

    // Cut between characters.
    private static byte[] Beginning(ReadOnlySpan<byte> text)
    {
        if (text.Length <= ValueSample.LongestText)
            return text.ToArray();
        var end = ValueSample.LongestText;
        while (end > 0 && (text[end] & 0xc0) == 0x80)
            end--;
        return text[..end].ToArray();
    }

    private void Extremes(Int128 value)
    {
        Insert(_smallest, value, ascending: true);
        Insert(_largest, value, ascending: false);
        if (_smallest.Count == ExtremeValues)
            (_smallestLimit, _largestLimit) = (_smallest[^1], _largest[^1]);
        if (_smallest.Count == ExtremeValues && _kind != ValueKind.Decimal128)
            (_smallestLong, _largestLong) = ((long)_smallestLimit, (long)_largestLimit);

        static void Insert(List<Int128> values, Int128 value, bool ascending)
        {
            var at = 0;
            while (at < values.Count && (ascending ? values[at] < value : values[at] > value))
                at++;
            if (at == ExtremeValues || (at < values.Count && values[at] == value))
                return;
            values.Insert(at, value);
            if (values.Count > ExtremeValues)
                values.RemoveAt(ExtremeValues);
        }
    }
}
