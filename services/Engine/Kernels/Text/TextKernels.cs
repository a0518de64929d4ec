using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using Qualiz.Engine.Kernels.DuckDb;

namespace Qualiz.Engine.Kernels.Text;

/// <summary>
/// <c>qz_text(program, text)</c>: the text after all operations. <c>qz_text_mask(program, text)</c>: a bit for each operation that changes it, 0 for most
/// texts, which is found out without a copy. <c>qz_text_trace(program, column, text)</c>: the changes as
/// JSON objects {rule, column, old, new} with commas between, null for none; <c>column</c> is the column's name as JSON.
/// </summary>
internal static unsafe class TextKernels
{
    private static readonly Settings<TextProgram> Programs = new(TextProgram.Read);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void Apply(nint info, nint chunk, nint output) => KernelLibrary.Guard(info, chunk, output, &Apply);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void Mask(nint info, nint chunk, nint output) => KernelLibrary.Guard(info, chunk, output, &Mask);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void Trace(nint info, nint chunk, nint output) => KernelLibrary.Guard(info, chunk, output, &Trace);

    private static void Apply(in Call call)
    {
        if (call.Rows == 0)
            return;
        var program = Programs.Of(call.Column(0).Text(0));
        var texts = call.Column(1);
        var buffers = TextBuffers.Own;
        // Most vectors have nothing to change: then the answer is the argument itself, without a copy.
        var first = FirstOfInterest(program, texts, call.Rows);
        uint changed = 0;
        while (first < call.Rows)
        {
            call.ThrowIfStopped();
            if (!texts.IsNull(first))
                program.Run(texts.Text(first), buffers, out changed, out _);
            if (changed != 0)
                break;
            first++;
        }
        if (first == call.Rows)
        {
            Native.Reference(call.Output, texts.Vector);
            return;
        }
        var result = new Result(call.Output);
        for (var row = 0; row < call.Rows; row++)
        {
            call.ThrowIfStopped();
            if (texts.IsNull(row))
                result.SetNull(row);
            else if (row < first || !program.Wants(texts.Texts + row))
                result.SetText(row, texts.Text(row));
            else if (program.Run(texts.Text(row), buffers, out _, out var text))
                result.SetText(row, text);
            else
                result.SetNull(row);
        }
    }

    private static void Mask(in Call call)
    {
        if (call.Rows == 0)
            return;
        var program = Programs.Of(call.Column(0).Text(0));
        var texts = call.Column(1);
        var masks = new Span<uint>(new Result(call.Output).Data, call.Rows);
        masks.Clear();
        var buffers = TextBuffers.Own;
        for (var row = FirstOfInterest(program, texts, call.Rows); row < call.Rows; row++)
        {
            call.ThrowIfStopped();
            if (!texts.IsNull(row) && program.Wants(texts.Texts + row))
                program.Run(texts.Text(row), buffers, out masks[row], out _);
        }
    }

    private static void Trace(in Call call)
    {
        if (call.Rows == 0)
            return;
        var program = Programs.Of(call.Column(0).Text(0));
        var names = call.Column(1);
        var texts = call.Column(2);
        var result = new Result(call.Output);
        var trace = new JsonTrace();
        for (var row = 0; row < call.Rows; row++)
        {
            call.ThrowIfStopped();
            trace.Begin(names.Text(row));
            if (!texts.IsNull(row))
                program.Run(texts.Text(row), TextBuffers.Own, out _, out _, trace);
            if (trace.Text.Length > 0)
                result.SetText(row, trace.Text);
            else
                result.SetNull(row);
        }
    }

    private static int FirstOfInterest(TextProgram program, Column texts, int rows)
    {
        var row = 0;
        while (row < rows && (texts.IsNull(row) || !program.Wants(texts.Texts + row)))
            row++;
        return row;
    }

    private sealed class JsonTrace : ITextTrace
    {
        private readonly TextBuffer _buffer = new();
        private byte[] _column = [];

        public ReadOnlySpan<byte> Text => _buffer.Text;

        public void Begin(ReadOnlySpan<byte> column)
        {
            _buffer.Clear();
            if (!column.SequenceEqual(_column))
                _column = column.ToArray();
        }

        public void Changed(string rule, ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, bool empty)
        {
            if (_buffer.Length > 0)
                _buffer.Add((byte)',');
            using var writer = new Utf8JsonWriter(_buffer);
            writer.WriteStartObject();
            writer.WriteString("rule"u8, rule);
            writer.WritePropertyName("column"u8);
            writer.WriteRawValue(_column);
            writer.WriteString("old"u8, before);
            if (empty)
                writer.WriteNull("new"u8);
            else
                writer.WriteString("new"u8, after);
            writer.WriteEndObject();
        }
    }
}
