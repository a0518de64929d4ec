using System.Buffers;
using System.Net;
using System.Text;
using Qualiz.Platform.Operators;

namespace Qualiz.Platform.Outbound;

/// <summary>
/// A connection of type <c>http</c>: the address that files are read below, and what signs the requests. The secret goes to the host it was given for, by the same
/// scheme and port, and nowhere else.
/// </summary>
public sealed class WebConnection
{
    public const string Type = "http";

    // What the line itself says of a request, and what would be another request.
    private static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        "Host", "Connection", "Content-Length", "Transfer-Encoding", "Upgrade", "TE", "Trailer", "Expect", "Keep-Alive", "Proxy-Authorization", "Accept-Encoding", "Range",
    };

    private static readonly SearchValues<char> NameLetters = SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private readonly string _header;
    private readonly string? _value;

    private WebConnection(string name, Uri address, string header, string? value)
    {
        Name = name;
        Address = address;
        _header = header;
        _value = value;
    }

    public string Name { get; }

    /// <summary>Ends in a slash.</summary>
    public Uri Address { get; }

    /// <exception cref="ArgumentException">The settings are not right; the message is for a person, and holds no secret.</exception>
    public static WebConnection Open(Connection connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        string Get(string name) => connection.Settings.GetValueOrDefault(name) ?? "";
        if (Problem(connection.Settings) is { } problem)
            throw new ArgumentException(problem.Message);
        var secret = Get("secret");
        if (secret.Length == 0)
            throw new ArgumentException("its secret is missing");
        // What is not in base64 goes as it is, and a header is ASCII.
        if (secret.Any(Get("auth") == "basic" ? char.IsControl : c => c is < ' ' or > '~'))
            throw new ArgumentException("its secret holds characters that cannot stand in a request: a line end, perhaps");
        // UTF-8, as RFC 7617 lets a server ask for; user and password of ASCII are the same in every encoding.
        var (header, value) = Get("auth") switch
        {
            "basic" => ("Authorization", $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Get("user")}:{secret}"))}"),
            "bearer" => ("Authorization", $"Bearer {secret}"),
            _ => (Get("header"), secret),
        };
        return new WebConnection(connection.Name, Folder(Get("url"))!, header, value);
    }

    /// <summary>What is wrong with the settings, and with which of them.</summary>
    public static (string Setting, string Message)? Problem(IReadOnlyDictionary<string, string> settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        string Get(string name) => settings.GetValueOrDefault(name) ?? "";
        if (Folder(Get("url")) is not { } address)
            return ("url", "the address is no http or https address");
        if (address.UserInfo.Length > 0)
            return ("url", "the address holds a user or a password; they belong into user and secret");
        if (address.Query.Length > 0 || address.Fragment.Length > 0)
            return ("url", "the address ends before ? and #; what stands behind belongs into the pipeline, and a secret into secret");
        switch (Get("auth"))
        {
            case "basic":
                return Get("user") is not { Length: > 0 } user ? ("user", "with basic, a user is needed")
                    : user.Contains(':', StringComparison.Ordinal) || user.Any(char.IsControl) ? ("user", "a user's name holds no colon and no control characters")
                    : null;
            case "bearer":
                return null;
            case "header":
                return Get("header") is not { Length: > 0 } header ? ("header", "with header, the header's name is needed")
                    : header.AsSpan().ContainsAnyExcept(NameLetters) ? ("header", "this is no name of a header")
                    : Reserved.Contains(header) ? ("header", $"{header} is a header that carries no key")
                    : null;
            default:
                return ("auth", "auth is basic, bearer or header");
        }
    }

    /// <summary>An address below the connection's.</summary>
    /// <exception cref="ArgumentException">It leads elsewhere.</exception>
    public Uri Resolve(string address)
    {
        ArgumentNullException.ThrowIfNull(address);
        var whole = address.Contains("://", StringComparison.Ordinal) && !address.StartsWith('/') && Uri.TryCreate(address, UriKind.Absolute, out var absolute)
            ? absolute
            : Uri.TryCreate(Address, "./" + address.TrimStart('/', '\\'), out var relative) ? relative : null;
        return whole is not null && whole.UserInfo.Length == 0 && Covers(whole) && whole.AbsolutePath.StartsWith(Address.AbsolutePath, StringComparison.Ordinal)
            ? whole
            : throw new ArgumentException("the address does not lie below that of the connection");
    }

    /// <summary>True for addresses of the connection's own host, scheme and port.</summary>
    public bool Covers(Uri address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return address.Scheme == Address.Scheme && address.Port == Address.Port && string.Equals(address.IdnHost, Address.IdnHost, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Puts the secret into a request, if it goes to the connection's own host.</summary>
    public void Sign(HttpRequestMessage request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.RequestUri is { } address && Covers(address))
            request.Headers.TryAddWithoutValidation(_header, _value);
    }

    /// <summary>What a refusal means for a person: asking again with the same credentials gives the same answer. Null: the answer is none.</summary>
    public string? Refusal(HttpStatusCode status, Uri address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return status switch
        {
            not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden) => null,
            _ when !Covers(address) => $"\"{Name}\" leads on to {address.Host}, which wants credentials ({(int)status}); those of the connection go to {Address.Host} only.",
            HttpStatusCode.Unauthorized => $"{address.Host} refuses the credentials of \"{Name}\" (401).",
            _ => $"{address.Host} does not let \"{Name}\" read {address.AbsolutePath} (403).",
        };
    }

    public override string ToString() => $"http connection {Name}";

    private static Uri? Folder(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            return null;
        return address.AbsolutePath.EndsWith('/') || address.Query.Length > 0 || address.Fragment.Length > 0 ? address : new Uri(address.AbsoluteUri + "/");
    }
}
