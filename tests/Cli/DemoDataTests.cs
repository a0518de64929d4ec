using System.IO.Compression;
using System.Text;
using Qualiz.Cli.Demo;

namespace Qualiz.Cli.Tests;

public sealed class DemoDataTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("qualiz-demo-").FullName;

    [Fact]
    public void The_demo_is_the_same_every_time()
    {
        DemoData.Write(_folder);
        var first = Contents();
        DemoData.Write(_folder);

        Contents().ShouldBe(first);
    }

    [Fact]
    public void The_demo_holds_the_errors_of_real_life()
    {
        DemoData.Write(_folder);
        var (crm, shop) = (Contents()["crm/customers.csv"], Contents()["shop/NO.csv.gz"]);

        crm.ShouldContain("N/A");
        crm.ShouldContain("31.02.1980");
        crm.ShouldContain("Norge");
        crm.ShouldContain("\n(centre)");
        crm.Split('\n').Count(line => line.Length > 0).ShouldBeGreaterThan(DemoData.CrmRows);
        shop.ShouldContain(";one;too;many");
        shop.ShouldContain("Øverland");
        shop.ShouldMatch(@";-?\d+,\d\d;");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private Dictionary<string, string> Contents() => Directory.EnumerateFiles(_folder, "*", SearchOption.AllDirectories).ToDictionary(
        path => Path.GetRelativePath(_folder, path).Replace('\\', '/'),
        path =>
        {
            if (!path.EndsWith(".gz", StringComparison.Ordinal))
            {
                return File.ReadAllText(path);
            }
            using var zip = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
            using var reader = new StreamReader(zip, Encoding.Latin1);
            return reader.ReadToEnd();
        },
        StringComparer.Ordinal);
}
