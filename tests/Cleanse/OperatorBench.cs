using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Contracts.Schemas;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Storage;

namespace Qualiz.Operators.Tests;

/// <summary>Runs operators as a worker does, with a real local store, but without bus and claims.</summary>
internal sealed class OperatorBench : IDisposable
{
    private readonly IHost _host;
    private int _files;

    public OperatorBench()
    {
        Folder = Directory.CreateTempSubdirectory("qualiz-operator-").FullName;
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration["Store:Type"] = "local";
        builder.Configuration["Store:Root"] = Path.Combine(Folder, "store");
        builder.AddObjectStore();
        _host = builder.Build();
        Store = _host.Services.GetRequiredService<IObjectStore>();
    }

    public string Folder { get; }
    public IObjectStore Store { get; }
    public LogLines Log { get; } = new();
    public Dictionary<string, Connection> Connections { get; } = [];

    /// <summary>By reference: <c>dataset:us-zip</c>.</summary>
    public Dictionary<string, ResolvedDataset> Datasets { get; } = [];

    /// <summary>Stores the query's rows as a dataset; without hidden columns in the query the rows are numbered.</summary>
    public async Task<ResolvedInput> InputAsync(string query, string name = "in", params IReadOnlyList<(string Column, string Tag)> tags)
    {
        using var session = Open();
        var casts = session.Query($"DESCRIBE {query}", row => $"CAST({Sql.Identifier(row.GetString(0))} AS {ColumnType.NearestTo(row.GetString(1))!.DuckDb}) AS {Sql.Identifier(row.GetString(0))}");
        var path = Path.Combine(Folder, $"{_files++}.parquet");
        var rows = await DatasetFiles.WriteAsync(session, $"SELECT {string.Join(", ", casts)} FROM ({query})", path, default);
        var schema = DatasetFiles.Describe(session, $"SELECT * FROM read_parquet({Sql.Literal(path)})");
        var stored = schema.Columns.Any(column => column.Hidden);
        var sha = Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(path)));
        var put = await Store.PutFileAsync($"inputs/{Path.GetFileName(path)}", path, default);
        var columns = schema.Columns.Select(column => column with { Sensitivity = tags.FirstOrDefault(tag => tag.Column == column.Name).Tag });
        return new ResolvedInput(name, new DatasetRef
        {
            Files = [new DataFile { Key = put.Key, Rows = rows, Bytes = put.Bytes, Sha256 = sha, Origin = stored ? null : new RowOrigin { Source = $"{name}@1" } }],
            Schema = new DatasetSchema { Columns = stored ? [.. columns] : [.. columns, .. HiddenColumns.Columns] },
            Rows = rows,
            Bytes = put.Bytes,
        });
    }

    public StepContext Step(long fence, Guid? run, params IReadOnlyList<ResolvedInput> inputs)
    {
        var scratch = Directory.CreateDirectory(Path.Combine(Folder, "scratch", Guid.NewGuid().ToString("N"))).FullName;
        var runId = run ?? Guid.CreateVersion7();
        return new StepContext
        {
            Command = new ExecuteStep
            {
                RunId = runId,
                ProjectId = Guid.Empty,
                Project = "demo",
                Pipeline = "p",
                PipelineId = Guid.Empty,
                PipelineVersion = 1,
                StepId = "step",
                Operator = "test",
                Major = 1,
                Attempt = 1,
                Dispatch = 1,
                Config = default,
                Inputs = [],
                Interval = new LogicalInterval(new DateOnly(2026, 11, 22), DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch),
            },
            Fence = fence,
            Inputs = inputs,
            Outputs = new StepFiles(Store, $"demo/{runId}/step/{fence}", scratch),
            Store = Store,
            Scratch = scratch,
            Grant = new ResourceGrant(512L << 20, 2),
            Log = Log,
            Progress = new Progress<StepProgress>(),
            Connections = new KnownConnections(Connections),
            Datasets = new KnownDatasets(Datasets),
        };
    }

    public static T Config<T>(string json) where T : class => ConfigJson.Bind<T>(JsonSerializer.Deserialize<JsonElement>(json));

    /// <summary>Rows of a dataset in the store, cells joined by a bar, ∅ for an empty one.</summary>
    public async Task<IReadOnlyList<string>> RowsAsync(DatasetRef dataset, params IReadOnlyList<string> columns)
    {
        using var session = Open();
        var paths = new List<string>();
        foreach (var file in dataset.Files)
            paths.Add(await Store.GetLocalPathAsync(file.Key, Folder, default));
        if (columns.Count == 0)
            columns = [.. dataset.Schema.Columns.Where(column => !column.Hidden).Select(column => column.Name)];
        var text = columns.Select(name => $"CAST({Sql.Identifier(name)} AS VARCHAR)");
        return session.Query($"SELECT {string.Join(", ", text)} FROM {DatasetFiles.Relation(new LocalDataset(dataset, paths))}",
            row => string.Join("|", Enumerable.Range(0, columns.Count).Select(i => row.IsDBNull(i) ? "∅" : row.GetString(i))));
    }

    public EngineSession Open() => EngineSession.Open(new EngineOptions { MemoryBytes = 512L << 20, Threads = 2, Scratch = Folder });

    public void Dispose()
    {
        _host.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private sealed class StepFiles(IObjectStore store, string folder, string scratch) : IStepOutputs
    {
        private readonly Dictionary<string, string> _keys = [];

        public string CreateFile(string port, string extension = ".parquet")
        {
            var key = $"{folder}/{port}-{_keys.Keys.Count + 1:0000}{extension}";
            var path = store.GetStagingPath(key, scratch);
            _keys[path] = key;
            return path;
        }

        public async Task<DataFile> CommitAsync(string path, long rows, CancellationToken ct)
        {
            var sha = Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(path, ct)));
            var put = await store.PutFileAsync(_keys[path], path, ct);
            return new DataFile { Key = put.Key, Rows = rows, Bytes = put.Bytes, Sha256 = sha };
        }
    }

    private sealed class KnownDatasets(Dictionary<string, ResolvedDataset> known) : IDatasets
    {
        public Task<ResolvedDataset> ResolveAsync(string reference, CancellationToken ct) =>
            known.TryGetValue(reference, out var dataset) ? Task.FromResult(dataset) : throw new DatasetException($"There is no {reference}.");
    }

    private sealed class KnownConnections(Dictionary<string, Connection> known) : IConnections
    {
        public Task<Connection> OpenAsync(string name, CancellationToken ct) =>
            known.TryGetValue(name, out var connection) ? Task.FromResult(connection) : throw new ConnectionException($"There is no connection \"{name}\".");
    }
}

internal sealed class LogLines : ILogger
{
    private readonly System.Collections.Concurrent.ConcurrentQueue<string> _lines = new();

    public IEnumerable<string> Lines => _lines;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue($"{formatter(state, exception)}{exception}");
}
