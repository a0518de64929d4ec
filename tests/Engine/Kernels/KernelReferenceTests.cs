using System.Globalization;
using System.Text;
using CsCheck;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Kernels.Text;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Tests.Kernels;

/// <summary>Kernels against slow, straightforward references, on generated values.</summary>
public sealed class KernelReferenceTests : IDisposable
{
    private const string White = " \t\n\v\f\r\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u2028\u2029\u202f\u205f\u3000\ufeff";

    private static readonly Gen<string> Piece = Gen.Frequency(
        (4, Gen.Char["abcXYZ0189.-/@_"].Array[0, 12].Select(letters => new string(letters))),
        (2, Gen.Char[White].Array[0, 3].Select(blanks => new string(blanks))),
        (1, Gen.String.Select(Whole)),
        (1, Gen.Int[0, 5].Select(i => ((string[])["ß", "É", "ﬁ", "🦆", "i̇", "ſ"])[i])));

    // Short and long ones: texts of up to 12 bytes lie in place, those beyond in blocks, and those beyond these alone.
    private static readonly Gen<string?> Text = Gen.Frequency(
        (1, Gen.Const((string?)null)),
        (12, Piece.Array[0, 6].Select(pieces => (string?)string.Concat(pieces))),
        (1, Gen.Int[1, 9000].Select(length => (string?)(" " + new string('q', length) + "É"))));

    private readonly ScratchFolder _scratch = new();
    private readonly EngineSession _session;

    public KernelReferenceTests() => _session = EngineSession.Open(new EngineOptions { MemoryBytes = 256L << 20, Threads = 1, Scratch = _scratch.Path });

    public void Dispose()
    {
        _session.Dispose();
        _scratch.Dispose();
    }

    [Fact]
    public void A_key_is_the_hash_of_the_values_as_they_are_written()
    {
        var rows = Gen.Select(
            Text, Gen.Long.Nullable(0.2), Gen.Long[-100_000_000, 100_000_000].Nullable(0.2), Gen.Int[-1_000_000, 2_900_000].Nullable(0.2), Gen.Bool.Nullable(0.2), Text,
            (a, b, c, d, e, f) => (Text: a, Whole: b, Hundredths: c, Day: d, Flag: e, Other: f));
        rows.Array[1, 60].Sample(
            sample =>
            {
                Fill("text VARCHAR, whole BIGINT, share DECIMAL(18,2), born DATE, flag BOOLEAN, other VARCHAR", sample.Select(row =>
                    $"{Sql.Literal(row.Text)}, {Null(row.Whole)}, {(row.Hundredths is { } hundredths ? Sql.Literal(hundredths / 100m) : "NULL")}, "
                    + $"{(row.Day is { } day ? $"DATE '1970-01-01' + {Sql.Literal(day)}" : "NULL")}, {(row.Flag is { } flag ? Sql.Literal(flag) : "NULL")}, {Sql.Literal(row.Other)}"));
                var days = _session.Query("SELECT CAST(born AS VARCHAR) FROM t ORDER BY n", row => row.IsDBNull(0) ? null : row.GetString(0));
                var keys = _session.Query(
                    """SELECT qz_row_key('["text","whole","share","born","flag","a rather long name of a column",null]', text, whole, share, born, flag, other, whole) FROM t ORDER BY n""", row => row.GetString(0));
                for (var i = 0; i < sample.Length; i++)
                {
                    var row = sample[i];
                    var content = new StringBuilder();
                    Add(content, "text", row.Text);
                    Add(content, "whole", row.Whole?.ToString(CultureInfo.InvariantCulture));
                    Add(content, "share", (row.Hundredths / 100m)?.ToString("0.##", CultureInfo.InvariantCulture));
                    Add(content, "born", days[i]);
                    Add(content, "flag", row.Flag is { } flag ? flag ? "true" : "false" : null);
                    Add(content, "a rather long name of a column", row.Other);
                    if (row.Whole is { } whole)
                        content.Append('\u001d').Append(CultureInfo.InvariantCulture, $"{whole}");
                    keys[i].ShouldBe(HiddenColumns.KeyOf(Encoding.UTF8.GetBytes(content.ToString())));
                }
            },
            iter: 60, threads: 1);
    }

    [Theory]
    [InlineData("""{"op":"trim","inner":false}""")]
    [InlineData("""{"op":"trim","inner":true}""")]
    [InlineData("""{"op":"upper"}""")]
    [InlineData("""{"op":"lower"}""")]
    [InlineData("""{"op":"nulls","words":["","X","-","0.0"],"ignoreCase":false}""")]
    [InlineData("""{"op":"replace","map":[["a","b"],["","none"],["ß","ss"]],"ignoreCase":false}""")]
    [InlineData("""{"op":"replaceParts","map":[["a","bb"],["bb","c"],["É","E"]],"ignoreCase":false}""")]
    [InlineData("""{"op":"replace","map":[["a","b"],["","none"],["ß","ss"],["k1","1"],["k2","2"],["k3","3"],["k4","4"],["k5","5"],["k6","6"]],"ignoreCase":false}""")]
    public void An_operation_on_text_does_what_the_plain_one_does(string operation)
    {
        var program = Sql.Literal($"[{operation}]");
        Text.Array[1, 80].Sample(
            sample =>
            {
                Fill("v VARCHAR", sample.Select(Sql.Literal));
                var answers = _session.Query(
                    $"SELECT qz_text({program}, v), qz_text_mask({program}, v) FROM t ORDER BY n", row => (Text: row.IsDBNull(0) ? null : row.GetString(0), Changed: row.GetFieldValue<uint>(1) != 0));
                for (var i = 0; i < sample.Length; i++)
                {
                    var expected = sample[i] is { } text ? Plain(operation, text) : null;
                    answers[i].Text.ShouldBe(expected);
                    answers[i].Changed.ShouldBe(expected != sample[i]);
                }
            },
            iter: 60, threads: 1);
    }

    [Fact]
    public void No_word_that_a_text_holds_is_overlooked() => Gen.Select(Gen.Char["ab@."].Array[0, 90], Gen.Char["ab@."].Array[1, 24], Gen.Int[0, 90]).Sample(
        (letters, part, place) =>
        {
            var word = Encoding.UTF8.GetBytes(part);
            var text = Encoding.UTF8.GetBytes(new string(letters).Insert(Math.Min(place, letters.Length), new string(part)));
            Glance.MayHold(text, word).ShouldBeTrue();
        },
        iter: 2000, threads: 1);

    [Fact]
    public void No_code_point_fails_a_statement()
    {
        var points = Enumerable.Range(1, 0x10FFFF).Where(point => point is < 0xD800 or > 0xDFFF).Select(point => $"a{char.ConvertFromUtf32(point)}\u0301");
        Fill("v VARCHAR", points.Chunk(512).Select(chunk => Sql.Literal(string.Concat(chunk))));
        string[] operations =
        [
            """{"op":"trim","inner":true}""", """{"op":"upper"}""", """{"op":"lower"}""", """{"op":"title"}""", """{"op":"normalize","form":"nfc"}""", """{"op":"normalize","form":"nfkc"}""",
            """{"op":"accents"}""", """{"op":"unescape","from":"html"}""", """{"op":"unescape","from":"url"}""", """{"op":"remove","kinds":["control"]}""", """{"op":"pad","length":9,"with":"0","right":true,"cut":true}""",
        ];
        foreach (var kernel in operations.Select(operation => $"qz_text({Sql.Literal($"[{operation}]")}, v)").Concat(
            ["qz_country('alpha2', v)", "qz_currency('code', v)", "qz_phone('e164', v, v)", "qz_phone('e164', '0441234567', v)", "qz_email(v || '@example.org')"]))
        {
            Should.NotThrow(() => _session.Scalar<long>($"SELECT count({kernel}) FROM t"), kernel);
        }
    }

    [Theory]
    [InlineData("""{"op":"normalize","form":"nfc"}""", "e\u0301\uFFFEe\u0301", "é\uFFFEé")]
    [InlineData("""{"op":"normalize","form":"nfkc"}""", "\uFB01\uFFFE\u0301", "fi\uFFFE\u0301")]
    [InlineData("""{"op":"normalize","form":"nfc"}""", "é\uFFFE", "é\uFFFE")]
    [InlineData("""{"op":"accents"}""", "é\uFFFEØ", "e\uFFFEO")]
    public void What_is_no_character_stays_and_the_others_are_normalised(string operation, string text, string expected) =>
        _session.Scalar<string>($"SELECT qz_text({Sql.Literal($"[{operation}]")}, {Sql.Literal(text)})").ShouldBe(expected);

    [Fact]
    public void Blank_is_what_trim_leaves_nothing_of() => Text.Array[1, 80].Sample(
        sample =>
        {
            Fill("v VARCHAR", sample.Select(Sql.Literal));
            _session.Query("SELECT qz_blank(v) FROM t ORDER BY n", row => row.IsDBNull(0) ? (bool?)null : row.GetBoolean(0)).ShouldBe(sample.Select(text => text is null ? (bool?)null : text.Trim(White.ToCharArray()).Length == 0));
        },
        iter: 40, threads: 1);

    private static string? Plain(string operation, string text)
    {
        if (operation.Contains("\"trim\"", StringComparison.Ordinal))
        {
            var trimmed = text.Trim(White.ToCharArray());
            return operation.Contains("true", StringComparison.Ordinal) ? string.Join(' ', trimmed.Split(White.ToCharArray(), StringSplitOptions.RemoveEmptyEntries)) : trimmed;
        }
        if (operation.Contains("\"upper\"", StringComparison.Ordinal))
            return text.ToUpperInvariant();
        if (operation.Contains("\"lower\"", StringComparison.Ordinal))
            return text.ToLowerInvariant();
        if (operation.Contains("\"nulls\"", StringComparison.Ordinal))
            return text is "" or "X" or "-" or "0.0" ? null : text;
        if (operation.Contains("\"replace\"", StringComparison.Ordinal))
            return text switch { "a" => "b", "" => "none", "ß" => "ss", _ => text };
        return text.Replace("a", "bb", StringComparison.Ordinal).Replace("bb", "c", StringComparison.Ordinal).Replace("É", "E", StringComparison.Ordinal);
    }

    private void Fill(string columns, IEnumerable<string> rows) =>
        _session.Execute($"CREATE OR REPLACE TEMP TABLE t (n INTEGER, {columns}); INSERT INTO t VALUES {string.Join(", ", rows.Select((row, i) => $"({i}, {row})"))}");

    private static void Add(StringBuilder content, string name, string? value)
    {
        if (value is not null)
            content.Append('\u001e').Append(name).Append('\u001f').Append(value);
    }

    private static string Null(long? value) => value is { } number ? $"CAST({Sql.Literal(Sql.Literal(number))} AS BIGINT)" : "NULL";

    // Half a surrogate pair is no text.
    private static string Whole(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)).Replace("\0", "", StringComparison.Ordinal);
}
