using System.Globalization;
using Qualiz.Platform.Operators;

namespace Qualiz.Notify.Notices;

/// <summary><c>Notify:*</c>: how messages about runs leave this instance.</summary>
internal sealed record NoticeOptions
{
    /// <summary>The instance's own mail server (<c>Notify:Smtp:Host</c>, <c>Port</c>, <c>From</c>, <c>User</c>, <c>Password</c>, <c>Encryption</c>); null: none.</summary>
    public Connection? Mail { get; init; }

    /// <summary>Why a message to this address can be sent by nobody as this instance is set up, and what to do about it; null: it can be tried.</summary>
    public string? Hindrance(string target) => Mail is null && target.StartsWith("email:", StringComparison.Ordinal)
        ? "No mail server is set: set Notify__Smtp__Host and Notify__Smtp__From (docs/operate.md) and start again; messages from then on are sent."
        : null;

    /// <summary>What links begin with (<c>Notify:Address</c>).</summary>
    public required string Address { get; init; }

    /// <summary>Nothing is sent in these hours (<c>Notify:QuietHours</c>, e.g. 22:00-07:00, in <c>Notify:TimeZone</c>).</summary>
    public (TimeOnly From, TimeOnly To)? Quiet { get; init; }
    public required TimeZoneInfo Zone { get; init; }

    /// <summary>Projects, or single pipelines (<c>project/pipeline</c>), of which nothing is told (<c>Notify:Mute</c>).</summary>
    public required IReadOnlySet<string> Muted { get; init; }

    public bool IsMuted(string project, string pipeline) => Muted.Contains(project) || Muted.Contains($"{project}/{pipeline}");

    /// <summary>That moment, or the end of the quiet hours it falls into.</summary>
    public DateTimeOffset AfterQuiet(DateTimeOffset at)
    {
        if (Quiet is not { } quiet || quiet.From == quiet.To)
            return at;
        var local = TimeZoneInfo.ConvertTime(at, Zone);
        var now = TimeOnly.FromTimeSpan(local.TimeOfDay);
        // Between 22:00 and 07:00 goes over midnight.
        if (!now.IsBetween(quiet.From, quiet.To))
            return at;
        var day = DateOnly.FromDateTime(local.DateTime);
        var end = (now < quiet.To ? day : day.AddDays(1)).ToDateTime(quiet.To);
        return new DateTimeOffset(end, Zone.GetUtcOffset(end)).ToUniversalTime();
    }

    public static NoticeOptions From(IConfiguration configuration)
    {
        var mail = configuration.GetSection("Notify:Smtp");
        var zone = configuration["Notify:TimeZone"] is { Length: > 0 } name
            ? TimeZoneInfo.TryFindSystemTimeZoneById(name, out var found) ? found : throw new InvalidOperationException($"Notify:TimeZone is \"{name}\", which is no time zone.")
            : TimeZoneInfo.Utc;
        return new NoticeOptions
        {
            Mail = mail["Host"] is { Length: > 0 }
                ? new Connection("Notify:Smtp", "smtp", mail.GetChildren().Where(setting => setting.Value is not null)
                    .ToDictionary(setting => setting.Key.ToLowerInvariant(), setting => setting.Key.Equals("encryption", StringComparison.OrdinalIgnoreCase) ? Camel(setting.Value!) : setting.Value!))
                : null,
            Address = (configuration["Notify:Address"] ?? "").TrimEnd('/'),
            Quiet = configuration["Notify:QuietHours"] is { Length: > 0 } hours ? Hours(hours) : null,
            Zone = zone,
            Muted = (configuration["Notify:Mute"] ?? "").Split([',', ' '], StringSplitOptions.RemoveEmptyEntries).ToHashSet(StringComparer.Ordinal),
        };
    }

    private static (TimeOnly, TimeOnly) Hours(string text) =>
        text.Split('-', StringSplitOptions.TrimEntries) is [var from, var to]
        && TimeOnly.TryParseExact(from, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var begin)
        && TimeOnly.TryParseExact(to, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var end)
            ? (begin, end)
            : throw new InvalidOperationException($"Notify:QuietHours is \"{text}\"; write it as 22:00-07:00.");

    private static string Camel(string text) => text.Length == 0 ? text : char.ToLowerInvariant(text[0]) + text[1..];
}
