using System.Globalization;
using System.Text;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Types;

/// <summary>
/// A column's type, in the words of the pipeline file (<see cref="Parse"/>, <see cref="ToString"/>) and of the engine
/// (<see cref="DuckDb"/>, <see cref="FromDuckDb"/>). Equal by value.
/// </summary>
public abstract record ColumnType
{
    private ColumnType()
    {
    }

    public static readonly ColumnType Text = new Simple("text", "VARCHAR");
    public static readonly ColumnType Bool = new Simple("bool", "BOOLEAN");
    public static readonly ColumnType Int64 = new Simple("int64", "BIGINT");
    public static readonly ColumnType Double = new Simple("double", "DOUBLE");
    public static readonly ColumnType Date = new Simple("date", "DATE");
    public static readonly ColumnType Time = new Simple("time", "TIME");
    public static readonly ColumnType Timestamp = new Simple("timestamp", "TIMESTAMP");

    /// <summary>An instant; stored as UTC.</summary>
    public static readonly ColumnType TimestampTz = new Simple("timestamptz", "TIMESTAMP WITH TIME ZONE");
    public static readonly ColumnType Json = new Simple("json", "JSON");

    private static readonly Simple[] Simples =
        [(Simple)Text, (Simple)Bool, (Simple)Int64, (Simple)Double, (Simple)Date, (Simple)Time, (Simple)Timestamp, (Simple)TimestampTz, (Simple)Json];

    /// <summary>The type's name in engine SQL.</summary>
    public abstract string DuckDb { get; }

    public bool IsNumeric => this is DecimalType || this == Int64 || this == Double;

    /// <summary>True for json, list and struct.</summary>
    public bool IsNested => this is ListType or StructType || this == Json;

    public static ColumnType Decimal(int precision, int scale)
    {
        if (precision is < 1 or > 38 || scale < 0 || scale > precision)
            throw new FormatException($"decimal({precision},{scale}) is not possible: the precision is 1 to 38, the scale 0 to the precision.");
        return new DecimalType(precision, scale);
    }

    public static ColumnType List(ColumnType of) => new ListType(of);

    public static ColumnType Struct(params IReadOnlyList<StructField> fields) => new StructType(fields);

    /// <summary>Reads the pipeline file's spelling.</summary>
    /// <exception cref="FormatException">Says what is wrong and which types there are.</exception>
    public static ColumnType Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var reader = new Reader(text);
        var type = reader.Wire();
        reader.End();
        return type;
    }

    public static bool TryParse(string? text, out ColumnType type)
    {
        type = Text;
        if (text is null)
            return false;
        try
        {
            type = Parse(text);
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    /// <summary>Reads the engine's spelling, as <c>DESCRIBE</c> shows it; null for a type that is not one of ours (see <see cref="NearestTo"/>).</summary>
    public static ColumnType? FromDuckDb(string text) => Reader.Engine(text, widen: false);

    /// <summary>Our type that holds every value of an engine type exactly, e.g. int64 for <c>SMALLINT</c>; null when there is none.</summary>
    public static ColumnType? NearestTo(string engineType) => Reader.Engine(engineType, widen: true);

    public sealed override string ToString() => Wire();

    protected abstract string Wire();

    private sealed record Simple(string Name, string Engine) : ColumnType
    {
        public override string DuckDb => Engine;

        protected override string Wire() => Name;
    }

    public sealed record DecimalType : ColumnType
    {
        internal DecimalType(int precision, int scale) => (Precision, Scale) = (precision, scale);

        public int Precision { get; }
        public int Scale { get; }
        public override string DuckDb => $"DECIMAL({Precision},{Scale})";

        protected override string Wire() => $"decimal({Precision},{Scale})";
    }

    public sealed record ListType : ColumnType
    {
        internal ListType(ColumnType of) => Of = of;

        public ColumnType Of { get; }
        public override string DuckDb => $"{Of.DuckDb}[]";

        protected override string Wire() => $"list({Of})";
    }

    public sealed record StructType : ColumnType
    {
        internal StructType(IReadOnlyList<StructField> fields)
        {
            if (fields.Count == 0)
                throw new FormatException("A struct has at least one field.");
            Fields = fields;
        }

        public IReadOnlyList<StructField> Fields { get; }
        public override string DuckDb => $"STRUCT({string.Join(", ", Fields.Select(part => $"{Sql.Identifier(part.Name)} {part.Type.DuckDb}"))})";

        public bool Equals(StructType? other) => other is not null && Fields.SequenceEqual(other.Fields);

        public override int GetHashCode() => Fields.Aggregate(17, HashCode.Combine);

        protected override string Wire() => $"struct({string.Join(", ", Fields.Select(field => $"{FieldName(field.Name)} {field.Type}"))})";

        private static string FieldName(string name) =>
            name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_') ? name : $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    /// <summary>A recursive-descent reader of both spellings.</summary>
    private sealed class Reader(string text)
    {
        // A type in a file nobody has looked at may be nested without end.
        private const int MaxDepth = 64;
        private int _at;
        private int _depth;

        public static ColumnType? Engine(string text, bool widen)
        {
            var reader = new Reader(text);
            try
            {
                var type = reader.EngineType(widen);
                reader.Space();
                return reader._at == text.Length ? type : null;
            }
            catch (FormatException)
            {
                return null;
            }
        }

        public ColumnType Wire()
        {
            if (++_depth > MaxDepth)
                throw new FormatException("The type is nested too deeply.");
            var word = Word();
            ColumnType type;
            switch (word)
            {
                case "decimal":
                    Expect('(');
                    var precision = Number();
                    Expect(',');
                    var scale = Number();
                    Expect(')');
                    type = Decimal(precision, scale);
                    break;
                case "list":
                    Expect('(');
                    type = new ListType(Wire());
                    Expect(')');
                    break;
                case "struct":
                    Expect('(');
                    var fields = new List<StructField>();
                    do
                        fields.Add(new StructField(Name(), Wire()));
                    while (Accept(','));
                    Expect(')');
                    type = new StructType(fields);
                    break;
                default:
                    type = Array.Find(Simples, simple => simple.Name == word) ?? throw Wrong();
                    break;
            }
            _depth--;
            return type;
        }

        public void End()
        {
            Space();
            if (_at != text.Length)
                throw Wrong();
        }

        private ColumnType? EngineType(bool widen)
        {
            if (++_depth > MaxDepth)
                return null;
            var word = Word().ToUpperInvariant();
            ColumnType? type;
            if (word == "STRUCT")
            {
                Expect('(');
                var fields = new List<StructField>();
                do
                {
                    var name = Name();
                    if (EngineType(widen) is not { } field)
                        return null;
                    fields.Add(new StructField(name, field));
                }
                while (Accept(','));
                Expect(')');
                type = new StructType(fields);
            }
            else if (word == "DECIMAL")
            {
                Expect('(');
                var precision = Number();
                Expect(',');
                var scale = Number();
                Expect(')');
                type = Decimal(precision, scale);
            }
            else if (word == "ENUM")
            {
                if (!widen)
                    return null;
                Expect('(');
                do
                    SkipLiteral();
                while (Accept(','));
                Expect(')');
                type = Text;
            }
            else
            {
                if (word is "TIMESTAMP" or "TIME")
                {
                    var mark = _at;
                    if (Word().Equals("WITH", StringComparison.OrdinalIgnoreCase))
                        word = $"{word} WITH {Word().ToUpperInvariant()} {Word().ToUpperInvariant()}";
                    else
                        _at = mark;
                }
                type = Array.Find(Simples, simple => simple.Engine == word) ?? (widen ? Widened(word) : null);
            }
            while (type is not null && Accept('['))
            {
                // A fixed-size array is a list that happens to have one length.
                if (!Accept(']'))
                {
                    if (!widen)
                        return null;
                    Number();
                    Expect(']');
                }
                type = new ListType(type);
            }
            _depth--;
            return type;
        }

        private static ColumnType? Widened(string word) => word switch
        {
            "TINYINT" or "SMALLINT" or "INTEGER" or "UTINYINT" or "USMALLINT" or "UINTEGER" => Int64,
            "UBIGINT" => Decimal(20, 0),
            "HUGEINT" => Decimal(38, 0),
            "FLOAT" => Double,
            "UUID" => Text,
            "TIMESTAMP_S" or "TIMESTAMP_MS" => Timestamp,
            _ => null,
        };

        private string Word()
        {
            Space();
            var start = _at;
            while (_at < text.Length && (char.IsAsciiLetterOrDigit(text[_at]) || text[_at] == '_'))
                _at++;
            return text[start.._at];
        }

        private string Name()
        {
            Space();
            if (_at >= text.Length || text[_at] != '"')
                return Word() is { Length: > 0 } word ? word : throw Wrong();
            var name = new StringBuilder();
            for (_at++; _at < text.Length; _at++)
            {
                if (text[_at] != '"')
                    name.Append(text[_at]);
                else if (_at + 1 < text.Length && text[_at + 1] == '"')
                    name.Append(text[_at++]);
                else
                {
                    _at++;
                    return name.ToString();
                }
            }
            throw Wrong();
        }

        private void SkipLiteral()
        {
            Expect('\'');
            for (; _at < text.Length; _at++)
            {
                if (text[_at] != '\'')
                    continue;
                if (_at + 1 < text.Length && text[_at + 1] == '\'')
                    _at++;
                else
                {
                    _at++;
                    return;
                }
            }
            throw Wrong();
        }

        private int Number()
        {
            var word = Word();
            return int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw Wrong();
        }

        private bool Accept(char c)
        {
            Space();
            if (_at >= text.Length || text[_at] != c)
                return false;
            _at++;
            return true;
        }

        private void Expect(char c)
        {
            if (!Accept(c))
                throw Wrong();
        }

        private void Space()
        {
            while (_at < text.Length && text[_at] == ' ')
                _at++;
        }

        private FormatException Wrong() => new(
            $"\"{text}\" is no type. There are text, bool, int64, decimal(p,s), double, date, time, timestamp, timestamptz, json, list(T) and struct(name T, ...).");
    }
}

public sealed record StructField(string Name, ColumnType Type);
