using System.Text.Json.Serialization;

namespace Qualiz.Engine.Recipes;

/// <summary>A recipe: rules in order, then checks in order. What each one does is in docs/rules.md.</summary>
public sealed record Recipe(IReadOnlyList<Rule> Rules, IReadOnlyList<Check> Checks)
{
    /// <summary>The datasets that checks look into, e.g. <c>dataset:countries</c>.</summary>
    public IReadOnlyList<string> References =>
        [.. Checks.OfType<ReferenceCheck>().Select(check => ReferenceCheck.Parse(check.In)?.Dataset).OfType<string>().Distinct(StringComparer.Ordinal)];
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
[JsonDerivedType(typeof(UnicodeRule), "unicode")]
[JsonDerivedType(typeof(AccentsRule), "accents")]
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
[JsonDerivedType(typeof(RenameRule), "rename")]
[JsonDerivedType(typeof(DropRule), "drop")]
[JsonDerivedType(typeof(SelectRule), "select")]
public abstract record Rule
{
    internal abstract string Kind { get; }

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
public abstract record Check
{
    internal abstract string Kind { get; }
}
