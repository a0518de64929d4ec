namespace Qualiz.Contracts.Schemas;

/// <summary>
/// What a form and a validator need to know of a configuration property, a variant of a list (on its class) or a choice
/// (on an enum member). The default value is not repeated here: it is read from the record itself.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Class | AttributeTargets.Field)]
public sealed class FieldAttribute : Attribute
{
    /// <summary>What stands beside the field: one to four words.</summary>
    public string? Title { get; set; }

    /// <summary>One sentence.</summary>
    public string? Description { get; set; }

    /// <summary>A text, number, bool, or an array of them.</summary>
    public object? Example { get; set; }

    /// <summary>An example that is an object, as JSON text.</summary>
    public string? ExampleJson { get; set; }

    /// <summary>One of <see cref="FieldFormat"/>: tells the form which editor to offer.</summary>
    public string? Format { get; set; }

    /// <summary>Groups the field in the form; <see cref="AdvancedGroup"/> is folded.</summary>
    public string? Group { get; set; }

    /// <summary>Overrides the order of declaration when above 0.</summary>
    public int Order { get; set; }

    /// <summary>Shown only when another property has one of these values: <c>mode=replace,upsert</c>.</summary>
    public string? VisibleIf { get; set; }

    public double Minimum { get; set; } = double.NaN;
    public double Maximum { get; set; } = double.NaN;
    public int MinLength { get; set; } = -1;
    public int MaxLength { get; set; } = -1;
    public int MinItems { get; set; } = -1;
    public int MaxItems { get; set; } = -1;

    /// <summary>A regular expression (ECMA and .NET) that the whole text must match.</summary>
    public string? Pattern { get; set; }

    public const string AdvancedGroup = "Advanced";
}

/// <summary>The formats of a field. The validator checks <c>duration</c>, <c>share</c>, <c>columns</c>, <c>timezone</c> and <c>email</c>; the others guide the form.</summary>
public static class FieldFormat
{
    public const string Column = "column";
    public const string Columns = "columns";
    public const string Expression = "expression";
    public const string Connection = "connection";
    public const string Dataset = "dataset";
    public const string StepPort = "step-port";
    public const string Duration = "duration";
    public const string Share = "share";
    public const string TimeZone = "timezone";
    public const string Cron = "cron";
    public const string Locale = "locale";
    public const string CodeSql = "code-sql";
    public const string Secret = "secret";

    /// <summary>On a list: each of its entries is one.</summary>
    public const string Email = "email";

    public static readonly IReadOnlySet<string> All = new HashSet<string>
    {
        Column, Columns, Expression, Connection, Dataset, StepPort, Duration, Share, TimeZone, Cron, Locale, CodeSql, Secret, Email,
    };
}

/// <summary>On a type with a JSON converter of its own: its JSON looks like that of <paramref name="type"/>.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct)]
public sealed class SchemaAsAttribute(Type type) : Attribute
{
    public Type Type => type;
}
