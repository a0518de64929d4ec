using System.Globalization;
using Qualiz.Contracts.Runs.V1;

namespace Qualiz.Platform.Operators;

/// <summary>A file cut short, or not the one that was recorded, must not pass for fewer rows.</summary>
public static class InputRows
{
    /// <param name="input">Whose rows were counted; null: all inputs together.</param>
    /// <returns>Null when all rows that were recorded are there.</returns>
    public static StepError? Check(long held, long recorded, string? input = null) => held == recorded ? null : new StepError
    {
        Code = "inputDamaged",
        Message = string.Create(CultureInfo.InvariantCulture, $"{(input is null ? "The inputs hold" : $"{input} holds")} {held:N0} rows, {recorded:N0} were recorded."),
    };
}
