using System.Text.Json;
using Qualiz.Contracts.Schemas;

namespace Qualiz.Contracts.Files;

/// <summary>
/// A pipeline file (product.md 2) as far as it can be judged by itself: its form, its graph, its expressions. What the
/// operators have to say about it comes with <see cref="Plans.PipelineCompiler"/>. Never throws for what is in the file.
/// </summary>
public sealed class PipelineFile
{
    private PipelineFile(string text, string fileName, ObjectNode? root, IReadOnlyList<FileStep> steps, PipelineModel? model, IReadOnlyList<FileProblem> problems)
    {
        Text = text;
        FileName = fileName;
        Root = root;
        Steps = steps;
        Model = model;
        Problems = problems;
    }

    public string Text { get; }
    public string FileName { get; }

    /// <summary>The document with all places; null when the text could not be read.</summary>
    public ObjectNode? Root { get; }

    /// <summary>The steps as far as they could be understood, in the order of the file.</summary>
    public IReadOnlyList<FileStep> Steps { get; }

    /// <summary>The file in types; null when there is any error.</summary>
    public PipelineModel? Model { get; }

    /// <summary>All problems, in the order of the file.</summary>
    public IReadOnlyList<FileProblem> Problems { get; }

    public static PipelineFile Parse(string text, string fileName)
    {
        ArgumentNullException.ThrowIfNull(text);
        var problems = new List<FileProblem>();
        var document = DocumentReader.Read(text, fileName, problems);
        if (document is not ObjectNode root)
        {
            if (document is not null)
            {
                problems.Add(new FileProblem(fileName, 1, 1, "", "a pipeline file begins with \"qualiz: 1\""));
            }

            return new PipelineFile(text, fileName, null, [], null, problems);
        }

        var places = new FilePlaces(text, fileName, problems);
        foreach (var problem in SchemaValidator.Validate(root, ConfigSchema.For<PipelineModel>()))
        {
            places.Report(problem.Path, problem.At, problem.Message, problem.Suggestion);
        }

        var steps = FileStep.ReadAll(root);
        new PipelineFileCheck(root, steps, places).Run();
        var model = problems.Count == 0 ? Bind(root, places) : null;
        return new PipelineFile(text, fileName, root, steps, model, Sorted(problems));
    }

    /// <summary>Where a path such as <c>steps.clean.with.rules[2].rule</c> stands, or the deepest part of it that is there.</summary>
    public TextPosition? Locate(string path) => Find(path).Place;

    /// <summary>A problem at a path, found by somebody who knows more than the file.</summary>
    /// <param name="character">Within the text at the path, from 0; null for the whole of it.</param>
    public FileProblem ProblemAt(string path, int? character, string message, string? suggestion, ProblemSeverity severity)
    {
        ArgumentNullException.ThrowIfNull(path);
        var (place, node) = Find(path);
        if (character is { } within && node is ScalarNode scalar && FilePlaces.Inside(Text, scalar, within) is { } inside)
        {
            place = inside.Start;
        }

        return new FileProblem(FileName, place?.Line ?? 1, place?.Column ?? 1, path, message, suggestion, severity);
    }

    private (TextPosition? Place, DocumentNode? Node) Find(string path)
    {
        DocumentNode? node = Root;
        var place = Root?.Range?.Start;
        foreach (var part in path.Replace("[", ".[", StringComparison.Ordinal).Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            DocumentProperty? property = null;
            node = part[0] == '['
                ? node is ListNode list && int.TryParse(part.AsSpan(1, part.Length - 2), out var at) && at >= 0 && at < list.Items.Count ? list.Items[at] : null
                : (property = (node as ObjectNode)?.Find(part))?.Value;
            if (node is null)
            {
                break;
            }

            place = node is ScalarNode or ListNode ? node.Range?.Start ?? place : property?.NameRange?.Start ?? node.Range?.Start ?? place;
        }

        return (place, node);
    }

    internal static IReadOnlyList<FileProblem> Sorted(IEnumerable<FileProblem> problems) =>
        [.. problems.Distinct().OrderBy(problem => problem.Line).ThenBy(problem => problem.Column)];

    private static PipelineModel? Bind(ObjectNode root, FilePlaces places)
    {
        try
        {
            return ConfigJson.Bind<PipelineModel>(root.ToJson());
        }
        catch (JsonException exception)
        {
            places.Report(exception.Path?.TrimStart('$', '.') ?? "", root.Range, "the value does not fit");
            return null;
        }
    }
}

/// <summary>A step as it stands in the file; what is missing or of the wrong kind is null.</summary>
public sealed record FileStep(string Id, TextRange? IdRange, ObjectNode Node)
{
    public string Path => $"steps.{Id}";
    public ScalarNode? Uses => Scalar("uses");
    public ScalarNode? When => Scalar("when");
    public ScalarNode? Publish => Scalar("publish");
    public DocumentNode? With => Node.Find("with")?.Value;
    public ObjectNode? ForEach => Node.Find("forEach")?.Value as ObjectNode;
    public IReadOnlyList<FileInput> Inputs { get; } = [.. Texts(Node, "inputs").Select((entry, at) => FileInput.Parse(entry, at))];
    public IReadOnlyList<ScalarNode> Needs { get; } = [.. Texts(Node, "needs")];

    /// <summary>Names of steps it comes after, as written.</summary>
    public IEnumerable<string> Dependencies => Inputs.Where(input => input.Step is not null).Select(input => input.Step!).Concat(Needs.Select(need => need.Text!)).Distinct();

    internal static IReadOnlyList<FileStep> ReadAll(ObjectNode root) =>
        root.Find("steps")?.Value is ObjectNode steps
            ? [.. steps.Properties.Where(step => step.Value is ObjectNode).Select(step => new FileStep(step.Name, step.NameRange, (ObjectNode)step.Value))]
            : [];

    private ScalarNode? Scalar(string name) => Node.Find(name)?.Value is ScalarNode { Text: not null } scalar ? scalar : null;

    private static IEnumerable<ScalarNode> Texts(ObjectNode node, string name) =>
        node.Find(name)?.Value is ListNode list ? list.Items.OfType<ScalarNode>().Where(item => item.Text is not null) : [];
}

/// <summary>An entry of <c>inputs</c>. Exactly one of <see cref="Step"/> and <see cref="Dataset"/> is set.</summary>
/// <param name="Dataset">What follows <c>dataset:</c>, version included.</param>
public sealed record FileInput(ScalarNode Node, int At, string Name, string? Step, string? Port, string? Dataset)
{
    public const string DatasetPrefix = "dataset:";

    internal static FileInput Parse(ScalarNode node, int at)
    {
        var text = node.Text!;
        if (text.StartsWith(DatasetPrefix, StringComparison.Ordinal))
        {
            return new FileInput(node, at, text, null, null, text[DatasetPrefix.Length..]);
        }

        var dot = text.IndexOf('.', StringComparison.Ordinal);
        return dot < 0
            ? new FileInput(node, at, text, text, null, null)
            : new FileInput(node, at, text, text[..dot], text[(dot + 1)..], null);
    }
}
