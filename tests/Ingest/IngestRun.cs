using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Sessions;
using Qualiz.Ingest.Heads;
using Qualiz.Ingest.Sources;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Outbound;
using Qualiz.Platform.Storage;

namespace Qualiz.Ingest.Tests;

/// <summary>A folder with source files, and the operator run on them as an engine worker runs it.</summary>
internal sealed class IngestRun : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("qualiz-ingest-").FullName;
    private int _runs;

    public IngestRun()
    {
        Directory.CreateDirectory(Sources);
    }

    public string Sources => Path.Combine(_root, "sources");
    public string Store => Path.Combine(_root, "store");
    public JsonElement? State { get; set; }
    public long Memory { get; set; } = 512L << 20;
    public List<Connection> Connections { get; } = [];
    public Dictionary<string, string?> Settings { get; } = [];

    public string Write(string name, string text) => Write(name, Encoding.UTF8.GetBytes(text));

    public string Write(string name, byte[] bytes)
    {
        var path = Path.Combine(Sources, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    /// <summary>Ingests everything in the folder, or what <paramref name="config"/> says.</summary>
    public async Task<Ingested> RunAsync(IngestConfig? config = null, CancellationToken ct = default)
    {
        config ??= new IngestConfig { From = new IngestSource { Folder = Sources } };
        var result = await ExecuteAsync(config, ct);
        var outcome = result.ShouldBeOfType<StepResult.Completed>($"the step failed: {(result as StepResult.Failed)?.Error.Message}").Outcome;
        State = outcome.State;
        return new Ingested(outcome, this);
    }

    public Task<StepResult> TryAsync(IngestConfig? config = null) => ExecuteAsync(config ?? new IngestConfig { From = new IngestSource { Folder = Sources } }, default);

    public async Task<StepError> FailAsync(IngestConfig config) => (await ExecuteAsync(config, default)).ShouldBeOfType<StepResult.Failed>().Error;

    public async Task<HeadSchema?> HeadAsync(IngestConfig? config = null)
    {
        var scratch = Directory.CreateDirectory(Path.Combine(_root, $"scratch-{++_runs}")).FullName;
        var configuration = Configuration();
        return await new SourceHead(configuration, new OutboundGuard(configuration)).FindAsync(
            config ?? new IngestConfig { From = new IngestSource { Folder = Sources } },
            new SourceAccess("demo", new FolderStore(Store), new KnownConnections(Connections), scratch),
            default);
    }

    public string LocalPath(DataFile file) => Path.Combine(Store, file.Key);

    public EngineSession Open(params IEnumerable<string> paths) =>
        EngineSession.Open(new EngineOptions { MemoryBytes = 512L << 20, Threads = 2, Scratch = Directory.CreateDirectory(Path.Combine(_root, "reader")).FullName, Paths = [.. paths] });

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private async Task<StepResult> ExecuteAsync(IngestConfig config, CancellationToken ct)
    {
        var scratch = Directory.CreateDirectory(Path.Combine(_root, $"scratch-{++_runs}")).FullName;
        var store = new FolderStore(Store);
        var configuration = Configuration();
        try
        {
            return await new IngestOperator(configuration, new OutboundGuard(configuration)).ExecuteAsync(
                config,
                new StepContext
                {
                    Command = new ExecuteStep
                    {
                        RunId = Guid.CreateVersion7(),
                        ProjectId = Guid.CreateVersion7(),
                        Project = "demo",
                        Pipeline = "p",
                        PipelineId = Guid.CreateVersion7(),
                        PipelineVersion = 1,
                        StepId = "in",
                        Operator = "ingest",
                        Major = 1,
                        Attempt = 1,
                        Dispatch = 1,
                        Config = default,
                        Inputs = [],
                        Interval = new LogicalInterval(default, default, default),
                    },
                    Fence = _runs,
                    Inputs = [],
                    Outputs = new FolderOutputs(store, $"demo/run{_runs}"),
                    Store = store,
                    Scratch = scratch,
                    Grant = new ResourceGrant(Memory, 2),
                    Log = NullLogger.Instance,
                    Progress = new Progress<StepProgress>(),
                    Connections = new KnownConnections(Connections),
                    State = State,
                },
                ct);
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    private IConfiguration Configuration() => new ConfigurationBuilder()
        .AddInMemoryCollection(new Dictionary<string, string?>(Settings) { ["Folders:Roots:0"] = Sources })
        .Build();

    private sealed class KnownConnections(List<Connection> connections) : IConnections
    {
        public Task<Connection> OpenAsync(string name, CancellationToken ct) =>
            Task.FromResult(connections.Find(connection => connection.Name == name) ?? throw new ConnectionException($"There is no connection {name}."));
    }

    private sealed class FolderOutputs(FolderStore store, string folder) : IStepOutputs
    {
        private readonly Dictionary<string, string> _keys = [];

        public string CreateFile(string port, string extension = ".parquet")
        {
            var key = $"{folder}/{port}-{_keys.Count + 1:0000}{extension}";
            var path = store.GetStagingPath(key, "");
            _keys[path] = key;
            return path;
        }

        public async Task<DataFile> CommitAsync(string path, long rows, CancellationToken ct)
        {
            var stored = await store.PutFileAsync(_keys[path], path, ct);
            return new DataFile { Key = stored.Key, Rows = rows, Bytes = stored.Bytes, Sha256 = "" };
        }
    }

    /// <summary>The least of a store.</summary>
    internal sealed class FolderStore(string root) : IObjectStore
    {
        public Task<Stream> OpenReadAsync(string key, CancellationToken ct) => Task.FromResult<Stream>(File.OpenRead(Path.Combine(root, key)));

        public Task<string> GetLocalPathAsync(string key, string scratch, CancellationToken ct) => Task.FromResult(Path.Combine(root, key));

        public Task<StoredObject> PutFileAsync(string key, string path, CancellationToken ct)
        {
            var target = Path.Combine(root, key);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Move(path, target, overwrite: true);
            return Task.FromResult(new StoredObject(key, new FileInfo(target).Length, DateTimeOffset.UnixEpoch));
        }

        public async Task<StoredObject> PutAsync(string key, Stream content, CancellationToken ct)
        {
            var path = GetStagingPath(key, "");
            await using (var file = File.Create(path))
                await content.CopyToAsync(file, ct);
            return await PutFileAsync(key, path, ct);
        }

        public string GetStagingPath(string key, string scratch)
        {
            Directory.CreateDirectory(Path.Combine(root, ".staging"));
            return Path.Combine(root, ".staging", $"{Guid.CreateVersion7():N}{Path.GetExtension(key)}");
        }

        public Task<bool> ExistsAsync(string key, CancellationToken ct) => Task.FromResult(File.Exists(Path.Combine(root, key)));

        public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken ct)
        {
            await Task.CompletedTask;
            if (!Directory.Exists(root))
                yield break;
            foreach (var path in Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories))
            {
                var key = Path.GetRelativePath(root, path);
                if (key.StartsWith(prefix, StringComparison.Ordinal))
                    yield return new StoredObject(key, new FileInfo(path).Length, DateTimeOffset.UnixEpoch);
            }
        }

        public Task DeleteAsync(string key, CancellationToken ct)
        {
            File.Delete(Path.Combine(root, key));
            return Task.CompletedTask;
        }
    }
}

/// <summary>What came out, ready to look at.</summary>
internal sealed class Ingested(StepOutcome outcome, IngestRun run)
{
    public StepOutcome Outcome => outcome;
    public DatasetRef Out => outcome.Outputs["out"];

    public string TypeOf(string column) => Out.Schema.Find(column).ShouldNotBeNull($"there are {string.Join(", ", Out.Schema.Columns.Select(c => c.Name))}").Type;

    /// <summary>Every value as text, null for null.</summary>
    public IReadOnlyList<string?[]> Rows(params string[] columns) => Read("out", columns);

    public IReadOnlyList<string?[]> Rejected(params string[] columns) => outcome.Outputs.ContainsKey("rejected") ? Read("rejected", columns) : [];

    /// <summary>The first value of a column.</summary>
    public string? Value(string column) => Rows(column)[0][0];

    public void ShouldBalance()
    {
        outcome.Ledger.ShouldAllBe(line => line.Balances);
        outcome.RowsOut.ShouldBe(outcome.Ledger.Sum(line => line.Out));
        Rows("_row").Count.ShouldBe((int)outcome.RowsOut);
        Rejected("_row").Count.ShouldBe((int)outcome.RowsRejected);
        // Every record of every source is in exactly one of the two.
        var numbers = Rows("_source", "_row").Concat(Rejected("_source", "_row")).Select(row => (row[0], long.Parse(row[1]!, System.Globalization.CultureInfo.InvariantCulture))).ToList();
        foreach (var source in numbers.GroupBy(row => row.Item1))
            source.Select(row => row.Item2).Order().ShouldBe(Enumerable.Range(1, source.Count()).Select(i => (long)i));
    }

    private IReadOnlyList<string?[]> Read(string port, string[] columns)
    {
        var dataset = outcome.Outputs[port];
        var paths = dataset.Files.Select(run.LocalPath).ToList();
        using var session = run.Open(paths);
        var names = columns.Length > 0 ? columns : [.. dataset.Schema.Columns.Where(column => !column.Hidden).Select(column => column.Name)];
        return session.Query(
            $"SELECT {string.Join(", ", names.Select(name => $"CAST({Sql.Identifier(name)} AS VARCHAR)"))} FROM {DatasetFiles.Relation(new LocalDataset(dataset, paths))}",
            row => Enumerable.Range(0, row.FieldCount).Select(i => row.IsDBNull(i) ? null : row.GetString(i)).ToArray());
    }
}
