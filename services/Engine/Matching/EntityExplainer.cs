using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Matching;

/// <summary>Why some rows are one entity and others are not among them. Holds what was compared and what it says, no values but keys.</summary>
public sealed record EntityExplanation
{
    public required string Entity { get; init; }

    /// <summary>Its rows in this run.</summary>
    public required long Size { get; init; }

    /// <summary>Those rows, at most <see cref="EntityExplainer.MostMembers"/>.</summary>
    public required IReadOnlyList<EntityMember> Members { get; init; }

    /// <summary>The strongest pairs that hold the members together, each member tied by one of them to the others as far as likeness does it, the strongest first. Rows that are equal in all that is compared have none, nor has what keys or people tie.</summary>
    public required IReadOnlyList<ExplainedPair> Links { get; init; }

    /// <summary>The last of <see cref="Links"/>: without it the entity would be two. Null: no likeness holds it.</summary>
    public ExplainedPair? Weakest { get; init; }

    /// <summary>Pairs of members that speak against each other, those that do it most first.</summary>
    public required IReadOnlyList<ExplainedPair> Against { get; init; }

    /// <summary>Other pairs of members, the strongest first.</summary>
    public required IReadOnlyList<ExplainedPair> Others { get; init; }

    /// <summary>Likely pairs of a member with a row elsewhere, and why that is not here, the strongest first.</summary>
    public required IReadOnlyList<CutPair> Cut { get; init; }

    /// <summary>What people decided about the members, as far as it holds now.</summary>
    public required IReadOnlyList<EntityDecision> Decisions { get; init; }

    /// <summary>There are more pairs than are told here.</summary>
    public required bool Truncated { get; init; }
}

/// <summary>A row of a source.</summary>
public sealed record EntityRow(string Source, long Row, string Key);

/// <param name="Score">The average probability of its pairs with other members.</param>
/// <param name="LinkedBy">model, key, steward; null: it is alone.</param>
public sealed record EntityMember(string Source, long Row, string Key, double Score, string? LinkedBy);

/// <param name="Weight">The evidence, log2 of the odds: the sum of the weights of its fields.</param>
/// <param name="Block">What brought the two together; null: others that are in one entity with them.</param>
public sealed record ExplainedPair(EntityRow Left, EntityRow Right, double Weight, double Probability, string? Block, IReadOnlyList<ExplainedField> Fields);

/// <param name="Level">0 unlike, the highest equal; -1: a side is empty; null: it is not of a column.</param>
/// <param name="Weight">What it adds to the pair's evidence, in bits.</param>
/// <param name="Tf">Of that, what an equal value weighs more or less than equal values of the column do in general.</param>
public sealed record ExplainedField(string Name, long? Level, double? Similarity, double Weight, double? Tf);

/// <param name="Entity">The other row's.</param>
/// <param name="Why">steward: people said that they are different. pair: there is no other pair between the two entities, and this one was not likely enough or the row had a better partner. average: of all pairs between the two entities, most are less likely.</param>
/// <param name="Between">How many pairs of rows the two entities have between them.</param>
/// <param name="Likely">How many of these are told of, being likely enough at least to be looked at.</param>
/// <param name="Average">Their probabilities on average, those that are not told of counting as 0.</param>
public sealed record CutPair(string Entity, string Why, long Between, long Likely, double Average, ExplainedPair Pair);

/// <param name="Decision">match: people said that the rows are the same as others. different: that the two are not.</param>
public sealed record EntityDecision(string Decision, IReadOnlyList<EntityRow> Rows);

/// <summary>Explains entities out of what a matching step wrote: its ports <c>members</c> and <c>pairs</c>.</summary>
public static class EntityExplainer
{
    public const int MostMembers = 1_000;

    /// <summary>Pairs of each kind.</summary>
    public const int MostPairs = 200;

    /// <summary>Pairs that are looked at.</summary>
    private const int MostRead = 100_000;

    /// <summary>What it may take.</summary>
    public const long MemoryBytes = 256L << 20;

    /// <summary>Whether these are the ports of a matching step.</summary>
    public static bool CanExplain(Contracts.Data.DatasetSchema members, Contracts.Data.DatasetSchema pairs)
    {
        ArgumentNullException.ThrowIfNull(members);
        ArgumentNullException.ThrowIfNull(pairs);
        return EntityTables.MemberSchema.Columns.All(column => members.Find(column.Name) is not null) && EntityTables.PairSchema.Columns.All(column => pairs.Find(column.Name) is not null);
    }

    /// <param name="entity">Its id, or the number of one of its rows, or a source with such a number (crm:12).</param>
    /// <returns>Null: there is none.</returns>
    public static async Task<EntityExplanation?> ExplainAsync(LocalDataset members, LocalDataset pairs, string entity, EngineOptions options, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(members);
        ArgumentNullException.ThrowIfNull(pairs);
        ArgumentNullException.ThrowIfNull(entity);
        ArgumentNullException.ThrowIfNull(options);
        using var session = EngineSession.Open(options with { Paths = [.. members.Paths, .. pairs.Paths] });
        var memberRows = DatasetFiles.Relation(members);
        if (await FindAsync(session, memberRows, entity, ct).ConfigureAwait(false) is not { } id)
            return null;
        var rows = await session.QueryAsync(
            $"SELECT _source, _row, _key, source, score, linked_by FROM {memberRows} WHERE entity_id = {Sql.Literal(id)} ORDER BY _source, _row",
            row => (At: new EntityRow(row.GetString(0), row.GetInt64(1), row.GetString(2)), Source: row.GetString(3), Score: row.GetDouble(4), LinkedBy: row.IsDBNull(5) ? null : row.GetString(5)), ct).ConfigureAwait(false);
        var of = $"(SELECT _source, _row, entity_id FROM {memberRows})";
        var found = await session.QueryAsync(
            $"""
            SELECT p.left_source, p.left_row, p.left_key, p.right_source, p.right_row, p.right_key, p.weight, p.probability, p.block, CAST(to_json(p.fields) AS VARCHAR), p.decided_by, l.entity_id, r.entity_id, count(*) OVER ()
            FROM {DatasetFiles.Relation(pairs)} p LEFT JOIN {of} l ON l._source = p.left_source AND l._row = p.left_row LEFT JOIN {of} r ON r._source = p.right_source AND r._row = p.right_row
            WHERE l.entity_id = {Sql.Literal(id)} OR r.entity_id = {Sql.Literal(id)}
            ORDER BY p.weight DESC, p.left_source, p.left_row, p.right_source, p.right_row LIMIT {MostRead.ToString(CultureInfo.InvariantCulture)}
            """, Read, ct).ConfigureAwait(false);
        var inside = found.Where(pair => pair.LeftEntity == id && pair.RightEntity == id).ToList();
        var (links, others) = Tie(inside);
        var against = others.Where(pair => pair.Pair.Weight < 0).Reverse().ToList();
        others.RemoveAll(pair => pair.Pair.Weight < 0);
        // A row of an earlier batch is in no entity of this run's.
        var outside = found.Where(pair => pair.LeftEntity != pair.RightEntity).ToList();
        var cut = await CutAsync(session, memberRows, id, rows.Count, outside, ct).ConfigureAwait(false);
        var joined = rows.Where(row => row.LinkedBy == Steward).Select(row => row.At).ToList();
        return new EntityExplanation
        {
            Entity = id,
            Size = rows.Count,
            Members = [.. rows.Take(MostMembers).Select(row => new EntityMember(row.At.Source, row.At.Row, row.At.Key, row.Score, row.LinkedBy))],
            Links = Some(links),
            Weakest = links.Count == 0 ? null : links[^1].Pair,
            Against = Some(against),
            Others = Some(others),
            Cut = [.. cut.Take(MostPairs)],
            Decisions =
            [
                .. joined.Count == 0 ? [] : new[] { new EntityDecision("match", [.. joined.Take(MostMembers)]) },
                .. outside.Where(pair => pair.DecidedBy == Steward).Take(MostPairs).Select(pair => new EntityDecision("different", [pair.Pair.Left, pair.Pair.Right])),
            ],
            Truncated = rows.Count > MostMembers || (found.Count > 0 && found[0].All > found.Count) || new[] { links.Count, against.Count, others.Count, cut.Count }.Max() > MostPairs,
        };

        static IReadOnlyList<ExplainedPair> Some(List<FoundPair> pairs) => [.. pairs.Take(MostPairs).Select(pair => pair.Pair)];
    }

    private const string Steward = "steward";

    private sealed record FoundPair(ExplainedPair Pair, string? DecidedBy, string? LeftEntity, string? RightEntity, long All);

    private static async Task<string?> FindAsync(EngineSession session, string members, string entity, CancellationToken ct)
    {
        var known = await session.QueryAsync($"SELECT entity_id FROM {members} WHERE entity_id = {Sql.Literal(entity)} LIMIT 1", row => row.GetString(0), ct).ConfigureAwait(false);
        if (known.Count == 0 && long.TryParse(entity[(entity.LastIndexOf(':') + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            var source = entity.LastIndexOf(':') is > 0 and var end ? $" AND source = {Sql.Literal(entity[..end])}" : "";
            known = await session.QueryAsync($"SELECT entity_id FROM {members} WHERE \"row\" = {number.ToString(CultureInfo.InvariantCulture)}{source} ORDER BY source LIMIT 1", row => row.GetString(0), ct).ConfigureAwait(false);
        }
        return known.Count == 0 ? null : known[0];
    }

    /// <summary>The strongest pairs that tie all rows together (a greatest spanning forest; J. B. Kruskal, 1956), and the others, both in their order.</summary>
    private static (List<FoundPair> Links, List<FoundPair> Others) Tie(List<FoundPair> pairs)
    {
        var places = new Dictionary<(string, long), int>();
        int Place(EntityRow row) => places.TryGetValue((row.Source, row.Row), out var place) ? place : places[(row.Source, row.Row)] = places.Count;
        var ends = pairs.ConvertAll(pair => (Left: Place(pair.Pair.Left), Right: Place(pair.Pair.Right)));
        var sets = new UnionFind(places.Count);
        var (links, others) = (new List<FoundPair>(), new List<FoundPair>());
        foreach (var (pair, (left, right)) in pairs.Zip(ends))
        {
            // What is unlikely holds nothing together.
            var isLink = pair.Pair.Weight > 0 && sets.Find(left) != sets.Find(right);
            if (isLink)
                sets.Union(left, right);
            (isLink ? links : others).Add(pair);
        }
        return (links, others);
    }

    private static async Task<List<CutPair>> CutAsync(EngineSession session, string members, string id, long size, List<FoundPair> outside, CancellationToken ct)
    {
        string OtherOf(FoundPair pair) => (pair.LeftEntity == id ? pair.RightEntity : pair.LeftEntity) ?? "";
        var names = outside.Select(OtherOf).Where(name => name.Length > 0).Distinct(StringComparer.Ordinal).ToList();
        var sizes = names.Count == 0 ? [] : (await session.QueryAsync(
            $"SELECT entity_id, count(*) FROM {members} WHERE entity_id IN ({string.Join(", ", names.Select(Sql.Literal))}) GROUP BY entity_id", row => (Name: row.GetString(0), Rows: row.GetInt64(1)), ct).ConfigureAwait(false)).ToDictionary(line => line.Name, line => line.Rows);
        var between = outside.GroupBy(OtherOf).ToDictionary(group => group.Key, group => (Likely: group.LongCount(), Sum: group.Sum(pair => pair.Pair.Probability)));
        return outside.ConvertAll(pair =>
        {
            var other = OtherOf(pair);
            var (likely, sum) = between[other];
            var all = Math.Max(size * sizes.GetValueOrDefault(other, 1), likely);
            return new CutPair(other, pair.DecidedBy == Steward ? Steward : all == 1 ? "pair" : "average", all, likely, sum / all, pair.Pair);
        });
    }

    private static FoundPair Read(DbDataReader row) => new(
        new ExplainedPair(
            new EntityRow(row.GetString(0), row.GetInt64(1), row.GetString(2)), new EntityRow(row.GetString(3), row.GetInt64(4), row.GetString(5)), row.GetDouble(6), row.GetDouble(7), row.IsDBNull(8) ? null : row.GetString(8),
            JsonSerializer.Deserialize<List<ExplainedField>>(row.GetString(9), JsonSerializerOptions.Web)!),
        row.IsDBNull(10) ? null : row.GetString(10), row.IsDBNull(11) ? null : row.GetString(11), row.IsDBNull(12) ? null : row.GetString(12), row.GetInt64(13));
}
