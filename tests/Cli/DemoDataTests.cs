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
        Write();
        var first = Contents();
        Write();

        Contents().ShouldBe(first);
    }

    [Fact]
    public void The_demo_holds_the_errors_of_real_life()
    {
        Write();
        var (crm, shop) = (Contents()["crm/customers.csv"], Contents()["shop/2026-11-21/NO/customers-001.csv.gz"]);

        crm.ShouldContain("N/A");
        crm.ShouldContain("31.02.1980");
        crm.ShouldContain("Norge");
        crm.ShouldContain("\n(centre)");
        crm.Split('\n').LongCount(line => line.Length > 0).ShouldBeGreaterThan(DemoData.CrmRows);
        shop.ShouldContain(";one;too;many");
        shop.ShouldContain("Åse");
        shop.ShouldMatch(@";-?\d+,\d\d;");
    }

    [Fact]
    public void Some_customers_of_the_shop_are_known_to_the_CRM()
    {
        var crm = DemoData.Crm(0).Select(row => row[3]).Where(address => address.EndsWith("@example.org", StringComparison.Ordinal)).ToHashSet();

        var shop = DemoData.Shop("GB", 0).ToList();

        shop.Count(row => crm.Contains(row[3])).ShouldBeInRange(500, 1_200);
        shop.Select(row => row[0]).Where(id => id.Length > 0).ShouldBeUnique();
    }

    [Fact]
    public void Most_telephone_numbers_are_whole_and_written_in_many_ways()
    {
        var phones = DemoData.Crm(0).Concat(DemoData.Countries.SelectMany(country => DemoData.Shop(country, 0))).Select(row => row[4]).ToList();

        var whole = phones.Count(phone => phone.Count(char.IsAsciiDigit) is >= 8 and <= 14 && !phone.Contains("ext", StringComparison.Ordinal));
        ((double)whole / phones.Count).ShouldBeInRange(0.85, 0.95);
        phones.Select(phone => new string([.. phone.Select(sign => char.IsAsciiDigit(sign) ? '9' : sign)])).Distinct().Count().ShouldBeGreaterThan(25);
        phones.ShouldContain(phone => phone.StartsWith("+47", StringComparison.Ordinal));
        phones.ShouldContain(phone => phone.StartsWith("(0", StringComparison.Ordinal));
    }

    [Fact]
    public void A_later_round_has_changes_that_are_newer_than_everything_before()
    {
        var latest = DemoData.Crm(0).Max(row => row[11]);

        var changed = DemoData.Crm(1).ToList();

        changed.Count.ShouldBe(640);
        changed.ShouldAllBe(row => string.CompareOrdinal(row[11], latest) > 0);
    }

    private void Write()
    {
        DemoData.WriteCrmFile(_folder);
        DemoData.WriteShop(_folder, new DateOnly(2026, 11, 21), 0);
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
