using System.Text;
using Qualiz.Ingest.Sources;

namespace Qualiz.Ingest.Tests;

/// <summary>Text in the encodings of the world, without a word about which.</summary>
public sealed class EncodingTests : IDisposable
{
    private readonly IngestRun _run = new();

    static EncodingTests() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    public void Dispose() => _run.Dispose();

    public static TheoryData<string, string> Texts => new()
    {
        { "utf-8", "Zoë Müller, Ærøskøbing" },
        { "utf-16", "Zoë Müller; Øverland" },
        { "utf-16BE", "Zoë Müller; Øverland" },
        { "utf-32", "Zoë Müller; Øverland" },
        { "utf-32BE", "Zoë Müller; Øverland" },
        { "windows-1252", "Zoë Müller “quoted” 5 € café naïve" },
        { "iso-8859-1", "Zoë Müller señor garçon Ångström" },
        { "windows-1251", "Иван Петров, Москва, улица Ленина" },
        { "koi8-r", "Иван Петров, Москва, улица Ленина" },
        { "windows-1253", "Γιώργος Παπαδόπουλος Αθήνα" },
        { "shift_jis", "山田太郎さんは東京に住んでいます。カタカナも" },
        { "euc-jp", "山田太郎さんは東京に住んでいます。カタカナも" },
        { "gb18030", "张伟住在北京市朝阳区的一个小区里" },
        { "big5", "王小明住在臺北市中山區的一條街上" },
        { "euc-kr", "김철수는 서울특별시 강남구에 살고 있습니다" },
    };

    [Theory]
    [MemberData(nameof(Texts))]
    public async Task Text_is_read_whatever_its_encoding(string encoding, string text)
    {
        foreach (var mark in (bool[])[false, true])
        {
            var writer = Encoding.GetEncoding(encoding);
            if (mark && writer.GetPreamble().Length == 0)
                continue;
            _run.State = null;
            var bytes = writer.GetBytes("id\tname\n" + string.Concat(Enumerable.Range(1, 20).Select(i => $"{i}\t{text}\n")));
            _run.Write("a.csv", mark ? [.. writer.GetPreamble(), .. bytes] : bytes);
            var result = await _run.RunAsync();
            result.Rows("name").Select(row => row[0]).Distinct().ShouldBe([text], encoding);
            result.ShouldBalance();
        }
    }

    [Fact]
    public async Task A_setting_prevails()
    {
        _run.Write("a.csv", Encoding.GetEncoding("iso-8859-2").GetBytes("id;name\n1;Łódź\n"));
        (await _run.RunAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources }, Format = new IngestFormat { Encoding = TextEncoding.Iso2 } })).Rows("name").ShouldBe([["Łódź"]]);
    }

    [Fact]
    public void A_few_letters_beyond_ascii_are_western() =>
        EncodingGuess.Guess(Encoding.GetEncoding("windows-1252").GetBytes("name,city\nAnn,Malmö\nBen,Oslo\nCid,Århus\n")).ShouldBe("windows-1252");
}
