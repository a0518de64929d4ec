using System.Diagnostics;
using System.Globalization;
using System.Threading.Channels;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Platform.Native;

namespace Qualiz.Platform.Operators.Workers;

/// <summary>The host's end of one engine worker.</summary>
internal sealed class EngineWorkerProcess : IAsyncDisposable
{
    private const int TailLines = 20;
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan WatchEvery = TimeSpan.FromMilliseconds(500);

    /// <summary>What the runtime itself and the allocator's slack may take beyond a grant.</summary>
    private const long MemorySlack = 512L * 1024 * 1024;

    private readonly Process _process;
    private readonly Channel<FromWorker> _messages = Channel.CreateUnbounded<FromWorker>();
    private readonly Queue<string> _tail = new();
    private readonly Task _reading;
    private readonly Task _forwarding;
    private volatile bool _killed;

    private EngineWorkerProcess(Process process)
    {
        _process = process;
        Id = process.Id;
        _reading = ReadAsync();
        _forwarding = ForwardErrorsAsync();
    }

    public int Id { get; }
    public int Jobs { get; private set; }
    public bool IsAlive => !_killed && !_process.HasExited && !_reading.IsCompleted;

    /// <exception cref="EngineUnavailableException">It did not start; the message says why.</exception>
    public static async Task<EngineWorkerProcess> StartAsync(ProcessStartInfo start, Hello hello, CancellationToken ct)
    {
        Process process;
        try
        {
            process = await WorkerSpawner.StartAsync(start);
        }
        catch (Exception exception)
        {
            throw new EngineUnavailableException($"{start.FileName} did not start: {exception.Message}", exception);
        }

        var worker = new EngineWorkerProcess(process);
        try
        {
            worker.Send(hello);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
            limit.CancelAfter(StartLimit);
            if (await worker._messages.Reader.ReadAsync(limit.Token) is Ready)
                return worker;
            throw new EngineUnavailableException("The engine worker began with the wrong words.");
        }
        catch (Exception exception)
        {
            worker.Kill();
            var how = worker.HowItEnded();
            await worker.DisposeAsync();
            if (exception is EngineUnavailableException || ct.IsCancellationRequested)
                throw;
            throw new EngineUnavailableException($"The engine worker did not get ready ({how}).", exception);
        }
    }

    /// <summary>Does one job. Whatever stops it (a cancel, an overrun) kills the worker and its whole group.</summary>
    /// <exception cref="WorkerLostException">The worker died.</exception>
    /// <exception cref="WorkerOverrunException">It took more than it was granted.</exception>
    /// <exception cref="OperatorCrashedException">The operator threw.</exception>
    public async Task<StepResult> RunAsync(Job job, IWorkerClient client, CancellationToken ct)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(ct);
        string? overrun = null;
        var watching = WatchAsync(job, reason =>
        {
            overrun = reason;
            over.Cancel();
        }, over.Token);
        try
        {
            return await AskAsync<StepResult>(job, message =>
            {
                switch (message)
                {
                    case ProgressMade made:
                        client.Progress.Report(made.Progress);
                        return null;
                    case Logged line:
                        client.Write(new StepLogLine(line.Time, line.Level, line.Message));
                        return null;
                    case ConnectionWanted wanted:
                        _ = AnswerAsync(() => OpenAsync(wanted, client, over.Token));
                        return null;
                    case DatasetWanted wanted:
                        _ = AnswerAsync(() => ResolveAsync(wanted, client, over.Token));
                        return null;
                    case Crashed { Infrastructure: true } crashed:
                        throw new WorkerInfrastructureException(crashed.InfrastructureMessage ?? "Infrastructure failed.", crashed.Details);
                    default:
                        return (message as Done)?.ToResult();
                }
            }, over.Token);
        }
        catch (OperationCanceledException) when (overrun is not null && !ct.IsCancellationRequested)
        {
            throw new WorkerOverrunException(overrun);
        }
        finally
        {
            await over.CancelAsync();
            await watching;
        }
    }

    /// <summary>Asks about one step. Whatever stops it kills the worker: what runs in native code cannot be stopped otherwise.</summary>
    /// <exception cref="WorkerLostException">The worker died.</exception>
    /// <exception cref="OperatorCrashedException">The operator threw.</exception>
    public Task<OutputInferred> InferAsync(InferenceJob job, CancellationToken ct) =>
        AskAsync(job, message => (message as InferenceDone)?.Answer, ct);

    /// <param name="hear">What the worker says, one word after the other, until one of them is the answer.</param>
    private async Task<TAnswer> AskAsync<TAnswer>(ToWorker job, Func<FromWorker, TAnswer?> hear, CancellationToken ct) where TAnswer : class
    {
        Jobs++;
        var accepted = false;
        try
        {
            Send(job);
            await foreach (var message in _messages.Reader.ReadAllAsync(ct))
            {
                accepted |= message is Accepted;
                if (hear(message) is { } answer)
                    return answer;
                if (message is Crashed crashed)
                    throw new OperatorCrashedException(crashed.ExceptionType, crashed.Details);
            }

            throw new WorkerLostException(HowItEnded(), accepted);
        }
        catch (IOException exception)
        {
            Kill();
            throw new WorkerLostException($"{HowItEnded()}: {exception.Message}", accepted);
        }
        catch (OperationCanceledException)
        {
            Kill();
            throw;
        }
    }

    /// <summary>Ends the worker and everything it started, at once.</summary>
    public void Kill()
    {
        _killed = true;
        // The group first; it also reaches what outlived its leader. Before the worker made its session there is none.
        _ = Libc.Kill(-Id, Libc.SigKill);
        try
        {
            _process.Kill();
        }
        catch (InvalidOperationException)
        {
            // Gone already.
        }
    }

    public async ValueTask DisposeAsync()
    {
        Kill();
        await _process.WaitForExitAsync();
        await Task.WhenAll(_reading, _forwarding).WaitAsync(TimeSpan.FromSeconds(5)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _process.Dispose();
    }

    private void Send(ToWorker message)
    {
        lock (_process)
            WorkerProtocol.Write(_process.StandardInput.BaseStream, message);
    }

    private static async Task<ToWorker> OpenAsync(ConnectionWanted wanted, IWorkerClient client, CancellationToken ct)
    {
        try
        {
            return new ConnectionAnswer(wanted.Id, await client.Connections.OpenAsync(wanted.Name, ct), null);
        }
        catch (ConnectionException exception)
        {
            return new ConnectionAnswer(wanted.Id, null, exception.Message);
        }
        catch (Exception exception)
        {
            return new ConnectionAnswer(wanted.Id, null, $"The connection {wanted.Name} could not be opened ({exception.GetType().Name}).");
        }
    }

    private static async Task<ToWorker> ResolveAsync(DatasetWanted wanted, IWorkerClient client, CancellationToken ct)
    {
        try
        {
            return new DatasetAnswer(wanted.Id, await client.Datasets.ResolveAsync(wanted.Reference, ct), null);
        }
        catch (DatasetException exception)
        {
            return new DatasetAnswer(wanted.Id, null, exception.Message);
        }
        catch (Exception exception)
        {
            return new DatasetAnswer(wanted.Id, null, $"{wanted.Reference} could not be looked up ({exception.GetType().Name}).");
        }
    }

    private async Task AnswerAsync(Func<Task<ToWorker>> ask)
    {
        var answer = await ask();
        try
        {
            Send(answer);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The worker is gone; the job's own loop sees it.
        }
    }

    private async Task ReadAsync()
    {
        try
        {
            using var reader = new StreamReader(_process.StandardOutput.BaseStream);
            while (await reader.ReadLineAsync() is { } line)
            {
                if (WorkerProtocol.Read<FromWorker>(line) is { } message)
                    _messages.Writer.TryWrite(message);
            }
        }
        catch (IOException)
        {
        }
        finally
        {
            _messages.Writer.TryComplete();
        }
    }

    private async Task ForwardErrorsAsync()
    {
        try
        {
            using var reader = new StreamReader(_process.StandardError.BaseStream);
            while (await reader.ReadLineAsync() is { } line)
            {
                await Console.Error.WriteLineAsync(line);
                lock (_tail)
                {
                    _tail.Enqueue(line);
                    if (_tail.Count > TailLines)
                        _tail.Dequeue();
                }
            }
        }
        catch (IOException)
        {
        }
    }

    private async Task WatchAsync(Job job, Action<string> tooMuch, CancellationToken ct)
    {
        var memory = job.Grant.MemoryBytes + (job.Grant.MemoryBytes / 5) + MemorySlack;
        using var timer = new PeriodicTimer(WatchEvery);
        try
        {
            for (var tick = 1; await timer.WaitForNextTickAsync(ct); tick++)
            {
                if (MachineMemory.Anonymous(Id) is { } used && used > memory)
                {
                    tooMuch($"memory: {Megabytes(used)} MB in use, {Megabytes(job.Grant.MemoryBytes)} MB granted");
                    return;
                }

                if (tick % 4 == 0 && job.Grant.ScratchBytes > 0 && SizeOf(job.Scratch) is var kept && kept > job.Grant.ScratchBytes)
                {
                    tooMuch($"scratch: {Megabytes(kept)} MB in use, {Megabytes(job.Grant.ScratchBytes)} MB granted");
                    return;
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private static string Megabytes(long bytes) => (bytes / 1024 / 1024).ToString(CultureInfo.InvariantCulture);

    private static long SizeOf(string folder)
    {
        try
        {
            return new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Exists ? file.Length : 0);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private string HowItEnded()
    {
        if (!_process.WaitForExit(TimeSpan.FromSeconds(2)))
            return "it closed its output but still runs";
        var code = _process.ExitCode;
        var how = code > 128 ? string.Create(CultureInfo.InvariantCulture, $"signal {code - 128}") : string.Create(CultureInfo.InvariantCulture, $"exit code {code}");
        lock (_tail)
            return _tail.Count == 0 ? how : $"{how}; its last words: {string.Join(" | ", _tail)}";
    }
}

/// <summary>What a worker may use of its host while it does a job.</summary>
internal interface IWorkerClient
{
    IProgress<Contracts.Runs.V1.StepProgress> Progress { get; }
    IConnections Connections { get; }
    IDatasets Datasets { get; }
    void Write(StepLogLine line);
}

/// <param name="accepted">False: it died before it began the job.</param>
internal sealed class WorkerLostException(string how, bool accepted) : Exception($"The engine worker died ({how}).")
{
    public bool Accepted => accepted;
}

internal sealed class WorkerOverrunException(string what) : Exception(what);
