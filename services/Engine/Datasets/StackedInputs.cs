using System.Globalization;
using Qualiz.Contracts.Data;
using Qualiz.Engine.Recipes;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Datasets;

/// <summary>Several inputs on top of each other, by column name: what a step with more than one input reads.</summary>
public sealed class StackedInputs
{
    private readonly IReadOnlyList<RecipeInput> _inputs;

    /// <param name="added">Columns that the step adds: no internal name may meet them either.</param>
    public StackedInputs(IReadOnlyList<RecipeInput> inputs, IEnumerable<string>? added = null)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        _inputs = inputs;
        Columns = Stack([.. inputs.Select(input => (input.Name, input.Dataset.Schema))]);
        Prefix = FreePrefix([.. Columns.Select(column => column.Name), .. added ?? []]);
        RowNumber = new RowNumber(Columns.Select(column => column.Name), $"{Prefix}row");
    }

    /// <summary>The visible columns.</summary>
    public IReadOnlyList<DatasetColumn> Columns { get; }

    /// <summary>Begins no column's name, so that internal columns may begin with it.</summary>
    public string Prefix { get; }

    /// <summary>The internal column with the number of the input that a row came from.</summary>
    public string InputColumn => $"{Prefix}input";

    /// <summary>What tells the rows apart in a table of them.</summary>
    internal RowNumber RowNumber { get; }

    /// <summary>The numbers of the inputs that hold all of their sources' rows; null: all of them do.</summary>
    public IReadOnlyList<int>? Whole => _inputs.Any(input => input.Dataset.Dataset.Partial)
        ? [.. Enumerable.Range(0, _inputs.Count).Where(i => !_inputs[i].Dataset.Dataset.Partial)]
        : null;

    /// <summary>The visible columns of inputs on top of each other. A column that one of them lacks is empty there.</summary>
    /// <exception cref="RecipeException">Code <c>typeConflict</c>: two inputs disagree on a column.</exception>
    public static IReadOnlyList<DatasetColumn> Stack(IReadOnlyList<(string Name, DatasetSchema Schema)> inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        var columns = new List<DatasetColumn>();
        var seen = new Dictionary<string, (int Index, string Input)>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, schema) in inputs)
        {
            foreach (var column in schema.Columns.Where(column => !column.Hidden))
            {
                if (!seen.TryGetValue(column.Name, out var other))
                {
                    seen.Add(column.Name, (columns.Count, name));
                    columns.Add(column);
                    continue;
                }
                var known = columns[other.Index];
                if (known.Name != column.Name)
                    throw new RecipeException(RecipeException.TypeConflict, $"The column \"{known.Name}\" of {other.Input} is written \"{column.Name}\" in {name}; rename one of them.", "");
                if (DatasetFiles.TypeOf(known) != DatasetFiles.TypeOf(column))
                    throw new RecipeException(RecipeException.TypeConflict, $"Column \"{column.Name}\" is {known.Type} in {other.Input} and {column.Type} in {name}; give it one type where it is read.", "");
                columns[other.Index] = known.With(column);
            }
        }
        return [.. columns.Select(column => inputs.All(input => input.Schema.Find(column.Name) is not null) ? column : column with { Nullable = true })];
    }

    /// <summary>A prefix that none of the names begins with.</summary>
    private static string FreePrefix(IEnumerable<string> names)
    {
        var taken = names.ToList();
        var prefix = "__q_";
        while (taken.Exists(name => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)))
            prefix = $"_{prefix}";
        return prefix;
    }

    /// <summary>A table expression with <see cref="Columns"/>, the hidden columns and <see cref="InputColumn"/>.</summary>
    public string Relation() => Relation([.. Columns.Select(column => column.Name)]);

    /// <summary>The same with only some of the visible columns.</summary>
    public string Relation(IReadOnlyList<string> columns) =>
        $"({Query(_inputs, [.. columns.Select(name => Columns.First(column => column.Name == name))], InputColumn)})";

    /// <summary>The same rows as one dataset of all the inputs' files; nothing is copied.</summary>
    public LocalDataset ToDataset()
    {
        var files = _inputs.SelectMany(input => input.Dataset.Dataset.Files.Select(file => file with { Schema = file.Schema ?? input.Dataset.Schema })).ToList();
        return new LocalDataset(DatasetRef.Of(new DatasetSchema { Columns = [.. Columns, .. HiddenColumns.Columns] }, files), [.. _inputs.SelectMany(input => input.Dataset.Paths)]);
    }

    /// <summary>A query of these columns, the hidden ones and, as <paramref name="number"/>, the number of the input that a row came from.</summary>
    internal static string Query(IReadOnlyList<RecipeInput> inputs, IReadOnlyList<DatasetColumn> columns, string number)
    {
        IReadOnlyList<DatasetColumn> wanted = [.. columns, .. HiddenColumns.Columns];
        return string.Join("\n  UNION ALL ", inputs.Select((input, i) =>
        {
            var schema = input.Dataset.Schema;
            string Select(DatasetColumn column) => schema.Find(column.Name) is null
                ? $"CAST(NULL AS {DatasetFiles.TypeOf(column).DuckDb}) AS {Sql.Identifier(column.Name)}"
                : Sql.Identifier(column.Name);
            var present = wanted.Select(column => column.Name).Where(name => schema.Find(name) is not null).ToList();
            return $"SELECT {string.Join(", ", wanted.Select(Select))}, CAST({i.ToString(CultureInfo.InvariantCulture)} AS USMALLINT) AS {Sql.Identifier(number)} "
                + $"FROM {DatasetFiles.Relation(input.Dataset, present)}";
        }));
    }
}
