using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DuckDB.NET.Native;
using Npgsql;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Ingest.Postgres;

/// <summary>Takes a row that is set aside.</summary>
/// <param name="show">A column's value as text, null for null.</param>
internal delegate void RowReject(IReadOnlyList<PostgresColumn> columns, Func<int, string?> show, int fault);

/// <summary>
/// The rows of a table as a table function of the engine: each of the engine's threads reads from a line of its own, range after range, so that nothing
/// stands between the server and the statement that writes the file.
/// </summary>
internal sealed unsafe partial class TableCopy(IReadOnlyList<PostgresColumn> columns, IReadOnlyList<NpgsqlConnection> lines, IEnumerable<string> ranges, RowReject reject, Action<long> progress)
{
    public const string Function = "qualiz_table";

    private readonly ConcurrentQueue<string> _ranges = new(ranges);
    private readonly Lock _lock = new();
    private int _readers = -1;
    private long _rows;

    public IReadOnlyList<PostgresColumn> Columns => columns;

    /// <summary>Rows that came from the server, good or not.</summary>
    public long Rows => Interlocked.Read(ref _rows);

    /// <summary>What went wrong first; the engine knows only that something did.</summary>
    public Exception? Failure { get; private set; }

    public string? NextRange() => Failure is null && _ranges.TryDequeue(out var range) ? range : null;

    public void Count(long rows)
    {
        Interlocked.Add(ref _rows, rows);
        progress(rows);
    }

    // A reader's values lie in its buffer: they are shown before it goes on.
    public void Reject(IReadOnlyList<PostgresColumn> row, Func<int, string?> show, int fault)
    {
        lock (_lock)
            reject(row, show, fault);
    }

    public void Register(EngineSession session)
    {
        var function = NativeMethods.TableFunction.DuckDBCreateTableFunction();
        try
        {
            NativeMethods.TableFunction.DuckDBTableFunctionSetName(function, Function);
            NativeMethods.TableFunction.DuckDBTableFunctionSetExtraInfo(function, GCHandle.ToIntPtr(GCHandle.Alloc(this)), &Free);
            NativeMethods.TableFunction.DuckDBTableFunctionSetBind(function, &Bind);
            NativeMethods.TableFunction.DuckDBTableFunctionSetInit(function, &Init);
            SetLocalInit(function, &LocalInit);
            NativeMethods.TableFunction.DuckDBTableFunctionSetFunction(function, &Read);
            if (NativeMethods.TableFunction.DuckDBRegisterTableFunction(session.Connection.NativeConnection, function) != DuckDBState.Success)
                throw new InvalidOperationException($"The engine does not take the function {Function}.");
        }
        finally
        {
            NativeMethods.TableFunction.DuckDBDestroyTableFunction(ref function);
        }
    }

    private void Fail(Exception error)
    {
        lock (_lock)
            Failure ??= error;
    }

    private static T Held<T>(nint handle) where T : class => (T)GCHandle.FromIntPtr(handle).Target!;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Free(nint handle) => GCHandle.FromIntPtr(handle).Free();

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Bind(nint info)
    {
        try
        {
            foreach (var column in Held<TableCopy>(NativeMethods.TableFunction.DuckDBBindGetExtraInfo(info)).Columns)
            {
                using var type = Logical(column.VectorType);
                NativeMethods.TableFunction.DuckDBBindAddResultColumn(info, column.Name, type);
            }
        }
        catch (Exception error)
        {
            NativeMethods.TableFunction.DuckDBBindSetError(info, error.Message);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Init(nint info) =>
        SetMaxThreads(info, (ulong)Held<TableCopy>(NativeMethods.TableFunction.DuckDBInitGetExtraInfo(info))._lineCount);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void LocalInit(nint info)
    {
        try
        {
            var copy = Held<TableCopy>(NativeMethods.TableFunction.DuckDBInitGetExtraInfo(info));
            var index = Interlocked.Increment(ref copy._readers);
            // More threads than lines: the rest have nothing to do.
            var local = new Local(index < copy._lineCount ? new RangeReader(copy, copy._lines[index]) : null, copy);
            NativeMethods.TableFunction.DuckDBInitSetInitData(info, GCHandle.ToIntPtr(GCHandle.Alloc(local)), &Free);
        }
        catch (Exception error)
        {
            NativeMethods.TableFunction.DuckDBInitSetError(info, error.Message);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Read(nint info, nint output)
    {
        TableCopy? copy = null;
        try
        {
            var local = Held<Local>(GetLocalInitData(info));
            copy = local.Copy;
            var chunk = new DuckDBDataChunk(output);
            try
            {
                var rows = local.Reader?.Fill(chunk, (int)NativeMethods.Helpers.DuckDBVectorSize()) ?? 0;
                NativeMethods.DataChunks.DuckDBDataChunkSetSize(chunk, (ulong)rows);
            }
            finally
            {
                // The chunk is the engine's.
                chunk.SetHandleAsInvalid();
            }
        }
        catch (Exception error)
        {
            copy?.Fail(error);
            NativeMethods.TableFunction.DuckDBFunctionSetError(info, "The source cannot be read.");
        }
    }

    private readonly int _lineCount = lines.Count;
    private readonly IReadOnlyList<NpgsqlConnection> _lines = lines;

    private static DuckDBLogicalType Logical(ColumnType type) => type switch
    {
        ColumnType.DecimalType number => NativeMethods.LogicalType.DuckDBCreateDecimalType((byte)number.Precision, (byte)number.Scale),
        _ => NativeMethods.LogicalType.DuckDBCreateLogicalType(type switch
        {
            _ when type == ColumnType.Bool => DuckDBType.Boolean,
            _ when type == ColumnType.Int64 => DuckDBType.BigInt,
            _ when type == ColumnType.Double => DuckDBType.Double,
            _ when type == ColumnType.Date => DuckDBType.Date,
            _ when type == ColumnType.Time => DuckDBType.Time,
            _ when type == ColumnType.Timestamp => DuckDBType.Timestamp,
            _ when type == ColumnType.TimestampTz => DuckDBType.TimestampTz,
            _ => DuckDBType.Varchar,
        }),
    };

    private sealed record Local(RangeReader? Reader, TableCopy Copy);

    // The driver leaves these out.
    [LibraryImport("duckdb", EntryPoint = "duckdb_table_function_set_local_init")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    private static partial void SetLocalInit(nint function, delegate* unmanaged[Cdecl]<nint, void> init);

    [LibraryImport("duckdb", EntryPoint = "duckdb_init_set_max_threads")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    private static partial void SetMaxThreads(nint info, ulong threads);

    [LibraryImport("duckdb", EntryPoint = "duckdb_function_get_local_init_data")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    private static partial nint GetLocalInitData(nint info);
}
