using System.ComponentModel.DataAnnotations;
using Qualiz.Contracts.Schemas;
using Qualiz.Engine.Matching;

namespace Qualiz.Dedup;

/// <summary>The <c>with:</c> block of a dedup step.</summary>
internal sealed record DedupConfig : IValidatableObject
{
    [Field(Title = "Entity set", Description = "The set that keeps the entities' ids from run to run; without one, ids are of one run alone.", Example = "customers", Pattern = "[a-z][a-z0-9-]*")]
    public string? Entities { get; init; }

    [Field(
        Title = "Decisions",
        Description = "A dataset of what people decided about rows: left_key and right_key (their _key, as the port pairs has it), decision (match or different), and if wanted left_source and right_source. It stands above keys and likeness, in every run.",
        Example = "dataset:customer-decisions", Format = FieldFormat.Dataset, Pattern = "dataset:.+", Group = FieldAttribute.AdvancedGroup)]
    public string? Decisions { get; init; }

    [Field(Title = "Exact keys", Description = "Rows with an equal key are the same thing, whatever else differs.", ExampleJson = """[{"columns": ["email"]}]""")]
    public IReadOnlyList<KeySet> Keys { get; init; } = [];

    [Field(Title = "Similarity", Description = "Also match rows that are only similar.", ExampleJson = """{"auto": true, "accept": 0.95, "review": 0.6}""")]
    public SimilarityMatch? Match { get; init; }

    [Field(
        Title = "Survivorship",
        Description = "Which of the members' values an entity takes, by column; the most frequent where nothing is said.",
        ExampleJson = """[{"columns": "*", "keep": "mostRecent", "by": "updated_at"}]""")]
    public IReadOnlyList<SurvivorRule> Survivorship { get; init; } = [];

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Keys.Count == 0 && Match is null)
            yield return new ValidationResult("exact keys, similarity or both are needed", [nameof(Keys)]);
        if (Match is { } match)
        {
            if (match.Review > match.Accept)
                yield return new ValidationResult("review begins below accept", [nameof(Match)]);
            if (!match.Auto && match.Compare.Count == 0)
                yield return new ValidationResult("name the columns to compare, or say auto: true", [nameof(Match)]);
            if (!match.Auto && match.Blocks.Count == 0)
                yield return new ValidationResult("name the blocks that bring rows together, or say auto: true", [nameof(Match)]);
        }
        foreach (var (rule, i) in Survivorship.Select((rule, i) => (rule, i)))
        {
            if (rule.Keep == Keep.MostRecent != rule.By is not null)
                yield return new ValidationResult("mostRecent, and only it, needs the column that tells which member is the most recent (by)", [$"{nameof(Survivorship)}[{i}]"]);
            if (rule.Keep == Keep.MostTrusted != rule.Sources.Count > 0)
                yield return new ValidationResult("mostTrusted, and only it, needs the sources in the order in which they are trusted (sources)", [$"{nameof(Survivorship)}[{i}]"]);
            if (rule.Pattern is not null && rule.Keep != Keep.ValidFirst)
                yield return new ValidationResult("a pattern is only used by validFirst", [$"{nameof(Survivorship)}[{i}]"]);
        }
    }
}
