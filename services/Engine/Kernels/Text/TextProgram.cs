using System.Runtime.CompilerServices;
using System.Text.Json;
using Qualiz.Engine.Kernels.DuckDb;

namespace Qualiz.Engine.Kernels.Text;

/// <summary>Operations done one after the other on the cells of one column.</summary>
internal sealed class TextProgram
{
    /// <summary>As many as an answer of 32 bits can tell apart.</summary>
    public const int MostOperations = 32;

    private readonly TextOperation[] _operations;
    private readonly TextOperation[] _always;
    private readonly string[] _rules;

    private TextProgram(TextOperation[] operations, string[] rules)
    {
        _operations = operations;
        _rules = rules;
        _always = [.. operations.Where(operation => (operation.Interest & Kinds.Always) != 0)];
        Interest = operations.Aggregate(Kinds.None, (kinds, operation) => kinds | operation.Interest);
        Lengths = operations.Aggregate(0UL, (lengths, operation) => lengths | operation.Lengths);
    }

    private Kinds Interest { get; }

    private ulong Lengths { get; }

    /// <summary>False when a text passes through unchanged, as most do; true when it may not.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe bool Wants(DuckString* text) =>
        Lengths.Has((int)text->Length) || Glance.At(text, Interest) != 0 || (_always.Length > 0 && AnyWants(DuckString.Span(text)));

    private bool AnyWants(ReadOnlySpan<byte> text)
    {
        foreach (var operation in _always)
        {
            if (operation.Wants(text))
                return true;
        }
        return false;
    }

    /// <summary>The rule that an operation stands for, as the change log names it.</summary>
    public string Rule(int operation) => _rules[operation];

    /// <param name="json">A list of objects with <c>op</c> and its settings, <c>rule</c> beside them.</param>
    public static TextProgram Read(string json)
    {
        using var document = JsonDocument.Parse(json);
        var items = document.RootElement.EnumerateArray().ToList();
        return new TextProgram([.. items.Select(TextOperations.Read)], [.. items.Select(item => item.TryGetProperty("rule", out var rule) ? rule.GetString()! : "")]);
    }

    /// <summary>Runs all operations.</summary>
    /// <param name="changed">A bit for each operation that changed the text.</param>
    /// <param name="result">The text in the end; null when it became empty. Valid until the next call with these buffers.</param>
    /// <returns>False when the cell became empty.</returns>
    public bool Run(ReadOnlySpan<byte> text, TextBuffers buffers, out uint changed, out ReadOnlySpan<byte> result, ITextTrace? trace = null)
    {
        changed = 0;
        result = text;
        for (var i = 0; i < _operations.Length; i++)
        {
            var target = buffers.Next();
            switch (_operations[i].Apply(result, target))
            {
                case Outcome.Changed:
                    changed |= 1u << i;
                    trace?.Changed(_rules[i], result, target.Text, false);
                    result = target.Text;
                    buffers.Keep();
                    break;
                case Outcome.Null:
                    changed |= 1u << i;
                    trace?.Changed(_rules[i], result, default, true);
                    result = default;
                    return false;
                default:
                    break;
            }
        }
        return true;
    }
}

/// <summary>Hears of each change.</summary>
internal interface ITextTrace
{
    void Changed(string rule, ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, bool empty);
}

/// <summary>Two buffers taking turns: one holds the text, the other takes the next.</summary>
internal sealed class TextBuffers
{
    [ThreadStatic]
    private static TextBuffers? _own;

    private readonly TextBuffer[] _both = [new(), new()];
    private int _free;

    public static TextBuffers Own => _own ??= new TextBuffers();

    public TextBuffer Next()
    {
        _both[_free].Clear();
        return _both[_free];
    }

    public void Keep() => _free = 1 - _free;
}
