using System.Runtime.InteropServices;

namespace Qualiz.Engine.Kernels;

/// <summary>Stops the kernels of one connection in the middle of their work. To be disposed of after the connection.</summary>
public sealed unsafe class KernelStop : IDisposable
{
    // Lies still: the engine hands its address to every call.
    internal int* Flag { get; private set; } = (int*)NativeMemory.AllocZeroed(sizeof(int));

    /// <summary>Kernels that run end with an error (<see cref="KernelLibrary.Stopped"/>), and so do those that begin.</summary>
    public void Request() => Set(1);

    /// <summary>Kernels may run again.</summary>
    public void Reset() => Set(0);

    public void Dispose()
    {
        NativeMemory.Free(Flag);
        Flag = null;
    }

    private void Set(int value)
    {
        if (Flag is not null)
            Volatile.Write(ref *Flag, value);
    }
}
