using Qualiz.Platform.Operators;
using Qualiz.Platform.Storage;

namespace Qualiz.Platform.Tests.Storage;

public sealed class LocalObjectStoreTests : ObjectStoreContract
{
    private readonly string _root = Directory.CreateTempSubdirectory("qualiz-root-").FullName;
    private readonly LocalObjectStore _store;

    public LocalObjectStoreTests() => _store = LocalObjectStore.Open(_root, marks: true);

    private protected override IObjectStore Store => _store;

    [Fact]
    public async Task A_link_inside_the_store_is_not_followed()
    {
        var outside = Directory.CreateTempSubdirectory("qualiz-outside-").FullName;
        await File.WriteAllTextAsync(Path.Combine(outside, "secret"), "x");
        Directory.CreateSymbolicLink(Path.Combine(_root, "folder"), outside);
        File.CreateSymbolicLink(Path.Combine(_root, "file"), Path.Combine(outside, "secret"));
        await Should.ThrowAsync<ArgumentException>(() => ReadAsync("folder/secret"));
        await Should.ThrowAsync<ArgumentException>(() => ReadAsync("file"));
        await Should.ThrowAsync<ArgumentException>(() => PutAsync("folder/new", "x"));
        (await KeysAsync("")).ShouldBeEmpty();
        Directory.Delete(outside, recursive: true);
    }

    [Fact]
    public async Task A_file_from_another_file_system_is_copied_and_then_appears_whole()
    {
        // /dev/shm is a file system of its own.
        var path = $"/dev/shm/qualiz-{Guid.CreateVersion7():N}";
        await File.WriteAllTextAsync(path, "from afar");
        await _store.PutFileAsync("near", path, default);
        (await ReadAsync("near")).ShouldBe("from afar");
        File.Exists(path).ShouldBeFalse();
    }

    [Fact]
    public async Task What_a_killed_writer_left_is_not_listed_and_can_be_removed()
    {
        var path = _store.GetStagingPath("run/step/1/out-0001.parquet", Scratch);
        await File.WriteAllTextAsync(path, "half");
        (await KeysAsync("run/")).ShouldBeEmpty();
        _store.RemoveUnfinished("run/step/1");
        File.Exists(path).ShouldBeFalse();
    }

    [Fact]
    public async Task What_killed_writers_left_longAgo_and_empty_folders_are_swept_and_nothing_else()
    {
        await PutAsync("p/run/step/1/out.parquet", "whole");
        var old = _store.GetStagingPath("p/run/step/1/out-0001.parquet", Scratch);
        var young = _store.GetStagingPath("p/run/step/2/out-0001.parquet", Scratch);
        var elsewhere = _store.GetStagingPath("q/run/step/1/out-0001.parquet", Scratch);
        foreach (var path in (string[])[old, young, elsewhere])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllTextAsync(path, "half");
        }
        var empty = Directory.CreateDirectory(Path.Combine(Path.GetDirectoryName(old)!, "..", "3")).FullName;
        var longAgo = DateTime.UtcNow.AddDays(-2);
        File.SetLastWriteTimeUtc(old, longAgo);
        File.SetLastWriteTimeUtc(elsewhere, longAgo);
        Directory.SetLastWriteTimeUtc(empty, longAgo);

        await _store.RemoveUnfinishedAsync("p/", DateTimeOffset.UtcNow.AddDays(-1), default);

        File.Exists(old).ShouldBeFalse();
        Directory.Exists(empty).ShouldBeFalse();
        File.Exists(young).ShouldBeTrue();
        File.Exists(elsewhere).ShouldBeTrue();
        (await ReadAsync("p/run/step/1/out.parquet")).ShouldBe("whole");
    }

    /// <summary>Our own doing here; a bucket's server promises it by itself.</summary>
    [Fact]
    public async Task Two_writers_of_one_key_leave_one_whole_object()
    {
        var texts = Enumerable.Range(0, 8).Select(i => new string((char)('a' + i), 200_000)).ToArray();
        await Task.WhenAll(texts.Select(text => PutAsync("race", text)));
        texts.ShouldContain(await ReadAsync("race"));
    }

    [Fact]
    public async Task A_full_disk_is_infrastructure()
    {
        // Every write to /dev/full says that there is no space.
        var full = Should.Throw<IOException>(() =>
        {
            using var stream = new FileStream("/dev/full", FileMode.Open, FileAccess.Write);
            stream.WriteByte(1);
            stream.Flush();
        });
        InfrastructureFailure.Explain(full).ShouldBe("The disk is full, read-only or broken.");
        InfrastructureFailure.Explain(new InvalidOperationException("IO Error: Could not write file: No space left on device")).ShouldNotBeNull();
        InfrastructureFailure.Explain(new InvalidOperationException("a bug")).ShouldBeNull();
        await Task.CompletedTask;
    }

    [Fact]
    public async Task A_store_whose_folder_has_gone_is_unavailable_not_empty()
    {
        await PutAsync("x", "x");
        Directory.Delete(_root, recursive: true);
        await Should.ThrowAsync<StoreUnavailableException>(() => ReadAsync("x"));
        await Should.ThrowAsync<StoreUnavailableException>(() => _store.ExistsAsync("x", default));
        await Should.ThrowAsync<StoreUnavailableException>(() => KeysAsync(""));
        await Should.ThrowAsync<StoreUnavailableException>(() => _store.ProbeAsync(default));
    }

    /// <summary>An unmounted disk leaves an empty folder behind, to which everything could be written.</summary>
    [Fact]
    public async Task A_store_whose_disk_has_gone_is_unavailable_not_empty()
    {
        await PutAsync("a/x", "x");
        var disk = $"{_root}-disk";
        Directory.Move(_root, disk);
        Directory.CreateDirectory(_root);
        await Should.ThrowAsync<StoreUnavailableException>(() => ReadAsync("a/x"));
        await Should.ThrowAsync<StoreUnavailableException>(() => PutAsync("a/y", "y"));
        await Should.ThrowAsync<StoreUnavailableException>(() => _store.ExistsAsync("a/x", default));
        await Should.ThrowAsync<StoreUnavailableException>(() => KeysAsync(""));
        Should.Throw<StoreUnavailableException>(() => _store.GetStagingPath("b/z", Scratch));
        var worker = LocalObjectStore.Open(_root, marks: false);
        await Should.ThrowAsync<StoreUnavailableException>(() => worker.ProbeAsync(default));
        Directory.EnumerateFileSystemEntries(_root).ShouldBeEmpty();
        Directory.Delete(_root);
        Directory.Move(disk, _root);
        (await ReadAsync("a/x")).ShouldBe("x");
        (await KeysAsync("")).ShouldBe(["a/x"]);
    }

    protected override void Dispose(bool disposing)
    {
        if (Directory.Exists(_root))
            Directory.Delete(_root, recursive: true);
        base.Dispose(disposing);
    }
}
