using System.Data;
using System.Data.Common;
using System.Globalization;
using System.Runtime.CompilerServices;
using DuckDB.NET.Data;
using Qualiz.Engine.Kernels;

namespace Qualiz.Engine.Sessions;

/// <summary>
/// One in-memory DuckDB instance with bounds: memory, threads, spill folder, and the files it may touch. It is made for one execution
/// and thrown away. Not for concurrent statements; <see cref="Progress"/> may be asked from another thread.
/// </summary>
public sealed class EngineSession : IDisposable
{
    private readonly KernelStop _stop;
    private readonly string? _tables;

    private EngineSession(DuckDBConnection connection, KernelStop stop, EngineOptions options)
    {
        Connection = connection;
        _stop = stop;
        Options = options;
        _tables = options.TablesOnDisk ? Path.Combine(Path.GetFullPath(options.Scratch), $"tables-{Guid.NewGuid():N}.db") : null;
    }

    /// <summary>Statements go through the methods below.</summary>
    public DuckDBConnection Connection { get; }

    public EngineOptions Options { get; }

    /// <param name="prepare">Runs before the configuration is locked, e.g. to register functions.</param>
    public static EngineSession Open(EngineOptions options, Action<EngineSession>? prepare = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        var connection = new DuckDBConnection("DataSource=:memory:");
        var stop = new KernelStop();
        try
        {
            connection.Open();
            KernelLibrary.Register(connection.NativeConnection.DangerousGetHandle(), stop);
            var session = new EngineSession(connection, stop, options);
            var spill = Path.Combine(Path.GetFullPath(options.Scratch), "spill");
            Directory.CreateDirectory(spill);
            var settings = new List<string>
            {
                $"SET memory_limit = '{Math.Max(options.MemoryBytes, 32L << 20).ToString(CultureInfo.InvariantCulture)}B'",
                $"SET threads = {Math.Max(1, options.Threads).ToString(CultureInfo.InvariantCulture)}",
                $"SET temp_directory = {Sql.Literal(spill)}",
                $"SET preserve_insertion_order = {Sql.Literal(options.PreserveOrder)}",
                // Every instant is UTC inside; people's zones are applied on screen.
                "SET TimeZone = 'UTC'",
                "SET enable_progress_bar = true",
                "SET enable_progress_bar_print = false",
                "SET autoinstall_known_extensions = false",
                "SET autoload_known_extensions = false",
                "SET allow_community_extensions = false",
                "SET errors_as_json = false",
            };
            if (options.ScratchBytes is { } quota)
                settings.Add($"SET max_temp_directory_size = '{quota.ToString(CultureInfo.InvariantCulture)}B'");
            foreach (var setting in settings)
                session.Execute(setting);
            if (session._tables is { } tables)
            {
                // Nobody reads the file after this session, so nothing in it needs to be made durable or tidied up.
                session.Execute("SET checkpoint_threshold = '1000TB'");
                session.Execute($"ATTACH {Sql.Literal(tables)} AS tables (RECOVERY_MODE no_wal_writes)");
                session.Execute("USE tables");
            }
            prepare?.Invoke(session);
            // The allowed files come first: nothing can be added once external access is off.
            session.Execute($"SET allowed_directories = {Sql.List(options.Directories.Append(options.Scratch).Select(Path.GetFullPath).Distinct(StringComparer.Ordinal))}");
            session.Execute($"SET allowed_paths = {Sql.List(options.Paths.Select(Path.GetFullPath).Distinct(StringComparer.Ordinal))}");
            session.Execute("SET enable_external_access = false");
            session.Execute("SET lock_configuration = true");
            return session;
        }
        catch
        {
            connection.Dispose();
            stop.Dispose();
            throw;
        }
    }

    /// <summary>The share of the running statement that is done, 0 to 1; null when nothing runs or the engine cannot say.</summary>
    public double? Progress
    {
        get
        {
            var percentage = Connection.GetQueryProgress().Percentage;
            return percentage is >= 0 and <= 100 ? percentage / 100 : null;
        }
    }

    /// <summary>Runs one statement; the answer is the number of rows it changed or wrote.</summary>
    public long Execute(string sql, params IReadOnlyList<object?> parameters) => Run(sql, parameters, command => command.ExecuteNonQuery(), default);

    /// <summary>Runs one statement on a thread of its own; <paramref name="ct"/> interrupts it.</summary>
    /// <exception cref="OperationCanceledException"/>
    /// <exception cref="EngineException"/>
    public Task<long> ExecuteAsync(string sql, CancellationToken ct, params IReadOnlyList<object?> parameters) =>
        OnOwnThread(() => Run(sql, parameters, command => (long)command.ExecuteNonQuery(), ct), ct);

    public T? Scalar<T>(string sql, params IReadOnlyList<object?> parameters) => Run(sql, parameters, ReadScalar<T>, default);

    public Task<T?> ScalarAsync<T>(string sql, CancellationToken ct, params IReadOnlyList<object?> parameters) =>
        OnOwnThread(() => Run(sql, parameters, ReadScalar<T>, ct), ct);

    public IReadOnlyList<T> Query<T>(string sql, Func<DbDataReader, T> read, params IReadOnlyList<object?> parameters) =>
        Run(sql, parameters, command => ReadAll(command, read), default);

    public Task<IReadOnlyList<T>> QueryAsync<T>(string sql, Func<DbDataReader, T> read, CancellationToken ct, params IReadOnlyList<object?> parameters) =>
        OnOwnThread<IReadOnlyList<T>>(() => Run(sql, parameters, command => ReadAll(command, read), ct), ct);

    /// <summary>Rows as they come, without holding the result in memory.</summary>
    public async IAsyncEnumerable<T> StreamAsync<T>(
        string sql, Func<DbDataReader, T> read, [EnumeratorCancellation] CancellationToken ct, params IReadOnlyList<object?> parameters)
    {
        using var command = Command(sql, parameters);
        command.UseStreamingMode = true;
        await using var interrupt = InterruptBy(command, ct);
        await using var reader = await OnOwnThread(() => Guard(command.ExecuteReader, ct), ct).ConfigureAwait(false);
        while (Guard(reader.Read, ct))
        {
            ct.ThrowIfCancellationRequested();
            yield return read(reader);
        }
    }

    /// <summary>Runs <paramref name="statement"/> and reports its progress about four times a second.</summary>
    public async Task<T> WithProgressAsync<T>(Func<Task<T>> statement, Action<double> report, TimeProvider time)
    {
        var running = statement();
        // Its disposal waits for a report under way, so none comes after the end.
        await using var timer = time.CreateTimer(
            _ =>
            {
                if (Progress is { } share)
                    report(share);
            },
            null, TimeSpan.FromMilliseconds(250), TimeSpan.FromMilliseconds(250));
        return await running.ConfigureAwait(false);
    }

    public void Dispose()
    {
        Connection.Dispose();
        _stop.Dispose();
        if (_tables is not null)
            File.Delete(_tables);
    }

    // The engine looks for an interrupt between vectors only; a kernel may work on one for long.
    private CancellationTokenRegistration InterruptBy(DuckDBCommand command, CancellationToken ct)
    {
        _stop.Reset();
        return ct.UnsafeRegister(
            static state =>
            {
                var (stop, command) = ((KernelStop, DuckDBCommand))state!;
                stop.Request();
                command.Cancel();
            },
            (_stop, command));
    }

    // Statements block for as long as they take; a pool thread would starve the host.
    private static Task<T> OnOwnThread<T>(Func<T> work, CancellationToken ct) =>
        Task.Factory.StartNew(work, ct, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private T Run<T>(string sql, IReadOnlyList<object?> parameters, Func<DuckDBCommand, T> run, CancellationToken ct)
    {
        using var command = Command(sql, parameters);
        // An interrupt between statements is lost, so the token is looked at on both sides of it.
        ct.ThrowIfCancellationRequested();
        using var interrupt = InterruptBy(command, ct);
        return Guard(() => run(command), ct);
    }

    private DuckDBCommand Command(string sql, IReadOnlyList<object?> parameters)
    {
        var command = Connection.CreateCommand();
        command.CommandText = sql;
        foreach (var value in parameters)
            command.Parameters.Add(new DuckDBParameter(value ?? DBNull.Value));
        return command;
    }

    private static T? ReadScalar<T>(DuckDBCommand command)
    {
        using var reader = command.ExecuteReader();
        return reader.Read() && !reader.IsDBNull(0) ? reader.GetFieldValue<T>(0) : default;
    }

    private static List<T> ReadAll<T>(DuckDBCommand command, Func<DbDataReader, T> read)
    {
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
            rows.Add(read(reader));
        return rows;
    }

    private static T Guard<T>(Func<T> work, CancellationToken ct)
    {
        try
        {
            return work();
        }
        catch (DuckDBException exception)
        {
            throw EngineException.From(exception, ct);
        }
    }
}
