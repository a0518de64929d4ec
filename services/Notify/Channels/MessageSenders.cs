using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Outbound;

namespace Qualiz.Notify.Channels;

/// <summary>A message that did not go out, or of which that is not known.</summary>
/// <param name="certain">It certainly did not go out.</param>
/// <param name="transient">Another try may help.</param>
internal sealed class SendingException(string message, bool certain, bool transient) : Exception(message)
{
    public bool Certain => certain;
    public bool Transient => transient;
}

internal sealed record Mail(IReadOnlyList<string> To, string Subject, string? Text, string? Html);

/// <summary>Sends messages by a connection. Each carries its idempotency key, for a receiver who wants to recognise it.</summary>
internal sealed class MessageSenders(OutboundGuard guard, GuardedHttp http)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <exception cref="SendingException"/>
    public async Task SendMailAsync(Connection connection, Mail mail, Guid key, CancellationToken ct)
    {
        Require(connection, "smtp");
        var settings = connection.Settings;
        var message = Compose(mail, Setting(connection, "from"), key);
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limited.CancelAfter(Patience);
        var host = Setting(connection, "host");
        if (!ushort.TryParse(settings.GetValueOrDefault("port") ?? "587", NumberStyles.None, CultureInfo.InvariantCulture, out var port))
            throw new SendingException($"The port of {connection.Name} is no number from 0 to 65535.", certain: true, transient: false);
        var address = await guard.ResolveAsync(host, ct);
        using var client = new SmtpClient { Timeout = (int)Patience.TotalMilliseconds };
        var sending = false;
        try
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(address, port, limited.Token);
            // The address was checked and is used; the certificate is the name's.
            await client.ConnectAsync(socket, host, 0, settings.GetValueOrDefault("encryption") switch
            {
                "tls" => SecureSocketOptions.SslOnConnect,
                "none" => SecureSocketOptions.None,
                _ => SecureSocketOptions.StartTls,
            }, limited.Token);
            if (settings.GetValueOrDefault("user") is { Length: > 0 } user)
                await client.AuthenticateAsync(user, settings.GetValueOrDefault("password") ?? "", limited.Token);
            sending = true;
            await client.SendAsync(message, limited.Token);
        }
        catch (SmtpCommandException exception)
        {
            throw new SendingException($"The mail server refused the message ({(int)exception.StatusCode}).", certain: true, transient: (int)exception.StatusCode is >= 400 and < 500);
        }
        catch (AuthenticationException)
        {
            throw new SendingException("The mail server refused the user or password of the connection.", certain: true, transient: false);
        }
        catch (ServiceNotAuthenticatedException)
        {
            throw new SendingException("The mail server wants a user and password; the connection gives none.", certain: true, transient: false);
        }
        catch (SslHandshakeException)
        {
            throw new SendingException("The line to the mail server cannot be encrypted: it has no valid certificate for its name.", certain: true, transient: false);
        }
        catch (NotSupportedException)
        {
            throw new SendingException("The mail server cannot encrypt the line as the connection asks for it.", certain: true, transient: false);
        }
        catch (Exception exception) when (!ct.IsCancellationRequested && exception is IOException or SocketException or SmtpProtocolException or TimeoutException or OperationCanceledException)
        {
            throw new SendingException(sending ? "The mail server's answer did not come." : "The mail server cannot be reached.", certain: !sending, transient: true);
        }

        try
        {
            await client.DisconnectAsync(quit: true, limited.Token);
        }
        catch (Exception exception) when (exception is IOException or SmtpProtocolException or OperationCanceledException)
        {
            // It has the message.
        }
    }

    /// <exception cref="SendingException"/>
    public Task SendWebhookAsync(Connection connection, string json, Guid key, CancellationToken ct)
    {
        Require(connection, "webhook");
        return PostAsync(Setting(connection, "url"), connection.Settings.GetValueOrDefault("authorization"), json, key, ct);
    }

    /// <exception cref="SendingException"/>
    public Task SendSlackAsync(Connection connection, string text, Guid key, CancellationToken ct)
    {
        Require(connection, "slack");
        return PostAsync(Setting(connection, "url"), null, JsonSerializer.Serialize(new { text }), key, ct);
    }

    private async Task PostAsync(string url, string? authorization, string json, Guid key, CancellationToken ct)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw new SendingException("The connection's address is no http or https address.", certain: true, transient: false);
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        request.Headers.Add("Idempotency-Key", key.ToString());
        request.Headers.UserAgent.ParseAdd("Qualiz");
        if (authorization is not null)
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        try
        {
            using var response = await http.SendAsync(request, ct);
            var status = (int)response.StatusCode;
            if (status is >= 200 and < 300)
                return;
            throw status is >= 300 and < 400
                ? new SendingException($"The address answers with a redirect ({status}), which is not followed; name its target.", certain: true, transient: false)
                : new SendingException($"The receiver answered {status}.", certain: true, transient: status >= 500 || response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout);
        }
        catch (HttpRequestException exception) when (exception.InnerException is OutboundRefusedException refused)
        {
            throw refused;
        }
        catch (HttpRequestException exception)
        {
            var unreached = exception.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError;
            throw new SendingException(unreached ? "The receiver cannot be reached." : "The receiver's answer did not come.", certain: unreached, transient: true);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new SendingException("The receiver's answer did not come in time.", certain: false, transient: true);
        }
    }

    private static MimeMessage Compose(Mail mail, string from, Guid key)
    {
        var sender = Mailbox(from);
        var message = new MimeMessage { Subject = string.Join(' ', mail.Subject.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)) };
        message.From.Add(sender);
        foreach (var to in mail.To)
            message.To.Add(Mailbox(to));
        // The same message again has the same id: most mailboxes show it once.
        message.MessageId = $"{key:N}@{sender.Domain}";
        message.Headers.Add("Auto-Submitted", "auto-generated");
        message.Body = new BodyBuilder { TextBody = mail.Text, HtmlBody = mail.Html }.ToMessageBody();
        return message;
    }

    private static MailboxAddress Mailbox(string text) => MailboxAddress.TryParse(text, out var mailbox) && mailbox.Domain.Length > 0
        ? mailbox
        : throw new SendingException($"\"{text}\" is no e-mail address.", certain: true, transient: false);

    private static string Setting(Connection connection, string name) => connection.Settings.GetValueOrDefault(name) is { Length: > 0 } value
        ? value
        : throw new SendingException($"{connection.Name} lacks the setting \"{name}\".", certain: true, transient: true);

    private static void Require(Connection connection, string type)
    {
        if (connection.Type != type)
            throw new SendingException($"The connection {connection.Name} is of type {connection.Type}; {type} is needed.", certain: true, transient: false);
    }
}
