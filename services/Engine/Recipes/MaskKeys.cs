using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Qualiz.Engine.Kernels.Masking;

namespace Qualiz.Engine.Recipes;

/// <summary>
/// The keys that recipes mask with, by the names of their connections. A key for use is derived (HKDF-SHA-256) for the project, the domain and the
/// purpose: the same secret in two projects masks differently, and so does one in two domains. It lives as long as this does.
/// </summary>
/// <param name="project">The slug, which never names another project.</param>
public sealed class MaskKeys(string project) : IDisposable
{
    /// <summary>The type of the connections that hold keys, and their setting.</summary>
    public const string ConnectionType = "key";
    public const string Setting = "key";
    private const int KeyBytes = 32;
    private readonly Dictionary<string, byte[]> _secrets = [];
    private readonly List<Masker> _maskers = [];

    public void Add(string name, string secret) => _secrets[name] = Encoding.UTF8.GetBytes(secret);

    public void Dispose()
    {
        foreach (var masker in _maskers)
            masker.Dispose();
        foreach (var secret in _secrets.Values)
            CryptographicOperations.ZeroMemory(secret);
        _maskers.Clear();
        _secrets.Clear();
    }

    /// <summary>The number by which SQL knows what masks as the rule says; null where the rule's key is not here.</summary>
    internal int? Masker(MaskRule rule)
    {
        Masker masker;
        if (rule.By == MaskMethod.Redact)
        {
            masker = rule.Text is null ? new Redaction(rule.With, rule.KeepLast) : new Replacement(rule.Text);
        }
        else if (rule.Key is null || !_secrets.TryGetValue(rule.Key, out var secret))
        {
            return null;
        }
        else if (rule.By == MaskMethod.Format)
        {
            var (digits, letters) = (Derive(secret, rule.Domain, "digits"), Derive(secret, rule.Domain, "letters"));
            masker = new FormatPreserving(new Ff1(digits, 10), new Ff1(letters, 26));
            CryptographicOperations.ZeroMemory(digits);
            CryptographicOperations.ZeroMemory(letters);
        }
        else
        {
            masker = new KeyedHash(Derive(secret, rule.Domain, rule.By == MaskMethod.Token ? "token" : "hash"), rule.By == MaskMethod.Token);
        }
        _maskers.Add(masker);
        return masker.Number;
    }

    // A list in JSON: no two of them spell alike.
    private byte[] Derive(byte[] secret, string domain, string purpose) => HKDF.DeriveKey(
        HashAlgorithmName.SHA256, secret, KeyBytes, "qualiz mask 1"u8.ToArray(), JsonSerializer.SerializeToUtf8Bytes((string[])[project, domain, purpose]));
}
