using Qualiz.Contracts.Schemas;
using Qualiz.Contracts.Values;
using Qualiz.Engine.Datasets;

namespace Qualiz.Engine.Matching;

/// <summary>What counts as the same in a key.</summary>
public enum KeyIgnore
{
    [Field(Title = "Letter case")]
    Case,

    [Field(Title = "Outer and repeated blanks")]
    Spaces,

    [Field(Title = "Accents")]
    Accents,

    [Field(Title = "Everything but letters and digits")]
    Punctuation,
}

/// <summary>Columns that together say for certain that two rows are the same thing.</summary>
public sealed record KeySet
{
    [Field(Title = "Columns", Description = "Rows are the same when all of these are equal; a row with an empty one is linked by no key of this set.", Example = new[] { "email" }, Format = FieldFormat.Columns, MinItems = 1)]
    public required IReadOnlyList<string> Columns { get; init; }

    [Field(Title = "Ignore", Description = "Differences in text that do not count.", Example = new[] { "case", "spaces" })]
    public IReadOnlyList<KeyIgnore> Ignore { get; init; } = [KeyIgnore.Case, KeyIgnore.Spaces];
}

/// <summary>Matching by similarity.</summary>
public sealed record SimilarityMatch
{
    [Field(Title = "Choose by the data", Description = "Learn from the data which columns tell rows apart, how, and from where on two rows are the same. With comparisons or blocks given, only what they leave open is chosen.", Example = true)]
    public bool Auto { get; init; } = true;

    [Field(Title = "Accept from", Description = "Rows that are at least this likely to be the same become one entity. Where the data decide, 0.95 is the border that they show.", Example = 0.95, Minimum = 0, Maximum = 1)]
    public double Accept { get; init; } = 0.95;

    [Field(Title = "Review from", Description = "Pairs at least this likely, but not accepted, wait for a person.", Example = 0.6, Minimum = 0, Maximum = 1)]
    public double Review { get; init; } = 0.6;

    [Field(Title = "Compare", Description = "Which columns are compared, and how.", ExampleJson = """[{"column": "name", "by": "jaroWinkler"}]""")]
    public IReadOnlyList<Comparison> Compare { get; init; } = [];

    [Field(Title = "Blocks", Description = "Only rows with a block in common are compared.", ExampleJson = """[{"column": "name", "by": "tokens"}]""")]
    public IReadOnlyList<Block> Blocks { get; init; } = [];

    [Field(Title = "Largest block", Description = "A block with more rows than this is not compared; the step says so.", Example = 100, Minimum = 2, Maximum = 10_000, Group = FieldAttribute.AdvancedGroup)]
    public int MaxBlock { get; init; } = 100;

    /// <summary>Nothing is said of how to match.</summary>
    public bool IsAutomatic() => Auto && Compare.Count == 0 && Blocks.Count == 0;
}

public enum Comparer
{
    [Field(Title = "Equal or not")]
    Exact,

    [Field(Title = "Jaro-Winkler (names)")]
    JaroWinkler,

    [Field(Title = "Edit distance (codes, dates)")]
    Levenshtein,

    [Field(Title = "Common words (addresses)")]
    Tokens,

    [Field(Title = "Edit distance, swaps count once")]
    DamerauLevenshtein,

    [Field(Title = "Common groups of three letters (titles)")]
    Trigrams,

    [Field(Title = "Words that are alike, in any order (companies)")]
    MongeElkan,

    [Field(Title = "Words that sound alike")]
    Sound,

    [Field(Title = "Names of people, with short forms and initials")]
    Name,

    [Field(Title = "Numbers near each other")]
    Number,

    [Field(Title = "Days near each other, or mistyped")]
    Date,

    [Field(Title = "Places near each other (latitude, longitude)")]
    Place,

    [Field(Title = "E-mail addresses")]
    Email,

    [Field(Title = "Telephone numbers")]
    Phone,

    [Field(Title = "Postal addresses, by street, number, flat, town and postcode")]
    Address,
}

public sealed record Comparison
{
    [Field(Title = "Column", Description = "Texts are compared without case, accents and punctuation.", Example = "name", Format = FieldFormat.Column)]
    public required string Column { get; init; }

    [Field(Title = "By", Description = "How similar two values are.", Example = "jaroWinkler")]
    public Comparer By { get; init; } = Comparer.JaroWinkler;

    [Field(Title = "Weight", Description = "How much it counts beside the others; without weights, what each likeness says is learnt from the rows.", Example = 8, Minimum = 0)]
    public double? Weight { get; init; }
}

public enum BlockBy
{
    [Field(Title = "The whole value")]
    Value,

    [Field(Title = "The first characters")]
    Prefix,

    [Field(Title = "Each word")]
    Tokens,

    [Field(Title = "Near each other in order")]
    Sorted,
}

public sealed record Block
{
    [Field(Title = "Column", Description = "Rows with the same block of this column are compared.", Example = "name", Format = FieldFormat.Column)]
    public required string Column { get; init; }

    [Field(Title = "By", Description = "What of the value makes the block.", Example = "tokens")]
    public BlockBy By { get; init; } = BlockBy.Tokens;

    [Field(Title = "And also", Description = "Columns that must be equal besides.", Example = new[] { "postcode" }, Format = FieldFormat.Columns)]
    public IReadOnlyList<string> Also { get; init; } = [];

    [Field(Title = "Length", Description = "How many characters of a prefix, how many at least of a word, how many different values apart in order.", Example = 4, Minimum = 1, Maximum = 40)]
    public int Length { get; init; } = 4;
}

/// <summary>Which value of an entity's members lives on.</summary>
public enum Keep
{
    [Field(Title = "The most frequent")]
    MostFrequent,

    [Field(Title = "The most recent")]
    MostRecent,

    [Field(Title = "The longest")]
    Longest,

    [Field(Title = "The first")]
    First,

    [Field(Title = "The first valid one")]
    ValidFirst,

    [Field(Title = "The most trusted source's")]
    MostTrusted,
}

public sealed record SurvivorRule
{
    [Field(Title = "Columns", Description = "Columns, or \"*\" for all that no other line names.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    [Field(Title = "Keep", Description = "Which of the members' values; empty ones never win.", Example = "mostRecent")]
    public required Keep Keep { get; init; }

    [Field(Title = "By", Description = "The column that tells which member is the most recent.", Example = "updated_at", Format = FieldFormat.Column, VisibleIf = "keep=mostRecent")]
    public string? By { get; init; }

    [Field(Title = "Sources", Description = "The sources, the most trusted first, as the entities' column sources names them; others come behind, in the order of the rows.", Example = new[] { "crm", "web" }, VisibleIf = "keep=mostTrusted")]
    public IReadOnlyList<string> Sources { get; init; } = [];

    [Field(Title = "Valid when", Description = "A regular expression (RE2) for the whole value; by default an address for columns with \"mail\" in their name, else any text.", Example = "[0-9]{5}", VisibleIf = "keep=validFirst")]
    public string? Pattern { get; init; }
}

/// <summary>All of it.</summary>
/// <param name="Keys">Exact keys; rows linked by any of them are the same, and what those are linked to.</param>
/// <param name="Similarity">Null: only the keys count.</param>
public sealed record MatchConfig(IReadOnlyList<KeySet> Keys, SimilarityMatch? Similarity, IReadOnlyList<SurvivorRule> Survivorship)
{
    /// <summary>What automatic matching may hold beside the engine's memory; null: as much as that.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>Rows of earlier runs, of which some may not be among the inputs now: where an input is partial they are matched with it. The port <see cref="EntityTables.Rows"/>.</summary>
    public LocalDataset? Remembered { get; init; }

    /// <summary>What people decided about rows; it stands above keys and likeness.</summary>
    public LocalDataset? Decisions { get; init; }
}
