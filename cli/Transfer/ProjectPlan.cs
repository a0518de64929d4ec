using System.Text.Json.Nodes;

namespace Qualiz.Cli.Transfer;

/// <param name="Kind">project, connection, dataset or pipeline.</param>
/// <param name="Change">create or update.</param>
/// <param name="Details">What is different, a line each.</param>
internal sealed record PlannedChange(string Kind, string Name, string Change, IReadOnlyList<string> Details);

/// <param name="Needed">There is no such secret at the target yet, or its connection moves: without a value it cannot be applied.</param>
internal sealed record SecretHole(string Connection, string Secret, string Name, bool Needed);

/// <summary>What it takes to make an instance's project like a folder. Nothing is ever taken away.</summary>
internal sealed record ProjectPlan(IReadOnlyList<PlannedChange> Changes, int Same, IReadOnlyList<string> Extra, IReadOnlyList<SecretHole> Holes)
{
    /// <summary>In the order in which they can be applied: a pipeline is refused without its connections.</summary>
    public static ProjectPlan Between(ProjectSnapshot wanted, ProjectSnapshot there, string project)
    {
        var changes = new List<PlannedChange>();
        var same = 0;
        var holes = new List<SecretHole>();
        var settings = wanted.Settings!;
        if (there.Settings is null)
        {
            changes.Add(new PlannedChange("project", project, "create", []));
        }
        else
        {
            Compare("project", project, [
                .. Difference("name", there.Settings.Name, settings.Name.Length == 0 ? there.Settings.Name : settings.Name),
                .. Difference("description", there.Settings.Description ?? "", settings.Description ?? ""),
                .. Difference("timeZone", there.Settings.TimeZone, settings.TimeZone),
            ]);
        }
        foreach (var (name, connection) in wanted.Connections)
        {
            var before = there.Connections.GetValueOrDefault(name);
            var details = before is null ? [] : Differences(before, connection).ToList();
            var missing = connection.Secrets.Where(secret => before is null || !before.Secrets.Contains(secret)).ToList();
            // Stored secrets stay with the place they were given for, so a connection that moves needs them again.
            var again = before is null || !Moves(before, connection, there.Addresses.GetValueOrDefault(connection.Type)) ? [] : connection.Secrets.Except(missing).ToList();
            holes.AddRange(connection.Secrets.Select(secret => new SecretHole(name, secret, ConnectionSettings.Hole(name, secret), missing.Contains(secret) || again.Contains(secret))));
            Compare("connection", name, before is null ? null :
                [.. details, .. missing.Select(secret => $"{secret}: to be set"), .. again.Select(secret => $"{secret}: to be set again, for the connection goes to another place")]);
        }
        foreach (var (name, dataset) in wanted.Datasets)
        {
            var before = there.Datasets.GetValueOrDefault(name);
            Compare("dataset", name, before is null ? null : [
                .. before.Sha256 == dataset.Sha256 ? Array.Empty<string>() : [$"content: {before.Bytes} bytes -> {dataset.Bytes} bytes"],
                .. Difference("owner", before.Owner ?? "", dataset.Owner ?? ""),
                .. Difference("description", before.Description ?? "", dataset.Description ?? ""),
            ]);
        }
        foreach (var (name, pipeline) in wanted.Pipelines)
        {
            Compare("pipeline", name, there.Pipelines.TryGetValue(name, out var before) ? before.Text == pipeline.Text ? [] : TextDiff.Of(before.Text, pipeline.Text) : null);
        }
        string[] extra =
        [
            .. there.Connections.Keys.Except(wanted.Connections.Keys).Select(name => $"connection {name}"),
            .. there.Datasets.Keys.Except(wanted.Datasets.Keys).Select(name => $"dataset {name}"),
            .. there.Pipelines.Keys.Except(wanted.Pipelines.Keys).Select(name => $"pipeline {name}"),
        ];
        return new ProjectPlan(changes, same, extra, holes);

        void Compare(string kind, string name, IReadOnlyList<string>? details)
        {
            if (details is { Count: 0 })
            {
                same++;
            }
            else
            {
                changes.Add(new PlannedChange(kind, name, details is null ? "create" : "update", details ?? []));
            }
        }
    }

    /// <param name="address">The settings that say where connections of the type go; null where the instance does not say: any of them may.</param>
    private static bool Moves(ConnectionSettings before, ConnectionSettings after, IReadOnlyList<string>? address) =>
        before.Type != after.Type
        || (address ?? before.Settings.Select(setting => setting.Key).Union(after.Settings.Select(setting => setting.Key))).Any(name => Shown(before.Settings[name]) != Shown(after.Settings[name]));

    private static IEnumerable<string> Differences(ConnectionSettings before, ConnectionSettings after) =>
    [
        .. Difference("type", before.Type, after.Type),
        .. before.Settings.Select(setting => setting.Key).Union(after.Settings.Select(setting => setting.Key)).Order(StringComparer.Ordinal)
            .SelectMany(name => Difference(name, Shown(before.Settings[name]), Shown(after.Settings[name]))),
    ];

    private static string Shown(JsonNode? value) => value?.ToJsonString(ApiJson.Options) ?? "";

    private static IEnumerable<string> Difference(string name, string before, string after) =>
        before == after ? [] : [$"{name}: {(before.Length == 0 ? "(nothing)" : before)} -> {(after.Length == 0 ? "(nothing)" : after)}"];
}
