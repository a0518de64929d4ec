using Qualiz.Engine.Kernels.Codes;
using Qualiz.Engine.Kernels.DuckDb;
using Qualiz.Engine.Kernels.Masking;
using Qualiz.Engine.Kernels.Profiling;
using Qualiz.Engine.Kernels.Rows;
using Qualiz.Engine.Kernels.Similarity;
using Qualiz.Engine.Kernels.Text;
using ValueType = Qualiz.Engine.Kernels.DuckDb.ValueType;

namespace Qualiz.Engine.Kernels;

/// <summary>
/// Scalar functions in C# that any DuckDB connection can have. They work on whole vectors in place, know nothing of the platform and hold no state
/// but that of <see cref="RowOutcomes"/> and the keys of <see cref="Masker"/>, so that the same assembly, compiled ahead of time, serves other hosts of DuckDB too.
/// </summary>
public static unsafe class KernelLibrary
{
    /// <summary>The words of the error by which a statement ends whose kernels were stopped.</summary>
    public const string Stopped = "A kernel was stopped.";

    /// <summary>Registers every kernel.</summary>
    /// <param name="connection">A <c>duckdb_connection</c>.</param>
    /// <param name="stop">Stops them; lives longer than the connection.</param>
    public static void Register(nint connection, KernelStop? stop = null)
    {
        foreach (var kernel in Kernels())
            Register(connection, kernel, stop is null ? null : stop.Flag);
    }

    private static Kernel[] Kernels() =>
    [
        new("qz_text", [ValueType.Varchar, ValueType.Varchar], ValueType.Varchar, &TextKernels.Apply),
        new("qz_text_mask", [ValueType.Varchar, ValueType.Varchar], ValueType.UInteger, &TextKernels.Mask),
        new("qz_text_trace", [ValueType.Varchar, ValueType.Varchar, ValueType.Varchar], ValueType.Varchar, &TextKernels.Trace),
        new("qz_number", [ValueType.Varchar, ValueType.Varchar], ValueType.Varchar, &ReadingKernels.Number),
        new("qz_date", [ValueType.Varchar, ValueType.Varchar], ValueType.Date, &ReadingKernels.Date),
        new("qz_timestamp", [ValueType.Varchar, ValueType.Varchar], ValueType.Timestamp, &ReadingKernels.Timestamp),
        new("qz_boolean", [ValueType.Varchar, ValueType.Varchar], ValueType.Boolean, &ReadingKernels.Boolean),
        new("qz_blank", [ValueType.Varchar], ValueType.Boolean, &ReadingKernels.Blank),
        new("qz_email", [ValueType.Varchar], ValueType.Varchar, &CodeKernels.ReadEmail),
        new("qz_phone", [ValueType.Varchar, ValueType.Varchar, ValueType.Varchar], ValueType.Varchar, &CodeKernels.ReadPhone),
        new("qz_country", [ValueType.Varchar, ValueType.Varchar], ValueType.Varchar, &CodeKernels.ReadCountry),
        new("qz_currency", [ValueType.Varchar, ValueType.Varchar], ValueType.Varchar, &CodeKernels.ReadCurrency),
        new("qz_format", [ValueType.Varchar, ValueType.Varchar], ValueType.Boolean, &CodeKernels.IsFormat),
        new("qz_similarity", [ValueType.Varchar, ValueType.Varchar, ValueType.Varchar], ValueType.Double, &SimilarityKernels.Similarity),
        new("qz_mask", [ValueType.Integer, ValueType.Varchar], ValueType.Varchar, &MaskKernel.Mask),
        new("qz_group_value", [ValueType.Integer, ValueType.Varchar], ValueType.Varchar, &GroupValueKernel.Find),
        new("qz_row_key", [ValueType.Varchar], ValueType.Varchar, &RowKey.Hash) { Varargs = true },
        new("qz_row_hash", [ValueType.Varchar, ValueType.BigInt], ValueType.UBigInt, &RowOutcomeKernels.Hash),
        new("qz_row_outcome", [ValueType.Integer, ValueType.USmallInt, ValueType.BigInt, ValueType.Varchar], ValueType.UTinyInt, &RowOutcomeKernels.Decide) { Varargs = true, Volatile = true },
        new("qz_row_rejected", [ValueType.Integer, ValueType.Varchar], ValueType.Boolean, &RowOutcomeKernels.TakeRejected) { Volatile = true },
        new("qz_row_changed", [ValueType.Integer, ValueType.Varchar], ValueType.Boolean, &RowOutcomeKernels.TakeChanged) { Volatile = true },
        new("qz_profile", [ValueType.Integer], ValueType.UTinyInt, &ProfileKernels.Add) { Varargs = true, Volatile = true },
    ];

    private static void Register(nint connection, Kernel kernel, int* stop)
    {
        var function = Native.CreateFunction();
        try
        {
            Native.SetName(function, kernel.Name);
            foreach (var parameter in kernel.Parameters)
                Type(function, parameter, &Native.AddParameter);
            if (kernel.Varargs)
                Type(function, ValueType.Any, &Native.SetVarargs);
            Type(function, kernel.Returns, &Native.SetReturnType);
            // Kernels look at nulls themselves.
            Native.SetSpecialHandling(function);
            if (kernel.Volatile)
                Native.SetVolatile(function);
            Native.SetExtraInfo(function, stop, 0);
            Native.SetCallback(function, kernel.Callback);
            if (Native.Register(connection, function) != 0)
                throw new InvalidOperationException($"The kernel {kernel.Name} cannot be registered.");
        }
        finally
        {
            Native.DestroyFunction(&function);
        }
    }

    private static void Type(nint function, ValueType id, delegate*<nint, nint, void> set)
    {
        var type = Native.CreateType(id);
        set(function, type);
        Native.DestroyType(&type);
    }

    /// <summary>Runs a kernel's body. No exception may reach DuckDB; its text holds no row values.</summary>
    internal static void Guard(nint info, nint chunk, nint output, delegate*<in Call, void> body)
    {
        try
        {
            var call = new Call(chunk, output, (int*)Native.ExtraInfo(info));
            call.ThrowIfStopped();
            body(in call);
        }
        catch (OperationCanceledException)
        {
            Native.SetError(info, Stopped);
        }
        catch (Exception exception)
        {
            // The words of a full disk are how the platform knows it.
            Native.SetError(info, $"A kernel failed: {(exception is IOException ? exception.Message : exception.GetType().Name)}.");
        }
    }

    private readonly struct Kernel(string name, ValueType[] parameters, ValueType returns, delegate* unmanaged[Cdecl]<nint, nint, nint, void> callback)
    {
        public string Name { get; } = name;
        public ValueType[] Parameters { get; } = parameters;
        public ValueType Returns { get; } = returns;
        public delegate* unmanaged[Cdecl]<nint, nint, nint, void> Callback { get; } = callback;

        /// <summary>Takes any number of further arguments of any type.</summary>
        public bool Varargs { get; init; }

        /// <summary>Has an effect, so it is called exactly once for each row.</summary>
        public bool Volatile { get; init; }
    }
}
