using CsCheck;
using Qualiz.Engine.Recipes;

namespace Qualiz.Engine.Tests.Recipes;

public sealed class RowExpressionTests : IDisposable
{
    private static readonly string[] Columns = ["a", "b", "weird \"name\"", "address"];
    private readonly RecipeBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData("a")]
    [InlineData("A = 'x' AND b IS NOT NULL")]
    [InlineData("\"weird \"\"name\"\"\" || lower(a)")]
    [InlineData("address.city = 'Oslo'")]
    [InlineData("CASE WHEN a LIKE 'x%' THEN 1 ELSE 2 END + CAST(b AS INTEGER)")]
    [InlineData("a BETWEEN 'a' AND 'b' OR b IN (1, 2, 3)")]
    [InlineData("coalesce(a, 'it''s -- no comment')")]
    [InlineData("a -- a comment")]
    [InlineData("/* also */ a")]
    [InlineData("regexp_matches(a, '^x')")]
    [InlineData("try_cast(a AS DATE) > DATE '2020-01-01'")]
    [InlineData("(a || b) || a")]
    [InlineData("NOT (a = b)")]
    [InlineData("b + INTERVAL 1 DAY")]
    [InlineData("[a, b][1]")]
    public void Expressions_over_the_row_are_let_through(string expression) =>
        RowExpression.Check(_bench.Session, expression, Columns, "where").Sql.ShouldContain(expression);

    [Theory]
    [InlineData("")]
    [InlineData("a, b")]
    [InlineData("a AS c")]
    [InlineData("a) + (b")]
    [InlineData("a) FROM secrets WHERE (true")]
    [InlineData("a FROM secrets")]
    [InlineData("a; DROP TABLE t")]
    [InlineData("a); DROP TABLE t; SELECT (a")]
    [InlineData("a UNION SELECT 1")]
    [InlineData("a) UNION SELECT (1")]
    [InlineData("(SELECT 1)")]
    [InlineData("a IN (SELECT b FROM secrets)")]
    [InlineData("EXISTS (SELECT 1)")]
    [InlineData("(FROM read_csv('/etc/passwd'))")]
    [InlineData("read_text('/etc/passwd')")]
    [InlineData("getenv('HOME')")]
    [InlineData("current_setting('secret_directory')")]
    [InlineData("getvariable('x')")]
    [InlineData("nextval('s')")]
    [InlineData("random()")]
    [InlineData("now()")]
    [InlineData("current_date")]
    [InlineData("repeat(a, 1000000000)")]
    [InlineData("sum(a)")]
    [InlineData("count(*)")]
    [InlineData("max(a) OVER ()")]
    [InlineData("row_number() OVER ()")]
    [InlineData("*")]
    [InlineData("COLUMNS('a')")]
    [InlineData("unnest([1, 2])")]
    [InlineData("$1")]
    [InlineData("?")]
    [InlineData("#1")]
    [InlineData("a::mytype")]
    [InlineData("list_transform([a], lambda x: x)")]
    [InlineData("system.main.lower(a)")]
    [InlineData("other.lower(a)")]
    [InlineData("a ORDER BY a")]
    [InlineData("a LIMIT 1")]
    [InlineData("a WHERE true")]
    [InlineData("a GROUP BY a")]
    [InlineData("DISTINCT a")]
    [InlineData("ATTACH 'x'")]
    [InlineData("PRAGMA version")]
    [InlineData("COPY t TO 'x'")]
    [InlineData("a /* unclosed")]
    [InlineData("'unclosed")]
    [InlineData("a\0b")]
    public void Anything_else_is_refused(string expression) =>
        Should.Throw<RecipeException>(() => RowExpression.Check(_bench.Session, expression, Columns, "where")).Path.ShouldBe("where");

    [Fact]
    public void Deep_and_long_expressions_are_refused()
    {
        foreach (var expression in (string[])[string.Concat(Enumerable.Repeat("lower(", 300)) + "a" + new string(')', 300), string.Join(" + ", Enumerable.Repeat("a", 900)), new string('a', 10_001)])
            Should.Throw<RecipeException>(() => RowExpression.Check(_bench.Session, expression, Columns, "where"));
    }

    [Fact]
    public void Any_text_is_let_through_only_as_one_expression_of_known_parts()
    {
        // Whatever passes must behave as one value where it is spliced in: one column, of one row.
        var token = Any<string>("a", "b", "(", ")", ",", ";", "--", "/*", "*/", "'", "\"", "SELECT", "FROM", "t", "UNION", "1", "+", "AND", "AS", "lower(", "read_text(", "'x'", "\n", " ", "::", "[", "]", "{", "}", ".", "CASE", "WHEN", "THEN", "END", "$$");
        token.Array[1, 12].Select(parts => string.Join(' ', parts)).Sample(
            expression =>
            {
                string sql;
                try
                {
                    sql = RowExpression.Check(_bench.Session, expression, ["a", "b"], "where").Sql;
                }
                catch (RecipeException)
                {
                    return;
                }
                try
                {
                    _bench.Session.Query($"DESCRIBE SELECT {sql} AS result, 1 AS other FROM (SELECT 'x' AS a, 'y' AS b)", row => row.GetString(0)).ShouldBe(["result", "other"]);
                }
                catch (Qualiz.Engine.Sessions.EngineException exception)
                {
                    // Types that do not fit are found when the recipe is bound; the structure held.
                    exception.Code.ShouldBeOneOf(Qualiz.Engine.Sessions.EngineException.InvalidSql, Qualiz.Engine.Sessions.EngineException.CastFailed);
                }
            },
            iter: 1500, threads: 1);
    }

    private static Gen<T> Any<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);
}
