using System.Collections.Concurrent;
using System.IO.Hashing;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Qualiz.Engine.Kernels.DuckDb;

namespace Qualiz.Engine.Kernels.Rows;

/// <summary>A value for each of some groups of rows, found in a pass before the one that uses it. SQL knows an instance by a number that is there before the values are.</summary>
internal sealed class GroupValues : IDisposable
{
    private static readonly ConcurrentDictionary<int, GroupValues> Known = new();
    private static int _last;

    private readonly int _number;
    private readonly Dictionary<UInt128, byte[]> _values = [];

    /// <param name="number">One of <see cref="NextNumber"/>.</param>
    public GroupValues(int number)
    {
        _number = number;
        Known[number] = this;
    }

    public static int NextNumber() => Interlocked.Increment(ref _last);

    public static GroupValues Of(int number) => Known[number];

    public void Add(string key, string value) => _values[XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(key))] = Encoding.UTF8.GetBytes(value);

    public bool TryGet(ReadOnlySpan<byte> key, out byte[]? value) => _values.TryGetValue(XxHash128.HashToUInt128(key), out value);

    public bool IsEmpty => _values.Count == 0;

    public void Dispose() => Known.TryRemove(_number, out _);
}

/// <summary><c>qz_group_value(number, key)</c>: the value of the row's group (<see cref="GroupValues"/>), null where it has none.</summary>
internal static unsafe class GroupValueKernel
{
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void Find(nint info, nint chunk, nint output) => KernelLibrary.Guard(info, chunk, output, &Find);

    private static void Find(in Call call)
    {
        if (call.Rows == 0)
            return;
        var groups = GroupValues.Of(((int*)call.Column(0).Data)[0]);
        var keys = call.Column(1);
        var result = new Result(call.Output);
        for (var row = 0; row < call.Rows; row++)
        {
            call.ThrowIfStopped();
            if (!groups.IsEmpty && !keys.IsNull(row) && groups.TryGet(keys.Text(row), out var value))
                result.SetText(row, value);
            else
                result.SetNull(row);
        }
    }
}
