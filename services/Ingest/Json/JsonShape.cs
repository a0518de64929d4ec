using System.Text.Json;
using Qualiz.Engine.Types;
using Qualiz.Ingest.Typing;

namespace Qualiz.Ingest.Json;

/// <summary>What the values at one place of JSON records have been. Objects become structs, arrays lists, as long as their values agree.</summary>
internal sealed class JsonShape
{
    // An object with more names than this is a map in disguise.
    private const int MaxFields = 200;
    private const ValueKinds Temporal = ValueKinds.Date | ValueKinds.Timestamp | ValueKinds.TimestampTz;

    private readonly Dictionary<string, JsonShape> _fields = new(StringComparer.Ordinal);
    private readonly List<string> _order = [];
    private JsonShape? _element;
    private long _texts;
    private long _numbers;
    private long _bools;
    private long _objects;
    private long _arrays;
    private bool _fraction;
    private bool _wide;
    private bool _tooWide;
    private ColumnEvidence _textEvidence = new();
    private ColumnEvidence _numberEvidence = new();

    public IReadOnlyList<string> Names => _order;

    public JsonShape Field(string name) => _fields[name];

    public void Observe(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                _texts++;
                if (!_textEvidence.IsText)
                {
                    var text = value.GetString()!;
                    // An empty text is no date; a date is ASCII.
                    if (text.Length is 0 or > 40)
                        _textEvidence.Kinds = ValueKinds.None;
                    else
                        _textEvidence.Observe(System.Text.Encoding.UTF8.GetBytes(text), (byte)'.');
                }
                break;
            case JsonValueKind.Number:
                _numbers++;
                Number(JsonMarshal(value));
                break;
            case JsonValueKind.True or JsonValueKind.False:
                _bools++;
                break;
            case JsonValueKind.Object:
                _objects++;
                foreach (var member in value.EnumerateObject())
                {
                    if (!_fields.TryGetValue(member.Name, out var field))
                    {
                        if (_fields.Count > MaxFields)
                            continue;
                        _fields[member.Name] = field = new JsonShape();
                        _order.Add(member.Name);
                    }
                    field.Observe(member.Value);
                }
                break;
            case JsonValueKind.Array:
                _arrays++;
                _element ??= new JsonShape();
                foreach (var item in value.EnumerateArray())
                    _element.Observe(item);
                break;
        }
    }

    /// <summary>A field that some record lacks the object for: made here, so that its name is known.</summary>
    public JsonShape Declare(string name)
    {
        if (!_fields.TryGetValue(name, out var field))
        {
            _fields[name] = field = new JsonShape();
            _order.Add(name);
        }
        return field;
    }

    /// <summary>The column's type where JSON itself states it, else the evidence of its texts.</summary>
    public (ColumnType? Fixed, ColumnEvidence Evidence) Column()
    {
        var text = new ColumnEvidence { Kinds = ValueKinds.None, Values = _texts + _numbers + _bools };
        if (_objects + _arrays > 0)
            return (_texts + _numbers + _bools > 0 ? ColumnType.Json : Nested() ?? ColumnType.Json, text);
        if ((_texts > 0 ? 1 : 0) + (_numbers > 0 ? 1 : 0) + (_bools > 0 ? 1 : 0) != 1)
            return (null, text);
        if (_bools > 0)
            return (ColumnType.Bool, text with { Kinds = ValueKinds.Bool });
        if (_texts > 0)
            return (null, _textEvidence with { Kinds = _textEvidence.Kinds & Temporal, Values = _texts });
        if (_tooWide)
            return (null, text);
        if (_wide)
            return (_fraction ? null : ColumnType.Int64, _fraction ? text : text with { Kinds = ValueKinds.Int });
        return (null, _numberEvidence);
    }

    // Numbers inside nested values pass through doubles in the engine, so only those that survive it are typed.
    private ColumnType? Nested()
    {
        var kinds = (_texts > 0 ? 1 : 0) + (_numbers > 0 ? 1 : 0) + (_bools > 0 ? 1 : 0) + (_objects > 0 ? 1 : 0) + (_arrays > 0 ? 1 : 0);
        if (kinds == 0)
            return ColumnType.Text;
        if (kinds > 1)
            return null;
        if (_texts > 0)
            return ColumnType.Text;
        if (_bools > 0)
            return ColumnType.Bool;
        if (_numbers > 0)
        {
            if (!_fraction && !_tooWide)
                return ColumnType.Int64;
            return !_tooWide && !_wide && _numberEvidence.Kinds.HasFlag(ValueKinds.Double) ? ColumnType.Double : null;
        }
        if (_arrays > 0)
            return _element!.IsEmpty ? null : _element.Nested() is { } of ? ColumnType.List(of) : null;
        if (_fields.Count is 0 or > MaxFields || _order.Distinct(StringComparer.OrdinalIgnoreCase).Count() != _order.Count || _order.Any(name => name.Length == 0 || name.Contains('\0', StringComparison.Ordinal)))
            return null;
        var fields = new List<StructField>();
        foreach (var name in _order)
        {
            if (_fields[name].Nested() is not { } type)
                return null;
            fields.Add(new StructField(name, type));
        }
        return ColumnType.Struct(fields);
    }

    /// <summary>Does the type hold every value here? A text holds any, as it is spelt.</summary>
    public bool Fits(ColumnType type)
    {
        if (IsEmpty)
            return true;
        return type switch
        {
            ColumnType.ListType { Of: var of } => Count(_arrays) && (_element is null || _element.Fits(of)),
            ColumnType.StructType { Fields: var fields } => Count(_objects) && _fields.Count <= MaxFields
                && _order.TrueForAll(name => fields.FirstOrDefault(field => field.Name == name) is { } field && _fields[name].Fits(field.Type)),
            _ when type == ColumnType.Text => true,
            _ when type == ColumnType.Bool => Count(_bools),
            _ when type == ColumnType.Int64 => Count(_numbers) && !_fraction && !_tooWide,
            _ when type == ColumnType.Double => Count(_numbers) && !_tooWide && !_wide && _numberEvidence.Kinds.HasFlag(ValueKinds.Double),
            _ => false,
        };
    }

    /// <summary>The type with what is new here added to it, and as text what contradicts it; null where that cannot be.</summary>
    public ColumnType? Widen(ColumnType type)
    {
        if (Fits(type))
            return type;
        switch (type)
        {
            case ColumnType.ListType { Of: var of } when Count(_arrays):
                return _element!.Member(of) is { } element ? ColumnType.List(element) : null;
            case ColumnType.StructType { Fields: var fields } when Count(_objects) && _fields.Count <= MaxFields:
                var all = new List<StructField>();
                foreach (var field in fields)
                {
                    if ((_fields.TryGetValue(field.Name, out var seen) ? seen.Member(field.Type) : field.Type) is not { } wider)
                        return null;
                    all.Add(field with { Type = wider });
                }
                foreach (var name in _order.Where(name => !fields.Any(field => field.Name == name)))
                {
                    all.Add(new StructField(name, _fields[name].Nested() ?? ColumnType.Text));
                }
                return all.Count > MaxFields || all.DistinctBy(field => field.Name, StringComparer.OrdinalIgnoreCase).Count() != all.Count || all.Exists(field => field.Name.Length == 0 || field.Name.Contains('\0', StringComparison.Ordinal))
                    ? null
                    : ColumnType.Struct(all);
            default:
                return type == ColumnType.Int64 && Fits(ColumnType.Double) ? ColumnType.Double : null;
        }
    }

    // What is of another kind than it was is text, as a column would be. What is too wide for a struct contradicts nothing.
    private ColumnType? Member(ColumnType type) => Widen(type) ?? (type.IsNested && (type is ColumnType.StructType ? Count(_objects) : Count(_arrays)) ? null : ColumnType.Text);

    private bool Count(long kind) => kind == _texts + _numbers + _bools + _objects + _arrays;

    private bool IsEmpty => _texts + _numbers + _bools + _objects + _arrays == 0;

    private void Number(ReadOnlySpan<byte> raw)
    {
        _fraction |= raw.IndexOfAny(".eE"u8) >= 0;
        if (raw.IndexOfAny(".eE"u8) < 0 && raw.Length > 15)
        {
            // A JSON number is no id: whole ones go to 64 bits.
            if (System.Buffers.Text.Utf8Parser.TryParse(raw, out long _, out var used) && used == raw.Length)
                _wide = true;
            else
                _tooWide = true;
            return;
        }
        _numberEvidence.Observe(raw, (byte)'.');
        if (_numberEvidence.IsText)
            _tooWide = true;
    }

    private static ReadOnlySpan<byte> JsonMarshal(JsonElement value) => System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(value);
}
