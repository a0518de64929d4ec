using System.Runtime.InteropServices;

namespace Qualiz.Platform.Native;

/// <summary>The few calls of the C library that .NET has no face for. Linux only, like the engine workers.</summary>
internal static partial class Libc
{
    public const int SigTerm = 15;
    public const int SigKill = 9;
    public const int PrSetPdeathsig = 1;
    public const int FdDupCloexec = 1030;
    public const int Exdev = 18;
    public const int OpenDirectory = 0x10000 | 0x80000;   // O_RDONLY | O_DIRECTORY | O_CLOEXEC

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "setsid", SetLastError = true)]
    public static partial int SetSid();

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    public static partial int Prctl(int option, nuint argument2, nuint argument3, nuint argument4, nuint argument5);

    [LibraryImport("libc", EntryPoint = "getppid")]
    public static partial int GetParentProcessId();

    /// <summary>Duplicates at or above <paramref name="least"/>, closed in children (<see cref="FdDupCloexec"/>).</summary>
    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    public static partial int Fcntl(int descriptor, int command, int least);

    [LibraryImport("libc", EntryPoint = "dup2", SetLastError = true)]
    public static partial int Dup2(int from, int to);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Rename(string from, string to);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    public static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int descriptor);
}
