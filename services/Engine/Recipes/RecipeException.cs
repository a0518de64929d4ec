using Qualiz.Contracts.Runs.V1;

namespace Qualiz.Engine.Recipes;

/// <summary>The recipe does not fit its inputs. Holds no row values.</summary>
/// <param name="code">Stable and machine-readable; becomes the code of the step's error.</param>
/// <param name="path">The place in the configuration, e.g. <c>rules[2].columns[0]</c>.</param>
public sealed class RecipeException(string code, string message, string path) : Exception(message)
{
    public const string ColumnUnknown = "columnUnknown";
    public const string ColumnType = "columnType";
    public const string TypeConflict = "typeConflict";
    public const string ExpressionInvalid = "expressionInvalid";
    public const string PatternInvalid = "patternInvalid";
    public const string FormatInvalid = "formatInvalid";
    public const string ValueInvalid = "valueInvalid";

    public string Code { get; } = code;
    public string Path { get; } = path;

    /// <summary>The name that was probably meant; the message says it too.</summary>
    public string? Suggestion { get; init; }

    /// <summary>The character (from 0) of the text at <see cref="Path"/> that is meant, if it is one text and that is known.</summary>
    public int? Position { get; init; }

    /// <summary>What a step that ends by it reports.</summary>
    public StepError ToStepError() => new() { Code = Code, Message = Message, Path = Path.Length == 0 ? null : Path };
}
