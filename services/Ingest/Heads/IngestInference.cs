using Qualiz.Contracts.Data;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Engine.Recipes;
using Qualiz.Engine.Sessions;
using Qualiz.Ingest.Sources;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Outbound;

namespace Qualiz.Ingest.Heads;

/// <summary>The columns that an ingest step would give now, and whether those that its configuration names are among them.</summary>
internal sealed class IngestInference(IConfiguration configuration, OutboundGuard guard)
{
    public async Task<OutputInferred> InferAsync(IngestConfig config, InferenceContext context, CancellationToken ct)
    {
        var access = new SourceAccess(context.Request.Project, context.Store, context.Connections, context.Scratch);
        var before = context.Request.Last?.GetValueOrDefault("out") is { } last
            ? last.Columns.Where(column => !column.Hidden).Select(column => new SeenColumn(column.Name, column.Type)).ToList()
            : [];
        var problems = new List<ConfigProblem>();
        // What the configuration says of columns is held against those that are there; a name that is not is told, and left out.
        for (var rest = config; ;)
        {
            try
            {
                if (await new SourceHead(configuration, guard).FindAsync(rest, access, before, ct) is not { } head)
                    return OutputInferred.Unknown("there is no file to look at yet");
                return new OutputInferred
                {
                    Outputs = new Dictionary<string, DatasetSchema>
                    {
                        ["out"] = head.Schema,
                        [RejectedRows.Port] = RejectedRows.Schema(head.Schema.Columns),
                    },
                    // With other parameters it may be other files.
                    Certainty = head.Partial || context.Request.Assumed ? SchemaCertainty.Guess : head.Provisional ? SchemaCertainty.Names : SchemaCertainty.Exact,
                    Problems = problems,
                };
            }
            catch (IngestException error) when (error is { Code: "columnUnknown", Path: { } path } && Without(rest, path) is { } less)
            {
                problems.Add(new ConfigProblem
                {
                    Code = error.Code,
                    Path = Original(config, rest, path),
                    Message = error.Message,
                    Suggestion = error.Suggestion,
                    Needs = SchemaCertainty.Names,
                });
                rest = less;
            }
            catch (Exception error) when (error is IngestException or InvalidDataException or OutboundRefusedException or ConnectionException or IOException or UnauthorizedAccessException or EngineException)
            {
                // The file that is there now may not be the one of the run: that is for the run to say.
                return OutputInferred.Unknown(error is IngestException or ConnectionException or OutboundRefusedException ? error.Message.TrimEnd('.') : "its source cannot be read now");
            }
        }
    }

    /// <summary>The configuration without the entry at the path; null when the path is no such entry.</summary>
    private static IngestConfig? Without(IngestConfig config, string path)
    {
        if (KeyAt(path) is { } at)
            return at < config.Key.Count ? config with { Key = [.. config.Key.Where((_, i) => i != at)] } : null;
        var name = path[(path.IndexOf('.', StringComparison.Ordinal) + 1)..];
        return path.StartsWith("types.", StringComparison.Ordinal) ? config with { Types = config.Types.Where(type => type.Key != name).ToDictionary() }
            : path.StartsWith("sensitivity.", StringComparison.Ordinal) ? config with { Sensitivity = config.Sensitivity.Where(tag => tag.Key != name).ToDictionary() }
            : null;
    }

    /// <summary>Where the entry stood before others were left out.</summary>
    private static string Original(IngestConfig config, IngestConfig rest, string path) =>
        KeyAt(path) is { } at && at < rest.Key.Count && config.Key.Index().FirstOrDefault(key => key.Item == rest.Key[at]) is { Item: not null } found
            ? $"key[{found.Index}]"
            : path;

    private static int? KeyAt(string path) =>
        path.StartsWith("key[", StringComparison.Ordinal) && int.TryParse(path.AsSpan(4, path.Length - 5), out var at) ? at : null;
}
