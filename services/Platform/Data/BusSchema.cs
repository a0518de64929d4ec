namespace Qualiz.Platform.Data;

/// <summary>The platform's own schema: outbox, inbox and timers of all services, and the numbers of their events.</summary>
internal static class BusSchema
{
    public const string Name = "bus";

    /// <summary>What a service may do with the platform's tables: write its messages and its inbox, and read nobody's messages.</summary>
    public static string Grants(string role) =>
        $"""
        GRANT USAGE ON SCHEMA bus TO "{role}";
        GRANT INSERT ON bus.outbox, bus.timer TO "{role}";
        GRANT SELECT, INSERT ON bus.inbox TO "{role}";
        GRANT SELECT, INSERT, UPDATE ON bus.event_number TO "{role}";
        """;
}
