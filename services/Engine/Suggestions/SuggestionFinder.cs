using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Qualiz.Contracts.Data;
using Qualiz.Engine.Clustering;
using Qualiz.Engine.Columns;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Errors;
using Qualiz.Engine.Profiling;
using Qualiz.Engine.Rows;
using Qualiz.Engine.Semantics;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Suggestions;

/// <summary>
/// Proposes rules and checks from a dataset's rows alone. Repairs are what the error detectors found (<see cref="ErrorDetector"/>), said as rules; the rest follows from the profile: what all rows have in common
/// becomes a check, what nearly all have a check that points at the others.
/// </summary>
public static class SuggestionFinder
{
    /// <summary>Cells that are looked at together; a larger dataset is drawn from. A cell takes 8 bytes and its share of the values.</summary>
    private const long MostCells = 5_000_000;

    /// <summary>What fewer rows have in common may be chance.</summary>
    private const int FewRows = 100;
    private const int MostSamples = 5;
    private const int MostAllowed = 30;
    private const int MostClustered = 100_000;

    /// <summary>What a search is well served with.</summary>
    public const long MemoryBytes = 512L << 20;

    /// <summary>Of what is wrong by its form, or far away from the rest, but may still be meant.</summary>
    private const double Doubtful = 0.8;

    /// <summary>The rest may be mistakes from here on.</summary>
    private const double NearlyAll = 0.95;

    private static readonly string[] DateFormats =
    [
        "yyyy-MM-dd", "dd.MM.yyyy", "d.M.yyyy", "dd/MM/yyyy", "d/M/yyyy", "MM/dd/yyyy", "M/d/yyyy", "yyyy/MM/dd", "dd-MM-yyyy", "MM-dd-yyyy", "yyyyMMdd", "d MMM yyyy", "MMM d, yyyy", "MMMM d, yyyy", "d MMMM yyyy",
    ];

    /// <summary>Words that stand for no value whatever the column is about; others, such as "none", may be an answer.</summary>
    private static readonly HashSet<string> NoValues = ["n/a", "#n/a", "n.a.", "null", "nan", "-", "--", "?"];

    /// <param name="unmask">Look at sensitive columns too; their values stand in the result.</param>
    /// <param name="options">What the search may use; the files are its own matter.</param>
    /// <exception cref="EngineException">A file is not what it claims to be.</exception>
    public static async Task<SuggestionList> FindAsync(LocalDataset dataset, bool unmask, EngineOptions options, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        var columns = dataset.Schema.Columns.Where(column => !column.Hidden && (unmask || column.Sensitivity is null) && DatasetFiles.TypeOf(column) is var type && type != ColumnType.Json
            && type is not (ColumnType.ListType or ColumnType.StructType)).ToList();
        if (columns.Count == 0 || dataset.Dataset.Rows == 0)
            return new SuggestionList(dataset.Dataset.Rows, 0, []);
        var open = new LocalDataset(
            dataset.Dataset with { Schema = new DatasetSchema { Columns = [.. dataset.Schema.Columns.Select(column => columns.Contains(column) ? column with { Sensitivity = null } : column)] } }, dataset.Paths);
        var profile = await DatasetProfiler.ProfileAsync(open, options, ct).ConfigureAwait(false);
        var table = await ReadAsync(open, columns, options, ct).ConfigureAwait(false);
        var byName = profile.Columns.ToDictionary(column => column.Name, StringComparer.Ordinal);
        var moves = MoveRules.Find(table, [.. columns.Select(column => byName[column.Name])]).ToList();
        var found = moves.ConvertAll(move => move.Suggestion);
        // All others come behind these, and see what they have done.
        table = Misplacements.Repair(table, moves.ConvertAll(move => move.Misplacement));
        var repairs = new CellRepairs(table, [.. columns.Select(column => column.Type)], ErrorDetector.Find(table, ct));
        found.AddRange(repairs.Find());
        found.AddRange(Spaces(table, columns));
        found.AddRange(FormRules.Find(table, [.. columns.Select(column => byName[column.Name])]));
        for (var index = 0; index < columns.Count; index++)
        {
            ct.ThrowIfCancellationRequested();
            var column = new Column(table.Columns[index], byName[columns[index].Name], index, repairs.Listed, profile.Rows, table.Rows);
            found.AddRange(new[] { Words(column), Spellings(column, ct), Dates(column), Range(column), Form(column), Allowed(column), NotNull(column), Unique(column) }.OfType<Suggestion>());
        }
        // A check holds after the rules: what one of them empties is empty then, and what one of them writes anew may be there twice.
        var emptied = found.Where(suggestion => suggestion.Kind == "missing").SelectMany(suggestion => suggestion.Columns).ToHashSet(StringComparer.Ordinal);
        var written = found.Where(suggestion => suggestion.Rule is not null).SelectMany(suggestion => suggestion.Columns).ToHashSet(StringComparer.Ordinal);
        found.RemoveAll(suggestion => (suggestion.Kind == "notNull" && emptied.Contains(suggestion.Columns[0])) || (suggestion.Kind == "unique" && written.Contains(suggestion.Columns[0])));
        return new SuggestionList(profile.Rows, table.Rows, [.. found.Select((suggestion, i) => (suggestion, i)).OrderBy(one => Order(one.suggestion)).ThenByDescending(one => one.suggestion.Confidence).ThenBy(one => one.i).Select(one => one.suggestion)]);
    }

    internal static Suggestion Make(
        string kind, IReadOnlyList<string> columns, string message, double confidence, long support, long affected, JsonObject? rule, JsonObject? check, IEnumerable<SuggestionSample> samples) =>
        new(kind, columns, message, Math.Round(confidence, 3), support, affected, Element(rule), Element(check), [.. samples.Take(MostSamples).Select(Short)]);

    /// <summary>Conditions are on values as they came, so they come first, behind what brings values into their columns; texts that become dates, or numbers and codes of one form, come last.</summary>
    private static int Order(Suggestion suggestion) => suggestion.Kind switch { "shift" => -2, "swap" => -1, "dependency" => 0, "missing" or "normalise" or "spelling" => 1, "spellings" => 2, "space" => 3, "dates" or "phones" or "codes" => 4, _ => 5 };

    private static JsonElement? Element(JsonObject? node) => node is null ? null : JsonSerializer.SerializeToElement(node);

    private static SuggestionSample Short(SuggestionSample sample) =>
        sample with { Before = sample.Before is null ? null : ProfiledColumn.Show(sample.Before), After = sample.After is null ? null : ProfiledColumn.Show(sample.After) };

    private static async Task<CodedTable> ReadAsync(LocalDataset dataset, List<DatasetColumn> columns, EngineOptions options, CancellationToken ct)
    {
        using var session = EngineSession.Open(options with { Paths = [.. dataset.Paths] });
        var names = columns.Select(column => column.Name).ToList();
        var texts = columns.Select(column => $"CAST(({WireExpression.Of(DatasetFiles.TypeOf(column), Sql.Identifier(column.Name)).Sql}) AS VARCHAR)");
        // Rows are drawn by what stands in them, so that their order does not matter.
        var parts = (dataset.Dataset.Rows * columns.Count / MostCells) + 1;
        var where = parts == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $" WHERE hash({Sql.Identifiers(names)}) % {parts} = 0");
        return await CodedTable.ReadAsync(session, $"SELECT {string.Join(", ", texts)} FROM {DatasetFiles.Relation(dataset, names)}{where}", names, ct).ConfigureAwait(false);
    }

    private static IEnumerable<Suggestion> Spaces(CodedTable table, List<DatasetColumn> columns)
    {
        var samples = new List<SuggestionSample>();
        var names = new List<string>();
        long rows = 0;
        for (var index = 0; index < columns.Count; index++)
        {
            var column = table.Columns[index];
            if (columns[index].Type != "text")
                continue;
            var spaced = Enumerable.Range(1, column.Values.Length - 1).Where(value => column.Values[value].Trim().Length is var length && length > 0 && length < column.Values[value].Length).ToList();
            if (spaced.Count == 0)
                continue;
            names.Add(column.Name);
            rows += spaced.Sum(value => (long)column.Counts[value]);
            samples.AddRange(spaced.OrderByDescending(value => column.Counts[value]).ThenBy(value => value).Take(MostSamples)
                .Select(value => new SuggestionSample(column.Values[value], column.Values[value].Trim(), column.Counts[value], null)));
        }
        if (names.Count > 0)
        {
            yield return CellRepairs.Make("space", names, "Texts have white space at their ends", 0.99, table.Rows, rows,
                new JsonObject { ["rule"] = "trim", ["columns"] = Array(names) }, samples.OrderByDescending(sample => sample.Rows));
        }
    }

    /// <summary>Words for no value that the detectors leave alone, because the column is one of words.</summary>
    private static Suggestion? Words(Column column)
    {
        if (!column.IsText)
            return null;
        var words = column.Values.Where(value => !column.Listed.Contains((column.Index, value)) && NoValues.Contains(column.Text(value).Trim().ToLowerInvariant())).ToList();
        var rows = words.Sum(column.Count);
        return words.Count == 0 || rows == column.Coded.Filled
            ? null
            : CellRepairs.Make("missing", [column.Name], $"\"{column.Name}\" has words for no value", Doubtful, column.Coded.Filled, rows,
                new JsonObject { ["rule"] = "nulls", ["columns"] = Array([column.Name]), ["values"] = Array(words.Select(column.Text)), ["ignoreCase"] = false },
                words.Select(value => new SuggestionSample(column.Text(value), null, column.Count(value), null)));
    }

    /// <summary>The same words in another case, order or punctuation, where one way of writing them is ten times as frequent as all others together.</summary>
    private static Suggestion? Spellings(Column column, CancellationToken ct)
    {
        if (!column.IsText || column.Coded.Values.Length > MostClustered || column.Profile.Semantic?.Type is SemanticTypes.Date or SemanticTypes.Timestamp or SemanticTypes.Time or SemanticTypes.Email or SemanticTypes.Url or SemanticTypes.Id)
            return null;
        var limits = new List<string>();
        var clusters = ValueClusterer.Find(column.Values.Where(value => !column.Listed.Contains((column.Index, value))).Select(value => new ClusteredValue(column.Text(value), column.Count(value))), ClusterMethod.Fingerprint, limits, ct)
            .Where(cluster => cluster.Values.Single(value => value.Value == cluster.Suggested).Rows is var main && main >= 10 * (cluster.Rows - main) && cluster.Suggested.Any(char.IsLetter)).ToList();
        var others = clusters.SelectMany(cluster => cluster.Values.Where(value => value.Value.Trim() != cluster.Suggested.Trim() && CellRepairs.IsWritable(value.Value) && CellRepairs.IsWritable(cluster.Suggested)).Select(value => (Value: value, cluster.Suggested)))
            .OrderByDescending(one => one.Value.Rows).ThenBy(one => one.Value.Value, StringComparer.Ordinal).Take(500).ToList();
        return others.Count == 0
            ? null
            : CellRepairs.Make("spellings", [column.Name], $"\"{column.Name}\" has values that differ in case, order or punctuation only", Doubtful, column.Coded.Filled, others.Sum(one => one.Value.Rows),
                new JsonObject { ["rule"] = "replace", ["columns"] = Array([column.Name]), ["map"] = new JsonObject(others.Select(one => KeyValuePair.Create(one.Value.Value, (JsonNode?)one.Suggested))) },
                others.Select(one => new SuggestionSample(one.Value.Value, one.Suggested, one.Value.Rows, null)));
    }

    /// <summary>Texts that are dates. Where day and month could be either in all of them nothing is said.</summary>
    private static Suggestion? Dates(Column column)
    {
        if (!column.IsText || column.Profile.Semantic?.Type != SemanticTypes.Date || column.Coded.Filled < FewRows)
            return null;
        var read = DateFormats.Select(format => (Format: format, Values: column.Values.Where(value => IsDate(column.Text(value), format)).ToHashSet())).ToList();
        var chosen = new List<string>();
        var covered = new HashSet<int>();
        while (true)
        {
            var (best, rows) = read.Select(format => (format, Rows: format.Values.Where(value => !covered.Contains(value)).Sum(column.Count))).MaxBy(format => format.Rows);
            if (rows * 50 < column.Coded.Filled)
                break;
            // Another format that reads nearly as much, but not the same days, would do as well.
            if (read.Any(other => other.Format != best.Format && IsOther(best.Format, other.Format) && other.Values.Intersect(best.Values).Sum(column.Count) * 20 >= 19 * rows))
                return null;
            chosen.Add(best.Format);
            covered.UnionWith(best.Values);
        }
        var all = covered.Sum(column.Count);
        var rest = column.Values.Where(value => !covered.Contains(value)).ToList();
        return chosen.Count == 0 || all < NearlyAll * column.Coded.Filled
            ? null
            : CellRepairs.Make("dates", [column.Name], $"\"{column.Name}\" holds dates{(chosen.Count > 1 ? $" in {chosen.Count.ToString(CultureInfo.InvariantCulture)} forms" : "")}", Doubtful * all / column.Coded.Filled, column.Coded.Filled, all,
                new JsonObject { ["rule"] = "date", ["columns"] = Array([column.Name]), ["formats"] = Array(chosen), ["else"] = "keep" },
                covered.OrderByDescending(column.Count).ThenBy(value => value).Select(value => new SuggestionSample(
                    column.Text(value), chosen.Where(format => IsDate(column.Text(value), format)).Select(format => Date(column.Text(value), format)).First(), column.Count(value), null)));

        static bool IsDate(string text, string format) => DateOnly.TryParseExact(text, format, CultureInfo.InvariantCulture, DateTimeStyles.None, out _);
        static string Date(string text, string format) => DateOnly.ParseExact(text, format, CultureInfo.InvariantCulture).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        static bool IsOther(string one, string other) => one.IndexOf('d', StringComparison.Ordinal) < one.IndexOf('M', StringComparison.Ordinal) != other.IndexOf('d', StringComparison.Ordinal) < other.IndexOf('M', StringComparison.Ordinal);
    }

    private static Suggestion? Range(Column column) => column.Profile.Outliers is not { } far || column.IsText
        ? null
        : Check("range", column, $"\"{column.Name}\" lies between {far.From} and {far.To} but for some rows far away", Doubtful, column.Profile.Nulls, far.Rows,
            new JsonObject { ["check"] = "range", ["columns"] = Array([column.Name]), ["min"] = Number(column, far.From), ["max"] = Number(column, far.To), ["else"] = "keep" },
            far.Examples.Select(value => new SuggestionSample(value, null, 1, null)));

    private static JsonNode Number(Column column, string text) =>
        column.Profile.Type is "date" or "time" or "timestamp" or "timestamptz" || !decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? text : number;

    /// <summary>What all values, or all but a few, look like: a kind with a check of its own, or one form of letters and digits.</summary>
    private static Suggestion? Form(Column column)
    {
        if (!column.IsText || column.Coded.Filled < FewRows)
            return null;
        var (check, fits, what) = column.Profile.Semantic?.Type switch
        {
            SemanticTypes.Email => (new JsonObject { ["check"] = "email" }, (Func<string, bool>?)ValueShapes.IsEmail, "e-mail addresses"),
            SemanticTypes.Uuid => (new JsonObject { ["check"] = "format", ["is"] = "uuid" }, ValueShapes.IsUuid, "UUIDs"),
            SemanticTypes.Ip => (new JsonObject { ["check"] = "format", ["is"] = "ip" }, ValueShapes.IsIp, "IP addresses"),
            SemanticTypes.Url => (new JsonObject { ["check"] = "format", ["is"] = "url" }, value => value.StartsWith("http", StringComparison.OrdinalIgnoreCase) && ValueShapes.IsUrl(value), "URLs"),
            SemanticTypes.Iban => (new JsonObject { ["check"] = "format", ["is"] = "iban" }, ValueShapes.IsIban, "IBANs"),
            SemanticTypes.CreditCard => (new JsonObject { ["check"] = "format", ["is"] = "luhn" }, ValueShapes.IsCreditCard, "numbers with a check digit"),
            _ => (new JsonObject(), (Func<string, bool>?)null, ""),
        };
        if (fits is null)
        {
            var form = column.Values.GroupBy(value => Formats.FormOf(column.Text(value)), StringComparer.Ordinal).Select(form => (Form: form.Key, Values: form.Count(), Rows: form.Sum(column.Count)))
                .OrderByDescending(form => form.Rows).ThenBy(form => form.Form, StringComparer.Ordinal).FirstOrDefault();
            // A form that only a handful of values has is theirs, and one without a digit is that of any word of that length.
            if (form.Form is null || form.Values < 20 || !form.Form.Contains('9', StringComparison.Ordinal) || form.Form.Length > 40)
                return null;
            (check, fits, what) = (new JsonObject { ["check"] = "pattern", ["pattern"] = Pattern(form.Form) }, value => Formats.FormOf(value) == form.Form && value.All(c => c < 128), $"of the form {form.Form}");
        }
        var bad = column.Values.Where(value => !fits(column.Text(value))).ToList();
        var rows = bad.Sum(column.Count);
        if (rows > (1 - NearlyAll) * column.Coded.Filled)
            return null;
        check["columns"] = Array([column.Name]);
        check["else"] = "keep";
        return Check("form", column, $"\"{column.Name}\" holds {what}", rows == 0 ? Next(column.Coded.Filled) : Doubtful, column.Coded.Counts[0], rows, check,
            bad.OrderByDescending(column.Count).ThenBy(value => value).Select(value => new SuggestionSample(column.Text(value), null, column.Count(value), null)));
    }

    private static string Pattern(string form)
    {
        var pattern = new StringBuilder();
        for (var i = 0; i < form.Length;)
        {
            var end = i;
            while (end < form.Length && form[end] == form[i])
                end++;
            pattern.Append(form[i] switch { '9' => "[0-9]", 'A' => "[A-Z]", 'a' => "[a-z]", ' ' => " ", var sign => char.IsAscii(sign) ? $"\\{sign}" : sign.ToString() });
            if (end - i > 1)
                pattern.Append(CultureInfo.InvariantCulture, $"{{{end - i}}}");
            i = end;
        }
        return pattern.ToString();
    }

    private static Suggestion? Allowed(Column column)
    {
        if (!column.IsText || column.Coded.Filled < FewRows || column.Profile.Semantic?.Type is not (SemanticTypes.Category or SemanticTypes.Gender or SemanticTypes.Colour or SemanticTypes.UsState or SemanticTypes.Country or SemanticTypes.Currency or SemanticTypes.Language))
            return null;
        // What another rule replaces is not allowed, and what is there once or twice may be a mistake.
        var known = column.Values.Where(value => !column.Listed.Contains((column.Index, value)) && column.Count(value) >= 3 && !NoValues.Contains(column.Text(value).Trim().ToLowerInvariant())).ToList();
        var rest = column.Values.Except(known).ToList();
        var rows = rest.Sum(column.Count);
        return known.Count is < 2 or > MostAllowed || !known.TrueForAll(value => CellRepairs.IsWritable(column.Text(value))) || rows > (1 - NearlyAll) * column.Coded.Filled
            ? null
            : Check("allowed", column, $"\"{column.Name}\" has one of {known.Count.ToString(CultureInfo.InvariantCulture)} values", rows == 0 ? Next(column.Coded.Filled) : Doubtful, column.Coded.Counts[0], rows,
                new JsonObject { ["check"] = "allowed", ["columns"] = Array([column.Name]), ["values"] = Array(known.Select(column.Text)), ["else"] = "keep" },
                rest.OrderByDescending(column.Count).ThenBy(value => value).Select(value => new SuggestionSample(column.Text(value), null, column.Count(value), null)));
    }

    private static Suggestion? NotNull(Column column) => column.Profile.Nulls > 0 || column.Profile.Blank > 0 || column.Rows < FewRows
        ? null
        : Make("notNull", [column.Name], $"\"{column.Name}\" is never empty", Next(column.Rows), column.Rows, 0, null, new JsonObject { ["check"] = "notNull", ["columns"] = Array([column.Name]), ["else"] = "reject" }, []);

    private static Suggestion? Unique(Column column) => !column.Profile.Unique || column.Profile.Nulls > 0 || column.Rows < FewRows
        ? null
        : Make("unique", [column.Name], $"\"{column.Name}\" never has a value twice", Next(column.Rows), column.Rows, 0, null, new JsonObject { ["check"] = "unique", ["columns"] = Array([column.Name]) }, []);

    private static Suggestion Check(string kind, Column column, string message, double confidence, long empty, long failing, JsonObject check, IEnumerable<SuggestionSample> samples) =>
        Make(kind, [column.Name], message, confidence, column.Looked - Math.Min(empty, column.Looked), failing, null, check, samples);

    /// <summary>How probably the next row is like all rows so far (Laplace's rule of succession).</summary>
    private static double Next(long rows) => Math.Min(0.99, (rows + 1.0) / (rows + 2.0));

    private static JsonArray Array(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);

    private sealed record Column(CodedColumn Coded, ColumnProfile Profile, int Index, HashSet<(int Column, int Value)> Listed, long Rows, long Looked)
    {
        public string Name => Profile.Name;

        public bool IsText => Profile.Type == "text";

        public IEnumerable<int> Values => Enumerable.Range(1, Coded.Values.Length - 1);

        public string Text(int value) => Coded.Values[value];

        public long Count(int value) => Coded.Counts[value];
    }
}
