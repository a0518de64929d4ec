using System.Text.Json;

namespace Qualiz.Engine.Suggestions;

/// <summary>Rules and checks that a dataset's own rows speak for. Nothing is done by itself.</summary>
/// <param name="Rows">Of the dataset.</param>
/// <param name="Looked">Rows that were looked at: all, or, in a large dataset, a sample drawn by hashes; the counts of suggestions are of these.</param>
/// <param name="Items">The surest first; rules in an order in which they can be done.</param>
public sealed record SuggestionList(long Rows, long Looked, IReadOnlyList<Suggestion> Items);

/// <summary>A rule or a check of a recipe, as it stands under <c>rules:</c> or <c>checks:</c>, with what speaks for it.</summary>
/// <param name="Kind">swap, shift, missing, dependency, spelling, normalise, space, spellings, dates, phones, codes, range, form, allowed, notNull, unique.</param>
/// <param name="Confidence">From 0 to 1: of a rule the share of its cells that become right, as the detectors expect it, less where they are few; of a check that the next row passes too, or that what fails is wrong.</param>
/// <param name="Support">Rows that it was learnt from.</param>
/// <param name="Affected">Rows that it changes or, a check, that fail.</param>
/// <param name="Rule">Null for a check.</param>
/// <param name="Check">Null for a rule.</param>
/// <param name="Samples">Of what it changes or finds, the most frequent first.</param>
public sealed record Suggestion(
    string Kind, IReadOnlyList<string> Columns, string Message, double Confidence, long Support, long Affected, JsonElement? Rule, JsonElement? Check, IReadOnlyList<SuggestionSample> Samples);

/// <param name="Before">Null: an empty cell.</param>
/// <param name="After">Null: an empty cell, or, of a check, nothing is changed.</param>
/// <param name="Because">Why, in the words of what found it; null where the suggestion's message says all.</param>
public sealed record SuggestionSample(string? Before, string? After, long Rows, string? Because);
