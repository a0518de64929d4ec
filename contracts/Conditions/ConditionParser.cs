using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Qualiz.Contracts.Conditions;

/// <summary>
/// Recursive descent over the grammar of docs/conditions.md. Works on a part of a longer text, so that positions in
/// <c>${...}</c> count from the start of the whole string.
/// </summary>
internal sealed class ConditionParser
{
    internal const int LongestText = 4_000;
    internal const int DeepestNesting = 32;

    private static readonly string[] Keywords = ["and", "or", "not", "true", "false", "null"];
    private readonly List<ConditionPath> _paths = [];
    private readonly string _text;
    private readonly int _start;
    private int _at;
    private int _depth;
    private int _links;

    public ConditionParser(string text, int start)
    {
        _text = text;
        _start = start;
        _at = start;
    }

    public IReadOnlyList<ConditionPath> Paths => _paths;

    /// <summary>The character after the last one read.</summary>
    public int End => _at;

    public Node ParseWhole()
    {
        var node = ParseOr();
        SkipSpace();
        return _at == _text.Length ? node : throw Unexpected();
    }

    /// <summary>Reads up to and over the closing brace.</summary>
    public Node ParseBraced()
    {
        var node = ParseOr();
        SkipSpace();
        if (_at == _text.Length)
        {
            throw new ConditionException("\"${\" is not closed: a \"}\" is missing", _start);
        }

        if (_text[_at] != '}')
        {
            throw Unexpected();
        }

        _at++;
        return node;
    }

    private Node ParseOr()
    {
        Descend();
        var left = ParseAnd();
        while (TakeWord("or", out var position))
        {
            left = new Logic(false, left, ParseAnd(), position);
            Chain();
        }

        _depth--;
        return left;
    }

    private Node ParseAnd()
    {
        var left = ParseNot();
        while (TakeWord("and", out var position))
        {
            left = new Logic(true, left, ParseNot(), position);
            Chain();
        }

        return left;
    }

    private Node ParseNot()
    {
        if (!TakeWord("not", out var position))
        {
            return ParseComparison();
        }

        Descend();
        var operand = ParseNot();
        _depth--;
        return new Not(operand, position);
    }

    private Node ParseComparison()
    {
        var left = ParseOperand();
        if (!TakeComparer(out var comparer, out var position))
        {
            return left;
        }

        var right = ParseOperand();
        var node = new Comparison(comparer, left, right, position);
        return TakeComparer(out _, out var again)
            ? throw new ConditionException("a comparison has two sides; join two comparisons with \"and\"", again)
            : node;
    }

    private Node ParseOperand()
    {
        SkipSpace();
        if (_at == _text.Length)
        {
            throw new ConditionException(_at == _start || string.IsNullOrWhiteSpace(_text[_start.._at]) ? "the condition is empty" : "the condition ends too early", _at);
        }

        var position = _at;
        var next = _text[_at];
        if (next == '(')
        {
            _at++;
            var node = ParseOr();
            SkipSpace();
            if (_at == _text.Length || _text[_at] != ')')
            {
                throw new ConditionException("\"(\" is not closed: a \")\" is missing", position);
            }

            _at++;
            return node;
        }

        if (next is '\'' or '"')
        {
            return new Literal(JsonSerializer.SerializeToElement(ReadText(next)), position);
        }

        if (char.IsAsciiDigit(next) || (next == '-' && _at + 1 < _text.Length && char.IsAsciiDigit(_text[_at + 1])))
        {
            return new Literal(ReadNumber(), position);
        }

        return IsNameStart(next) ? ReadWordOrPath() : throw Unexpected();
    }

    private Node ReadWordOrPath()
    {
        var position = _at;
        var name = ReadName();
        switch (name)
        {
            case "true":
                return new Literal(JsonSerializer.SerializeToElement(true), position);
            case "false":
                return new Literal(JsonSerializer.SerializeToElement(false), position);
            case "null":
                return new Literal(JsonSerializer.SerializeToElement<object?>(null), position);
            case "and" or "or" or "not":
                throw new ConditionException($"\"{name}\" stands where a value should be", position);
        }

        var segments = new List<PathSegment> { new(name, null, position) };
        while (_at < _text.Length && _text[_at] is '.' or '[')
        {
            var segmentPosition = _at + 1;
            if (_text[_at++] == '.')
            {
                if (_at == _text.Length || !IsNameStart(_text[_at]))
                {
                    throw new ConditionException($"a name should follow \"{_text[position.._at]}\"", Math.Min(_at, _text.Length));
                }

                segments.Add(new PathSegment(ReadName(), null, segmentPosition));
            }
            else
            {
                segments.Add(ReadBracket(segmentPosition));
            }

            if (segments.Count > DeepestNesting)
            {
                throw new ConditionException($"a path has at most {DeepestNesting} parts", position);
            }
        }

        var path = new ConditionPath(segments, position);
        _paths.Add(path);
        return new PathNode(path);
    }

    private PathSegment ReadBracket(int position)
    {
        SkipSpace();
        PathSegment segment;
        if (_at < _text.Length && _text[_at] is '\'' or '"')
        {
            segment = new PathSegment(ReadText(_text[_at]), null, position);
        }
        else
        {
            var from = _at;
            while (_at < _text.Length && char.IsAsciiDigit(_text[_at]))
            {
                _at++;
            }

            segment = int.TryParse(_text.AsSpan(from, _at - from), NumberStyles.None, CultureInfo.InvariantCulture, out var index)
                ? new PathSegment(_text[from.._at], index, position)
                : throw new ConditionException("between \"[\" and \"]\" stands a position, counted from 0, or a quoted name", position);
        }

        SkipSpace();
        if (_at == _text.Length || _text[_at] != ']')
        {
            throw new ConditionException("\"[\" is not closed: a \"]\" is missing", position - 1);
        }

        _at++;
        return segment;
    }

    private string ReadText(char quote)
    {
        var position = _at++;
        var value = new StringBuilder();
        while (_at < _text.Length)
        {
            var next = _text[_at++];
            if (next != quote)
            {
                value.Append(next);
            }
            else if (_at < _text.Length && _text[_at] == quote)
            {
                value.Append(quote);
                _at++;
            }
            else
            {
                return value.ToString();
            }
        }

        throw new ConditionException($"the text is not closed: a {quote} is missing", position);
    }

    private JsonElement ReadNumber()
    {
        var from = _at;
        if (_text[_at] == '-')
        {
            _at++;
        }

        TakeDigits();
        if (_at + 1 < _text.Length && _text[_at] == '.' && char.IsAsciiDigit(_text[_at + 1]))
        {
            _at++;
            TakeDigits();
        }

        if (_at - from > 28 || !decimal.TryParse(_text.AsSpan(from, _at - from), NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value))
        {
            throw new ConditionException("the number is too long", from);
        }

        if (_at < _text.Length && _text[_at] == '%')
        {
            _at++;
            value /= 100;
        }

        return _at < _text.Length && (IsNamePart(_text[_at]) || _text[_at] == '.')
            ? throw new ConditionException($"\"{_text[from..(_at + 1)]}\" is not a number", from)
            : JsonSerializer.SerializeToElement(value);
    }

    private void TakeDigits()
    {
        while (_at < _text.Length && char.IsAsciiDigit(_text[_at]))
        {
            _at++;
        }
    }

    private bool TakeComparer(out Comparer comparer, out int position)
    {
        SkipSpace();
        position = _at;
        var rest = _text.AsSpan(_at);
        (comparer, var length) = rest switch
        {
            ['=', '=', ..] => (Comparer.Equal, 2),
            ['=', ..] => (Comparer.Equal, 1),
            ['!', '=', ..] => (Comparer.NotEqual, 2),
            ['<', '>', ..] => (Comparer.NotEqual, 2),
            ['<', '=', ..] => (Comparer.LessOrEqual, 2),
            ['<', ..] => (Comparer.Less, 1),
            ['>', '=', ..] => (Comparer.GreaterOrEqual, 2),
            ['>', ..] => (Comparer.Greater, 1),
            _ => (default, 0),
        };
        _at += length;
        return length > 0;
    }

    private bool TakeWord(string word, out int position)
    {
        SkipSpace();
        position = _at;
        if (!_text.AsSpan(_at).StartsWith(word, StringComparison.Ordinal) || (_at + word.Length < _text.Length && IsNamePart(_text[_at + word.Length])))
        {
            return false;
        }

        _at += word.Length;
        return true;
    }

    private string ReadName()
    {
        var from = _at;
        while (_at < _text.Length && IsNamePart(_text[_at]))
        {
            _at++;
        }

        return _text[from.._at];
    }

    private void SkipSpace()
    {
        while (_at < _text.Length && char.IsWhiteSpace(_text[_at]))
        {
            _at++;
        }
    }

    private void Descend()
    {
        if (++_depth > DeepestNesting)
        {
            throw new ConditionException($"the condition is nested deeper than {DeepestNesting} levels", Math.Min(_at, _text.Length));
        }
    }

    // A chain of "and" is a left-deep tree: the evaluator descends it, so it is bounded too.
    private void Chain()
    {
        if (++_links > 200)
        {
            throw new ConditionException("the condition has more than 200 parts", Math.Min(_at, _text.Length));
        }
    }

    private ConditionException Unexpected()
    {
        var rest = _text[_at..];
        if (IsNameStart(rest[0]))
        {
            var from = _at;
            var word = ReadName();
            _at = from;
            var lower = word.ToLowerInvariant();
            return Keywords.Contains(lower)
                ? new ConditionException($"write \"{lower}\" in lower case", _at) { Suggestion = lower }
                : new ConditionException($"\"{word}\" stands where \"and\", \"or\" or a comparison should be", _at);
        }

        return rest switch
        {
            ['&', '&', ..] => new ConditionException("write \"and\" for \"&&\"", _at) { Suggestion = "and" },
            ['|', '|', ..] => new ConditionException("write \"or\" for \"||\"", _at) { Suggestion = "or" },
            ['!', ..] => new ConditionException("write \"not\" for \"!\"", _at) { Suggestion = "not" },
            _ => new ConditionException($"\"{rest[0]}\" does not belong here", _at),
        };
    }

    private static bool IsNameStart(char letter) => char.IsLetter(letter) || letter == '_';

    // There is no arithmetic, so a hyphen is a letter of step and parameter names.
    private static bool IsNamePart(char letter) => char.IsLetterOrDigit(letter) || letter is '_' or '-';
}
