using System.Runtime.InteropServices;
using Npgsql;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Sessions;
using Qualiz.Platform.Operators;

namespace Qualiz.Deliver.Postgres;

/// <summary>
/// Streams rows from the engine into COPY. The engine writes COPY's text format into a named pipe, so that neither side holds more than a
/// few buffers. Not CSV: servers before 18 take a line <c>\.</c> inside a quoted text for the end of the data.
/// </summary>
internal static partial class CopyFeed
{
    public static async Task RunAsync(NpgsqlConnection connection, string copy, DeliveryRows rows, StepContext step, CancellationToken ct)
    {
        var pipe = Path.Combine(step.Scratch, "copy.pipe");
        File.Delete(pipe);
        if (MakeFifo(pipe, 0x180) != 0)
            throw new IOException($"A named pipe cannot be made: {Marshal.GetLastPInvokeErrorMessage()}.");
        using var broken = CancellationTokenSource.CreateLinkedTokenSource(ct);
        using var session = rows.Open(step, pipe);
        var columns = rows.Columns.Select(column => PostgresTypes.CopyText(Sql.Identifier(column.Name), DatasetFiles.TypeOf(column)));
        var write = $"COPY (SELECT {string.Join(", ", columns)} FROM {rows.Relation}) TO {Sql.Literal(pipe)} (FORMAT csv, HEADER false, NULLSTR '\\N', QUOTE '', ESCAPE '', DELIMITER '\t', USE_TMP_FILE false)";

        var opened = 0;
        var writing = WriteAsync();
        try
        {
            // Opening a pipe waits for the other side.
            await using var source = await Task.Factory.StartNew(
                () =>
                {
                    var stream = new FileStream(pipe, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 0);
                    Interlocked.Exchange(ref opened, 1);
                    return stream;
                },
                CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
            await using var target = await connection.BeginTextImportAsync(copy, ct).ConfigureAwait(false);
            try
            {
                await Task.Factory.StartNew(() => Pump(source, ((StreamWriter)target).BaseStream, step, rows.Count, ct), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
                // The end of the pipe is only the end of the data when the engine says so.
                await writing.ConfigureAwait(false);
            }
            catch
            {
                try
                {
                    await target.CancelAsync().ConfigureAwait(false);
                }
                catch (Exception exception) when (exception is NpgsqlException or IOException or ObjectDisposedException or InvalidOperationException)
                {
                    // The connection is gone, and the copy with it.
                }
                throw;
            }
        }
        catch
        {
            await broken.CancelAsync().ConfigureAwait(false);
            // With our end closed the engine cannot write; it must have stopped before its session goes away.
            await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }

        async Task WriteAsync()
        {
            try
            {
                await session.ExecuteAsync(write, broken.Token).ConfigureAwait(false);
            }
            finally
            {
                // A statement that ended before it opened the pipe would leave the reader waiting. This opens it without waiting itself.
                while (Volatile.Read(ref opened) == 0)
                {
                    var descriptor = Open(pipe, WriteOnly | NonBlocking | CloseOnExec);
                    if (descriptor >= 0)
                    {
                        _ = Close(descriptor);
                        break;
                    }
                    await Task.Delay(1, CancellationToken.None).ConfigureAwait(false);
                }
            }
        }
    }

    private static void Pump(FileStream source, Stream target, StepContext step, long rows, CancellationToken ct)
    {
        var buffer = new byte[256 * 1024];
        long sent = 0;
        int read;
        var lines = 0L;
        while ((read = source.Read(buffer)) > 0)
        {
            ct.ThrowIfCancellationRequested();
            target.Write(buffer, 0, read);
            var before = sent >> 24;
            sent += read;
            lines += buffer.AsSpan(0, read).Count((byte)'\n');
            if (sent >> 24 != before)
                step.Progress.Report(new Contracts.Runs.V1.StepProgress("copy", lines, rows == 0 ? null : Math.Min(1, (double)lines / rows)));
        }
    }

    private const int WriteOnly = 0x1;
    private const int NonBlocking = 0x800;
    private const int CloseOnExec = 0x80000;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "mkfifo", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeFifo(string path, uint mode);
}
