using Qualiz.Engine.Types;

namespace Qualiz.Ingest.Typing;

/// <summary>The types that values are held against, by column, whatever the case of its name.</summary>
internal sealed class DeclaredTypes() : Dictionary<string, ColumnType>(StringComparer.OrdinalIgnoreCase)
{
    /// <summary>How dates of a column are written beside those with the year first, as an earlier run has found it out: strptime's words.</summary>
    public Dictionary<string, string> Dates { get; } = new(StringComparer.OrdinalIgnoreCase);

    public static DeclaredTypes Of(IngestConfig config)
    {
        var declared = new DeclaredTypes();
        foreach (var (name, type) in config.Types)
            declared[name] = ColumnType.Parse(type);
        return declared;
    }
}
