using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Qualiz.Contracts.Conditions;

/// <summary>
/// A condition of the pipeline file, e.g. <c>clean.rejectedShare &lt; 0.02 and params.mode != 'dry'</c>; the grammar is in
/// docs/conditions.md. Pure: it reads the scope and nothing else. Immutable.
/// </summary>
public sealed class Condition
{
    private readonly Node _root;

    private Condition(string text, Node root, IReadOnlyList<ConditionPath> paths)
    {
        Text = text;
        _root = root;
        Paths = paths;
    }

    public string Text { get; }

    /// <summary>Everything it reads, in the order of the text.</summary>
    public IReadOnlyList<ConditionPath> Paths { get; }

    /// <exception cref="ConditionException">The text is no condition; says where and why.</exception>
    public static Condition Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length > ConditionParser.LongestText)
        {
            throw new ConditionException($"a condition has at most {ConditionParser.LongestText} characters", ConditionParser.LongestText);
        }

        var parser = new ConditionParser(text, 0);
        return new Condition(text, parser.ParseWhole(), parser.Paths);
    }

    public static bool TryParse(string text, [NotNullWhen(true)] out Condition? condition, [NotNullWhen(false)] out ConditionException? error)
    {
        try
        {
            (condition, error) = (Parse(text), null);
            return true;
        }
        catch (ConditionException problem)
        {
            (condition, error) = (null, problem);
            return false;
        }
    }

    /// <exception cref="ConditionException">The scope has no such path, or the values cannot be compared.</exception>
    public bool Evaluate(IScope scope) => Evaluator.EvaluateBool(_root, scope);

    /// <param name="scope">An object with <c>params</c>, <c>run</c>, <c>steps</c>, ...</param>
    /// <inheritdoc cref="Evaluate(IScope)"/>
    public bool Evaluate(JsonElement scope) => Evaluate(new JsonScope(scope));

    public override string ToString() => Text;
}
