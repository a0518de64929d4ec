using System.Text.Json.Nodes;
using PhoneNumbers;
using Qualiz.Engine.Columns;
using Qualiz.Engine.Errors;
using Qualiz.Engine.Kernels.Codes;
using Qualiz.Engine.Profiling;
using Qualiz.Engine.Semantics;

namespace Qualiz.Engine.Suggestions;

/// <summary>Columns whose values are the same kind of thing in several forms: one rule brings all of them into one form, that of most rows where it is one that the rule knows.</summary>
internal static class FormRules
{
    private const int FewRows = 100;

    /// <summary>So many of the rows must be read.</summary>
    private const double NearlyAll = 0.95;

    /// <summary>A way of writing that fewer rows have is a slip, not a form.</summary>
    private const double Form = 0.02;

    /// <summary>A form of so many rows is the column's own, whether a rule can make it or not.</summary>
    private const double Own = 0.6;

    /// <summary>Where a number belongs is known from the table itself.</summary>
    private const double Known = 0.97;

    /// <summary>It is only guessed from how they are written, or which codes are meant.</summary>
    private const double Guessed = 0.8;

    /// <summary>So many are written as in the country, and so many times as many as in any other's way.</summary>
    private const double Written = 0.1;
    private const int Odds = 5;

    /// <summary>Values that are tried on all numbering plans.</summary>
    private const int MostTried = 200;
    private const int MostValues = 20_000;

    private static readonly (string Name, PhoneNumberFormat Format)[] PhoneForms = [("e164", PhoneNumberFormat.E164), ("international", PhoneNumberFormat.INTERNATIONAL), ("national", PhoneNumberFormat.NATIONAL)];

    /// <param name="profiles">Of the columns of the table.</param>
    public static IEnumerable<Suggestion> Find(CodedTable table, IReadOnlyList<ColumnProfile> profiles)
    {
        for (var index = 0; index < profiles.Count; index++)
        {
            var column = table.Columns[index];
            if (profiles[index].Type != "text" || column.Filled < FewRows || column.Texts.Count > MostValues)
                continue;
            var found = profiles[index].Semantic?.Type switch
            {
                SemanticTypes.Phone => Phones(table, index, profiles),
                SemanticTypes.Country => Codes(column, "country", CodeTable.Countries.Value, ["alpha2", "alpha3", "name"]),
                SemanticTypes.Currency => Codes(column, "currency", CodeTable.Currencies.Value, ["code", "name"]),
                _ => null,
            };
            if (found is not null)
                yield return found;
        }
    }

    private static Suggestion? Phones(CodedTable table, int index, IReadOnlyList<ColumnProfile> profiles)
    {
        var column = table.Columns[index];
        var styles = Enumerable.Range(1, column.Texts.Count - 1).GroupBy(value => Formats.FormOf(column.Values[value].Trim())).Select(style => style.Sum(value => column.Counts[value])).OrderDescending().ToList();
        if (styles.Count(rows => rows >= Form * column.Filled) < 2)
            return null;
        if (Place(table, index, profiles) is not { } place)
            return null;
        // By value and place (of those that stand in the rows), how the number is written in each form.
        var written = new Dictionary<(int Value, string? Country), string[]?>();
        var read = new (int Rows, int Same)[PhoneForms.Length];
        for (var row = 0; row < table.Rows; row++)
        {
            if (column.Codes[row] == 0 || Written(row) is not { } forms)
                continue;
            for (var form = 0; form < forms.Length; form++)
                read[form] = (read[form].Rows + 1, read[form].Same + (forms[form] == column.Values[column.Codes[row]] ? 1 : 0));
        }
        var best = Enumerable.Range(0, PhoneForms.Length).MaxBy(form => read[form].Same);
        if (read[best].Rows < NearlyAll * column.Filled || read[best].Same == read[best].Rows || (styles[0] >= Own * column.Filled && read[best].Same < Form * column.Filled))
            return null;
        if (read[best].Same < Form * column.Filled)
            best = 0;
        var rule = new JsonObject { ["rule"] = "phone", ["columns"] = new JsonArray(column.Name), ["form"] = PhoneForms[best].Name, ["else"] = "keep" };
        if (place.From is { } from)
            rule["countryFrom"] = table.Columns[from].Name;
        else if (place.Country is not null)
            rule["country"] = place.Country;
        var changes = Enumerable.Range(0, table.Rows).Where(row => column.Codes[row] != 0).Select(row => (Before: column.Values[column.Codes[row]], After: Written(row)?[best])).Where(cell => cell.After is not null && cell.After != cell.Before)
            .GroupBy(cell => cell).Select(cell => new SuggestionSample(cell.Key.Before, cell.Key.After, cell.Count(), null)).OrderByDescending(sample => sample.Rows).ThenBy(sample => sample.Before, StringComparer.Ordinal).ThenBy(sample => sample.After, StringComparer.Ordinal).ToList();
        return CellRepairs.Make(
            "phones", [column.Name], $"\"{column.Name}\" holds telephone numbers in several forms", place.Confidence * read[best].Rows / column.Filled, column.Filled, changes.Sum(sample => sample.Rows), rule, changes);

        string[]? Written(int row)
        {
            var key = (column.Codes[row], place.From is { } countries ? CodeTable.Countries.Value.Find(table.Columns[countries].Values[table.Columns[countries].Codes[row]], "alpha2") : place.Country);
            if (!written.TryGetValue(key, out var forms))
            {
                var text = column.Values[key.Item1];
                written[key] = forms = Phone.Format(text, key.Item2, PhoneNumberFormat.E164) is null ? null : [.. PhoneForms.Select(form => Phone.Format(text, key.Item2, form.Format)!)];
            }
            return forms;
        }
    }

    /// <summary>Where numbers without a prefix belong: to no country, as all have one; to that in a column of countries; or to the one in whose way they are written. Null where that cannot be told.</summary>
    private static (int? From, string? Country, double Confidence)? Place(CodedTable table, int index, IReadOnlyList<ColumnProfile> profiles)
    {
        var column = table.Columns[index];
        var values = Enumerable.Range(1, column.Texts.Count - 1).OrderByDescending(value => column.Counts[value]).ThenBy(value => value).Take(MostTried).Select(value => column.Values[value]).ToList();
        double Share(string? country) => (double)values.Count(value => Phone.Format(value, country, PhoneNumberFormat.E164) is not null) / values.Count;
        if (Share(null) >= NearlyAll)
            return (null, null, Known);
        for (var other = 0; other < profiles.Count; other++)
        {
            if (profiles[other].Semantic?.Type == SemanticTypes.Country && profiles[other].Type == "text" && table.Columns[other].Filled >= NearlyAll * table.Rows)
                return (other, null, Known);
        }
        var plans = Phone.MainCountries.Where(country => Share(country) >= NearlyAll).ToList();
        // Numbers with a prefix among them say it.
        var prefixes = values.Where(value => value.TrimStart().StartsWith('+')).Select(Phone.MainCountry).OfType<string>().ToList();
        var usual = prefixes.GroupBy(country => country).OrderByDescending(country => country.Count()).ThenBy(country => country.Key, StringComparer.Ordinal).FirstOrDefault();
        if (usual is not null)
            return plans.Contains(usual.Key) && usual.Count() >= NearlyAll * prefixes.Count ? (null, usual.Key, Known) : null;
        // Many plans take the same digits, but each country writes them in its own way.
        var written = plans.Select(country => (Country: country, Values: values.Count(value => Phone.Format(value, country, PhoneNumberFormat.NATIONAL) == value))).OrderByDescending(plan => plan.Values).ThenBy(plan => plan.Country, StringComparer.Ordinal).ToList();
        return written.Count > 0 && written[0].Values >= Written * values.Count && (written.Count == 1 || written[0].Values >= Odds * written[1].Values) ? (null, written[0].Country, Guessed) : null;
    }

    private static Suggestion? Codes(CodedColumn column, string rule, CodeTable codes, IReadOnlyList<string> forms)
    {
        var values = Enumerable.Range(1, column.Texts.Count - 1).ToList();
        var read = values.Where(value => codes.Find(column.Values[value], forms[0]) is not null).Sum(value => column.Counts[value]);
        if (read < NearlyAll * column.Filled)
            return null;
        var best = forms.Select(form => (Form: form, Rows: values.Where(value => codes.IsCode(column.Values[value], form)).Sum(value => column.Counts[value]))).MaxBy(form => form.Rows);
        var changes = values.Select(value => new SuggestionSample(column.Values[value], codes.Find(column.Values[value], best.Form), column.Counts[value], null)).Where(sample => sample.After is not null && sample.After != sample.Before)
            .OrderByDescending(sample => sample.Rows).ThenBy(sample => sample.Before, StringComparer.Ordinal).ToList();
        var rows = changes.Sum(sample => sample.Rows);
        // Where most rows are in none of the forms, the column has one of its own.
        return rows == 0 || best.Rows < Own * column.Filled
            ? null
            : CellRepairs.Make(
                "codes", [column.Name], $"\"{column.Name}\" holds {(rule == "country" ? "countries" : "currencies")} in several forms", Guessed * read / column.Filled, column.Filled, rows,
                new JsonObject { ["rule"] = rule, ["columns"] = new JsonArray(column.Name), ["to"] = best.Form, ["else"] = "keep" }, changes);
    }
}
