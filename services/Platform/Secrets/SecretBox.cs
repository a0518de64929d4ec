using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;

namespace Qualiz.Platform.Secrets;

/// <summary>
/// Encrypts secrets at rest: AES-256-GCM, bound to what they belong to, so that a ciphertext copied to another connection
/// does not open there. The text form is <c>v1.&lt;key id&gt;.&lt;nonce, tag and ciphertext&gt;</c>.
/// </summary>
public sealed class SecretBox
{
    private const string Version = "v1";
    private const int KeyBytes = 32;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    private readonly Dictionary<string, byte[]> _keys = [];

    /// <param name="keys">32 bytes each. The first one encrypts; the others still decrypt, so that a key can be replaced.</param>
    internal SecretBox(IEnumerable<byte[]> keys)
    {
        foreach (var key in keys)
        {
            if (key.Length != KeyBytes)
                throw new InvalidOperationException("A secrets key has 32 bytes.");
            var id = Convert.ToHexStringLower(SHA256.HashData(key))[..8];
            CurrentKeyId ??= id;
            _keys[id] = key;
        }

        if (_keys.Count == 0)
            throw new InvalidOperationException("There is no secrets key.");
    }

    /// <summary>Which key new secrets are encrypted with.</summary>
    public string CurrentKeyId { get; } = null!;

    /// <param name="belongsTo">The connection's id; the same must be given to <see cref="Open"/>.</param>
    public string Seal(string secret, string belongsTo)
    {
        var plain = Encoding.UTF8.GetBytes(secret);
        var sealedBytes = new byte[NonceBytes + TagBytes + plain.Length];
        var nonce = sealedBytes.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(_keys[CurrentKeyId], TagBytes);
        aes.Encrypt(nonce, plain, sealedBytes.AsSpan(NonceBytes + TagBytes), sealedBytes.AsSpan(NonceBytes, TagBytes), Associated(CurrentKeyId, belongsTo));
        CryptographicOperations.ZeroMemory(plain);
        return $"{Version}.{CurrentKeyId}.{Base64Url.EncodeToString(sealedBytes)}";
    }

    /// <exception cref="SecretException">Another key, another owner, or changed text.</exception>
    public string Open(string text, string belongsTo)
    {
        var parts = text.Split('.');
        if (parts.Length != 3 || parts[0] != Version)
            throw new SecretException("This is no sealed secret.");
        if (!_keys.TryGetValue(parts[1], out var key))
            throw new SecretException($"The secret was sealed with key {parts[1]}, which is not in Secrets:KeyFile.");
        try
        {
            var bytes = Base64Url.DecodeFromChars(parts[2]);
            if (bytes.Length < NonceBytes + TagBytes)
                throw new SecretException("The sealed secret is cut off.");
            var plain = new byte[bytes.Length - NonceBytes - TagBytes];
            using var aes = new AesGcm(key, TagBytes);
            aes.Decrypt(bytes.AsSpan(0, NonceBytes), bytes.AsSpan(NonceBytes + TagBytes), bytes.AsSpan(NonceBytes, TagBytes), plain, Associated(parts[1], belongsTo));
            return Encoding.UTF8.GetString(plain);
        }
        catch (Exception exception) when (exception is CryptographicException or FormatException)
        {
            throw new SecretException("The sealed secret does not open: it was changed, or it belongs to something else.");
        }
    }

    /// <summary>False when the secret was sealed with an older key and should be sealed again.</summary>
    public bool IsCurrent(string text) => text.StartsWith($"{Version}.{CurrentKeyId}.", StringComparison.Ordinal);

    /// <exception cref="InvalidOperationException">No key, or a malformed one; the message says what to do.</exception>
    internal static SecretBox FromConfiguration(IConfiguration configuration)
    {
        if (configuration["Secrets:KeyFile"] is { Length: > 0 } file)
        {
            if (!File.Exists(file))
                throw new InvalidOperationException($"Secrets:KeyFile names {file}, which is not there. Create it with: openssl rand -base64 32 > {file}; chmod 600 {file}");
            return new SecretBox(File.ReadLines(file).Where(line => !string.IsNullOrWhiteSpace(line)).Select(line => Decode(line, $"A line of {file}")));
        }

        if (configuration["Secrets:Key"] is { Length: > 0 } key)
            return new SecretBox([Decode(key, "Secrets:Key")]);
        throw new InvalidOperationException(
            "There is no key for secrets at rest: set Secrets:KeyFile to a file that holds 32 random bytes in base64 (openssl rand -base64 32), or Secrets:Key.");
    }

    private static byte[] Decode(string text, string what)
    {
        var bytes = new byte[KeyBytes + 3];
        if (!Convert.TryFromBase64String(text.Trim(), bytes, out var length) || length != KeyBytes)
            throw new InvalidOperationException($"{what} is not 32 bytes in base64. Create a key with: openssl rand -base64 32");
        return bytes[..KeyBytes];
    }

    private static byte[] Associated(string keyId, string belongsTo) => Encoding.UTF8.GetBytes($"{Version}.{keyId}.{belongsTo}");
}

/// <summary>A sealed secret does not open; the message holds nothing of it.</summary>
public sealed class SecretException(string message) : Exception(message);
