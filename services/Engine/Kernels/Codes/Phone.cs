using PhoneNumbers;

namespace Qualiz.Engine.Kernels.Codes;

/// <summary>Phone numbers by the numbering plans of libphonenumber.</summary>
internal static class Phone
{
    private const int LongestText = 250;
    private static readonly PhoneNumberUtil Plans = PhoneNumberUtil.GetInstance();

    /// <summary>The countries that have a numbering plan, as two letters; of several with one plan the main one.</summary>
    public static IReadOnlyCollection<string> MainCountries { get; } = [.. Plans.GetSupportedCallingCodes().Select(Plans.GetRegionCodeForCountryCode).Where(country => country.Length == 2 && country.All(char.IsLetter)).Order(StringComparer.Ordinal)];

    /// <summary>The number in a form, or null when it is none that can exist.</summary>
    /// <param name="country">Two letters: where a number without a country prefix belongs.</param>
    public static string? Format(string text, string? country, PhoneNumberFormat form)
    {
        if (text.Length > LongestText)
            return null;
        try
        {
            var number = Plans.Parse(text, country is { Length: 2 } ? country.ToUpperInvariant() : null);
            return Plans.IsValidNumber(number) ? Plans.Format(number, form) : null;
        }
        catch (NumberParseException)
        {
            return null;
        }
    }

    /// <summary>The main country of the plan that a number with a prefix belongs to; null where that is none.</summary>
    public static string? MainCountry(string text)
    {
        try
        {
            return text.Length <= LongestText ? Plans.GetRegionCodeForCountryCode(Plans.Parse(text, null).CountryCode) : null;
        }
        catch (NumberParseException)
        {
            return null;
        }
    }
}
