using Qualiz.Engine.Columns;

namespace Qualiz.Engine.Matching.Automatic;

/// <summary>
/// What rows say, whichever column says it: the words of all columns and their parts of three letters, each weighted by how often the row has it and by how rare it is among rows (tf-idf; G. Salton, C. Buckley, "Term-weighting
/// approaches in automatic text retrieval", 1988). So rows whose values stand in other columns, or that say the same in other words, are alike all the same.
/// </summary>
internal sealed class RecordWords
{
    /// <summary>Larger tables have no such view: it holds some hundred numbers for each row.</summary>
    private const int MostRows = 100_000;
    private const long MostItems = 8_000_000;
    private const int Letters = 3;

    private readonly Bags _words;
    private readonly Bags _parts;

    private RecordWords(Bags words, Bags parts) => (_words, _parts) = (words, parts);

    /// <summary>Whether tables of that many rows have such a view, if their values are not too long.</summary>
    public static bool IsFor(int rows) => rows <= MostRows;

    /// <returns>Null for a table that is too large.</returns>
    public static RecordWords? Of(RecordTable table, CancellationToken ct)
    {
        if (!IsFor(table.Count))
            return null;
        var (words, parts) = (new Counter(table.Count), new Counter(table.Count));
        for (var row = 0; row < table.Count; row++)
        {
            ct.ThrowIfCancellationRequested();
            foreach (var column in table.Columns)
            {
                if (column.Codes[row] is not (> 0 and var value))
                    continue;
                foreach (var word in column.Spoken(value).Split(' ', StringSplitOptions.RemoveEmptyEntries))
                {
                    words.Add(word);
                    var padded = $" {word} ";
                    for (var i = 0; i + Letters <= padded.Length; i++)
                        parts.Add(padded.AsSpan(i, Letters));
                }
            }
            words.End();
            parts.End();
            if (words.Items + parts.Items > MostItems)
                return null;
        }
        return new RecordWords(words.Weighted(), parts.Weighted());
    }

    /// <summary>How alike two places of the table are, from 0 to 1: the cosine of their words and that of the words' parts, on average.</summary>
    public double Similarity(int a, int b) => (_words.Cosine(a, b) + _parts.Cosine(a, b)) / 2;

    /// <summary>What each row has, ascending, with weights of length 1.</summary>
    private sealed record Bags(int[] Starts, int[] Items, float[] Weights)
    {
        public double Cosine(int a, int b)
        {
            var (i, iEnd, j, jEnd, sum) = (Starts[a], Starts[a + 1], Starts[b], Starts[b + 1], 0.0);
            while (i < iEnd && j < jEnd)
            {
                var (x, y) = (Items[i], Items[j]);
                if (x == y)
                    sum += Weights[i] * (double)Weights[j];
                i += x <= y ? 1 : 0;
                j += y <= x ? 1 : 0;
            }
            return Math.Min(sum, 1);
        }
    }

    private sealed class Counter(int rows)
    {
        private readonly TextNumbers _numbers = new();
        private readonly List<int> _starts = [0];
        private readonly List<int> _items = [];
        private readonly List<int> _counts = [];
        private readonly List<int> _rows = [];
        private readonly Dictionary<int, int> _bag = [];

        public long Items => _items.Count;

        public void Add(ReadOnlySpan<char> text)
        {
            var number = _numbers.Of(text);
            _bag[number] = _bag.GetValueOrDefault(number) + 1;
        }

        public void End()
        {
            foreach (var (item, count) in _bag.OrderBy(entry => entry.Key))
            {
                _items.Add(item);
                _counts.Add(count);
                while (_rows.Count <= item)
                    _rows.Add(0);
                _rows[item]++;
            }
            _starts.Add(_items.Count);
            _bag.Clear();
        }

        public Bags Weighted()
        {
            var weights = new float[_items.Count];
            for (var row = 0; row < rows; row++)
            {
                var square = 0.0;
                for (var i = _starts[row]; i < _starts[row + 1]; i++)
                {
                    var weight = _counts[i] * Math.Log((double)rows / _rows[_items[i]]);
                    weights[i] = (float)weight;
                    square += weight * weight;
                }
                for (var i = _starts[row]; i < _starts[row + 1] && square > 0; i++)
                    weights[i] = (float)(weights[i] / Math.Sqrt(square));
            }
            return new Bags([.. _starts], [.. _items], weights);
        }
    }
}
