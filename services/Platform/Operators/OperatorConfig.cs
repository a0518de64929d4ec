using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Contracts.Schemas;

namespace Qualiz.Platform.Operators;

/// <summary>Checks a step's <c>with:</c> block against its record's schema and binds it, before the step has any effect.</summary>
internal static class OperatorConfig
{
    private static readonly JsonElement Empty = JsonSerializer.SerializeToElement(new Dictionary<string, string>());

    /// <summary>Null when <paramref name="value"/> was bound; else what is wrong first, with code <c>configInvalid</c>.</summary>
    public static StepError? TryBind<TConfig>(JsonElement config, out TConfig? value) where TConfig : class
    {
        value = null;
        if (config.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
            config = Empty;
        var schema = ConfigSchema.For<TConfig>();
        config = FilledTexts.AsSchemaWants(config, schema);
        var problems = SchemaValidator.Validate(config, schema);
        if (problems.Count > 0)
            return Invalid(problems[0].Path, problems[0].Message, problems.Count - 1);
        try
        {
            value = ConfigJson.Bind<TConfig>(config);
        }
        catch (JsonException exception)
        {
            return Invalid(exception.Path?.TrimStart('$', '.') ?? "", "the value does not fit", 0);
        }

        // What no schema can say: one field against another.
        if (value is IValidatableObject whole && whole.Validate(new ValidationContext(whole)).FirstOrDefault() is { } failure)
        {
            value = null;
            return Invalid(JsonNamingPolicy.CamelCase.ConvertName(failure.MemberNames.FirstOrDefault() ?? ""), failure.ErrorMessage ?? "the value is not allowed", 0);
        }

        return null;
    }

    private static StepError Invalid(string path, string message, int more) => new()
    {
        Code = "configInvalid",
        Message = (path.Length == 0 ? $"with: {message.TrimEnd('.')}" : $"with.{path}: {message.TrimEnd('.')}") + (more > 0 ? $" (and {more} more)" : ""),
        Path = path,
    };
}
