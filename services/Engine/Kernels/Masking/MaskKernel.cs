using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Qualiz.Engine.Kernels.DuckDb;
using Qualiz.Engine.Kernels.Text;

namespace Qualiz.Engine.Kernels.Masking;

/// <summary><c>qz_mask(masker, text)</c>: the masked text, null where the value cannot be masked.</summary>
internal static unsafe class MaskKernel
{
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void Mask(nint info, nint chunk, nint output) => KernelLibrary.Guard(info, chunk, output, &Mask);

    private static void Mask(in Call call)
    {
        if (call.Rows == 0)
            return;
        var masker = Masker.Of(((int*)call.Column(0).Data)[0]);
        var texts = call.Column(1);
        var result = new Result(call.Output);
        var buffer = TextBuffers.Own.Next();
        for (var row = 0; row < call.Rows; row++)
        {
            call.ThrowIfStopped();
            buffer.Clear();
            if (!texts.IsNull(row) && masker.Mask(texts.Text(row), buffer))
                result.SetText(row, buffer.Text);
            else
                result.SetNull(row);
        }
    }
}
