using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Notify.Channels;
using Qualiz.Notify.Records;
using Qualiz.Platform.Operators;

namespace Qualiz.Notify.Steps;

/// <summary>Sends one message. Done again, it sends nothing that is known to have gone out; where that is not known it sends, and says so.</summary>
internal sealed class NotifyOperator(SentRecords records, MessageSenders senders) : IOperator<NotifyConfig>
{
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static OperatorDescription Description { get; } = new()
    {
        Kind = "notify",
        Title = "Notify",
        Description = "Sends an e-mail, a Slack message or a webhook.",
        Icon = "bell",
        Accounts = [],
        RunsIn = OperatorRunsIn.Host,
    };

    public async Task<StepResult> ExecuteAsync(NotifyConfig config, StepContext step, CancellationToken ct)
    {
        Func<Connection, Guid, Task> send;
        try
        {
            send = Prepare(config, Values(config, step), ct);
        }
        catch (TemplateException exception)
        {
            return Failed("templateInvalid", exception.Message, false);
        }

        var connection = await step.Connections.OpenAsync(config.Send.Connection, ct);
        var key = SentRecords.KeyOf(step.Command.Project, step.Command.RunId.ToString(), step.Command.StepId);
        var known = await records.BeginAsync(key, step.Command.Project, connection.Type, ct);
        if (known == SendingState.Sent)
        {
            step.Log.LogInformation("The message has gone out before; it is not sent again");
            return Done(new() { ["alreadySent"] = 1 });
        }

        try
        {
            await send(connection, key);
        }
        catch (SendingException exception)
        {
            if (exception.Certain && known == SendingState.New)
                await records.NotSentAsync(key, CancellationToken.None);
            return Failed("notSent", exception.Certain ? exception.Message : $"{exception.Message} The message may have gone out all the same.", exception.Transient);
        }
        catch (Platform.Outbound.OutboundRefusedException) when (known == SendingState.New)
        {
            await records.NotSentAsync(key, CancellationToken.None);
            throw;
        }

        // Whatever happens now, it has gone out.
        await records.SentAsync(key, CancellationToken.None);
        step.Log.LogInformation("Sent by {Connection}, key {Key}", connection.Name, key);
        return known == SendingState.New
            ? Done(new() { ["sent"] = 1 })
            : Done(new() { ["sent"] = 1, ["atLeastOnce"] = 1 }, "An earlier try was cut off, so the message may have gone out twice; both carry the same key.");
    }

    /// <summary>All texts are filled in before anything is begun.</summary>
    private Func<Connection, Guid, Task> Prepare(NotifyConfig config, Dictionary<string, object?> values, CancellationToken ct)
    {
        switch (config.Send)
        {
            case EmailMessage email:
                var mail = new Mail(
                    email.To,
                    Templates.Fill(email.Subject, TextKind.Plain, values),
                    email.Text is null ? null : Templates.Fill(email.Text, TextKind.Plain, values),
                    email.Html is null ? null : Templates.Fill(email.Html, TextKind.Html, values));
                return (connection, key) => senders.SendMailAsync(connection, mail, key, ct);
            case WebhookMessage webhook:
                var json = webhook.Body is null ? JsonSerializer.Serialize(values, Readable) : Templates.Fill(webhook.Body, TextKind.Json, values);
                CheckJson(json);
                return (connection, key) => senders.SendWebhookAsync(connection, json, key, ct);
            case SlackMessage slack:
                var text = Templates.Fill(slack.Text, TextKind.Slack, values);
                return (connection, key) => senders.SendSlackAsync(connection, text, key, ct);
            default:
                throw new ArgumentOutOfRangeException(nameof(config));
        }
    }

    private static void CheckJson(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
        }
        catch (JsonException)
        {
            throw new TemplateException("The filled-in body is no JSON.");
        }
    }

    private static Dictionary<string, object?> Values(NotifyConfig config, StepContext step) => new()
    {
        ["project"] = step.Command.Project,
        ["pipeline"] = step.Command.Pipeline,
        ["version"] = step.Command.PipelineVersion,
        ["step"] = step.Command.StepId,
        ["run"] = new Dictionary<string, object?>
        {
            ["id"] = step.Command.RunId.ToString(),
            ["day"] = step.Command.Interval.Day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            ["start"] = step.Command.Interval.Start.ToString("O", CultureInfo.InvariantCulture),
            ["end"] = step.Command.Interval.End.ToString("O", CultureInfo.InvariantCulture),
        },
        ["inputs"] = step.Inputs.Select(input => new Dictionary<string, object?> { ["name"] = input.Name, ["rows"] = input.Dataset.Rows }).ToList(),
        ["values"] = config.Values.ToDictionary(value => value.Key, value => (object?)value.Value),
    };

    private static StepResult.Completed Done(Dictionary<string, long> counts, params IReadOnlyList<string> warnings) =>
        new(new StepOutcome { Outputs = new Dictionary<string, DatasetRef>(), Ledger = [], Counts = counts, Warnings = warnings });

    private static StepResult.Failed Failed(string code, string message, bool transient) => new(new StepError { Code = code, Message = message, Transient = transient });
}
