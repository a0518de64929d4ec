using Microsoft.Extensions.Configuration;
using Qualiz.Platform.Storage;

namespace Qualiz.Platform.Tests.Storage;

public sealed class StoreSettingsTests
{
    [Theory]
    [InlineData("local", "Store:Root is not set")]
    [InlineData("s3", "Store:S3:Bucket is not set")]
    [InlineData("ftp", "Store:Type is \"ftp\"")]
    public void A_missing_setting_is_named(string type, string message) =>
        Should.Throw<InvalidOperationException>(() => StoreHosting.Create(new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["Store:Type"] = type }).Build())).Message.ShouldContain(message);
}
