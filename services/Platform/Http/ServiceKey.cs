namespace Qualiz.Platform.Http;

/// <summary>How services of one deployment know each other on internal addresses: the secret in <c>Services:Key</c>, at least 16 characters.</summary>
public static class ServiceKey
{
    public const string Setting = "Services:Key";
    public const string Header = "X-Qualiz-Service-Key";
}
