using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Qualiz.Engine.Kernels.DuckDb;

namespace Qualiz.Engine.Kernels.Similarity;

/// <summary>
/// <c>qz_similarity(by, a, b)</c>: how alike two texts are, from 0 to 1, by one of the words of <see cref="Of"/>; null where a side is, or where nothing can be said of them. The first text is the same in all rows of a call.
/// </summary>
internal static unsafe class SimilarityKernels
{
    [ThreadStatic]
    private static char[]? _a;

    [ThreadStatic]
    private static char[]? _b;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void Similarity(nint info, nint chunk, nint output) => KernelLibrary.Guard(info, chunk, output, &Similarity);

    private static void Similarity(in Call call)
    {
        if (call.Rows == 0)
            return;
        var like = Of(Encoding.UTF8.GetString(call.Column(0).Text(0)));
        var (a, b) = (call.Column(1), call.Column(2));
        var result = new Result(call.Output);
        for (var row = 0; row < call.Rows; row++)
        {
            call.ThrowIfStopped();
            var similarity = double.NaN;
            if (!a.IsNull(row) && !b.IsNull(row))
            {
                // Always in the same order, as not every similarity is symmetric.
                var x = a.Text(row);
                var y = b.Text(row);
                similarity = x.SequenceCompareTo(y) <= 0 ? like(Letters(x, ref _a), Letters(y, ref _b)) : like(Letters(y, ref _a), Letters(x, ref _b));
            }
            if (double.IsNaN(similarity))
                result.SetNull(row);
            else
                ((double*)result.Data)[row] = similarity;
        }
    }

    private static delegate*<ReadOnlySpan<char>, ReadOnlySpan<char>, double> Of(string by) => by switch
    {
        "levenshtein" => &Levenshtein,
        "damerauLevenshtein" => &EditDistance.Similarity,
        "jaroWinkler" => &JaroWinkler.Similarity,
        "tokens" => &WordSimilarity.Words,
        "trigrams" => &WordSimilarity.Trigrams,
        "mongeElkan" => &MongeElkan,
        "sound" => &Sound,
        "name" => &NameSimilarity.Names,
        "number" => &ValueSimilarity.Number,
        "date" => &ValueSimilarity.Date,
        "place" => &ValueSimilarity.Place,
        "email" => &ValueSimilarity.Email,
        "phone" => &ValueSimilarity.Phone,
        "address" => &AddressSimilarity.Addresses,
        _ => throw new ArgumentException($"There is no similarity \"{by}\".", nameof(by)),
    };

    private static double Levenshtein(ReadOnlySpan<char> a, ReadOnlySpan<char> b) =>
        Math.Max(a.Length, b.Length) is var longest && longest == 0 ? 1 : 1 - ((double)EditDistance.Levenshtein(a, b) / longest);

    private static double MongeElkan(ReadOnlySpan<char> a, ReadOnlySpan<char> b) => WordSimilarity.MongeElkan(a, b, &JaroWinkler.Similarity);

    private static double Sound(ReadOnlySpan<char> a, ReadOnlySpan<char> b) => WordSimilarity.MongeElkan(a, b, &DoubleMetaphone.Similarity);

    private static ReadOnlySpan<char> Letters(ReadOnlySpan<byte> text, ref char[]? room)
    {
        if (room is null || room.Length < text.Length)
            room = new char[Math.Max(256, 2 * text.Length)];
        return room.AsSpan(0, Encoding.UTF8.GetChars(text, room));
    }
}
