using System.Text.Json.Serialization;
using Qualiz.Contracts.Schemas;
using Qualiz.Contracts.Values;

namespace Qualiz.Engine.Recipes;

/// <summary>A recipe: rules in order, then checks in order. What each one does is in docs/rules.md.</summary>
public sealed record Recipe(IReadOnlyList<Rule> Rules, IReadOnlyList<Check> Checks)
{
    /// <summary>Rules that the rows themselves speak for, done before the others; none as long as no rows are known. Null where nothing is done that nobody wrote.</summary>
    public IReadOnlyList<Rule>? Suggested { get; init; }

    /// <summary>The datasets that checks look into, e.g. <c>dataset:countries</c>.</summary>
    public IReadOnlyList<string> References =>
        [.. Checks.Where(check => !check.Off).Select(check => check.Reference?.Dataset).OfType<string>().Distinct(StringComparer.Ordinal)];

    /// <summary>The connections whose keys rules mask with.</summary>
    public IReadOnlyList<string> Keys => [.. Rules.OfType<MaskRule>().Where(rule => !rule.Off).Select(rule => rule.Key).OfType<string>().Distinct(StringComparer.Ordinal)];

    /// <summary>What of the recipe is decided by each row for itself; the rest is off, so that every path stays what it is.</summary>
    /// <param name="left">What is not: the path of each, and why.</param>
    public Recipe ByRow(out IReadOnlyList<(string Path, string Why)> left)
    {
        var off = new List<(string, string)>();
        T Leave<T>(T part, string path, string why)
        {
            off.Add((path, why));
            return part;
        }

        var rules = Rules.Select((rule, i) => rule switch
        {
            { Off: true } => rule,
            MajorityRule => Leave(rule with { Off = true }, $"rules[{i}]", "majority looks at all rows"),
            FillRule { Above: true } => Leave(rule with { Off = true }, $"rules[{i}]", "what stands above is in other rows"),
            _ => rule,
        }).ToList();
        var checks = Checks.Select((check, i) => check switch
        {
            { Off: true } => check,
            UniqueCheck or CleanRowsCheck => Leave(check with { Off = true }, $"checks[{i}]", $"{check.Kind} looks at all rows"),
            RowLevelCheck { Mostly: not null } share => Leave(share with { Mostly = null }, $"checks[{i}].mostly", "a share is one of all rows; each row is checked"),
            _ => check,
        }).ToList();
        left = off;
        return new Recipe(rules, checks);
    }
}

/// <summary>What becomes of a cell (or its row) that a rule cannot convert or that fails a check.</summary>
public enum Else
{
    /// <summary>The value stays as it is; the row goes on.</summary>
    Keep,

    /// <summary>The cell becomes empty; the row goes on.</summary>
    Null,

    /// <summary>The cell takes the stated default; the row goes on.</summary>
    Default,

    /// <summary>The row goes to the rejected rows, with the reason.</summary>
    Reject,

    /// <summary>The row is rejected and the step fails.</summary>
    Fail,
}

[JsonPolymorphic(TypeDiscriminatorPropertyName = "rule")]
[JsonDerivedType(typeof(TrimRule), "trim")]
[JsonDerivedType(typeof(NullsRule), "nulls")]
[JsonDerivedType(typeof(CaseRule), "case")]
[JsonDerivedType(typeof(ReplaceRule), "replace")]
[JsonDerivedType(typeof(RegexRule), "regex")]
[JsonDerivedType(typeof(NumberRule), "number")]
[JsonDerivedType(typeof(DateRule), "date")]
[JsonDerivedType(typeof(BooleanRule), "boolean")]
[JsonDerivedType(typeof(FillRule), "fill")]
[JsonDerivedType(typeof(FilterRule), "filter")]
[JsonDerivedType(typeof(DeriveRule), "derive")]
[JsonDerivedType(typeof(MajorityRule), "majority")]
[JsonDerivedType(typeof(SwapRule), "swap")]
[JsonDerivedType(typeof(ShiftRule), "shift")]
[JsonDerivedType(typeof(UnicodeRule), "unicode")]
[JsonDerivedType(typeof(AccentsRule), "accents")]
[JsonDerivedType(typeof(UnescapeRule), "unescape")]
[JsonDerivedType(typeof(RemoveRule), "remove")]
[JsonDerivedType(typeof(PadRule), "pad")]
[JsonDerivedType(typeof(TruncateRule), "truncate")]
[JsonDerivedType(typeof(EmailRule), "email")]
[JsonDerivedType(typeof(PhoneRule), "phone")]
[JsonDerivedType(typeof(CountryRule), "country")]
[JsonDerivedType(typeof(CurrencyRule), "currency")]
[JsonDerivedType(typeof(CastRule), "cast")]
[JsonDerivedType(typeof(SplitRule), "split")]
[JsonDerivedType(typeof(MergeRule), "merge")]
[JsonDerivedType(typeof(FlattenRule), "flatten")]
[JsonDerivedType(typeof(ExplodeRule), "explode")]
[JsonDerivedType(typeof(UnpivotRule), "unpivot")]
[JsonDerivedType(typeof(RenameRule), "rename")]
[JsonDerivedType(typeof(DropRule), "drop")]
[JsonDerivedType(typeof(SelectRule), "select")]
[JsonDerivedType(typeof(MaskRule), "mask")]
public abstract record Rule
{
    internal abstract string Kind { get; }

    [Field(Title = "Off", Description = "The rule stays in the recipe, and nothing is done.", Group = FieldAttribute.AdvancedGroup)]
    public bool Off { get; init; }

    /// <summary>Columns that the rule makes.</summary>
    internal virtual IEnumerable<string> NewColumns => [];
}

[JsonPolymorphic(TypeDiscriminatorPropertyName = "check")]
[JsonDerivedType(typeof(NotNullCheck), "notNull")]
[JsonDerivedType(typeof(UniqueCheck), "unique")]
[JsonDerivedType(typeof(RangeCheck), "range")]
[JsonDerivedType(typeof(PatternCheck), "pattern")]
[JsonDerivedType(typeof(LengthCheck), "length")]
[JsonDerivedType(typeof(AllowedCheck), "allowed")]
[JsonDerivedType(typeof(EmailCheck), "email")]
[JsonDerivedType(typeof(PhoneCheck), "phone")]
[JsonDerivedType(typeof(CountryCheck), "country")]
[JsonDerivedType(typeof(CurrencyCheck), "currency")]
[JsonDerivedType(typeof(ReferenceCheck), "reference")]
[JsonDerivedType(typeof(RowCheck), "row")]
[JsonDerivedType(typeof(RowCountCheck), "rowCount")]
[JsonDerivedType(typeof(AggregateCheck), "aggregate")]
[JsonDerivedType(typeof(FreshnessCheck), "freshness")]
[JsonDerivedType(typeof(FormatCheck), "format")]
[JsonDerivedType(typeof(OrderedCheck), "ordered")]
[JsonDerivedType(typeof(SchemaCheck), "schema")]
[JsonDerivedType(typeof(SameRowsCheck), "sameRows")]
public abstract record Check
{
    internal abstract string Kind { get; }

    [Field(Title = "Off", Description = "The check stays in the recipe, and nothing is checked.", Group = FieldAttribute.AdvancedGroup)]
    public bool Off { get; init; }

    /// <summary>The dataset that the check looks into, and the field that names it.</summary>
    public virtual (string Dataset, string Field)? Reference => null;
}

/// <summary>A check of cells or rows: each passes or fails for itself.</summary>
public abstract record RowLevelCheck : Check
{
    [Field(
        Title = "When",
        Description = "A row expression; only rows for which it is true are looked at.",
        Example = "country = 'NO'", Format = FieldFormat.Expression, MinLength = 1, Group = FieldAttribute.AdvancedGroup)]
    public string? When { get; init; }

    [Field(
        Title = "Mostly",
        Description = "The share of what is looked at that must pass, in each column. What becomes of the cells that fail is still for else to say.",
        Example = "95%", Group = FieldAttribute.AdvancedGroup)]
    public Share? Mostly { get; init; }

    [Field(Title = "Below", Description = "What a smaller share than mostly does to the step: warn or fail.", Example = "warn", Group = FieldAttribute.AdvancedGroup)]
    public WholeElse Below { get; init; } = WholeElse.Fail;
}

/// <summary>A check of the whole dataset: it never rejects.</summary>
public abstract record DatasetCheck : Check
{
    [Field(Title = "Else", Description = "warn or fail.", Example = "warn")]
    public WholeElse Else { get; init; } = WholeElse.Fail;
}

/// <summary>A check of the clean rows together.</summary>
public abstract record CleanRowsCheck : DatasetCheck
{
    [Field(
        Title = "When",
        Description = "A row expression; only clean rows for which it is true are looked at.",
        Example = "country = 'NO'", Format = FieldFormat.Expression, MinLength = 1, Group = FieldAttribute.AdvancedGroup)]
    public string? When { get; init; }
}
