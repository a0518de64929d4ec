using System.Runtime.InteropServices;

namespace Qualiz.Cli.Running;

/// <summary>
/// Ctrl-C while a run is followed: at a terminal the first one asks whether to cancel the run or to leave it running; elsewhere it cancels.
/// A second one leaves at once.
/// </summary>
internal sealed class CancelOnInterrupt : IDisposable
{
    private readonly CancellationTokenSource _leave = new();
    private readonly PosixSignalRegistration[] _signals;
    private readonly QualizClient _client;
    private readonly Terminal _terminal;
    private readonly string _runPath;
    private int _times;

    public CancelOnInterrupt(QualizClient client, Terminal terminal, string runPath)
    {
        (_client, _terminal, _runPath) = (client, terminal, runPath);
        _signals = [PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal), PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal)];
    }

    public CancellationToken Token => _leave.Token;
    public bool Left => _leave.IsCancellationRequested;

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref _times) > 1)
        {
            _leave.Cancel();
            return;
        }
        _ = Task.Run(context.Signal == PosixSignal.SIGINT && _terminal.Interactive ? AskAsync : CancelAsync);
    }

    private async Task AskAsync()
    {
        _terminal.Error("Cancel the run? y: cancel it; n: leave it running and go; Enter: keep watching");
        var answer = Console.ReadLine()?.Trim();
        if (answer is "y" or "Y")
        {
            await CancelAsync();
        }
        else if (answer is "n" or "N")
        {
            await _leave.CancelAsync();
        }
        else
        {
            Interlocked.Exchange(ref _times, 0);
        }
    }

    private async Task CancelAsync()
    {
        try
        {
            _terminal.Error("cancelling the run");
            await _client.PostAsync($"{_runPath}/cancel", new { reason = "interrupted at the command line" }, CancellationToken.None);
        }
        catch (Exception failure) when (failure is ProblemException or UnreachableException)
        {
            _terminal.Error($"could not cancel: {failure.Message}");
            await _leave.CancelAsync();
        }
    }

    public void Dispose()
    {
        foreach (var signal in _signals)
        {
            signal.Dispose();
        }
        _leave.Dispose();
    }
}
