using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using HandlebarsDotNet;
using HandlebarsDotNet.Compiler;

namespace Qualiz.Notify.Channels;

/// <summary>What a text becomes part of, and so how filled-in values are encoded.</summary>
internal enum TextKind
{
    Plain,
    Html,

    /// <summary>The inside of a JSON string.</summary>
    Json,
    Slack,
}

/// <summary>A template that cannot be filled in; the message is for a person.</summary>
internal sealed class TemplateException(string message) : Exception(message);

/// <summary>Handlebars with its built-in blocks and nothing of ours: it reads the values it is given and does nothing else.</summary>
internal static class Templates
{
    private const int LongestText = 1_000_000;

    /// <exception cref="TemplateException"/>
    public static string Fill(string template, TextKind kind, IReadOnlyDictionary<string, object?> values)
    {
        // Both leave out the encoding.
        if (template.Contains("{{{", StringComparison.Ordinal) || template.Contains("{{&", StringComparison.Ordinal))
            throw new TemplateException("{{{...}}} and {{&...}} fill in without encoding and are not allowed; write {{...}}.");
        try
        {
            var handlebars = Handlebars.Create(new HandlebarsConfiguration { TextEncoder = new Encoder(kind), ThrowOnUnresolvedBindingExpression = true });
            using var writer = new LimitedWriter(LongestText);
            handlebars.Compile(new StringReader(template))(writer, values);
            return writer.ToString();
        }
        catch (Exception exception) when (exception is HandlebarsException or HandlebarsUndefinedBindingException)
        {
            throw new TemplateException($"The template cannot be filled in: {exception.Message.Split('\n')[0].TrimEnd('.', '\r')}.");
        }
    }

    public static string Encode(string text, TextKind kind) => kind switch
    {
        TextKind.Html => System.Text.Encodings.Web.HtmlEncoder.Default.Encode(text),
        TextKind.Json => JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString(),
        // Slack's own three; what else its markup means does no harm.
        TextKind.Slack => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal),
        _ => text,
    };

    private sealed class Encoder(TextKind kind) : ITextEncoder
    {
        public void Encode(StringBuilder? text, TextWriter target) => target.Write(Templates.Encode(text?.ToString() ?? "", kind));

        public void Encode(string? text, TextWriter target) => target.Write(Templates.Encode(text ?? "", kind));

        public void Encode<T>(T? text, TextWriter target) where T : IEnumerator<char>
        {
            var all = new StringBuilder();
            while (text?.MoveNext() == true)
                all.Append(text.Current);
            Encode(all, target);
        }
    }

    private sealed class LimitedWriter(int limit) : StringWriter(System.Globalization.CultureInfo.InvariantCulture)
    {
        public override void Write(char value)
        {
            Check(1);
            base.Write(value);
        }

        public override void Write(string? value)
        {
            Check(value?.Length ?? 0);
            base.Write(value);
        }

        public override void Write(char[] buffer, int index, int count)
        {
            Check(count);
            base.Write(buffer, index, count);
        }

        private void Check(int more)
        {
            if (GetStringBuilder().Length + more > limit)
                throw new TemplateException($"The text would be longer than {limit:N0} characters.");
        }
    }
}
