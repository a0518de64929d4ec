using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Qualiz.Contracts.Files;

/// <summary>
/// Reads YAML by the 1.2 core schema, or JSON, into nodes that know their place. A hostile file meets limits on size, depth and
/// what its aliases expand to. What is wrong is reported, never thrown.
/// </summary>
internal sealed partial class DocumentReader
{
    public const int LongestText = 1_000_000;
    public const int DeepestNesting = 64;
    public const int MostNodes = 100_000;
    private const int MostProblems = 50;

    private readonly string _file;
    private readonly List<FileProblem> _problems;
    private readonly Dictionary<string, (DocumentNode Node, int Size)> _anchors = [];
    private readonly HashSet<string> _open = [];
    private int _nodes;

    private DocumentReader(string file, List<FileProblem> problems)
    {
        _file = file;
        _problems = problems;
    }

    /// <summary>Null when the text cannot be read at all; then there is a problem.</summary>
    public static DocumentNode? Read(string text, string file, List<FileProblem> problems)
    {
        if (text.Length > LongestText)
        {
            problems.Add(new FileProblem(file, 1, 1, "", $"the file has {text.Length} characters; at most {LongestText} are read"));
            return null;
        }

        if (text.AsSpan().TrimStart().TrimStart('\uFEFF').StartsWith("{") && JsonDocumentReader.TryRead(text, file, problems) is { } json)
        {
            return json;
        }

        var reader = new DocumentReader(file, problems);
        var scanner = new Scanner(new StringReader(text), skipComments: true);
        try
        {
            return reader.ReadStream(new Parser(scanner));
        }
        catch (GivenUpException)
        {
            return null;
        }
        catch (YamlException exception)
        {
            problems.Add(new FileProblem(file, Line(exception.Start), Column(exception.Start), "", $"this is no YAML: {Sentence(exception)}"));
            return null;
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException or FormatException or IndexOutOfRangeException or OverflowException)
        {
            // The scanner's own slips on broken input; the file is at fault all the same.
            var at = scanner.CurrentPosition;
            problems.Add(new FileProblem(file, Line(at), Column(at), "", "this is no YAML up to here"));
            return null;
        }
    }

    private DocumentNode? ReadStream(Parser parser)
    {
        parser.Consume<StreamStart>();
        if (parser.Accept<StreamEnd>(out _))
        {
            throw GiveUp(1, 1, "", "the file is empty");
        }

        parser.Consume<DocumentStart>();
        var root = ReadNode(parser, "", 1, out _);
        parser.Consume<DocumentEnd>();
        if (parser.Accept<DocumentStart>(out var second))
        {
            Report(second.Start, "", "a file holds one document; what follows \"---\" is a second one");
        }

        return root;
    }

    private DocumentNode ReadNode(Parser parser, string path, int depth, out int size)
    {
        var next = parser.Current ?? throw GiveUp(1, 1, path, "the file ends too early");
        if (depth > DeepestNesting)
        {
            throw GiveUp(next.Start, path, $"nested deeper than {DeepestNesting} levels");
        }

        CountNodes(1, next.Start, path);
        if (next is not (NodeEvent or AnchorAlias))
        {
            throw GiveUp(next.Start, path, "a value is missing");
        }

        if (parser.TryConsume<AnchorAlias>(out var alias))
        {
            var name = alias.Value.Value;
            if (_open.Contains(name) || !_anchors.TryGetValue(name, out var target))
            {
                throw GiveUp(alias.Start, path, _open.Contains(name) ? $"\"*{name}\" contains itself" : $"there is no \"&{name}\" before it");
            }

            CountNodes(target.Size, alias.Start, path);
            size = target.Size + 1;
            return target.Node;
        }

        var anchor = ((NodeEvent)next).Anchor is { IsEmpty: false } given ? given.Value : null;
        if (anchor is not null)
        {
            _open.Add(anchor);
        }

        DocumentNode node = next switch
        {
            Scalar => ReadScalar(parser, path, out size),
            SequenceStart => ReadList(parser, path, depth, out size),
            MappingStart => ReadObject(parser, path, depth, out size),
            _ => throw GiveUp(next.Start, path, "something else should stand here"),
        };
        if (anchor is not null)
        {
            _open.Remove(anchor);
            _anchors[anchor] = (node, size);
        }

        return node;
    }

    private ScalarNode ReadScalar(Parser parser, string path, out int size)
    {
        var scalar = parser.Consume<Scalar>();
        var text = WellFormed(scalar.Value, scalar.Start, path);
        size = 1;
        var range = new TextRange(Position(scalar.Start), Position(scalar.End));
        var quoted = scalar.Style is not (ScalarStyle.Plain or ScalarStyle.Any);
        var isText = quoted || scalar.Tag == "tag:yaml.org,2002:str" || scalar.Tag.IsNonSpecific;
        if (!scalar.Tag.IsEmpty && !isText)
        {
            ReportTag(scalar.Start, path, scalar.Tag);
        }

        return new ScalarNode(isText ? JsonSerializer.SerializeToElement(text) : CoreValue(scalar, text, path), text, quoted, range);
    }

    /// <summary>Half a surrogate pair is no text; neither JSON nor a database takes it.</summary>
    private string WellFormed(string text, Mark at, string path)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i]))
            {
                continue;
            }

            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                i++;
                continue;
            }

            Report(at, path, "there is half a character (a lone surrogate) in this text");
            return string.Concat(text.EnumerateRunes());
        }

        return text;
    }

    private JsonElement CoreValue(Scalar scalar, string text, string path)
    {
        switch (text)
        {
            case "" or "~" or "null" or "Null" or "NULL":
                return JsonSerializer.SerializeToElement<object?>(null);
            case "true" or "True" or "TRUE":
                return JsonSerializer.SerializeToElement(true);
            case "false" or "False" or "FALSE":
                return JsonSerializer.SerializeToElement(false);
            case ".nan" or ".NaN" or ".NAN" or ".inf" or ".Inf" or ".INF" or "+.inf" or "+.Inf" or "+.INF" or "-.inf" or "-.Inf" or "-.INF":
                Report(scalar.Start, path, $"{text} cannot be used here: write a number, or text in quotes");
                return JsonSerializer.SerializeToElement(text);
        }

        if (text.Length > 100 || !(char.IsAsciiDigit(text[0]) || text[0] is '-' or '+' or '.'))
        {
            return JsonSerializer.SerializeToElement(text);
        }

        if (DecimalNumber().Match(text) is { Success: true } number)
        {
            return Json(JsonNumber(number));
        }

        if (text.StartsWith("0o", StringComparison.Ordinal) && text.Length is > 2 and <= 23 && text.AsSpan(2).IndexOfAnyExceptInRange('0', '7') < 0)
        {
            return JsonSerializer.SerializeToElement(text[2..].Aggregate(0m, (value, digit) => (value * 8) + (digit - '0')));
        }

        if (text.StartsWith("0x", StringComparison.Ordinal) && text.Length is > 2 and <= 18
            && ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hex))
        {
            return JsonSerializer.SerializeToElement(hex);
        }

        return JsonSerializer.SerializeToElement(text);
    }

    /// <summary>The same digits in JSON's spelling, so that no number loses any.</summary>
    private static string JsonNumber(Match number)
    {
        var text = new StringBuilder();
        if (number.Groups["sign"].ValueSpan is "-")
        {
            text.Append('-');
        }

        var whole = number.Groups["whole"].Value.TrimStart('0');
        text.Append(whole.Length == 0 ? "0" : whole);
        if (number.Groups["fraction"].Length > 0)
        {
            text.Append('.').Append(number.Groups["fraction"].ValueSpan);
        }

        return text.Append(number.Groups["exponent"].ValueSpan).ToString();
    }

    private static JsonElement Json(string text)
    {
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }

    private ListNode ReadList(Parser parser, string path, int depth, out int size)
    {
        var start = parser.Consume<SequenceStart>();
        if (!start.Tag.IsEmpty && start.Tag != "tag:yaml.org,2002:seq")
        {
            ReportTag(start.Start, path, start.Tag);
        }

        size = 1;
        var items = new List<DocumentNode>();
        SequenceEnd end;
        while (!parser.TryConsume(out end!))
        {
            items.Add(ReadNode(parser, $"{path}[{items.Count}]", depth + 1, out var itemSize));
            size += itemSize;
        }

        return new ListNode(items, Range(start.Start, end.End, start.Style == SequenceStyle.Flow, items.LastOrDefault()));
    }

    private ObjectNode ReadObject(Parser parser, string path, int depth, out int size)
    {
        var start = parser.Consume<MappingStart>();
        if (!start.Tag.IsEmpty && start.Tag != "tag:yaml.org,2002:map")
        {
            ReportTag(start.Start, path, start.Tag);
        }

        size = 1;
        var properties = new List<DocumentProperty>();
        var seen = new Dictionary<string, Mark>(StringComparer.Ordinal);
        MappingEnd end;
        while (!parser.TryConsume(out end!))
        {
            CountNodes(1, parser.Current!.Start, path);
            if (!parser.TryConsume<Scalar>(out var key))
            {
                throw GiveUp(parser.Current!.Start, path, "a key should be a plain name");
            }

            var name = WellFormed(key.Value, key.Start, path);
            var keyPath = path.Length == 0 ? name : $"{path}.{name}";
            var value = ReadNode(parser, keyPath, depth + 1, out var valueSize);
            size += valueSize + 1;
            if (name == "<<" && key.Style == ScalarStyle.Plain)
            {
                Report(key.Start, keyPath, "merge keys (<<) are not part of YAML 1.2: write the properties out, or use an alias for the whole value");
            }
            else if (!seen.TryAdd(name, key.Start))
            {
                Report(key.Start, keyPath, $"\"{Short(name)}\" stands here twice; the first is in line {seen[name].Line}");
            }
            else
            {
                properties.Add(new DocumentProperty(name, new TextRange(Position(key.Start), Position(key.End)), value));
            }
        }

        return new ObjectNode(properties, Range(start.Start, end.End, start.Style == MappingStyle.Flow, properties.LastOrDefault()?.Value));
    }

    /// <summary>A block ends with its last child; the parser says where the next thing begins.</summary>
    private static TextRange Range(Mark start, Mark end, bool isFlow, DocumentNode? last) =>
        new(Position(start), isFlow || last?.Range is null || last.Range.Value.End.Offset < start.Index ? Position(end) : last.Range.Value.End);

    private void CountNodes(int nodes, Mark at, string path)
    {
        _nodes += nodes;
        if (_nodes > MostNodes)
        {
            throw GiveUp(at, path, $"the file holds more than {MostNodes} values, aliases expanded");
        }
    }

    private void ReportTag(Mark at, string path, TagName tag) => Report(at, path, $"the tag {(tag.IsNonSpecific ? "!" : tag.Value)} is not known: tags are not used in this format");

    private void Report(Mark at, string path, string message)
    {
        if (_problems.Count < MostProblems)
        {
            _problems.Add(new FileProblem(_file, Line(at), Column(at), path, message));
        }
    }

    private GivenUpException GiveUp(Mark at, string path, string message) => GiveUp(Line(at), Column(at), path, message);

    private GivenUpException GiveUp(int line, int column, string path, string message)
    {
        _problems.Add(new FileProblem(_file, line, column, path, message));
        return new GivenUpException();
    }

    private static TextPosition Position(Mark mark) => new(Line(mark), Column(mark), (int)mark.Index);

    private static int Line(Mark mark) => Math.Max(1, (int)mark.Line);

    private static int Column(Mark mark) => Math.Max(1, (int)mark.Column);

    private static string Sentence(YamlException exception)
    {
        // The message begins with the marks, which are given apart.
        var text = exception.Message;
        var end = text.StartsWith("(Line", StringComparison.Ordinal) ? text.IndexOf("): ", StringComparison.Ordinal) : -1;
        text = (end < 0 ? text : text[(end + 3)..]).TrimEnd('.');
        return text.Length == 0 ? "it cannot be read here" : char.ToLowerInvariant(text[0]) + Short(text)[1..];
    }

    private static string Short(string text) => text.Length <= 200 ? text : text[..197] + "...";

    [GeneratedRegex(@"^(?<sign>[-+]?)(?=\.?[0-9])(?<whole>[0-9]*)(\.(?<fraction>[0-9]*))?(?<exponent>([eE][-+]?[0-9]{1,9})?)$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex DecimalNumber();

    private sealed class GivenUpException : Exception;
}
