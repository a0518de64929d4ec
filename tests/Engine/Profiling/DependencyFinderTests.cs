using Qualiz.Contracts.Data;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Profiling.Dependencies;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Tests.Profiling;

public sealed class DependencyFinderTests : IDisposable
{
    // Towns by post code with a mistake in one row of a hundred, a price by product and country, a room by building, floor and side; the rest says nothing about anything.
    private const string Planted = """
        SELECT i AS id, zip, CASE WHEN i % 100 = 7 THEN 'Elsewhere' ELSE 'Town ' || zip // 3 END AS town, ['North', 'South', 'East'][1 + zip // 3 % 3] AS region,
            product, country, CASE WHEN i % 250 = 3 THEN 1.5::DOUBLE ELSE (product * 7 + country_no * 13) % 89 + 0.25 END AS price,
            building, floor, side, CAST(hash(building * 10000 + floor * 100 + side) % 12 AS BIGINT) AS room,
            hash(i + 5) % 2 = 0 AS flag, CASE WHEN hash(i + 6) % 50 = 0 THEN 'rare' ELSE 'usual' END AS mostly, 'n' || hash(i + 7) % (9 * rows // 10) AS nearly, CAST(NULL AS VARCHAR) AS nothing
        FROM (
            SELECT range AS i, CAST(hash(range) % 300 AS BIGINT) AS zip, CAST(hash(range + 1) % 40 AS BIGINT) AS product, CAST(hash(range + 2) % 6 AS BIGINT) AS country_no, 'C' || CAST(hash(range + 2) % 6 AS BIGINT) AS country,
                CAST(hash(range + 3) % 9 AS BIGINT) AS building, CAST(hash(range + 4) % 8 AS BIGINT) AS floor, CAST(hash(range + 8) % 7 AS BIGINT) AS side, {0} AS rows
            FROM range({0}))
        """;

    private readonly ScratchFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(20_000)]
    [InlineData(200_000)]
    public async Task What_one_two_or_three_columns_say_is_found_and_nothing_else(int rows)
    {
        var found = await FindAsync(Planted.Replace("{0}", $"{rows}", StringComparison.Ordinal));

        found.Select(Say).Order(StringComparer.Ordinal).ShouldBe(["building+floor+side -> room", "product+country -> price", "town -> region", "zip -> region", "zip -> town"], ignoreOrder: true);
        var town = found.Single(dependency => Say(dependency) == "zip -> town");
        (town.Groups, town.Rows, town.Violations, town.ViolatingGroups).ShouldBe((300, rows, rows / 100, town.ViolatingGroups));
        town.Confidence.ShouldBe(0.99, 0.0001);
        town.Examples.Count.ShouldBe(5);
        town.Examples[0].Right.Select(value => value.Value).ShouldBe([$"Town {int.Parse(town.Examples[0].Left[0], System.Globalization.CultureInfo.InvariantCulture) / 3}", "Elsewhere"]);
        town.Examples[0].Right.Sum(value => value.Rows).ShouldBe(town.Examples[0].Rows);
        var price = found.Single(dependency => Say(dependency) == "product+country -> price");
        (price.Groups, price.Violations).ShouldBe((240, rows / 250));
    }

    [Fact]
    public async Task Neither_the_order_of_the_rows_nor_threads_change_anything()
    {
        var rows = Planted.Replace("{0}", "60000", StringComparison.Ordinal);

        var found = await FindAsync(rows, threads: 1);

        Write(await FindAsync($"SELECT * FROM ({rows}) ORDER BY hash(id)", threads: 2)).ShouldBe(Write(found));
        found.Count.ShouldBeGreaterThan(4);
    }

    [Fact]
    public async Task A_left_side_that_is_hardly_ever_repeated_says_nothing()
    {
        // Names repeat now and then, and then their rows agree: there are too few of them to tell a dependency by.
        var found = await FindAsync("SELECT CASE WHEN i % 10 = 0 THEN i // 20 ELSE i + 100000 END AS name, i // 20 % 50 AS city FROM (SELECT range AS i FROM range(20000))");

        found.ShouldNotContain(dependency => dependency.Left.SequenceEqual(new[] { "name" }));
    }

    [Fact]
    public async Task Few_rows_prove_nothing() =>
        (await FindAsync("SELECT i % 10 AS a, i % 10 % 5 AS b FROM (SELECT range AS i FROM range(25))")).ShouldBeEmpty();

    [Fact]
    public async Task Empty_cells_say_nothing_for_or_against()
    {
        var found = await FindAsync("SELECT i % 40 AS a, CASE WHEN i % 3 = 0 THEN ' ' WHEN i % 3 = 1 THEN NULL ELSE 'b' || i % 20 END AS b FROM (SELECT range AS i FROM range(3000))");

        found.Select(Say).ShouldBe(["a -> b"]);
        (found[0].Rows, found[0].Violations).ShouldBe((1000, 0));
    }

    [Fact]
    public async Task Rows_that_are_there_many_times_are_all_counted()
    {
        var found = await FindAsync("SELECT i % 30 AS a, i % 30 % 10 AS b, i % 7 AS c FROM (SELECT range AS i FROM range(1000000))");

        found.Select(Say).ShouldBe(["a -> b"]);
        found[0].Rows.ShouldBe(1_000_000);
    }

    [Fact]
    public async Task Of_sensitive_columns_no_value_is_shown()
    {
        var found = await FindAsync(Planted.Replace("{0}", "20000", StringComparison.Ordinal), sensitive: "town");

        found.Single(dependency => Say(dependency) == "zip -> town").ShouldSatisfyAllConditions(town => town.Examples.ShouldBeEmpty(), town => town.Violations.ShouldBe(200));
        found.Single(dependency => Say(dependency) == "product+country -> price").Examples.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task A_dataset_of_one_column_or_no_row_has_none()
    {
        (await FindAsync("SELECT range AS a FROM range(1000)")).ShouldBeEmpty();
        (await FindAsync("SELECT range AS a, range AS b FROM range(0)")).ShouldBeEmpty();
    }

    private static string Say(ColumnDependency dependency) => $"{string.Join('+', dependency.Left)} -> {dependency.Right}";

    private static string Write(IReadOnlyList<ColumnDependency> found) => System.Text.Json.JsonSerializer.Serialize(found);

    private async Task<IReadOnlyList<ColumnDependency>> FindAsync(string query, int threads = 2, string? sensitive = null)
    {
        var path = _folder.File($"{Guid.NewGuid():N}.parquet");
        long rows;
        DatasetSchema schema;
        using (var session = _folder.Open(paths: path))
        {
            schema = DatasetFiles.Describe(session, query);
            rows = await DatasetFiles.WriteAsync(session, query, path, CancellationToken.None);
        }
        schema = schema with { Columns = [.. schema.Columns.Select(column => column with { Sensitivity = column.Name == sensitive ? "personal" : null })] };
        var dataset = new DatasetRef { Files = [new DataFile { Key = "t", Rows = rows, Bytes = 1, Sha256 = "" }], Schema = schema, Rows = rows, Bytes = 1 };
        return await DependencyFinder.FindAsync(
            new LocalDataset(dataset, [path]), new EngineOptions { MemoryBytes = 512L << 20, Threads = threads, Scratch = _folder.Path }, CancellationToken.None);
    }
}
