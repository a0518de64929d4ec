using System.Globalization;

namespace Qualiz.TestKit;

/// <summary>The SMTP server of this test process; it keeps what it is sent.</summary>
public sealed class SmtpServer
{
    private static readonly Lazy<Task<SmtpServer>> s_shared = new(async () => new SmtpServer(await LocalServer.StartAsync("smtp.sh")));
    private readonly LocalServer _local;

    private SmtpServer(LocalServer local) => _local = local;

    public string Host { get; } = "127.0.0.1";
    public string Port => _local.Port.ToString(CultureInfo.InvariantCulture);

    public static Task<SmtpServer> SharedAsync() => s_shared.Value;

    /// <summary>The messages that hold this text, headers and all.</summary>
    public async Task<IReadOnlyList<string>> MailsWithAsync(string text)
    {
        var folder = Path.Combine(_local.Folder, "mail", "new");
        var found = new List<string>();
        foreach (var file in Directory.Exists(folder) ? Directory.GetFiles(folder) : [])
        {
            var mail = await File.ReadAllTextAsync(file);
            if (mail.Contains(text, StringComparison.Ordinal))
                found.Add(mail);
        }
        return found;
    }
}
