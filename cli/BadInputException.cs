namespace Qualiz.Cli;

/// <summary>What the user gave cannot be used; the message says what and why.</summary>
internal sealed class BadInputException(string message) : Exception(message);
