using Qualiz.Contracts.Operators.V1;

namespace Qualiz.Engine.Recipes;

/// <summary>A mistake in a recipe or row expression, as a pipeline is told of it before it runs.</summary>
public static class RecipeProblem
{
    /// <param name="path">The place in the step's configuration.</param>
    public static ConfigProblem Of(RecipeException exception, string path)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return new ConfigProblem
        {
            Code = exception.Code,
            Path = path,
            Message = exception.Message,
            Suggestion = exception.Suggestion,
            Position = exception.Position,
            Needs = exception.Code switch
            {
                RecipeException.PatternInvalid or RecipeException.FormatInvalid or "inputUnknown" or "inputUnused" or "tableUnknown" or "queryNotAllowed" => null,
                RecipeException.ColumnUnknown => SchemaCertainty.Names,
                // Whether an expression or a value is right mostly depends on the columns' types.
                _ => SchemaCertainty.Exact,
            },
        };
    }
}
