namespace Qualiz.Engine.Recipes;

/// <summary>Masking. What a masked column held before appears nowhere but in the inputs: neither in the rejected rows and their reasons nor in the change log.</summary>
public sealed partial class RecipeCompiler
{
    /// <summary>Names under which values travel, or have travelled, that a rule masks; and those of the columns that they came from.</summary>
    private readonly HashSet<string> _hidden = new(StringComparer.Ordinal);
    private readonly MaskKeys? _masks;

    private bool IsHidden(string column) => _hidden.Contains(column);

    private void Apply(MaskRule rule, string path)
    {
        Check(rule, path);
        var columns = TextColumns(rule.Columns, rule.Kind, path);
        var otherwise = Otherwise(rule.Else, rule.Default, Types.ColumnType.Text, path);
        // Without the keys (when a file is checked before it runs) nothing is run either.
        var masker = _masks is null ? 0
            : _masks.Masker(rule) ?? throw new RecipeException(RecipeException.ValueInvalid, $"There is no key \"{rule.Key}\".", $"{path}.key");
        var number = AddChangingRule(rule.Kind, path);
        if (columns.Count == 0)
            return;
        foreach (var column in columns)
            _hidden.UnionWith(column.Origins);
        var results = columns.ConvertAll(column => (Column: column, Name: Temporary(), Failed: Temporary(), Changed: Temporary()));
        Layer(added: [.. results.Select(result => (result.Name, $"qz_mask({Number(masker)}, {Quote(result.Column.Name)})"))]);
        var failing = rule.By == MaskMethod.Format;
        var flags = results.ConvertAll(result => (result.Changed, $"{Quote(result.Name)} IS DISTINCT FROM {Quote(result.Column.Name)}"));
        if (failing)
            flags.AddRange(results.Select(result => (result.Failed, $"{Quote(result.Name)} IS NULL AND {Quote(result.Column.Name)} IS NOT NULL")));
        Layer(
            results.ToDictionary(
                result => result.Column,
                result => otherwise is null ? Quote(result.Name) : $"CASE WHEN {Quote(result.Name)} IS NULL AND {Quote(result.Column.Name)} IS NOT NULL THEN {otherwise} ELSE {Quote(result.Name)} END"),
            flags, [.. results.Select(result => result.Name)]);
        foreach (var (column, _, failed, changed) in results)
        {
            if (failing)
            {
                AddFailure(rule.Kind, column.Name, path, rule.Else, failed, "cannot be masked safely in its format", () => "NULL");
                column.Nullable |= rule.Else == Else.Null;
            }
            AddChange(number, changed, column.Name, column.Current, column.Type, column.Current, column.Type);
            if (rule.IsWhole || rule.Untag)
                column.Sensitivity = null;
        }
    }

    private static void Check(MaskRule rule, string path)
    {
        if (rule.By == MaskMethod.Redact)
        {
            if (rule.Key is not null)
                throw new RecipeException(RecipeException.ValueInvalid, "redact needs no key.", $"{path}.key");
            if (rule.Text is not null && rule.KeepLast > 0)
                throw new RecipeException(RecipeException.ValueInvalid, "Either one text for all values or some characters of each, not both.", $"{path}.text");
            if (!IsOneCharacter(rule.With) || rule.With == "\0")
                throw new RecipeException(RecipeException.ValueInvalid, "with is one character.", $"{path}.with");
            if (rule.KeepLast < 0)
                throw new RecipeException(RecipeException.ValueInvalid, "keepLast is 0 or more.", $"{path}.keepLast");
        }
        else
        {
            if (string.IsNullOrEmpty(rule.Key))
                throw new RecipeException(RecipeException.ValueInvalid, $"{Camel(rule.By)} needs the name of a connection of type key.", path);
            if (rule.KeepLast > 0 || rule.Text is not null)
                throw new RecipeException(RecipeException.ValueInvalid, "Only redact keeps characters or puts a text.", rule.Text is null ? $"{path}.keepLast" : $"{path}.text");
        }
        if (rule.Else == Else.Keep)
            throw new RecipeException(RecipeException.ValueInvalid, "A value that cannot be masked cannot be kept: else is null, default, reject or fail.", $"{path}.else");
    }
}
