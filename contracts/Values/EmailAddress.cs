using System.Buffers;
using System.Net.Mail;

namespace Qualiz.Contracts.Values;

/// <summary>One bare e-mail address: no name beside it, no list, no quoting, so that every mail library reads the same in it.</summary>
public static class EmailAddress
{
    private static readonly SearchValues<char> NotBare = SearchValues.Create(",;:<>()[]\\\"");

    public static bool IsOne(string text) =>
        text.Count(c => c == '@') == 1
        && !text.AsSpan().ContainsAny(NotBare)
        && !text.Any(c => char.IsWhiteSpace(c) || char.IsControl(c))
        && MailAddress.TryCreate(text, out var parsed) && parsed.Address == text;
}
