using Qualiz.Engine.Columns;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Errors;

/// <summary>How values came into other columns than they belong.</summary>
internal enum Misplaced
{
    /// <summary>Two columns have each other's, or one has the other's, which is empty.</summary>
    Swapped,

    /// <summary>By one column to the right from some column on; they go back to the left.</summary>
    ToLeft,

    /// <summary>By one column to the left; they go back to the right.</summary>
    ToRight,
}

/// <summary>Rows whose values sit in other columns than they belong, all in the same way.</summary>
/// <param name="Columns">Those whose values move, in the order of the table.</param>
/// <param name="Join">To the left: the first column keeps its value, and the next one's comes behind it.</param>
/// <param name="Terms">What is true of these rows.</param>
/// <param name="Unlikely">How probably it is no chance that a row is so.</param>
/// <param name="IsWeak">The columns differ only in which values or numbers they have, as columns of one kind may.</param>
internal sealed record Misplacement(Misplaced Kind, List<int> Columns, string? Join, IReadOnlyList<Term> Terms, IReadOnlyList<int> Rows, double Unlikely, bool IsWeak)
{
    /// <summary>Nothing but the values tells the columns apart: of two columns of one kind, as where from and where to, one may be rare on the other side.</summary>
    private const double Weak = 0.8;

    /// <summary>How probably a row's values are misplaced, where nothing is known of what the columns stand for.</summary>
    public double Confidence => IsWeak ? Math.Min(Unlikely, Weak) : Unlikely;

    /// <summary>What a row's cells become, by the places of <see cref="Columns"/>.</summary>
    public string[] Repaired(CodedTable table, int row)
    {
        string[] now = [.. Columns.Select(index => table.Columns[index].Values[table.Columns[index].Codes[row]])];
        return Kind switch
        {
            Misplaced.Swapped => [now[1], now[0]],
            Misplaced.ToRight => ["", .. now[..^1]],
            _ => [Join is null || now[0].Length == 0 ? now[1] : now[1].Length == 0 ? now[0] : now[0] + Join + now[1], .. now[2..], ""],
        };
    }

    /// <summary>Whether what is true of the rows is no longer true when they have been put right.</summary>
    public bool IsDoneOnce(CodedTable table) => Rows.All(row =>
    {
        var repaired = Repaired(table, row);
        return Terms.Any(term => !term.Holds(repaired[Columns.IndexOf(term.Column)]));
    });

    /// <summary>A row expression that is true of these rows.</summary>
    public string When(CodedTable table) => string.Join(" AND ", Terms.Select(term => term.Condition(table)));
}

/// <summary>A column has a value that belongs to another column, or none.</summary>
/// <param name="Distinction">Of the other column's values from this one's; null: it is empty.</param>
/// <param name="OrEmpty">It may be empty, too.</param>
internal sealed record Term(int Column, Distinction? Distinction, bool OrEmpty = false)
{
    public bool Holds(CodedTable table, int row) => table.Columns[Column].Codes[row] is var value && ((value == 0 && (OrEmpty || Distinction is null)) || Distinction?.IsForeign(value) == true);

    public bool Holds(string text) => (text.Length == 0 && (OrEmpty || Distinction is null)) || Distinction?.Holds(text) == true;

    public string Condition(CodedTable table)
    {
        var empty = $"coalesce({Sql.Identifier(table.Columns[Column].Name)}, '') = ''";
        return Distinction is null ? empty : OrEmpty ? $"({empty} OR {Distinction.Condition()})" : Distinction.Condition();
    }
}
