using System.Text.Json;
using Qualiz.Contracts.Schemas;
using Qualiz.Platform.Outbound;

namespace Qualiz.Pipelines.Connections;

/// <summary>The kinds of connections and their settings; operators read the settings by these names.</summary>
internal static class ConnectionTypes
{
    private static readonly Dictionary<string, ConnectionType> All = new ConnectionType[]
    {
        new("postgres", "PostgreSQL", typeof(PostgresSettings), ["host", "port"]),
        new("s3", "S3 bucket", typeof(S3Settings), ["endpoint", "bucket"]),
        new("folder", "Folder", typeof(FolderSettings), []),
        new(WebConnection.Type, "Web server (HTTP)", typeof(HttpSettings), ["url"]) { Check = WebConnection.Problem },
        new("smtp", "E-mail (SMTP)", typeof(SmtpSettings), ["host", "port"]),
        new("webhook", "Webhook", typeof(WebhookSettings), ["url"]),
        new("slack", "Slack", typeof(SlackSettings), []),
        new(KeySettings.Type, "Key for masking", typeof(KeySettings), []),
    }.ToDictionary(type => type.Name);

    public static IEnumerable<string> Names => All.Keys;

    public static IEnumerable<ConnectionType> Known => All.Values;

    public static ConnectionType? Find(string name) => All.GetValueOrDefault(name);
}

/// <param name="Address">The settings that say where it goes: a stored secret is never sent to another place than it was given for.</param>
internal sealed record ConnectionType(string Name, string Title, Type Settings, IReadOnlyList<string> Address)
{
    /// <summary>What settings must fulfil together, which the schema does not say; the answer names one of them.</summary>
    public Func<IReadOnlyDictionary<string, string>, (string Setting, string Message)?> Check { get; init; } = _ => null;

    public JsonElement Schema { get; } = ConfigSchema.For(Settings);

    public IReadOnlySet<string> SecretNames { get; } = ConfigSchema.For(Settings).GetProperty("properties").EnumerateObject()
        .Where(property => property.Value.TryGetProperty("format", out var format) && format.GetString() == FieldFormat.Secret)
        .Select(property => property.Name).ToHashSet();
}

internal sealed record PostgresSettings
{
    [Field(Title = "Host", Description = "The server's name or address.", Example = "db.example.org", MinLength = 1, MaxLength = 253)]
    public required string Host { get; init; }

    [Field(Title = "Port", Description = "The server's port.", Example = 5432, Minimum = 1, Maximum = 65535)]
    public int Port { get; init; } = 5432;

    [Field(Title = "Database", Description = "The database's name.", Example = "sales", MinLength = 1, MaxLength = 63)]
    public required string Database { get; init; }

    [Field(Title = "User", Description = "The role that Qualiz signs in as.", Example = "qualiz", MinLength = 1, MaxLength = 63)]
    public required string User { get; init; }

    [Field(Title = "Password", Description = "Kept encrypted; never shown again.", Example = "...", Format = FieldFormat.Secret, MaxLength = 4096)]
    public string? Password { get; init; }

    [Field(Title = "Encryption", Description = "Whether the line must be encrypted and the server's certificate checked.", Example = "require")]
    public PostgresEncryption SslMode { get; init; } = PostgresEncryption.Prefer;
}

internal enum PostgresEncryption
{
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

internal sealed record S3Settings
{
    [Field(Title = "Bucket", Description = "The bucket's name.", Example = "landing", MinLength = 3, MaxLength = 63)]
    public required string Bucket { get; init; }

    [Field(Title = "Endpoint", Description = "The address of a store other than AWS.", Example = "https://minio.example.org", Pattern = "^https?://.+$")]
    public string? Endpoint { get; init; }

    [Field(Title = "Region", Description = "The bucket's region.", Example = "eu-north-1")]
    public string? Region { get; init; }

    [Field(Title = "Prefix", Description = "Only keys below it are seen.", Example = "shop/")]
    public string? Prefix { get; init; }

    [Field(Title = "Access key", Description = "The key's id.", Example = "AKIA...")]
    public string? AccessKey { get; init; }

    [Field(Title = "Secret key", Description = "Kept encrypted; never shown again.", Example = "...", Format = FieldFormat.Secret, MaxLength = 4096)]
    public string? SecretKey { get; init; }
}

internal sealed record HttpSettings
{
    [Field(Title = "Address", Description = "Files are read below it; the secret goes to this host only, also when it leads on to another.", Example = "https://api.example.org/exports/", Pattern = "^https?://.+$", MaxLength = 2000)]
    public required string Url { get; init; }

    [Field(Title = "Sign in", Description = "How requests show who asks.", Example = "bearer")]
    public required HttpAuth Auth { get; init; }

    [Field(Title = "User", Description = "The user's name, with basic.", Example = "qualiz", MaxLength = 320, VisibleIf = "auth=basic")]
    public string? User { get; init; }

    [Field(Title = "Header", Description = "The name of the header that carries the key, with header.", Example = "X-Api-Key", MaxLength = 100, VisibleIf = "auth=header")]
    public string? Header { get; init; }

    [Field(Title = "Secret", Description = "The password, the token or the key. Kept encrypted; never shown again.", Example = "...", Format = FieldFormat.Secret, MaxLength = 8192)]
    public string? Secret { get; init; }
}

internal enum HttpAuth
{
    [Field(Title = "User and password")]
    Basic,
    [Field(Title = "Bearer token")]
    Bearer,
    [Field(Title = "Key in a header")]
    Header,
}

internal sealed record FolderSettings
{
    [Field(Title = "Folder", Description = "A folder of the machine, below one of the roots that its administrator allows.", Example = "/data/landing", MinLength = 1)]
    public required string Root { get; init; }
}

internal sealed record SmtpSettings
{
    [Field(Title = "Host", Description = "The mail server's name or address.", Example = "smtp.example.org", MinLength = 1, MaxLength = 253)]
    public required string Host { get; init; }

    [Field(Title = "Port", Description = "The server's port.", Example = 587, Minimum = 1, Maximum = 65535)]
    public int Port { get; init; } = 587;

    [Field(Title = "From", Description = "The sender's address.", Example = "qualiz@example.org", MinLength = 3, MaxLength = 320, Pattern = "^[^@\\s]+@[^@\\s]+$")]
    public required string From { get; init; }

    [Field(Title = "User", Description = "The name to sign in with; without one, nobody signs in.", Example = "qualiz", MaxLength = 320)]
    public string? User { get; init; }

    [Field(Title = "Password", Description = "Kept encrypted; never shown again.", Example = "...", Format = FieldFormat.Secret, MaxLength = 4096)]
    public string? Password { get; init; }

    [Field(Title = "Encryption", Description = "startTls and tls fail where the server cannot; none sends in clear.", Example = "startTls")]
    public SmtpEncryption Encryption { get; init; } = SmtpEncryption.StartTls;
}

internal enum SmtpEncryption
{
    StartTls,
    Tls,
    None,
}

internal sealed record WebhookSettings
{
    [Field(Title = "Address", Description = "Where messages are posted to.", Example = "https://hooks.example.org/qualiz", Pattern = "^https?://.+$")]
    public required string Url { get; init; }

    [Field(Title = "Authorization", Description = "The value of the header Authorization. Kept encrypted; never shown again.", Example = "...", Format = FieldFormat.Secret, MaxLength = 4096)]
    public string? Authorization { get; init; }
}

internal sealed record SlackSettings
{
    [Field(Title = "Webhook address", Description = "The address of an incoming webhook of the workspace: whoever has it can post. Kept encrypted; never shown again.", Example = "...", Format = FieldFormat.Secret, MaxLength = 4096)]
    public required string Url { get; init; }
}

internal sealed record KeySettings
{
    public const string Type = "key";

    [Field(
        Title = "Key",
        Description = "At least 32 characters that nobody can guess, e.g. from openssl rand -base64 32. Another key masks otherwise. Kept encrypted; never shown again.",
        Example = "...", Format = FieldFormat.Secret, MinLength = 32, MaxLength = 4096)]
    public required string Key { get; init; }
}
