using Qualiz.Engine.Types;

namespace Qualiz.Engine.Tests.Types;

public sealed class ColumnTypeTests : IDisposable
{
    private readonly ScratchFolder _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData("text", "VARCHAR")]
    [InlineData("bool", "BOOLEAN")]
    [InlineData("int64", "BIGINT")]
    [InlineData("decimal(18,2)", "DECIMAL(18,2)")]
    [InlineData("decimal(38,10)", "DECIMAL(38,10)")]
    [InlineData("double", "DOUBLE")]
    [InlineData("date", "DATE")]
    [InlineData("time", "TIME")]
    [InlineData("timestamp", "TIMESTAMP")]
    [InlineData("timestamptz", "TIMESTAMP WITH TIME ZONE")]
    [InlineData("json", "JSON")]
    [InlineData("list(int64)", "BIGINT[]")]
    [InlineData("list(list(text))", "VARCHAR[][]")]
    [InlineData("struct(a int64, \"odd \"\"name\" list(decimal(10,2)))", "STRUCT(\"a\" BIGINT, \"odd \"\"name\" DECIMAL(10,2)[])")]
    public void A_type_has_two_spellings(string wire, string duck)
    {
        var type = ColumnType.Parse(wire);
        type.DuckDb.ShouldBe(duck);
        type.ToString().ShouldBe(wire);
        ColumnType.FromDuckDb(duck).ShouldBe(type);

        using var session = _scratch.Open();
        var described = session.Query($"DESCRIBE SELECT CAST(NULL AS {duck}) AS x", row => row.GetString(1));
        ColumnType.FromDuckDb(described.Single()).ShouldBe(type);
    }

    [Theory]
    [InlineData("int")]
    [InlineData("decimal")]
    [InlineData("decimal(39,0)")]
    [InlineData("decimal(5,6)")]
    [InlineData("list()")]
    [InlineData("struct()")]
    [InlineData("text text")]
    [InlineData("")]
    [InlineData("list(text")]
    public void What_is_no_type_is_refused(string wire) => Should.Throw<FormatException>(() => ColumnType.Parse(wire));

    [Fact]
    public void Endless_nesting_is_refused() =>
        Should.Throw<FormatException>(() => ColumnType.Parse(string.Concat(Enumerable.Repeat("list(", 100_000))));

    [Theory]
    [InlineData("INTEGER", "int64")]
    [InlineData("UBIGINT", "decimal(20,0)")]
    [InlineData("FLOAT", "double")]
    [InlineData("UUID", "text")]
    [InlineData("ENUM('a', 'it''s')", "text")]
    [InlineData("INTEGER[3]", "list(int64)")]
    [InlineData("STRUCT(a SMALLINT, b UUID[])", "struct(a int64, b list(text))")]
    public void A_foreign_type_has_a_nearest_one(string duck, string wire)
    {
        ColumnType.FromDuckDb(duck).ShouldBeNull();
        ColumnType.NearestTo(duck).ShouldBe(ColumnType.Parse(wire));
    }

    [Theory]
    [InlineData("BLOB")]
    [InlineData("INTERVAL")]
    [InlineData("MAP(VARCHAR, INTEGER)")]
    [InlineData("TIMESTAMP_NS")]
    public void What_no_type_of_ours_holds_exactly_has_none(string duck) => ColumnType.NearestTo(duck).ShouldBeNull();
}
