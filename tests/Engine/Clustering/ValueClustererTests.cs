using Qualiz.Contracts.Data;
using Qualiz.Engine.Clustering;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Kernels.Similarity;

namespace Qualiz.Engine.Tests.Clustering;

public sealed class ValueClustererTests : IDisposable
{
    private readonly ScratchFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(ClusterMethod.Fingerprint, "Doe, John|john doe|JOHN  DOE.|Jöhn Doe", "Johnny Doe")]
    [InlineData(ClusterMethod.Ngram, "Krzysztof|krzy sztof|Krzysztof!|KRZYSZTOF", "Krystof")]
    [InlineData(ClusterMethod.Phonetic, "Robert Meyer|Rupert Meier", "Roger Meyer")]
    [InlineData(ClusterMethod.Nearest, "Birmingham|Birmingam|Brimingham|BIRMINGHAM", "Buckingham")]
    [InlineData(ClusterMethod.Fingerprint, "naïve café|cafe naive", "naive")]
    [InlineData(ClusterMethod.Fingerprint, "東京 都|東京  都", "京都")]
    public void Spellings_of_one_value_are_together_and_another_value_is_not(ClusterMethod method, string one, string other)
    {
        var values = one.Split('|').Append(other).Select((value, i) => new ClusteredValue(value, 10 - i)).ToList();
        var cluster = ValueClusterer.Find(values, method, []).ShouldHaveSingleItem();
        cluster.Values.Select(value => value.Value).ShouldBe(one.Split('|'));
        (cluster.Suggested, cluster.Rows).ShouldBe((one.Split('|')[0], cluster.Values.Sum(value => value.Rows)));
    }

    [Theory]
    [InlineData(ClusterMethod.Nearest, "12 Main Street", "13 Main Street")]
    [InlineData(ClusterMethod.Nearest, "Bath", "Bash")]
    [InlineData(ClusterMethod.Fingerprint, "...", "!!!")]
    [InlineData(ClusterMethod.Ngram, "", " ")]
    [InlineData(ClusterMethod.Phonetic, "12", "13")]
    [InlineData(ClusterMethod.Fingerprint, "कि", "का")]
    [InlineData(ClusterMethod.Fingerprint, "कु", "क")]
    [InlineData(ClusterMethod.Fingerprint, "か", "が")]
    public void What_only_looks_alike_stays_apart(ClusterMethod method, string one, string other) =>
        ValueClusterer.Find([new(one, 5), new(other, 3)], method, []).ShouldBeEmpty();

    [Fact]
    public void Nobody_is_taken_for_a_value_that_is_near_only_by_way_of_another()
    {
        // Each is one letter from the next; the frequent one in the middle takes its neighbours alone.
        var clusters = ValueClusterer.Find([new("marina", 2), new("marine", 90), new("martine", 3), new("martinez", 80)], ClusterMethod.Nearest, []);
        clusters.Select(cluster => string.Join('|', cluster.Values.Select(value => value.Value))).ShouldBe(["marine|martine|marina"]);
    }

    [Fact]
    public void Every_pair_of_near_texts_is_found_but_for_very_long_ones_with_several_swaps_and_none_that_is_not_near()
    {
        var random = new Random(7);
        var texts = new HashSet<string>(StringComparer.Ordinal);
        while (texts.Count < 1500)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(1, 45)).Select(_ => "abcd "[random.Next(5)]));
            texts.Add(text);
            for (var i = 0; i < 3; i++)
                texts.Add(text = Edited(text, random));
        }
        string[] all = [.. texts];
        var (near, certain) = (new List<(int, int)>(), new List<(int, int)>());
        for (var i = 0; i < all.Length; i++)
        {
            for (var j = i + 1; j < all.Length; j++)
            {
                var allowed = NearestValues.Allowed(Math.Min(all[i].Length, all[j].Length));
                if (EditDistance.Osa(all[i], all[j]) > allowed)
                    continue;
                near.Add((i, j));
                // A swap is two errors to it.
                if (Math.Min(all[i].Length, all[j].Length) < NearestValues.VeryLong || Levenshtein(all[i], all[j]) <= allowed + 1)
                    certain.Add((i, j));
            }
        }
        certain.Count.ShouldBeGreaterThan(1000);
        var found = new NearestValues(all).Pairs(default);
        certain.Except(found).Select(Told).ShouldBeEmpty("not found");
        found.Except(near).Select(Told).ShouldBeEmpty("not near");
        found.ShouldBeUnique();

        string Told((int A, int B) pair) => $"{all[pair.A]}|{all[pair.B]}";
    }

    [Theory]
    [InlineData(ClusterMethod.Fingerprint)]
    [InlineData(ClusterMethod.Ngram)]
    [InlineData(ClusterMethod.Phonetic)]
    [InlineData(ClusterMethod.Nearest)]
    public void The_result_does_not_depend_on_the_order_of_the_values(ClusterMethod method)
    {
        var random = new Random(3);
        string[] names = ["Copenhagen", "Kopenhagen", "copenhagen ", "Copenhague", "Kobenhavn", "København", "Aarhus", "Århus", "Aarhuus", "Odense", "Odenes"];
        var values = names.Select(name => new ClusteredValue(name, random.Next(1, 4))).ToArray();
        var first = Told(values);
        for (var i = 0; i < 20; i++)
        {
            random.Shuffle(values);
            Told(values).ShouldBe(first);
        }

        string Told(IEnumerable<ClusteredValue> all) => string.Join('\n', ValueClusterer.Find(all, method, []).Select(cluster => string.Join('|', cluster.Values)));
    }

    [Fact]
    public async Task A_columns_values_are_counted_and_the_clusters_with_the_most_rows_to_change_come_first()
    {
        var path = _folder.File("t.parquet");
        long rows;
        using (var session = _folder.Open(paths: path))
            rows = await DatasetFiles.WriteAsync(session, "SELECT unnest(['Oslo', 'Oslo', 'oslo', 'Bergen', 'BERGEN', 'bergen', 'Bergen', 'Bergen', 'Voss', NULL]) AS \"the city\"", path, default);
        var dataset = new DatasetRef
        {
            Files = [new DataFile { Key = "t", Rows = rows, Bytes = 1, Sha256 = "", Origin = new RowOrigin { Source = "t@1" } }],
            Schema = new DatasetSchema { Columns = [new DatasetColumn { Name = "the city", Type = "text" }, .. HiddenColumns.Columns] },
            Rows = rows,
            Bytes = 1,
        };
        var found = await ValueClusterer.FindAsync(new LocalDataset(dataset, [path]), "the city", ClusterMethod.Fingerprint, 1, _folder.Path, default);
        (found.Distinct, found.Found).ShouldBe((6, 2));
        found.Clusters.ShouldHaveSingleItem().Values.ShouldBe([new("Bergen", 3), new("BERGEN", 1), new("bergen", 1)]);
        found.Limits.ShouldBeEmpty();
    }

    private static int Levenshtein(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)));
        }
        return row[^1];
    }

    private static string Edited(string text, Random random)
    {
        var at = random.Next(text.Length);
        return random.Next(4) switch
        {
            0 => text.Insert(at, "x"),
            1 when text.Length > 1 => text.Remove(at, 1),
            2 when at + 1 < text.Length => $"{text[..at]}{text[at + 1]}{text[at]}{text[(at + 2)..]}",
            _ => $"{text[..at]}y{text[(at + 1)..]}",
        };
    }
}
