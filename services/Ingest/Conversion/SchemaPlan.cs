using Qualiz.Contracts.Data;
using Qualiz.Contracts.Text;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Types;
using Qualiz.Ingest.Postgres;
using Qualiz.Ingest.Sources;
using Qualiz.Ingest.Typing;

namespace Qualiz.Ingest.Conversion;

/// <summary>The columns of the dataset: those of all files, united by name, with one type each, held against the configuration and the last run.</summary>
internal static class SchemaPlan
{
    public static IReadOnlyList<TargetColumn> Make(
        IReadOnlyList<SourceSurvey> sources, IngestConfig config, DeclaredTypes declared, IReadOnlyList<SeenColumn> before, List<string> warnings)
    {
        var names = new List<string>();
        var findings = new Dictionary<string, List<ColumnFinding>>(StringComparer.OrdinalIgnoreCase);
        foreach (var column in sources.SelectMany(source => source.Columns))
        {
            if (!findings.TryGetValue(column.Name, out var same))
            {
                findings[column.Name] = same = [];
                names.Add(column.Name);
            }
            same.Add(column);
        }
        Require(config.Types.Keys, names, (_, name) => $"types.{name}");
        Require(config.Key, names, (at, _) => $"key[{at}]");
        Require(config.Sensitivity.Keys, names, (_, name) => $"sensitivity.{name}");

        var sign = config.Format.Decimal == "," ? (byte)',' : (byte)'.';
        var known = before.ToDictionary(column => column.Name, StringComparer.OrdinalIgnoreCase);
        var stated = sources.All(source => source is TableSurvey);
        var columns = new List<TargetColumn>();
        foreach (var name in names)
        {
            var doubts = new List<string>();
            var decision = Decide(name, declared, findings[name], sign, doubts);
            var empty = !declared.ContainsKey(name) && findings[name].All(finding => finding.Fixed is null && finding.Evidence.Values == 0);
            if (known.TryGetValue(name, out var last) && !declared.ContainsKey(name))
            {
                // A column that is empty this time keeps the type it had.
                if (empty)
                    (decision, empty) = (decision with { Type = ColumnType.Parse(last.Type), Native = last.Type == "text", Format = last.Format }, last.Empty);
                // What the source itself says of its columns holds; what one day's values look like does not narrow a column.
                else if (!last.Empty && !stated && KeptType.Find(last, decision, findings[name], sign) is { } kept)
                    (decision, doubts) = (kept, []);
            }
            warnings.AddRange(doubts);
            columns.Add(new TargetColumn(last?.Name ?? name, decision) { Empty = empty, Format = last?.Format });
        }
        return before.Count == 0 ? columns : Compare(columns, before, config, warnings);
    }

    public static DatasetSchema Schema(IEnumerable<TargetColumn> columns, IngestConfig config)
    {
        var tags = new Dictionary<string, string>(config.Sensitivity, StringComparer.OrdinalIgnoreCase);
        return new DatasetSchema
        {
            Columns =
            [
                .. columns.Select(column => new DatasetColumn { Name = column.Name, Type = column.Decision.Type.ToString(), Sensitivity = tags.GetValueOrDefault(column.Name) }),
                .. HiddenColumns.Columns,
            ],
        };
    }

    private static ColumnDecision Decide(string name, DeclaredTypes declared, List<ColumnFinding> findings, byte sign, List<string> warnings)
    {
        var evidence = findings[0].Evidence;
        foreach (var finding in findings.Skip(1))
            evidence.Merge(finding.Evidence);
        if (declared.TryGetValue(name, out var wanted))
            return ColumnDecision.Decide(name, wanted, evidence, sign, warnings, declared.Dates.GetValueOrDefault(name));
        var stated = findings.Where(finding => finding.Fixed is not null).Select(finding => finding.Fixed!).Distinct().ToList();
        if (stated.Count == 0)
            return ColumnDecision.Decide(name, null, evidence, sign, warnings);
        var guessed = findings.Where(finding => finding.Fixed is null && finding.Evidence.Values > 0).ToList();
        var type = stated.Count == 1 ? stated[0] : stated.Any(one => one.IsNested) ? ColumnType.Json : ColumnType.Text;
        // Whole numbers in one file and long ones in another are both whole numbers; else the files disagree.
        if (guessed.Count > 0 && !(type == ColumnType.Int64 && guessed.All(finding => finding.Evidence.Kinds.HasFlag(ValueKinds.Int))))
        {
            warnings.Add($"Column \"{name}\" is {type} in some files and something else in others: it is text.");
            type = ColumnType.Text;
        }
        return new ColumnDecision(type, type == ColumnType.Text || (type == ColumnType.Int64 && evidence.QuotedEmpty == 0) || type == ColumnType.Bool, null, sign);
    }

    private static List<TargetColumn> Compare(List<TargetColumn> columns, IReadOnlyList<SeenColumn> before, IngestConfig config, List<string> warnings)
    {
        var known = before.ToDictionary(column => column.Name, StringComparer.OrdinalIgnoreCase);
        var added = columns.Where(column => !known.ContainsKey(column.Name)).Select(column => column.Name).ToList();
        var gone = before.Where(column => !columns.Any(now => now.Name.Equals(column.Name, StringComparison.OrdinalIgnoreCase))).ToList();
        var changed = columns.Where(column => known.TryGetValue(column.Name, out var last) && !last.Empty && last.Type != column.Decision.Type.ToString()).ToList();
        if (added.Count + gone.Count + changed.Count == 0)
            return columns;
        var changes = string.Join("; ", new[]
        {
            added.Count > 0 ? $"new: {string.Join(", ", added)}" : null,
            gone.Count > 0 ? $"missing: {string.Join(", ", gone.Select(column => column.Name))}" : null,
            changed.Count > 0 ? $"changed: {string.Join(", ", changed.Select(column => $"{column.Name} ({known[column.Name].Type} to {column.Decision.Type})"))}" : null,
        }.Where(part => part is not null));
        if (config.OnSchemaChange == OnSchemaChange.Fail)
            throw new IngestException("schemaChanged", $"The columns are not those of the last run: {changes}.", "onSchemaChange");
        warnings.Add($"The columns are not those of the last run: {changes}.");
        var missing = gone.Select(TargetColumn.Of);
        var kept = config.OnSchemaChange == OnSchemaChange.Ignore ? columns.Where(column => known.ContainsKey(column.Name)) : columns;
        return [.. kept, .. missing];
    }

    private static void Require(IEnumerable<string> wanted, List<string> names, Func<int, string, string> path)
    {
        foreach (var (at, name) in wanted.Index())
        {
            if (names.Contains(name, StringComparer.OrdinalIgnoreCase))
                continue;
            var nearest = NearestName.Find(name, names);
            var hint = nearest is null ? $"the files have {string.Join(", ", names.Take(20))}." : $"did you mean \"{nearest}\"?";
            throw new IngestException("columnUnknown", $"Column \"{name}\" does not exist; {hint}", path(at, name)) { Suggestion = nearest };
        }
    }
}
