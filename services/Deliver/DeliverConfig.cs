using System.ComponentModel.DataAnnotations;
using Qualiz.Contracts.Schemas;
using Qualiz.Contracts.Values;

namespace Qualiz.Deliver;

/// <summary>The <c>with:</c> block of a deliver step.</summary>
internal sealed record DeliverConfig : IValidatableObject
{
    [Field(Title = "Target", Description = "A table of a connection, a file in an allowed folder, or a file in the object store.", ExampleJson = """{"connection": "dwh", "table": "marts.customers"}""")]
    public required DeliverTarget To { get; init; }

    [Field(Title = "Mode", Description = "append adds rows, replace puts these rows in place of all others, upsert inserts or updates by key.", Example = "upsert")]
    public DeliverMode Mode { get; init; }

    [Field(Title = "Key", Description = "The columns that identify a row; the table must have a unique key on them.", Example = new[] { "entity_id" }, Format = FieldFormat.Columns, VisibleIf = "mode=upsert")]
    public IReadOnlyList<string> Key { get; init; } = [];

    [Field(Title = "Greatest shrink", Description = "The share of rows that replace may take away; above it the table stays as it is and the step fails.", Example = "50%", VisibleIf = "mode=replace")]
    public Share MaxShrink { get; init; } = new(0.5m);

    [Field(Title = "New columns", Description = "What to do with columns that the table lacks: add them, leave them out, or fail.", Example = "add")]
    public SchemaChange OnSchemaChange { get; init; } = SchemaChange.Fail;

    [Field(Title = "File format", Description = "The form of a file; by default what its name ends with says.", ExampleJson = """{"type": "csv", "delimiter": ";"}""")]
    public FileFormat? Format { get; init; }

    [Field(Title = "Row identity too", Description = "Also delivers _source, _row and _key.", Example = false, Group = FieldAttribute.AdvancedGroup)]
    public bool Hidden { get; init; }

    [Field(Title = "Schema of the delivery records", Description = "Where the table qualiz_delivery lies; by default beside the target.", Example = "qualiz", Group = FieldAttribute.AdvancedGroup)]
    public string? DeliverySchema { get; init; }

    [Field(Title = "Wait for locks", Description = "How long to wait while somebody else holds the table; then the step is tried again later.", Example = "1m", Group = FieldAttribute.AdvancedGroup)]
    public Duration LockTimeout { get; init; } = new(TimeSpan.FromMinutes(1));

    [Field(Title = "Longest statement", Description = "After this time a statement counts as stuck and the step is tried again later.", Example = "30m", Group = FieldAttribute.AdvancedGroup)]
    public Duration StatementTimeout { get; init; } = new(TimeSpan.FromMinutes(30));

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        var targets = (To.Connection ?? To.Table) is null ? 0 : 1;
        targets += To.File is null ? 0 : 1;
        targets += To.Store is null ? 0 : 1;
        if (targets != 1)
            yield return new ValidationResult("exactly one target is needed: connection and table, file, or store", [nameof(To)]);
        else if (To.Connection is null != To.Table is null)
            yield return new ValidationResult("connection and table belong together", [nameof(To)]);
        if (Mode == DeliverMode.Upsert && Key.Count == 0)
            yield return new ValidationResult("upsert needs the columns that identify a row", [nameof(Key)]);
        if (Mode != DeliverMode.Upsert && Key.Count > 0)
            yield return new ValidationResult("a key is only used by mode: upsert", [nameof(Key)]);
        if (To.Table is null && Mode == DeliverMode.Upsert)
            yield return new ValidationResult("a file cannot be updated; it is written anew each time", [nameof(Mode)]);
        if (To.Table is not null && Format is not null)
            yield return new ValidationResult("a table has no file format", [nameof(Format)]);
        // Zero would mean "wait for ever" to the server.
        if (LockTimeout.Value < TimeSpan.FromMilliseconds(1))
            yield return new ValidationResult("a time above zero is needed", [nameof(LockTimeout)]);
        if (StatementTimeout.Value < TimeSpan.FromMilliseconds(1))
            yield return new ValidationResult("a time above zero is needed", [nameof(StatementTimeout)]);
    }
}

internal enum DeliverMode
{
    Append,
    Replace,
    Upsert,
}

internal enum SchemaChange
{
    Add,
    Ignore,
    Fail,
}

internal sealed record DeliverTarget
{
    [Field(Title = "Connection", Description = "The name of a PostgreSQL connection.", Example = "dwh", Format = FieldFormat.Connection)]
    public string? Connection { get; init; }

    [Field(Title = "Table", Description = "schema.table; without a schema it is public. Made if it is missing.", Example = "marts.customers", MinLength = 1)]
    public string? Table { get; init; }

    [Field(Title = "File", Description = "A path in one of the allowed folders. The file is replaced as a whole.", Example = "/data/out/customers.csv", MinLength = 1)]
    public string? File { get; init; }

    [Field(Title = "Object", Description = "A name among the project's exports in the object store. The object is replaced as a whole.", Example = "daily/customers.parquet", MinLength = 1)]
    public string? Store { get; init; }
}

internal enum FileType
{
    Csv,
    JsonLines,
    Json,
    Parquet,
}

internal sealed record FileFormat
{
    [Field(Title = "Type", Description = "csv, jsonLines, json or parquet.", Example = "csv")]
    public required FileType Type { get; init; }

    [Field(Title = "Delimiter", Description = "What stands between the cells of a CSV file.", Example = ";", MinLength = 1, MaxLength = 1, VisibleIf = "type=csv")]
    public string Delimiter { get; init; } = ",";

    [Field(Title = "Header", Description = "The first line of a CSV file names the columns.", Example = true, VisibleIf = "type=csv")]
    public bool Header { get; init; } = true;

    [Field(Title = "Compress", Description = "Compresses CSV and JSON with gzip; by default when the name ends with .gz.", Example = true)]
    public bool? Gzip { get; init; }
}
