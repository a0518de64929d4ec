using System.Text;
using System.Text.Json;

namespace Qualiz.Contracts.Files;

/// <summary>
/// JSON with places. YAML 1.2 contains JSON, the YAML parser almost: it stumbles over escaped surrogates and tabs, so what is
/// JSON is read as JSON.
/// </summary>
internal sealed class JsonDocumentReader
{
    private readonly string _text;
    private readonly string _file;
    private readonly List<FileProblem> _problems;
    private int _bytes;
    private int _offset;
    private int _line = 1;
    private int _lineStart;
    private int _nodes;

    private JsonDocumentReader(string text, string file, List<FileProblem> problems)
    {
        _text = text;
        _file = file;
        _problems = problems;
    }

    /// <summary>Null when the text is no JSON; it may be YAML then, or the YAML parser says what is wrong with it.</summary>
    public static DocumentNode? TryRead(string text, string file, List<FileProblem> problems)
    {
        var start = text.StartsWith('\uFEFF') ? 1 : 0;
        var found = new List<FileProblem>();
        var reader = new JsonDocumentReader(text, file, found) { _offset = start };
        try
        {
            var json = new Utf8JsonReader(Encoding.UTF8.GetBytes(text[start..]), new JsonReaderOptions { MaxDepth = DocumentReader.DeepestNesting });
            json.Read();
            var root = reader.ReadNode(ref json, "");
            if (json.Read())
            {
                return null;
            }

            problems.AddRange(found);
            return root;
        }
        catch (JsonException)
        {
            return null;
        }
        catch (InvalidOperationException)
        {
            // A lone surrogate in a text.
            return null;
        }
    }

    private DocumentNode ReadNode(ref Utf8JsonReader json, string path)
    {
        if (++_nodes > DocumentReader.MostNodes)
        {
            throw new JsonException();
        }

        var start = At(json.TokenStartIndex);
        switch (json.TokenType)
        {
            case JsonTokenType.StartObject:
                var properties = new List<DocumentProperty>();
                var seen = new Dictionary<string, int>(StringComparer.Ordinal);
                while (Next(ref json) != JsonTokenType.EndObject)
                {
                    var nameStart = At(json.TokenStartIndex);
                    var name = json.GetString()!;
                    var nameRange = new TextRange(nameStart, At(json.TokenStartIndex + json.ValueSpan.Length + 2));
                    var namePath = path.Length == 0 ? name : $"{path}.{name}";
                    Next(ref json);
                    var value = ReadNode(ref json, namePath);
                    if (!seen.TryAdd(name, nameStart.Line))
                    {
                        _problems.Add(new FileProblem(_file, nameStart.Line, nameStart.Column, namePath, $"\"{name}\" stands here twice; the first is in line {seen[name]}"));
                    }
                    else
                    {
                        properties.Add(new DocumentProperty(name, nameRange, value));
                    }
                }

                return new ObjectNode(properties, new TextRange(start, At(json.BytesConsumed)));
            case JsonTokenType.StartArray:
                var items = new List<DocumentNode>();
                while (Next(ref json) != JsonTokenType.EndArray)
                {
                    items.Add(ReadNode(ref json, $"{path}[{items.Count}]"));
                }

                return new ListNode(items, new TextRange(start, At(json.BytesConsumed)));
            default:
                var quoted = json.TokenType == JsonTokenType.String;
                var element = JsonElement.ParseValue(ref json);
                return new ScalarNode(element, element.ValueKind == JsonValueKind.String ? element.GetString()! : element.GetRawText(), quoted, new TextRange(start, At(json.BytesConsumed)));
        }
    }

    private static JsonTokenType Next(ref Utf8JsonReader json) => json.Read() ? json.TokenType : throw new JsonException();

    /// <summary>The place of a byte; bytes are asked for in rising order.</summary>
    private TextPosition At(long index)
    {
        while (_bytes < index && _offset < _text.Length)
        {
            Rune.DecodeFromUtf16(_text.AsSpan(_offset), out var rune, out var length);
            _bytes += rune.Utf8SequenceLength;
            if (_text[_offset] == '\n')
            {
                _line++;
                _lineStart = _offset + 1;
            }

            _offset += length;
        }

        return new TextPosition(_line, _offset - _lineStart + 1, _offset);
    }
}
