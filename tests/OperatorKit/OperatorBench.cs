using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Contracts.Schemas;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Storage;
using EngineOptions = Qualiz.Engine.Sessions.EngineOptions;

namespace Qualiz.OperatorKit;

/// <summary>Runs operators as a worker does, with a real local store, but without bus and claims.</summary>
public sealed class OperatorBench : IDisposable
{
    private readonly IHost _host;
    private int _files;

    /// <param name="folder">An existing one that belongs to the bench from now on; a new one when null.</param>
    public OperatorBench(string? folder = null)
    {
        // A folder that looks like a partition of a table says nothing about what is in it.
        Folder = folder ?? Directory.CreateTempSubdirectory("qualiz-operator=").FullName;
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration["Store:Type"] = "local";
        builder.Configuration["Store:Root"] = StoreFolder;
        builder.AddObjectStore();
        _host = builder.Build();
        Store = _host.Services.GetRequiredService<IObjectStore>();
    }

    public string Folder { get; }
    public IObjectStore Store { get; }

    /// <summary>Where <see cref="Store"/> keeps its files.</summary>
    public string StoreFolder => Path.Combine(Folder, "store");
    public LogLines Log { get; } = new();

    /// <summary>Connections by name, each as <see cref="Add"/> or the test put it here.</summary>
    public Dictionary<string, Connection> Connections { get; } = [];

    /// <summary>By reference: <c>dataset:us-zip</c>.</summary>
    public Dictionary<string, ResolvedDataset> Datasets { get; } = [];

    public void Add(Connection connection) => Connections[connection.Name] = connection;

    /// <summary>Stores the query's rows as a dataset; without hidden columns in the query the rows are numbered.</summary>
    public async Task<ResolvedInput> InputAsync(string query, string name = "in", params IReadOnlyList<(string Column, string Tag)> tags)
    {
        using var session = Open();
        var casts = session.Query($"DESCRIBE {query}", row => $"CAST({Sql.Identifier(row.GetString(0))} AS {ColumnType.NearestTo(row.GetString(1))!.DuckDb}) AS {Sql.Identifier(row.GetString(0))}");
        var path = Path.Combine(Folder, $"{_files++}.parquet");
        var rows = await DatasetFiles.WriteAsync(session, $"SELECT {string.Join(", ", casts)} FROM ({query})", path, default);
        var schema = DatasetFiles.Describe(session, $"SELECT * FROM {Scan.Parquet(path)}");
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

    /// <summary>A step with these inputs.</summary>
    public StepContext Step(params IReadOnlyList<ResolvedInput> inputs) => Step(new StepSetup { Inputs = inputs });

    /// <summary>An execution of a step of <paramref name="run"/>, of a new one without it.</summary>
    public StepContext Step(long fence, Guid? run, params IReadOnlyList<ResolvedInput> inputs) => Step(new StepSetup { Fence = fence, Run = run, Inputs = inputs });

    public StepContext Step(StepSetup setup)
    {
        var scratch = Directory.CreateDirectory(Path.Combine(Folder, "scratch", Guid.NewGuid().ToString("N"))).FullName;
        var command = new ExecuteStep
        {
            RunId = setup.Run ?? Guid.CreateVersion7(),
            ProjectId = Guid.Empty,
            Project = "demo",
            Pipeline = "p",
            PipelineId = Guid.Empty,
            PipelineVersion = 1,
            StepId = setup.StepId,
            Operator = setup.Operator,
            Major = 1,
            Attempt = setup.Attempt,
            Dispatch = 1,
            Config = default,
            Inputs = [],
            Interval = setup.Interval,
            Deferral = setup.Deferral,
        };
        var outputs = new StepOutputs(Store, command, setup.Fence, scratch);
        return new StepContext
        {
            Command = command,
            Fence = setup.Fence,
            Inputs = setup.Inputs,
            Outputs = setup.Outputs?.Invoke(outputs) ?? outputs,
            Store = Store,
            Scratch = scratch,
            Grant = setup.Grant,
            Log = setup.Log ?? Log,
            Progress = setup.Progress ?? new Progress<StepProgress>(),
            Connections = new KnownConnections(Connections),
            Datasets = new KnownDatasets(Datasets),
            State = setup.State,
            Patches = setup.Patches,
        };
    }

    /// <summary>The question what a step gives, without running it.</summary>
    public InferenceContext Inference(InferOutput request) => new()
    {
        Request = request,
        Store = Store,
        Scratch = Directory.CreateDirectory(Path.Combine(Folder, "scratch", Guid.NewGuid().ToString("N"))).FullName,
        Grant = new ResourceGrant(256L << 20, 1),
        Connections = new KnownConnections(Connections),
    };

    /// <summary>The same for inputs with these columns, each as <c>name type</c>; null: unknown.</summary>
    public InferenceContext Inference(params IReadOnlyList<string[]?> inputs) => Inference(Request() with
    {
        Inputs = [.. inputs.Select((columns, i) => new InferInput(i == 0 ? "in" : $"in{i + 1}", columns is null ? null : Columns(columns)))],
    });

    public static InferOutput Request() => new() { Project = "demo", Operator = "test", Major = 1, Config = default, Inputs = [] };

    /// <summary>A schema of columns, each as <c>name type</c>, with the hidden ones behind.</summary>
    public static DatasetSchema Columns(params IReadOnlyList<string> columns) => new()
    {
        Columns = [.. columns.Select(column => column.Split(' ', 2)).Select(parts => new DatasetColumn { Name = parts[0], Type = parts[1] }), .. HiddenColumns.Columns],
    };

    /// <summary>The visible columns of a schema, each as <c>name type</c>.</summary>
    public static IReadOnlyList<string> Shown(DatasetSchema schema) => [.. schema.Columns.Where(column => !column.Hidden).Select(column => $"{column.Name} {column.Type}")];

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

/// <summary>What a test wants to be different about a step.</summary>
public sealed record StepSetup
{
    public long Fence { get; init; } = 1;

    /// <summary>A new one when null.</summary>
    public Guid? Run { get; init; }
    public string StepId { get; init; } = "step";
    public string Operator { get; init; } = "test";
    public int Attempt { get; init; } = 1;
    public IReadOnlyList<ResolvedInput> Inputs { get; init; } = [];
    public ResourceGrant Grant { get; init; } = new(512L << 20, 2);
    public LogicalInterval Interval { get; init; } = new(new DateOnly(2026, 11, 22), DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch);

    /// <summary>What the last completed run left.</summary>
    public JsonElement? State { get; init; }
    public Deferral? Deferral { get; init; }

    /// <summary>Repairs that wait for the step.</summary>
    public DatasetRef? Patches { get; init; }

    /// <summary>What the step gets in place of its outputs.</summary>
    public Func<IStepOutputs, IStepOutputs>? Outputs { get; init; }

    /// <summary>The bench's own when null.</summary>
    public ILogger? Log { get; init; }
    public IProgress<StepProgress>? Progress { get; init; }
}

public sealed class LogLines : ILogger
{
    private readonly System.Collections.Concurrent.ConcurrentQueue<string> _lines = new();

    public IEnumerable<string> Lines => _lines;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue($"{formatter(state, exception)}{exception}");
}
