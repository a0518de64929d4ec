namespace Qualiz.Ingest.Typing;

/// <summary>
/// What a text may be without losing anything. A column is of the one kind that all its values share; values that share none stay text.
/// </summary>
[Flags]
internal enum ValueKinds : ushort
{
    None = 0,
    Bool = 1 << 0,

    /// <summary>A whole number as a computer writes it, of at most 15 digits: longer ones and leading zeros are ids.</summary>
    Int = 1 << 1,
    Decimal = 1 << 2,

    /// <summary>A number with an exponent, or one that stands among such, of at most 15 significant digits.</summary>
    Double = 1 << 3,

    /// <summary>yyyy-MM-dd.</summary>
    Date = 1 << 4,

    /// <summary>yyyy/MM/dd.</summary>
    YearFirst = 1 << 5,
    DayFirst = 1 << 6,
    MonthFirst = 1 << 7,
    Time = 1 << 8,
    Timestamp = 1 << 9,
    TimestampTz = 1 << 10,
    All = (1 << 11) - 1,
}
