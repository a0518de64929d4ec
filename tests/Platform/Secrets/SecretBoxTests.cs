using System.Security.Cryptography;
using Microsoft.Extensions.Configuration;
using Qualiz.Platform.Secrets;

namespace Qualiz.Platform.Tests.Secrets;

public sealed class SecretBoxTests
{
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);

    [Fact]
    public void A_secret_opens_for_what_it_belongs_to()
    {
        var box = new SecretBox([_key]);
        var text = box.Seal("påssword", "connection 1");
        text.ShouldNotContain("ssword");
        box.Open(text, "connection 1").ShouldBe("påssword");
        box.Seal("påssword", "connection 1").ShouldNotBe(text);
    }

    [Fact]
    public void A_secret_copied_to_something_else_does_not_open()
    {
        var box = new SecretBox([_key]);
        Should.Throw<SecretException>(() => box.Open(box.Seal("x", "connection 1"), "connection 2"));
    }

    [Fact]
    public void A_changed_secret_does_not_open()
    {
        var box = new SecretBox([_key]);
        var text = box.Seal("secret", "c");
        for (var i = text.LastIndexOf('.') + 1; i < text.Length - 1; i++)
        {
            var changed = $"{text[..i]}{(text[i] == 'A' ? 'B' : 'A')}{text[(i + 1)..]}";
            Should.Throw<SecretException>(() => box.Open(changed, "c"));
        }

        Should.Throw<SecretException>(() => box.Open("", "c"));
        Should.Throw<SecretException>(() => box.Open($"v1.{box.CurrentKeyId}.AAAA", "c"));
    }

    [Fact]
    public void After_a_change_of_key_old_secrets_still_open()
    {
        var old = new SecretBox([_key]);
        var text = old.Seal("x", "c");
        var both = new SecretBox([RandomNumberGenerator.GetBytes(32), _key]);
        both.Open(text, "c").ShouldBe("x");
        both.IsCurrent(text).ShouldBeFalse();
        both.IsCurrent(both.Seal("x", "c")).ShouldBeTrue();
        Should.Throw<SecretException>(() => new SecretBox([RandomNumberGenerator.GetBytes(32)]).Open(text, "c")).Message.ShouldContain(old.CurrentKeyId);
    }

    [Fact]
    public void The_key_comes_from_a_file_or_a_setting()
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, Convert.ToBase64String(_key) + "\n");
        var text = SecretBox.FromConfiguration(Settings("Secrets:KeyFile", file)).Seal("x", "c");
        SecretBox.FromConfiguration(Settings("Secrets:Key", Convert.ToBase64String(_key))).Open(text, "c").ShouldBe("x");
        File.Delete(file);
    }

    [Theory]
    [InlineData("Nothing:Else", "x", "set Secrets:KeyFile")]
    [InlineData("Secrets:KeyFile", "/no/such/file", "is not there")]
    [InlineData("Secrets:Key", "c2hvcnQ=", "not 32 bytes")]
    public void A_missing_key_says_what_to_do(string name, string value, string message) =>
        Should.Throw<InvalidOperationException>(() => SecretBox.FromConfiguration(Settings(name, value))).Message.ShouldContain(message);

    private static IConfiguration Settings(string name, string value) =>
        new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { [name] = value }).Build();
}
