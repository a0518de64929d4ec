using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Qualiz.Datasets.Uploads;

namespace Qualiz.Datasets.Tests;

/// <summary>One of these counts what the process allocates, so nothing else may run beside it.</summary>
[CollectionDefinition(nameof(UploadTests), DisableParallelization = true)]
public sealed class UploadsAlone;

[Collection(nameof(UploadTests))]
public sealed class UploadTests(DatasetsHost host) : IClassFixture<DatasetsHost>
{
    [Fact]
    public async Task A_file_comes_back_as_it_was_sent()
    {
        var project = host.NewProject();
        var content = Encoding.UTF8.GetBytes("id,name\n1,Ann\n");
        var upload = await SendAsync(project, "customers.csv", content);
        upload.GetProperty("bytes").GetInt64().ShouldBe(content.Length);
        upload.GetProperty("sha256").GetString().ShouldBe(Convert.ToHexStringLower(SHA256.HashData(content)));
        var id = upload.GetProperty("id").GetGuid();
        (await host.Client.GetByteArrayAsync(Address(project, $"/{id}/content"))).ShouldBe(content);
        File.Exists(Path.Combine(host.StoreRoot, project, "uploads", id.ToString(), "customers.csv")).ShouldBeTrue();
    }

    [Fact]
    public async Task A_form_is_taken_too()
    {
        var project = host.NewProject();
        using var form = new MultipartFormDataContent { { new StringContent("ignored"), "comment" }, { new ByteArrayContent([1, 2, 3]), "file", "Kunden übersicht.csv" } };
        using var response = await host.Client.PostAsync(Address(project), form);
        ((int)response.StatusCode).ShouldBe(201, await response.Content.ReadAsStringAsync());
        var upload = await response.Content.ReadFromJsonAsync<JsonElement>();
        upload.GetProperty("name").GetString().ShouldBe("Kunden übersicht.csv");
        upload.GetProperty("bytes").GetInt64().ShouldBe(3);
    }

    [Fact]
    public async Task An_empty_file_is_a_file()
    {
        var project = host.NewProject();
        (await SendAsync(project, "empty.csv", [])).GetProperty("bytes").GetInt64().ShouldBe(0);
    }

    [Fact]
    public async Task A_large_file_takes_no_large_memory()
    {
        var project = host.NewProject();
        const long Size = 192L << 20;
        GC.Collect();
        var before = GC.GetTotalAllocatedBytes(precise: true);
        using var content = new StreamContent(new Zeros(Size));
        using var response = await host.Client.PostAsync(Address(project, "?name=big.bin"), content);
        ((int)response.StatusCode).ShouldBe(201);
        var upload = await response.Content.ReadFromJsonAsync<JsonElement>();
        upload.GetProperty("bytes").GetInt64().ShouldBe(Size);
        // Everything that was ever allocated, by client and server together, is far less than the file.
        (GC.GetTotalAllocatedBytes(precise: true) - before).ShouldBeLessThan(Size / 3);
        using var deleted = await host.Client.DeleteAsync(Address(project, $"/{upload.GetProperty("id").GetGuid()}"));
        ((int)deleted.StatusCode).ShouldBe(204);
    }

    [Theory]
    [InlineData("../../../etc/passwd", "passwd", "passwd")]
    [InlineData("..\\..\\boot.ini", "boot.ini", "boot.ini")]
    [InlineData("C:\\Users\\ann\\my list.csv", "my list.csv", "my_list.csv")]
    [InlineData(".part-trick", ".part-trick", "_.part-trick")]
    [InlineData("naïve–名.csv", "naïve–名.csv", "na_ve__.csv")]
    [InlineData("a\r\nSet-Cookie: b.csv", "aSet-Cookie: b.csv", "aSet-Cookie__b.csv")]
    [InlineData("invoice\u202Evsc.exe", "invoicevsc.exe", "invoicevsc.exe")]
    [InlineData("nul\0.csv", "nul.csv", "nul.csv")]
    public void Names_are_shown_as_given_and_stored_safely(string given, string shown, string stored)
    {
        FileName.Shown(given).ShouldBe(shown);
        FileName.Safe(shown).ShouldBe(stored);
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("folder/")]
    [InlineData(" . ")]
    [InlineData("\u0001\u0002")]
    public async Task A_name_that_is_none_is_refused(string name)
    {
        FileName.Shown(name).ShouldBeNull();
        using var response = await host.Client.PostAsync(Address(host.NewProject(), $"?name={Uri.EscapeDataString(name)}"), new ByteArrayContent([1]));
        ((int)response.StatusCode).ShouldBe(400);
    }

    [Fact]
    public void A_long_name_keeps_its_extension()
    {
        var name = FileName.Shown(new string('x', 500) + ".csv")!;
        name.Length.ShouldBe(120);
        name.ShouldEndWith(".csv");
    }

    [Fact]
    public async Task Uploads_are_listed_newest_first_and_go_when_deleted()
    {
        var project = host.NewProject();
        var ids = new List<Guid>();
        for (var i = 0; i < 5; i++)
            ids.Add((await SendAsync(project, $"{i}.csv", [1])).GetProperty("id").GetGuid());
        var first = await host.GetAsync(project, "uploads?limit=3");
        var second = await host.GetAsync(project, $"uploads?limit=3&cursor={first.GetProperty("next").GetString()}");
        second.GetProperty("next").ValueKind.ShouldBe(JsonValueKind.Null);
        first.GetProperty("items").EnumerateArray().Concat(second.GetProperty("items").EnumerateArray()).Select(item => item.GetProperty("id").GetGuid()).ShouldBe(ids.AsEnumerable().Reverse());

        using var deleted = await host.Client.DeleteAsync(Address(project, $"/{ids[0]}"));
        ((int)deleted.StatusCode).ShouldBe(204);
        (await host.RefusalAsync(project, $"uploads/{ids[0]}")).Status.ShouldBe(404);
        File.Exists(Path.Combine(host.StoreRoot, project, "uploads", ids[0].ToString(), "0.csv")).ShouldBeFalse();
    }

    [Fact]
    public async Task Another_projects_upload_is_not_there()
    {
        var (mine, theirs) = (host.NewProject(), host.NewProject());
        var id = (await SendAsync(theirs, "a.csv", [1])).GetProperty("id").GetGuid();
        (await host.RefusalAsync(mine, $"uploads/{id}")).Status.ShouldBe(404);
        (await host.RefusalAsync(mine, $"uploads/{id}/content")).Status.ShouldBe(404);
        using var deleted = await host.Client.DeleteAsync(Address(mine, $"/{id}"));
        ((int)deleted.StatusCode).ShouldBe(404);
        (await host.GetAsync(theirs, $"uploads/{id}")).GetProperty("name").GetString().ShouldBe("a.csv");
    }

    [Fact]
    public async Task A_sender_that_goes_away_leaves_nothing()
    {
        var project = host.NewProject();
        using var impatient = new CancellationTokenSource();
        using var content = new StreamContent(new Zeros(1L << 30, after: 1 << 20, impatient.Cancel));
        await Should.ThrowAsync<OperationCanceledException>(() => host.Client.PostAsync(Address(project, "?name=torn.bin"), content, impatient.Token));
        await TestKit.TestHost.UntilAsync(() =>
        {
            var folder = Path.Combine(host.StoreRoot, project);
            var left = Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Count() : 0;
            return left == 0 ? null : $"an empty folder; it holds {left} files";
        });
        (await host.GetAsync(project, "uploads")).GetProperty("items").GetArrayLength().ShouldBe(0);
    }

    private static Uri Address(string project, string rest = "") => new(DatasetsHost.Url(project, $"uploads{rest}"), UriKind.Relative);

    private async Task<JsonElement> SendAsync(string project, string name, byte[] content)
    {
        using var response = await host.Client.PostAsync(Address(project, $"?name={Uri.EscapeDataString(name)}"), new ByteArrayContent(content));
        ((int)response.StatusCode).ShouldBe(201, await response.Content.ReadAsStringAsync());
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }

    /// <summary>A long stream that is never in memory.</summary>
    private sealed class Zeros(long length, long after = long.MaxValue, Action? then = null) : Stream
    {
        private long _read;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => _read;
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            if (_read > after)
                then?.Invoke();
            var size = (int)Math.Min(count, length - _read);
            Array.Clear(buffer, offset, size);
            _read += size;
            return size;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
