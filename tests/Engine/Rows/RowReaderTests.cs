using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CsCheck;
using Qualiz.Contracts.Data;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Rows;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Tests.Rows;

public sealed class RowReaderTests : IDisposable
{
    private readonly ScratchFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("text", "'a \"b\" é'", "\"a \\\"b\\\" é\"")]
    [InlineData("text", "''", "\"\"")]
    [InlineData("text", "NULL::VARCHAR", "null")]
    [InlineData("bool", "true", "true")]
    [InlineData("int64", "9007199254740991::BIGINT", "9007199254740991")]
    [InlineData("int64", "9007199254740992::BIGINT", "\"9007199254740992\"")]
    [InlineData("int64", "(-9223372036854775807 - 1)::BIGINT", "\"-9223372036854775808\"")]
    [InlineData("int64", "7::SMALLINT", "7")]
    [InlineData("decimal(38,10)", "1234567890123456789012345678.0123456789::DECIMAL(38,10)", "\"1234567890123456789012345678.0123456789\"")]
    [InlineData("decimal(10,2)", "1.50::DECIMAL(10,2)", "\"1.50\"")]
    [InlineData("double", "0.1::DOUBLE + 0.2::DOUBLE", "0.30000000000000004")]
    [InlineData("double", "'nan'::DOUBLE", "\"NaN\"")]
    [InlineData("double", "'-inf'::DOUBLE", "\"-Infinity\"")]
    [InlineData("date", "DATE '2026-11-20'", "\"2026-11-20\"")]
    [InlineData("date", "DATE '294246-01-01'", "\"294246-01-01\"")]
    [InlineData("time", "TIME '23:59:59.999999'", "\"23:59:59.999999\"")]
    [InlineData("timestamp", "TIMESTAMP '2026-11-20 08:09:10.5'", "\"2026-11-20T08:09:10.5\"")]
    [InlineData("timestamptz", "TIMESTAMPTZ '2026-11-20 08:09:10+02'", "\"2026-11-20T06:09:10Z\"")]
    [InlineData("timestamptz", "TIMESTAMPTZ 'infinity'", "\"infinity\"")]
    [InlineData("json", "'{\"a\": [1, null]}'::JSON", "{\"a\": [1, null]}")]
    [InlineData("json", "'[9007199254740993]'::VARCHAR", "[9007199254740993]")]
    [InlineData("json", "'no json'::VARCHAR", "\"no json\"")]
    [InlineData("list(int64)", "[1, NULL, 9007199254740993]::BIGINT[]", "[1,null,\"9007199254740993\"]")]
    [InlineData("list(decimal(5,2))", "[1.10]::DECIMAL(5,2)[]", "[\"1.10\"]")]
    [InlineData("list(list(date))", "[[DATE '2026-01-02'], []]", "[[\"2026-01-02\"],[]]")]
    [InlineData("struct(\"a b\" text, at timestamptz, n double)", "{'a b': 'x', 'at': TIMESTAMPTZ '2026-01-02 00:00:00+00', 'n': 'nan'::DOUBLE}", "{\"a b\":\"x\",\"at\":\"2026-01-02T00:00:00Z\",\"n\":\"NaN\"}")]
    [InlineData("struct(a text)", "NULL::STRUCT(a VARCHAR)", "null")]
    [InlineData("list(struct(id int64, tags list(text)))", "[{'id': 1::BIGINT, 'tags': ['x', NULL]}, NULL]", "[{\"id\":1,\"tags\":[\"x\",null]},null]")]
    public async Task A_value_travels_in_the_wire_format(string type, string value, string expected)
    {
        var dataset = Dataset([Column("c", type)], Write("t.parquet", $"SELECT {value} AS c"));
        (await JsonAsync(dataset, new RowQuery { Columns = dataset.Schema.Columns })).ShouldBe([$"{{\"c\":{expected}}}"]);
    }

    [Fact]
    public async Task Pages_of_any_size_give_every_row_once_and_in_order()
    {
        // Several files, one of them empty, several row groups each.
        var sizes = new[] { 5000, 0, 1, 4097 };
        var files = sizes.Select((size, file) => Write($"{file}.parquet", $"SELECT {file} AS f, i AS n FROM range({size}) t(i)")).ToArray();
        var dataset = Dataset([Column("f", "int64"), Column("n", "int64")], files);
        var expected = sizes.SelectMany((size, file) => Enumerable.Range(0, size).Select(row => $"{file}:{row}")).ToList();
        foreach (var limit in new[] { 7, 1000, 2048, 100_000 })
        {
            var seen = new List<string>();
            var from = default(RowPosition);
            var count = -1;
            while (count != 0)
            {
                count = 0;
                using var reader = RowReader.Open(dataset, _folder.Path);
                // Small pages over 9,000 rows would open 1,300 sessions: go on with one for the smallest.
                do
                {
                    count = 0;
                    await foreach (var row in reader.ReadAsync(new RowQuery { Columns = dataset.Schema.Columns, From = from, Limit = limit }, default))
                    {
                        seen.Add($"{row.Text(0)}:{row.Text(1)}");
                        from = row.Next;
                        count++;
                    }
                }
                while (count == limit);
            }
            seen.ShouldBe(expected, $"limit {limit}");
        }
    }

    [Theory]
    [InlineData("file_row_number")]
    [InlineData("FILE_ROW_NUMBER")]
    [InlineData("rowid")]
    [InlineData("filename")]
    [InlineData("file_index")]
    [InlineData("place")]
    public async Task Columns_called_like_the_engines_own_are_columns_as_others(string name)
    {
        var path = Write("t.parquet", $"SELECT 'x' || i AS {name}, 7 AS file_row_number_, 8 AS place_ FROM range(3) t(i)");
        var plain = Dataset([Column(name, "text")], path);
        (await JsonAsync(plain, new RowQuery { Columns = plain.Schema.Columns })).ShouldBe([$"{{\"{name}\":\"x0\"}}", $"{{\"{name}\":\"x1\"}}", $"{{\"{name}\":\"x2\"}}"]);
        // A step that makes new rows numbers them by their place.
        var schema = new DatasetSchema { Columns = [Column(name, "text"), .. HiddenColumns.Columns] };
        var numbered = new LocalDataset(DatasetRef.Of(schema, new DataFile { Key = "t", Rows = 3, Bytes = 1, Sha256 = "", Origin = new RowOrigin { Source = "s@1", Gaps = [new RowGap(1, 5)], Repeats = [new RowRepeat(2, 2)] } }), [path.Path]);
        (await JsonAsync(numbered, new RowQuery { Columns = [.. schema.Columns.Take(3)] })).ShouldBe(
            [$"{{\"{name}\":\"x0\",\"_source\":\"s@1\",\"_row\":1}}", $"{{\"{name}\":\"x1\",\"_source\":\"s@1\",\"_row\":7}}", $"{{\"{name}\":\"x2\",\"_source\":\"s@1\",\"_row\":8}}"]);
        using var session = EngineSession.Open(new EngineOptions { MemoryBytes = 64L << 20, Threads = 1, Scratch = _folder.Path, Paths = [path.Path] });
        session.Query($"SELECT {Sql.Identifier(name)}, _row, _key FROM {DatasetFiles.Relation(numbered)} ORDER BY _row", row => (row.GetString(0), row.GetInt64(1))).ShouldBe([("x0", 1L), ("x1", 7L), ("x2", 8L)]);
    }

    [Fact]
    public async Task Masked_columns_show_only_what_is_missing()
    {
        var dataset = Dataset([Column("id", "int64"), Column("born", "date")], Write("t.parquet", "SELECT i AS id, CASE WHEN i = 0 THEN DATE '2000-01-01' END AS born FROM range(2) t(i)"));
        var query = new RowQuery { Columns = dataset.Schema.Columns, Masked = new HashSet<string> { "born" } };
        (await JsonAsync(dataset, query)).ShouldBe(["{\"id\":0,\"born\":\"•••\"}", "{\"id\":1,\"born\":null}"]);
    }

    [Fact]
    public async Task A_file_without_a_column_that_the_dataset_has_answers_null()
    {
        var dataset = Dataset([Column("a", "int64"), Column("b", "json")], Write("1.parquet", "SELECT 1 AS a, '{}' AS b"), Write("2.parquet", "SELECT 2 AS a"));
        (await JsonAsync(dataset, new RowQuery { Columns = dataset.Schema.Columns })).ShouldBe(["{\"a\":1,\"b\":{}}", "{\"a\":2,\"b\":null}"]);
    }

    [Fact]
    public async Task The_identity_of_a_file_that_came_in_as_it_is_follows_from_its_place()
    {
        var (path, rows) = Write("t.parquet", "SELECT 'v' || i AS name FROM range(3) t(i)");
        var schema = new DatasetSchema { Columns = [Column("name", "text"), .. HiddenColumns.Columns] };
        var file = new DataFile
        {
            Key = "t",
            Rows = rows,
            Bytes = 1,
            Sha256 = "",
            // Record 2 of the source was rejected.
            Origin = new RowOrigin { Source = "crm@abc", Gaps = [new RowGap(1, 1)] },
        };
        var dataset = new LocalDataset(new DatasetRef { Files = [file], Schema = schema, Rows = rows, Bytes = 1 }, [path]);
        var lines = await JsonAsync(dataset, new RowQuery { Columns = schema.Columns });
        lines.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("_row").GetInt64()).ShouldBe([1, 3, 4]);
        lines.ShouldAllBe(line => line.Contains("\"_source\":\"crm@abc\"", StringComparison.Ordinal));

        var copy = _folder.File("copy.parquet");
        using (var reader = RowReader.Open(dataset, _folder.Path))
            await reader.CopyToParquetAsync(new RowQuery { Columns = schema.Columns }, copy, default);
        var again = Dataset(schema.Columns, (copy, rows));
        (await JsonAsync(again, new RowQuery { Columns = schema.Columns })).ShouldBe(lines);
    }

    [Fact]
    public async Task Rejected_rows_are_chosen_by_rule_and_column()
    {
        var dataset = Rejected();
        (await JsonAsync(dataset, Query(dataset) with { Rule = "email" })).Count.ShouldBe(2);
        (await JsonAsync(dataset, Query(dataset) with { Rule = "email", ReasonColumn = "name" })).Count.ShouldBe(1);
        (await JsonAsync(dataset, Query(dataset) with { Rule = "' OR true --" })).Count.ShouldBe(0);
    }

    [Fact]
    public async Task Sensitive_values_are_masked_inside_rejected_rows()
    {
        var dataset = Rejected();
        var masked = string.Concat(await JsonAsync(dataset, Query(dataset) with { MaskInside = new RejectedMask(new HashSet<string> { "name" }) }));
        masked.ShouldNotContain("ann@");
        masked.ShouldContain("Ann");
        masked.ShouldContain("no name");

        var all = string.Concat(await JsonAsync(dataset, Query(dataset) with { MaskInside = new RejectedMask(new HashSet<string>()) }));
        all.ShouldNotContain("Ann");
        all.ShouldNotContain("no name");
        string.Concat(await JsonAsync(dataset, Query(dataset))).ShouldContain("ann@");
    }

    [Fact]
    public async Task A_reader_that_is_told_to_stop_stops()
    {
        var dataset = Dataset([Column("n", "int64")], Write("t.parquet", "SELECT i AS n FROM range(200000) t(i)"));
        using var reader = RowReader.Open(dataset, _folder.Path);
        using var stop = new CancellationTokenSource();
        await Should.ThrowAsync<OperationCanceledException>(async () =>
        {
            await foreach (var row in reader.ReadAsync(new RowQuery { Columns = dataset.Schema.Columns }, stop.Token))
                await stop.CancelAsync();
        });
    }

    [Fact]
    public async Task A_damaged_file_is_reported_as_unreadable()
    {
        var path = _folder.File("bad.parquet");
        await File.WriteAllTextAsync(path, "PAR1 this is not what it seems PAR1");
        var dataset = Dataset([Column("n", "int64")], (path, 1));
        (await Should.ThrowAsync<EngineException>(() => JsonAsync(dataset, new RowQuery { Columns = dataset.Schema.Columns }))).Code.ShouldBe(EngineException.FileUnreadable);
    }

    [Theory]
    [InlineData("id,name\n007,Ann\n008,\n", new[] { "{\"id\":\"007\",\"name\":\"Ann\"}", "{\"id\":\"008\",\"name\":null}" })]
    [InlineData("code;label\n1;\"a;b\"\n", new[] { "{\"code\":\"1\",\"label\":\"a;b\"}" })]
    [InlineData("only\nNO\non\n", new[] { "{\"only\":\"NO\"}", "{\"only\":\"on\"}" })]
    public async Task Reference_data_from_csv_stays_text(string csv, string[] expected)
    {
        var source = _folder.File("in.csv");
        await File.WriteAllTextAsync(source, csv);
        var target = _folder.File("out.parquet");
        var (schema, rows) = await ReferenceData.ImportAsync(ReferenceFormat.Csv, source, target, _folder.Path, default);
        rows.ShouldBe(expected.Length);
        var dataset = Dataset(schema.Columns, (target, rows));
        (await JsonAsync(dataset, new RowQuery { Columns = [.. schema.Columns.Where(column => !column.Hidden)] })).ShouldBe(expected);
    }

    [Theory]
    [InlineData("Countries of the world\nid,name\n1,Ann\n2,Bob\n", "line 2")]
    [InlineData("Countries\nas of 2026\n\nid,name\n1,Ann\n2,Bob\n", "begins only at line")]
    [InlineData("id,name\n1,Ann\n# to be checked\n2,Bob\n", "# look like comments")]
    public async Task Reference_data_is_not_taken_in_without_some_of_its_lines(string csv, string says)
    {
        var source = _folder.File("in.csv");
        await File.WriteAllTextAsync(source, csv);
        var refused = await Should.ThrowAsync<EngineException>(() => ReferenceData.ImportAsync(ReferenceFormat.Csv, source, _folder.File("out.parquet"), _folder.Path, default));
        (refused.Code, refused.Message).ShouldBe(("fileUnreadable", refused.Message));
        refused.Message.ShouldContain(says);
    }

    [Fact]
    public void Reference_data_has_all_lines_of_a_file_or_is_refused()
    {
        var read = 0;
        Gen.Char["ab1,;#"].Array[0, 6].Select(letters => new string(letters)).Array[2, 12].Sample(lines =>
        {
            var source = _folder.File("in.csv");
            File.WriteAllText(source, string.Join('\n', lines));
            try
            {
                var (_, rows) = ReferenceData.ImportAsync(ReferenceFormat.Csv, source, _folder.File("out.parquet"), _folder.Path, default).GetAwaiter().GetResult();
                rows.ShouldBeInRange(lines.Count(line => line.Length > 0) - 1, lines.Length - 1);
                read++;
            }
            catch (EngineException)
            {
                // Refused: lines have differing numbers of fields, are empty, or look like comments.
                var even = lines.Select(line => (line.Count(sign => sign == ','), line.Count(sign => sign == ';'))).Distinct().Count() == 1;
                (even && lines.All(line => line.Length > 0 && !line.Contains('#', StringComparison.Ordinal))).ShouldBeFalse(string.Join('\n', lines));
            }
        }, iter: 60, threads: 1);
        read.ShouldBeGreaterThan(0);
    }

    [Theory]
    [InlineData("a,b\r\n\"1\r\n2\",3\r\n\r\n4,\"5 \"\"6\"\"\"\r\n", 2)]
    [InlineData("a,b\n5\" pipe,1\n6\" pipe,2", 2)]
    [InlineData("only\n\"x\ny\"\nz\n", 2)]
    public async Task Reference_data_with_quotes_is_counted_as_it_is_read(string csv, long expected)
    {
        var source = _folder.File("in.csv");
        await File.WriteAllTextAsync(source, csv);
        (await ReferenceData.ImportAsync(ReferenceFormat.Csv, source, _folder.File("out.parquet"), _folder.Path, default)).Rows.ShouldBe(expected);
    }

    [Fact]
    public async Task Reference_data_from_parquet_gets_our_types()
    {
        var (source, _) = Write("in.parquet", "SELECT 1::SMALLINT AS a, uuid() AS b, 'x' AS _key, [1::TINYINT] AS c");
        var target = _folder.File("out.parquet");
        var (schema, rows) = await ReferenceData.ImportAsync(ReferenceFormat.Parquet, source, target, _folder.Path, default);
        rows.ShouldBe(1);
        schema.Columns.Where(column => !column.Hidden).Select(column => (column.Name, column.Type)).ShouldBe([("a", "int64"), ("b", "text"), ("c", "list(int64)")]);
    }

    [Theory]
    [InlineData(ReferenceFormat.Parquet, "id,name\n1,a\n")]
    [InlineData(ReferenceFormat.Parquet, "")]
    [InlineData(ReferenceFormat.Csv, "")]
    public async Task Reference_data_of_another_format_is_refused(ReferenceFormat format, string content)
    {
        var source = _folder.File("in.any");
        await File.WriteAllTextAsync(source, content);
        await Should.ThrowAsync<EngineException>(() => ReferenceData.ImportAsync(format, source, _folder.File("out.parquet"), _folder.Path, default));
    }

    private LocalDataset Rejected() => Dataset(
        [Column("_row", "int64"), Column("ingested", "text"), Column("rejected", "text"), Column("reasons", "text")],
        Write("r.parquet", """
            SELECT * FROM (VALUES
              (1::BIGINT, '{"name":"Ann","email":"ann@"}', '{"name":"Ann","email":"ann@"}', '[{"rule":"email","column":"email","value":"ann@","message":"\"ann@\" is no address"}]'),
              (2::BIGINT, '{"name":null,"email":"x"}', '{"name":null,"email":"x"}', '[{"rule":"email","column":"email","value":"x","message":"x"},{"rule":"notNull","column":"name","value":null,"message":"no name"}]'))
              AS t(_row, ingested, rejected, reasons)
            """));

    private static RowQuery Query(LocalDataset dataset) => new() { Columns = dataset.Schema.Columns };

    private static DatasetColumn Column(string name, string type) => new() { Name = name, Type = type };

    private (string Path, long Rows) Write(string name, string query)
    {
        var path = _folder.File(name);
        using var session = _folder.Open();
        return (path, session.Execute($"COPY ({query}) TO {Sql.Literal(path)} (FORMAT parquet, ROW_GROUP_SIZE 2048)"));
    }

    private static LocalDataset Dataset(IReadOnlyList<DatasetColumn> columns, params (string Path, long Rows)[] files) => new(
        new DatasetRef
        {
            Files = [.. files.Select(file => new DataFile { Key = file.Path, Rows = file.Rows, Bytes = 1, Sha256 = "" })],
            Schema = new DatasetSchema { Columns = columns },
            Rows = files.Sum(file => file.Rows),
            Bytes = files.Length,
        },
        [.. files.Select(file => file.Path)]);

    private async Task<List<string>> JsonAsync(LocalDataset dataset, RowQuery query)
    {
        using var reader = RowReader.Open(dataset, _folder.Path);
        var lines = new List<string>();
        await foreach (var row in reader.ReadAsync(query, default))
        {
            var buffer = new ArrayBufferWriter<byte>();
            await using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
                row.WriteJson(json);
            lines.Add(Encoding.UTF8.GetString(buffer.WrittenSpan));
        }
        return lines;
    }
}
