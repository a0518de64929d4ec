using System.Text;
using Qualiz.Platform.Storage;

namespace Qualiz.Platform.Tests.Storage;

/// <summary>What every store does, whichever it is.</summary>
public abstract class ObjectStoreContract : IDisposable
{
    private const int SeveralParts = (40 * 1024 * 1024) + 7;

    private readonly string _scratch = Directory.CreateTempSubdirectory("qualiz-store-").FullName;

    private protected abstract IObjectStore Store { get; }

    private protected string Scratch => _scratch;

    [Fact]
    public async Task What_was_put_is_read_back()
    {
        var stored = await PutAsync("demo/run 1/Ærlig.txt", "abc");
        stored.Bytes.ShouldBe(3);
        stored.Key.ShouldBe("demo/run 1/Ærlig.txt");
        (await ReadAsync("demo/run 1/Ærlig.txt")).ShouldBe("abc");
        (await Store.ExistsAsync("demo/run 1/Ærlig.txt", default)).ShouldBeTrue();
    }

    [Fact]
    public async Task An_empty_object_is_an_object()
    {
        (await PutAsync("empty", "")).Bytes.ShouldBe(0);
        (await ReadAsync("empty")).ShouldBe("");
    }

    [Fact]
    public async Task Putting_again_replaces()
    {
        await PutAsync("again", "a longer text");
        await PutAsync("again", "short");
        (await ReadAsync("again")).ShouldBe("short");
    }

    [Fact]
    public async Task A_large_stream_of_unknown_length_arrives_whole()
    {
        var content = Bytes(SeveralParts);
        var stored = await Store.PutAsync("large", new Unseekable(content), default);
        stored.Bytes.ShouldBe(SeveralParts);
        await using var read = await Store.OpenReadAsync("large", default);
        using var copy = new MemoryStream();
        await read.CopyToAsync(copy);
        copy.ToArray().AsSpan().SequenceEqual(content).ShouldBeTrue();
    }

    [Theory]
    [InlineData(0, 3, "abc")]
    [InlineData(2, 4, "cdef")]
    [InlineData(6, 100, "gh")]
    [InlineData(8, 5, "")]
    [InlineData(20, 5, "")]
    [InlineData(3, 0, "")]
    public async Task A_part_of_an_object_can_be_read(int from, int most, string expected)
    {
        await PutAsync("part", "abcdefgh");
        var into = new byte[most];
        Encoding.UTF8.GetString(into, 0, await Store.ReadAsync("part", from, into, default)).ShouldBe(expected);
    }

    [Fact]
    public async Task A_staged_file_moves_to_its_key()
    {
        var path = Store.GetStagingPath("demo/out-0001.parquet", _scratch);
        Path.GetExtension(path).ShouldBe(".parquet");
        await File.WriteAllBytesAsync(path, Bytes(SeveralParts));
        (await Store.ExistsAsync("demo/out-0001.parquet", default)).ShouldBeFalse();
        (await KeysAsync("demo/out")).ShouldBeEmpty();
        (await Store.PutFileAsync("demo/out-0001.parquet", path, default)).Bytes.ShouldBe(SeveralParts);
        File.Exists(path).ShouldBeFalse();
        (await KeysAsync("demo/out")).ShouldBe(["demo/out-0001.parquet"]);
    }

    [Fact]
    public async Task An_object_can_be_read_at_a_local_path()
    {
        await PutAsync("demo/in.csv", "a,b");
        var path = await Store.GetLocalPathAsync("demo/in.csv", _scratch, default);
        (await File.ReadAllTextAsync(path)).ShouldBe("a,b");
        (await Store.GetLocalPathAsync("demo/in.csv", _scratch, default)).ShouldBe(path);
        Path.GetExtension(path).ShouldBe(".csv");
    }

    [Fact]
    public async Task A_put_that_breaks_off_leaves_nothing()
    {
        await Should.ThrowAsync<InvalidDataException>(() => Store.PutAsync("torn/large", new Breaking(20 * 1024 * 1024), default));
        await Should.ThrowAsync<InvalidDataException>(() => Store.PutAsync("torn/small", new Breaking(10), default));
        (await KeysAsync("torn/")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_list_has_the_keys_that_begin_with_the_prefix()
    {
        foreach (var key in (string[])["list/b", "list/a/2", "list/a/1", "list/a-1", "list/ab", "other"])
            await PutAsync(key, key);
        (await KeysAsync("list/")).ShouldBe(["list/a-1", "list/a/1", "list/a/2", "list/ab", "list/b"], ignoreOrder: true);
        (await KeysAsync("list/a")).ShouldBe(["list/a-1", "list/a/1", "list/a/2", "list/ab"], ignoreOrder: true);
        (await KeysAsync("list/a/")).ShouldBe(["list/a/1", "list/a/2"], ignoreOrder: true);
        (await KeysAsync("nothing/")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_missing_key_is_said_to_be_missing()
    {
        await Should.ThrowAsync<FileNotFoundException>(() => Store.OpenReadAsync("no/such", default));
        await Should.ThrowAsync<FileNotFoundException>(() => Store.ReadAsync("no/such", 0, new byte[1], default));
        await Should.ThrowAsync<FileNotFoundException>(() => Store.GetLocalPathAsync("no/such", _scratch, default));
        (await Store.ExistsAsync("no/such", default)).ShouldBeFalse();
        await Store.DeleteAsync("no/such", default);
    }

    [Fact]
    public async Task A_deleted_object_is_gone()
    {
        await PutAsync("gone", "x");
        await Store.DeleteAsync("gone", default);
        (await Store.ExistsAsync("gone", default)).ShouldBeFalse();
    }

    [Theory]
    [InlineData("")]
    [InlineData("/etc/passwd")]
    [InlineData("../x")]
    [InlineData("a/../../x")]
    [InlineData("a/./x")]
    [InlineData("a//x")]
    [InlineData("a/")]
    [InlineData("a\\..\\x")]
    [InlineData("a\0b")]
    [InlineData("a/.part-x")]
    public async Task A_key_that_would_leave_the_store_is_refused(string key)
    {
        await Should.ThrowAsync<ArgumentException>(() => PutAsync(key, "x"));
        await Should.ThrowAsync<ArgumentException>(async () => await Store.OpenReadAsync(key, default));
        await Should.ThrowAsync<ArgumentException>(async () => await Store.GetLocalPathAsync(key, _scratch, default));
        await Should.ThrowAsync<ArgumentException>(async () => await Store.DeleteAsync(key, default));
        Should.Throw<ArgumentException>(() => Store.GetStagingPath(key, _scratch));
    }

    [Fact]
    public async Task The_probe_passes_when_the_store_works() => await ((IStoreProbe)Store).ProbeAsync(default);

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing) => Directory.Delete(_scratch, recursive: true);

    private protected Task<StoredObject> PutAsync(string key, string text) => Store.PutAsync(key, new MemoryStream(Encoding.UTF8.GetBytes(text)), default);

    private protected async Task<string> ReadAsync(string key)
    {
        await using var stream = await Store.OpenReadAsync(key, default);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync();
    }

    private protected async Task<List<string>> KeysAsync(string prefix)
    {
        var keys = new List<string>();
        await foreach (var found in Store.ListAsync(prefix, default))
            keys.Add(found.Key);
        return keys;
    }

    private static byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        new Random(1).NextBytes(bytes);
        return bytes;
    }

    private sealed class Unseekable(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
        public override long Length => throw new NotSupportedException();
    }

    private sealed class Breaking(int after) : Stream
    {
        private int _left = after;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            if (_left == 0)
                throw new InvalidDataException("broken off");
            var read = Math.Min(_left, count);
            _left -= read;
            return read;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
