using PhoneNumbers;

namespace Qualiz.Engine.Kernels.Codes;

/// <summary>Phone numbers by the numbering plans of libphonenumber.</summary>
internal static class Phone
{
    private static readonly PhoneNumberUtil Plans = PhoneNumberUtil.GetInstance();

    /// <summary>The number in a form, or null when it is none that can exist.</summary>
    /// <param name="country">Two letters: where a number without a country prefix belongs.</param>
    public static string? Format(string text, string? country, PhoneNumberFormat form)
    {
        if (text.Length > 250)
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
}
