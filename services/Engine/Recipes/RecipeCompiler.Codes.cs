using System.Globalization;
using Qualiz.Contracts.Values;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Recipes;

/// <summary>Rules and checks about text with a meaning: mail, phone, countries, currencies.</summary>
public sealed partial class RecipeCompiler
{
    private void Apply(EmailRule rule, string path) =>
        ConvertText(rule, path, rule.Columns, rule.Else, rule.Default, "not an e-mail address", cell => $"qz_email({cell})");

    private void Apply(PhoneRule rule, string path)
    {
        var (country, from) = PhoneCountry(rule.Country, rule.CountryFrom, path);
        var columns = TextColumns(rule.Columns, rule.Kind, path);
        foreach (var column in columns)
            column.AlsoHolds(from);
        ConvertText(rule, path, rule.Columns, rule.Else, rule.Default, "not a phone number", cell => $"qz_phone('{Camel(rule.Form)}', {cell}, {country})");
    }

    private void Apply(CountryRule rule, string path) =>
        ConvertText(rule, path, rule.Columns, rule.Else, rule.Default, "not a country", cell => $"qz_country('{Camel(rule.To)}', {cell})");

    private void Apply(CurrencyRule rule, string path) =>
        ConvertText(rule, path, rule.Columns, rule.Else, rule.Default, "not a currency", cell => $"qz_currency('{Camel(rule.To)}', {cell})");

    private (string Sql, RecipeColumn? From) PhoneCountry(string? country, string? countryFrom, string path)
    {
        if (country is not null && countryFrom is not null)
            throw new RecipeException(RecipeException.ValueInvalid, "Either a country or a column to take it from, not both.", $"{path}.countryFrom");
        if (country is not null)
        {
            return _session.Scalar<string>($"SELECT qz_country('alpha2', {Sql.Literal(country)})") is { } code
                ? (Sql.Literal(code), null)
                : throw new RecipeException(RecipeException.ValueInvalid, $"\"{country}\" is no country.", $"{path}.country");
        }
        if (countryFrom is null)
            return ("CAST(NULL AS VARCHAR)", null);
        var from = Find(countryFrom, $"{path}.countryFrom");
        return from.Type == ColumnType.Text
            ? (Quote(from.Name), from)
            : throw new RecipeException(RecipeException.ColumnType, $"Column \"{from.Name}\" is {from.Type}; a country is text.", $"{path}.countryFrom");
    }

    private void ConvertText(Rule rule, string path, ColumnSelection selection, Else otherwise, Scalar? byDefault, string message, Func<string, string> read) =>
        Convert(rule, path, selection, ColumnType.Text, otherwise, byDefault, message, column => column.Type == ColumnType.Text ? read(Quote(column.Name)) : null);

    private void Apply(EmailCheck check, string path) =>
        Test(check, path, TextColumns(check.Columns, check.Kind, path), check.Else, check.Default, "is no e-mail address", column =>
            $"coalesce(lower(qz_email({Quote(column.Name)})) <> lower({Quote(column.Name)}), {Quote(column.Name)} IS NOT NULL)");

    private void Apply(PhoneCheck check, string path)
    {
        var (country, _) = PhoneCountry(check.Country, check.CountryFrom, path);
        Test(check, path, TextColumns(check.Columns, check.Kind, path), check.Else, check.Default, "is no phone number", column =>
            $"{Quote(column.Name)} IS NOT NULL AND qz_phone('e164', {Quote(column.Name)}, {country}) IS NULL");
    }

    private void Apply(CountryCheck check, string path) =>
        Test(check, path, TextColumns(check.Columns, check.Kind, path), check.Else, check.Default, "is no code of a country", column =>
            $"coalesce(qz_country('{Camel(check.Form)}', {Quote(column.Name)}) <> {Quote(column.Name)}, {Quote(column.Name)} IS NOT NULL)");

    private void Apply(CurrencyCheck check, string path) =>
        Test(check, path, TextColumns(check.Columns, check.Kind, path), check.Else, check.Default, "is no code of a currency", column =>
            $"coalesce(qz_currency('{Camel(check.Form)}', {Quote(column.Name)}) <> {Quote(column.Name)}, {Quote(column.Name)} IS NOT NULL)");

    private static string Camel<T>(T value) where T : struct, Enum => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    private static CultureInfo? Culture(string? locale, string path)
    {
        try
        {
            return locale is null ? null : CultureInfo.GetCultureInfo(locale, predefinedOnly: true);
        }
        catch (CultureNotFoundException)
        {
            throw new RecipeException(RecipeException.ValueInvalid, $"\"{locale}\" is no locale; write it like de-DE.", $"{path}.locale");
        }
    }
}
