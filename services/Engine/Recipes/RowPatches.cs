using System.Globalization;
using Qualiz.Contracts.Data;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Rows;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Recipes;

/// <summary>
/// Repairs that stewards made on rejected rows. A patch belongs to a key and to the values it was made on: it replaces values of
/// the rows that have both, before the first rule, and leaves alone whatever the source sends instead.
/// </summary>
public static class RowPatches
{
    /// <summary>The port that says what became of each row that a patch was for.</summary>
    public const string Port = "patched";

    /// <summary>The number of the patch that was applied; 0: the row has a patch's key and other values.</summary>
    public const string Patch = "patch";

    /// <summary>False: the patch was for this row and its values are none of the columns' types, so that nothing was changed.</summary>
    public const string Fits = "fits";

    /// <summary>The hash of the row's values as the recipe sees them, with the repair if it fits: rows exploded from one have their place in the source in common.</summary>
    public const string Values = "hash";

    public static DatasetSchema Schema { get; } = new()
    {
        Columns =
        [
            new DatasetColumn { Name = Patch, Type = "int64", Nullable = false },
            new DatasetColumn { Name = Fits, Type = "bool", Nullable = false },
            new DatasetColumn { Name = Values, Type = "text", Nullable = false },
            .. HiddenColumns.Columns,
        ],
    };

    /// <summary>
    /// SQL of a hash over a JSON object's members: neither their order nor empty ones count, so that a new column in the source,
    /// or another order of its columns, makes no patch lapse.
    /// </summary>
    public static string Hash(string json)
    {
        var members = $"map_entries(from_json(CAST({json} AS JSON), '\"MAP(VARCHAR, VARCHAR)\"'))";
        return $"left(md5(array_to_string(list_sort(list_transform(list_filter({members}, lambda e: e.value IS NOT NULL), lambda e: e.key || chr(31) || e.value)), chr(30))), 16)";
    }

    /// <summary>
    /// Replaces values of the rows that patches are for. An input without such rows stays as it is; one with some is written once
    /// more, with the identities of its rows, so that the recipe knows nothing of patches.
    /// </summary>
    /// <remarks>Of an input with <see cref="RecipeInput.OnlyPatched"/> only the rows are left that patches with <c>extra</c> are for.</remarks>
    /// <param name="paths">Parquet files with the columns <c>patch</c>, <c>key</c>, <c>hash</c>, <c>changes</c> and <c>extra</c>.</param>
    /// <param name="scratch">Where the inputs that change are written.</param>
    /// <param name="target">Where it is told what became of each row that a patch was for.</param>
    /// <param name="hidden">Columns whose values the rejected rows do not have (<see cref="CompiledRecipe.Hidden"/>), so that patches cannot belong to them.</param>
    public static async Task<PatchedInputs> ApplyAsync(
        EngineSession session, IReadOnlyList<RecipeInput> inputs, IReadOnlyList<string> paths, string scratch, string target, IReadOnlyList<string> hidden, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(paths);
        var names = new Names(InternalNames.Avoiding(inputs.SelectMany(input => input.Dataset.Schema.Columns).Select(column => column.Name)).Prefix);
        // Whoever re-injects nothing may still be given patches by an earlier version, which did not say this of them.
        var extra = inputs.Any(input => input.OnlyPatched) ? "extra" : "false";
        // One row per key, so that a join with it never makes two rows of one. The newest patch of the same values counts.
        await session.ExecuteAsync(
            $"""
            CREATE TEMP TABLE __qt_patches AS
            SELECT key AS {names.Of}, map_from_entries(list(struct_pack(k := hash, v := struct_pack(patch := patch, changes := changes, extra := extra)))) AS {names.Patches}
            FROM (SELECT key, hash, max(patch) AS patch, arg_max(changes, patch) AS changes, arg_max({extra}, patch) AS extra FROM {Scan.Parquet(paths)} GROUP BY ALL)
            GROUP BY key
            """, ct).ConfigureAwait(false);
        var named = session.Query(
            $"SELECT DISTINCT unnest(json_keys(p.changes)) FROM (SELECT unnest(map_values({names.Patches})) AS p FROM __qt_patches) ORDER BY 1", row => row.GetString(0));
        await session.ExecuteAsync(
            $"CREATE TEMP TABLE __qt_found (input INTEGER, {Patch} BIGINT, {Fits} BOOLEAN, {HiddenColumns.Source} VARCHAR, {HiddenColumns.Row} BIGINT, {HiddenColumns.Key} VARCHAR, {Values} VARCHAR)", ct).ConfigureAwait(false);
        var changed = new List<RecipeInput>();
        var rows = 0L;
        for (var i = 0; i < inputs.Count; i++)
        {
            // The rows whose key has patches; only these are looked at more closely.
            var columns = Shown(inputs[i], hidden);
            await session.ExecuteAsync(
                $"""
                INSERT INTO __qt_found
                SELECT {Number(i)}, coalesce({names.Found}.patch, 0), {names.Fits}, {Sql.Identifiers(HiddenColumns.Names)}, {Hash(RecipeCompiler.RowAsJson(columns))}
                FROM ({Patched(inputs[i], names, named, hidden, "JOIN")})
                """, ct).ConfigureAwait(false);
            var fitting = await session.ScalarAsync<long>($"SELECT count(*) FROM __qt_found WHERE input = {Number(i)} AND {Fits}", ct).ConfigureAwait(false);
            rows += fitting;
            changed.Add(fitting == 0 && !inputs[i].OnlyPatched ? inputs[i] : await RewriteAsync(session, inputs[i], names, named, hidden, Path.Combine(scratch, $"patched-{Number(i)}.parquet"), ct).ConfigureAwait(false));
        }
        var lines = await DatasetFiles.WriteAsync(session, $"SELECT {Patch}, {Fits}, {Values}, {Sql.Identifiers(HiddenColumns.Names)} FROM __qt_found", target, ct).ConfigureAwait(false);
        return new PatchedInputs(changed, rows, lines);
    }

    /// <summary>
    /// SQL of an input's rows with their patches applied, and beside each what was found for it. A patch is found by the row's own key
    /// and values, never by its place in the source: rows that were exploded from one row have that in common.
    /// </summary>
    /// <param name="join">JOIN: only rows whose key has patches; LEFT JOIN: all, where not only patched ones count.</param>
    private static string Patched(RecipeInput input, Names names, IReadOnlyList<string> named, IReadOnlyList<string> hidden, string join)
    {
        var columns = Visible(input);
        var ingested = RecipeCompiler.RowAsJson(Shown(input, hidden));
        // A patch that does not fit in one column changes nothing at all.
        var unfit = named.Except(columns.Select(column => column.Name), StringComparer.Ordinal).Select(name => names.Has(name))
            .Concat(columns.Where(column => named.Contains(column.Name, StringComparer.Ordinal)).Select(column =>
                $"({names.Text(column.Name)} IS NOT NULL AND {names.Value(column.Name, DatasetFiles.TypeOf(column))} IS NULL)"));
        var select = input.Dataset.Schema.Columns.Select(column => column.Hidden || !named.Contains(column.Name, StringComparer.Ordinal)
            ? Sql.Identifier(column.Name)
            : $"CASE WHEN {names.Fits} AND {names.Has(column.Name)} THEN {names.Value(column.Name, DatasetFiles.TypeOf(column))} ELSE {Sql.Identifier(column.Name)} END AS {Sql.Identifier(column.Name)}");
        return $"""
            SELECT {string.Join(", ", select)}, {names.Found}, {names.Fits}
            FROM (
              SELECT *, {names.Found}.patch IS NOT NULL AND NOT coalesce({string.Join(" OR ", unfit.DefaultIfEmpty("false"))}, false) AS {names.Fits}
              FROM (
                SELECT *, CASE WHEN {names.Of} IS NOT NULL THEN {names.Patches}[{Hash(ingested)}] END AS {names.Found}
                FROM {DatasetFiles.Relation(input.Dataset)} {join} __qt_patches ON {names.Of} = {HiddenColumns.Key}))
            {(input.OnlyPatched ? $"WHERE {names.Found}.extra" : "")}
            """;
    }

    private static async Task<RecipeInput> RewriteAsync(
        EngineSession session, RecipeInput input, Names names, IReadOnlyList<string> named, IReadOnlyList<string> hidden, string path, CancellationToken ct)
    {
        var columns = Sql.Identifiers(input.Dataset.Schema.Columns.Select(column => column.Name));
        var rows = await DatasetFiles.WriteAsync(session, $"SELECT {columns} FROM ({Patched(input, names, named, hidden, "LEFT JOIN")})", path, ct).ConfigureAwait(false);
        var file = new DataFile { Key = path, Rows = rows, Bytes = new FileInfo(path).Length, Sha256 = "" };
        // The number of rows stays the one that was recorded, unless some are left out: whoever reads them counts them.
        var dataset = input.Dataset.Dataset with { Files = [file], Bytes = file.Bytes };
        return input with { Dataset = new LocalDataset(input.OnlyPatched ? dataset with { Rows = rows } : dataset, [path]) };
    }

    private static List<DatasetColumn> Visible(RecipeInput input) => [.. input.Dataset.Schema.Columns.Where(column => !column.Hidden)];

    private static IEnumerable<(string Name, ColumnType Type)> Shown(RecipeInput input, IReadOnlyList<string> hidden) =>
        Visible(input).Where(column => !hidden.Contains(column.Name, StringComparer.Ordinal)).Select(column => (column.Name, DatasetFiles.TypeOf(column)));

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>Columns beside those of the data, under names that these do not have.</summary>
    private sealed record Names(string Prefix)
    {
        public string Of => $"{Prefix}of";
        public string Patches => $"{Prefix}patches";

        /// <summary>The patch for the row's key and values; null: there is none.</summary>
        public string Found => $"{Prefix}found";
        public string Fits => $"{Prefix}fits";

        /// <summary>The new value of a column as one of its type, null when it is none.</summary>
        public string Value(string column, ColumnType type) => RowJson.MemberAs(type, $"{Found}.changes", column);

        /// <summary>Null when the changes empty the column or do not name it.</summary>
        public string Text(string column) => RowJson.Member($"{Found}.changes", column);

        public string Has(string column) => $"coalesce(list_contains(json_keys({Found}.changes), {Sql.Literal(column)}), false)";
    }
}

/// <param name="Inputs">What the recipe reads instead.</param>
/// <param name="Rows">How many rows were changed.</param>
/// <param name="Lines">How many rows the file has that tells of patches.</param>
public sealed record PatchedInputs(IReadOnlyList<RecipeInput> Inputs, long Rows, long Lines);
