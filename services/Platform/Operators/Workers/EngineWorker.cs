using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Win32.SafeHandles;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Native;
using Qualiz.Platform.Operators.Inference;
using Qualiz.Platform.Operators.Workers;
using Qualiz.Platform.Storage;
using Qualiz.Platform.Telemetry;

namespace Qualiz.Platform.Operators;

/// <summary>
/// The child process in which operators touch data: a native fault, a leak or an endless loop ends this process and not the
/// host. It does one job after another and ends with its host.
/// </summary>
internal sealed class EngineWorker
{
    public const string Argument = "engine-worker";

    private static readonly TimeSpan ProgressEvery = TimeSpan.FromMilliseconds(250);

    private readonly Stream _output;
    private readonly Lock _outputLock = new();
    private readonly Channel<ToWorker> _jobs = Channel.CreateUnbounded<ToWorker>();
    private readonly ConcurrentDictionary<int, TaskCompletionSource<Connection>> _connections = [];
    private readonly ConcurrentDictionary<int, TaskCompletionSource<ResolvedDataset>> _datasets = [];
    private int _lastQuestion;

    private EngineWorker(Stream output) => _output = output;

    /// <summary>Works until its host closes the pipe or dies.</summary>
    /// <param name="args">The host's process id.</param>
    /// <param name="add">The modules: their operators are used; nothing is started, neither bus nor web.</param>
    public static async Task<int> RunAsync(string[] args, Action<IHostApplicationBuilder> add)
    {
        if (args is not [var host] || !int.TryParse(host, NumberStyles.None, CultureInfo.InvariantCulture, out var hostId))
        {
            await Console.Error.WriteLineAsync("engine-worker is started by a Qualiz host, not by hand.");
            return 2;
        }

        // A session of its own: whatever an operator starts belongs to this group and ends with it.
        _ = Libc.SetSid();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => EndGroup());
        // Not SIGKILL: that would end this process alone and leave its children.
        _ = Libc.Prctl(Libc.PrSetPdeathsig, Libc.SigTerm, 0, 0, 0);
        if (Libc.GetParentProcessId() != hostId)
            return 1;

        // Standard output carries the protocol; whoever prints, in C# or native code, prints to standard error.
        var descriptor = Libc.Fcntl(1, Libc.FdDupCloexec, 3);
        if (descriptor < 0 || Libc.Dup2(2, 1) < 0)
            return 1;
        await using var output = new FileStream(new SafeFileHandle(descriptor, ownsHandle: true), FileAccess.Write, bufferSize: 0);
        using var input = new StreamReader(Console.OpenStandardInput());
        if (await input.ReadLineAsync() is not { } first || WorkerProtocol.Read<ToWorker>(first) is not Hello hello)
            return 1;

        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ApplicationName = hello.Application });
        builder.Configuration.AddInMemoryCollection(hello.Settings);
        builder.AddTelemetry(toStandardError: true);
        builder.AddObjectStore(inWorker: true);
        add(builder);
        await using var services = builder.Services.BuildServiceProvider();
        return await new EngineWorker(output).WorkAsync(services, input);
    }

    private async Task<int> WorkAsync(IServiceProvider services, StreamReader input)
    {
        // A thread of its own sees the end of the host even when every pool thread sits in native code.
        new Thread(() => Listen(input)) { IsBackground = true, Name = "host" }.Start();
        var catalog = services.GetRequiredService<OperatorCatalog>();
        var store = services.GetRequiredService<IObjectStore>();
        Send(new Ready());
        await foreach (var job in _jobs.Reader.ReadAllAsync())
        {
            Send(new Accepted());
            Send(job is InferenceJob inference ? await InferAsync(services, catalog, store, inference) : await ExecuteAsync(services, catalog, store, (Job)job));
        }

        return 0;
    }

    private async Task<FromWorker> ExecuteAsync(IServiceProvider services, OperatorCatalog catalog, IObjectStore store, Job job)
    {
        using var activity = QualizTelemetry.Activities.StartActivity($"step {job.Command.Operator}", ActivityKind.Internal, job.TraceParent);
        var outputs = new StepOutputs(store, job.Command, job.Fence, job.Scratch);
        try
        {
            var registration = catalog.Find(job.Command.Operator, job.Command.Major)
                ?? throw new InvalidOperationException($"This worker has no operator {job.Command.Operator} v{job.Command.Major}.");
            var result = await registration.ExecuteAsync(services, new StepContext
            {
                Command = job.Command,
                Fence = job.Fence,
                Inputs = job.Inputs,
                Outputs = outputs,
                Store = store,
                Scratch = job.Scratch,
                Grant = job.Grant,
                Log = new StepLogger(TimeProvider.System, line => Send(new Logged(line.Time, line.Level, line.Message))),
                Progress = new ThrottledProgress(ProgressEvery, progress => Send(new ProgressMade(progress))),
                Connections = new HostConnections(this),
                Datasets = new HostDatasets(this),
                State = job.State,
                Patches = job.Patches,
            }, CancellationToken.None);
            return Done.From(result);
        }
        catch (Exception exception)
        {
            var infrastructure = InfrastructureFailure.Explain(exception);
            return new Crashed(exception.GetType().Name, exception.ToString(), infrastructure is not null, infrastructure);
        }
        finally
        {
            outputs.Discard();
        }
    }

    private static async Task<FromWorker> InferAsync(IServiceProvider services, OperatorCatalog catalog, IObjectStore store, InferenceJob job)
    {
        using var activity = QualizTelemetry.Activities.StartActivity($"infer {job.Request.Operator}", ActivityKind.Internal, job.TraceParent);
        try
        {
            var registration = catalog.Find(job.Request.Operator, job.Request.Major)
                ?? throw new InvalidOperationException($"This worker has no operator {job.Request.Operator} v{job.Request.Major}.");
            return new InferenceDone(await registration.InferAsync(services, OutputInference.Context(job.Request, store, job.Scratch, job.Grant), CancellationToken.None));
        }
        catch (Exception exception)
        {
            return new Crashed(exception.GetType().Name, exception.ToString(), false, null);
        }
    }

    private void Listen(StreamReader input)
    {
        try
        {
            while (input.ReadLine() is { } line)
            {
                switch (WorkerProtocol.Read<ToWorker>(line))
                {
                    case ToWorker job and (Job or InferenceJob):
                        _jobs.Writer.TryWrite(job);
                        break;
                    case ConnectionAnswer answer when _connections.TryRemove(answer.Id, out var waiting):
                        if (answer.Connection is { } connection)
                            waiting.TrySetResult(connection);
                        else
                            waiting.TrySetException(new ConnectionException(answer.Error ?? "The connection was refused."));
                        break;
                    case DatasetAnswer answer when _datasets.TryRemove(answer.Id, out var waiting):
                        if (answer.Dataset is { } dataset)
                            waiting.TrySetResult(dataset);
                        else
                            waiting.TrySetException(new DatasetException(answer.Error ?? "There is no such dataset."));
                        break;
                }
            }
        }
        catch (IOException)
        {
        }

        EndGroup();
    }

    private void Send(FromWorker message)
    {
        lock (_outputLock)
            WorkerProtocol.Write(_output, message);
    }

    /// <summary>The host is gone or done with this worker: nothing here is worth finishing, and nothing may outlive it.</summary>
    private static void EndGroup() => _ = Libc.Kill(0, Libc.SigKill);

    private sealed class HostConnections(EngineWorker worker) : IConnections
    {
        public Task<Connection> OpenAsync(string name, CancellationToken ct)
        {
            var id = Interlocked.Increment(ref worker._lastQuestion);
            var waiting = new TaskCompletionSource<Connection>(TaskCreationOptions.RunContinuationsAsynchronously);
            worker._connections[id] = waiting;
            worker.Send(new ConnectionWanted(id, name));
            return waiting.Task.WaitAsync(ct);
        }
    }

    private sealed class HostDatasets(EngineWorker worker) : IDatasets
    {
        public Task<ResolvedDataset> ResolveAsync(string reference, CancellationToken ct)
        {
            var id = Interlocked.Increment(ref worker._lastQuestion);
            var waiting = new TaskCompletionSource<ResolvedDataset>(TaskCreationOptions.RunContinuationsAsynchronously);
            worker._datasets[id] = waiting;
            worker.Send(new DatasetWanted(id, reference));
            return waiting.Task.WaitAsync(ct);
        }
    }
}

/// <summary>Passes on at most one report per interval, and every change of phase.</summary>
internal sealed class ThrottledProgress(TimeSpan every, Action<StepProgress> report) : IProgress<StepProgress>
{
    private readonly Lock _lock = new();
    private long _last;
    private string? _phase;

    public void Report(StepProgress value)
    {
        lock (_lock)
        {
            if (_last != 0 && value.Phase == _phase && Stopwatch.GetElapsedTime(_last) < every)
                return;
            _last = Stopwatch.GetTimestamp();
            _phase = value.Phase;
        }

        report(value);
    }
}
