namespace Qualiz.Engine.Semantics;

/// <summary>What the values of a column stand for.</summary>
/// <param name="Type">One of <see cref="SemanticTypes"/>.</param>
/// <param name="Confidence">From 0 to 1.</param>
/// <param name="Share">Of the different values looked at, those that are of the type.</param>
/// <param name="Sensitivity">The tag to propose for the column; null for none.</param>
public sealed record SemanticType(string Type, double Confidence, double Share, string? Sensitivity);

/// <summary>The kinds there are.</summary>
public static class SemanticTypes
{
    public const string Email = "email";
    public const string Phone = "phone";
    public const string Url = "url";
    public const string Ip = "ip";
    public const string Uuid = "uuid";
    public const string Iban = "iban";
    public const string CreditCard = "credit-card";
    public const string Isbn = "isbn";
    public const string Issn = "issn";
    public const string Doi = "doi";
    public const string Country = "country";
    public const string UsState = "us-state";
    public const string City = "city";
    public const string Postcode = "postcode";
    public const string Address = "address";
    public const string Latitude = "latitude";
    public const string Longitude = "longitude";
    public const string Coordinates = "coordinates";
    public const string Currency = "currency";
    public const string Money = "money";
    public const string Percentage = "percentage";
    public const string Date = "date";
    public const string Timestamp = "timestamp";
    public const string Time = "time";
    public const string Year = "year";
    public const string FirstName = "first-name";
    public const string LastName = "last-name";
    public const string FullName = "full-name";
    public const string Gender = "gender";
    public const string Company = "company";
    public const string Language = "language";
    public const string Colour = "colour";
    public const string Boolean = "boolean";
    public const string Id = "id";
    public const string Category = "category";
}
