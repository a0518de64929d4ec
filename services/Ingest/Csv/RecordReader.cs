using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Unicode;
using Qualiz.Engine.Types;
using Qualiz.Ingest.Typing;

namespace Qualiz.Ingest.Csv;

/// <summary>The scanner plus the judgement on each record; survey and rewriter see the same records with the same verdict.</summary>
internal sealed class RecordReader : IDisposable
{
    private readonly CsvLayout _layout;
    private readonly bool _anyDeclared;
    private readonly byte[][] _nulls;
    private readonly byte[][] _header;
    private int _top;

    /// <param name="top">How many records to step over first.</param>
    public RecordReader(Stream stream, CsvLayout layout, long offset, long limit, int top)
    {
        Scanner = new CsvScanner(stream, layout.Dialect, offset, limit);
        _layout = layout;
        _top = top;
        _nulls = [.. layout.Nulls];
        _header = [.. layout.HeaderFields];
        _anyDeclared = layout.Declared.Any(type => type is not null && type != ColumnType.Text);
    }

    public CsvScanner Scanner { get; }

    public RecordFault Fault { get; private set; }

    /// <summary>The column at fault, or -1.</summary>
    public int FaultColumn { get; private set; }

    /// <summary>Blank lines passed; they are no records unless the file has one column.</summary>
    public long Blank { get; private set; }

    /// <summary>How many lines the header and what is above it take.</summary>
    public long TopLines { get; private set; }

    /// <summary>Records with characters beyond ASCII that are UTF-8.</summary>
    public long Multibyte { get; private set; }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public bool Next()
    {
        while (true)
        {
            Scanner.Expected = _top > 0 || _layout.Pad ? 0 : _layout.Columns.Count;
            if (!Scanner.Next())
                return false;
            if (Scanner.Blank && (_layout.Columns.Count > 1 || _top > 0))
            {
                Blank++;
                continue;
            }
            if (_top > 0)
            {
                _top--;
                TopLines = Scanner.LinesPassed;
                if (_top < _layout.HeaderRows)
                    continue;
                Fault = RecordFault.BeforeHeader;
                FaultColumn = -1;
                return true;
            }
            Judge();
            return true;
        }
    }

    // Asked of every field: what is seldom the case stays behind a call.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsNull(in FieldSlice field) => !field.Quoted && (field.Length == 0 || (_nulls.Length > 0 && IsNullWord(field)));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool IsNullWord(in FieldSlice field)
    {
        var bytes = Scanner.Bytes(field);
        foreach (var text in _nulls)
        {
            if (bytes.SequenceEqual(text))
                return true;
        }
        return false;
    }

    public void Dispose() => Scanner.Dispose();

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Judge()
    {
        FaultColumn = -1;
        Fault = Scanner.Fault;
        if (_layout.Pad && Fault == RecordFault.None && Scanner.Count > _layout.Columns.Count)
            Fault = RecordFault.TooManyFields;
        if (Fault == RecordFault.None && !Ascii.IsValid(Scanner.Raw))
        {
            if (Utf8.IsValid(Scanner.Raw))
                Multibyte++;
            else
                Fault = RecordFault.InvalidText;
        }
        if (Fault == RecordFault.None && _header.Length > 0 && IsHeader())
            Fault = RecordFault.RepeatedHeader;
        if (Fault != RecordFault.None || !_anyDeclared)
            return;
        var fields = Scanner.Fields;
        var count = Math.Min(fields.Length, _layout.Columns.Count);
        for (var i = 0; i < count; i++)
        {
            if (_layout.Declared[i] is not { } type || type == ColumnType.Text || IsNull(fields[i]))
                continue;
            if (!Fits(type, fields[i], _layout.Dates.Count > 0 ? _layout.Dates[i] : null))
            {
                Fault = RecordFault.WrongType;
                FaultColumn = i;
                return;
            }
        }
    }

    // Asked of every record: the first field tells nearly always.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool IsHeader()
    {
        var fields = Scanner.Fields;
        return fields.Length == _header.Length && fields[0].Length >= _header[0].Length && Scanner.Bytes(fields[0]).StartsWith(_header[0]) && AllOfHeader(fields);
    }

    private bool AllOfHeader(ReadOnlySpan<FieldSlice> fields)
    {
        for (var i = 0; i < fields.Length; i++)
        {
            if (!fields[i].Escaped ? !Scanner.Bytes(fields[i]).SequenceEqual(_header[i]) : !Unescaped(fields[i]).SequenceEqual(_header[i]))
                return false;
        }
        return true;
    }

    private ReadOnlySpan<byte> Unescaped(in FieldSlice field)
    {
        var text = new byte[field.Length];
        return text.AsSpan(0, Scanner.Unescape(field, text));
    }

    private bool Fits(ColumnType type, in FieldSlice field, string? dates)
    {
        if (!field.Escaped)
            return DeclaredCheck.Fits(type, Scanner.Bytes(field), _layout.DecimalSign, dates);
        return DeclaredCheck.Fits(type, Unescaped(field), _layout.DecimalSign, dates);
    }
}
