using System.Buffers;
using System.Net.Mail;

namespace Qualiz.Contracts.Values;

/// <summary>One bare e-mail address: no name beside it, no list, no quoting, so that every mail library reads the same in it.</summary>
public static class EmailAddress
{
    private static readonly SearchValues<char> NotBare = SearchValues.Create(",;:<>()[]\\\"");

    /// <summary>The same, or with a name before it: <c>Ann Smith &lt;ann@example.org&gt;</c>.</summary>
    public static bool IsOneWithName(string text) =>
        MailAddress.TryCreate(text, out var parsed) && IsOne(parsed.Address)
        && (parsed.Address == text || text.EndsWith($"<{parsed.Address}>", StringComparison.Ordinal)) && !text.Any(char.IsControl);

    public static bool IsOne(string text) =>
        text.Count(c => c == '@') == 1
        && !text.AsSpan().ContainsAny(NotBare)
        && !text.Any(c => char.IsWhiteSpace(c) || char.IsControl(c))
        && MailAddress.TryCreate(text, out var parsed) && parsed.Address == text;
}
