using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Qualiz.Contracts.Schemas;

namespace Qualiz.Notify.Steps;

/// <summary>The <c>with:</c> block of a notify step.</summary>
internal sealed record NotifyConfig : IValidatableObject
{
    [Field(Title = "Send", Description = "What is sent, and by which way.", ExampleJson = """{"by": "email", "connection": "mail", "to": ["crm@example.org"], "subject": "{{pipeline}}: {{values.rejected}} rows rejected", "text": "See run {{run.id}}."}""")]
    public required Message Send { get; init; }

    [Field(
        Title = "Values",
        Description = "Values for the texts, as {{values.name}}; there they are encoded as the channel needs it.",
        ExampleJson = """{"rejected": "${clean.rejected}"}""")]
    public IReadOnlyDictionary<string, string> Values { get; init; } = new Dictionary<string, string>();

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Send is EmailMessage mail)
        {
            if (mail.Text is null && mail.Html is null)
                yield return new ValidationResult("an e-mail needs a text", [nameof(Send)]);
            foreach (var address in mail.To.Where(address => !MimeKit.MailboxAddress.TryParse(address, out var box) || !box.Address.Contains('@', StringComparison.Ordinal)))
                yield return new ValidationResult($"\"{address}\" is no e-mail address", [nameof(Send)]);
        }
    }
}

[JsonPolymorphic(TypeDiscriminatorPropertyName = "by")]
[JsonDerivedType(typeof(EmailMessage), "email")]
[JsonDerivedType(typeof(WebhookMessage), "webhook")]
[JsonDerivedType(typeof(SlackMessage), "slack")]
internal abstract record Message
{
    [Field(Title = "Connection", Description = "The connection to send by.", Example = "mail", Format = FieldFormat.Connection, Order = 1)]
    public required string Connection { get; init; }
}

[Field(Title = "E-mail", Description = "Sends an e-mail by an SMTP connection.")]
internal sealed record EmailMessage : Message
{
    [Field(Title = "To", Description = "Who gets it.", Example = new[] { "crm-team@example.org" }, Format = FieldFormat.Email, MinItems = 1, MaxItems = 50)]
    public required IReadOnlyList<string> To { get; init; }

    [Field(Title = "Subject", Description = "One line; {{...}} is filled in.", Example = "{{pipeline}}: done", MinLength = 1, MaxLength = 500)]
    public required string Subject { get; init; }

    [Field(Title = "Text", Description = "The plain text; {{...}} is filled in.", Example = "Run {{run.id}} of {{run.day}} is done.", MaxLength = 100_000)]
    public string? Text { get; init; }

    [Field(Title = "HTML", Description = "The text as HTML; what is filled in is encoded.", Example = "<p>Run {{run.id}} is done.</p>", MaxLength = 100_000)]
    public string? Html { get; init; }
}

[Field(Title = "Webhook", Description = "Posts JSON to an address.")]
internal sealed record WebhookMessage : Message
{
    [Field(Title = "Body", Description = "A JSON text; what is filled in within its strings is encoded. By default everything that is known.", Example = """{"pipeline": "{{pipeline}}", "rejected": "{{values.rejected}}"}""", MaxLength = 100_000)]
    public string? Body { get; init; }
}

[Field(Title = "Slack", Description = "Posts a message to a Slack channel.")]
internal sealed record SlackMessage : Message
{
    [Field(Title = "Text", Description = "The message in Slack's markup; {{...}} is filled in.", Example = "*{{pipeline}}* is done", MinLength = 1, MaxLength = 40_000)]
    public required string Text { get; init; }
}
