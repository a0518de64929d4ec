namespace Qualiz.Notify.Notices;

/// <summary>How a message stands, as the table has it and as the API calls it.</summary>
internal static class NoticeState
{
    public const string Waiting = "waiting";
    public const string Sent = "sent";
    public const string NotSent = "given up";

    private static readonly (string State, string Word)[] All = [(Waiting, "waiting"), (Sent, "sent"), (NotSent, "notSent")];

    public static IEnumerable<string> Words => All.Select(state => state.Word);

    public static string Word(string state) => All.First(known => known.State == state).Word;

    /// <summary>Null: there is none of this name.</summary>
    public static string? Find(string word) => All.Where(known => known.Word.Equals(word, StringComparison.OrdinalIgnoreCase)).Select(known => known.State).FirstOrDefault();
}
