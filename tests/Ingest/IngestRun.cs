using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Deliver;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Sessions;
using Qualiz.Ingest.Heads;
using Qualiz.Ingest.Sources;
using Qualiz.OperatorKit;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Outbound;
using Qualiz.Platform.Storage;
using EngineOptions = Qualiz.Engine.Sessions.EngineOptions;

namespace Qualiz.Ingest.Tests;

/// <summary>A folder with source files, and the operator run on them as an engine worker runs it.</summary>
internal sealed class IngestRun : IDisposable
{
    private readonly OperatorBench _bench = new();
    private int _runs;

    public IngestRun()
    {
        Directory.CreateDirectory(Sources);
    }

    public string Sources => Path.Combine(_bench.Folder, "sources");
    public string Store => _bench.StoreFolder;

    /// <summary>What the steps have logged.</summary>
    public string Log => string.Join('\n', _bench.Log.Lines);

    /// <summary>What the step gets in place of its outputs.</summary>
    public Func<IStepOutputs, IStepOutputs>? Outputs { get; set; }
    public JsonElement? State { get; set; }

    /// <summary>Told of the step's progress, on the thread that makes it.</summary>
    public Action<StepProgress>? Progress { get; set; }
    public long Memory { get; set; } = 512L << 20;
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

    public void Add(Connection connection) => _bench.Add(connection);

    public Task<StepResult> TryAsync(IngestConfig? config = null) => ExecuteAsync(config ?? new IngestConfig { From = new IngestSource { Folder = Sources } }, default);

    public async Task<StepError> FailAsync(IngestConfig config) => (await ExecuteAsync(config, default)).ShouldBeOfType<StepResult.Failed>().Error;

    /// <param name="store">What the source is found in, in place of the store.</param>
    public async Task<HeadSchema?> HeadAsync(IngestConfig? config = null, Func<IObjectStore, IObjectStore>? store = null)
    {
        var step = _bench.Step();
        var configuration = Configuration();
        return await new SourceHead(configuration, new OutboundGuard(configuration)).FindAsync(
            config ?? new IngestConfig { From = new IngestSource { Folder = Sources } },
            new SourceAccess("demo", store?.Invoke(_bench.Store) ?? _bench.Store, step.Connections, step.Scratch),
            [],
            default);
    }

    /// <param name="config">A <c>$</c> in it stands for the folder with the sources.</param>
    public Task<OutputInferred> InferAsync(string config, InferOutput? request = null)
    {
        var configuration = Configuration();
        return new IngestOperator(configuration, new OutboundGuard(configuration)).InferOutputAsync(
            OperatorBench.Config<IngestConfig>(config.Replace("$", Sources, StringComparison.Ordinal)), _bench.Inference(request ?? OperatorBench.Request()), default);
    }

    /// <summary>Delivers what was ingested; files may be written beside the sources.</summary>
    public async Task DeliverAsync(string config, DatasetRef input)
    {
        var configuration = Configuration();
        var result = await new DeliverOperator(new OutboundGuard(configuration), configuration).ExecuteAsync(
            OperatorBench.Config<DeliverConfig>(config), _bench.Step(++_runs, null, new ResolvedInput("in", input)), default);
        result.ShouldBeOfType<StepResult.Completed>($"the step failed: {(result as StepResult.Failed)?.Error.Message}").Outcome.RowsOut.ShouldBe(input.Rows);
    }

    public string LocalPath(DataFile file) => Path.Combine(Store, file.Key);

    /// <summary>What the store shows: what is not among it cannot be read.</summary>
    public async Task<IReadOnlyList<string>> ListStoreAsync()
    {
        var keys = new List<string>();
        await foreach (var stored in _bench.Store.ListAsync("", default))
            keys.Add(stored.Key);
        return keys;
    }

    public EngineSession Open(params IEnumerable<string> paths) =>
        EngineSession.Open(new EngineOptions { MemoryBytes = 512L << 20, Threads = 2, Scratch = Directory.CreateDirectory(Path.Combine(_bench.Folder, "reader")).FullName, Paths = [.. paths] });

    public void Dispose() => _bench.Dispose();

    private Task<StepResult> ExecuteAsync(IngestConfig config, CancellationToken ct)
    {
        var configuration = Configuration();
        return new IngestOperator(configuration, new OutboundGuard(configuration)).ExecuteAsync(
            config, _bench.Step(new StepSetup { Fence = ++_runs, StepId = "in", Operator = "ingest", Grant = new ResourceGrant(Memory, 2), State = State, Outputs = Outputs, Progress = new Told(this) }), ct);
    }

    private sealed class Told(IngestRun run) : IProgress<StepProgress>
    {
        public void Report(StepProgress value) => run.Progress?.Invoke(value);
    }

    private IConfiguration Configuration() => new ConfigurationBuilder()
        .AddInMemoryCollection(new Dictionary<string, string?>(Settings) { ["Folders:Roots:0"] = Sources })
        .Build();
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
