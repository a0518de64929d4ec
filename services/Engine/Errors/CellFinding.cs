namespace Qualiz.Engine.Errors;

/// <summary>What is wrong with a cell.</summary>
public enum CellKind
{
    /// <summary>The value is not the right one.</summary>
    Error,

    /// <summary>The right value, written in another way than the column's others or than its type.</summary>
    Normalise,

    /// <summary>No value where there should be one, or a word that stands for none.</summary>
    Missing,
}

/// <summary>A cell that is probably wrong.</summary>
/// <param name="Row">Counted from 0 in the order the rows were read.</param>
/// <param name="Value">As read; empty where there was none.</param>
/// <param name="Suggested">What should stand there; the empty text: nothing; null: not known.</param>
/// <param name="Confidence">How probably the value is wrong, 0 to 1.</param>
public sealed record CellFinding(int Row, int Column, string Value, string? Suggested, CellKind Kind, string Reason, double Confidence);
