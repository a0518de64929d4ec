using Qualiz.Engine.Columns;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Errors;

/// <summary>What tells the values of one column from those of another: forms, or values themselves, that are far more frequent in it.</summary>
internal sealed class Distinction
{
    private const int FewestRows = 5;

    /// <summary>Rows of a value before it is worth the name of one of the column's.</summary>
    public const int FewestOfValue = 3;

    /// <summary>A form that is so much more frequent in one column than in the other belongs to it.</summary>
    private const double Odds = 5;

    /// <summary>A form of fewer of the column's rows is somebody's mistake.</summary>
    private const double Usual = 0.005;

    /// <summary>So frequent a form is no mistake.</summary>
    private const double Frequent = 0.1;

    /// <summary>Of its own rows a column must be told by so many.</summary>
    private const double Least = 0.4;

    /// <summary>So many are enough to look no closer.</summary>
    private const double Most = 0.8;
    private const int MostForms = 20;
    private const int MostValues = 200;

    private readonly FormNumbers _numbers;
    private readonly FormLevel _level;
    private readonly List<int> _forms;
    private readonly HashSet<int> _set;
    private readonly bool[] _own;
    private readonly bool[] _other;
    private readonly ValueForms _foreign;
    private readonly bool _ascii;

    private Distinction(ValueForms own, ValueForms other, FormNumbers numbers, FormLevel level, List<int> forms)
    {
        _numbers = numbers;
        _level = level;
        _forms = forms;
        _foreign = other;
        _set = [.. forms];
        // What misplaced values have brought into the column is not its own.
        _own = Belonging(own, level, level == FormLevel.Values ? _set : [.. forms.Where(form => own.Rows(level)[form] >= Frequent * own.Column.Filled)]);
        _other = Belonging(other, level, _set);
        Foreign = Rows(other.Column, _other);
        _ascii = IsAscii(own.Column, Belonging(own, level, _set)) && IsAscii(other.Column, _other);
        IsWeak = level == FormLevel.Values || forms.TrueForAll(form => !numbers[form].Any(sign => char.IsLetter(sign) || sign == '@'));
    }

    /// <summary>Only the values themselves tell, or how numbers are written.</summary>
    public bool IsWeak { get; }

    /// <summary>Rows of the other column whose value belongs to this one.</summary>
    public int Foreign { get; }

    /// <summary>Whether a value of the column itself surely stands where it belongs.</summary>
    public bool IsOwn(int value) => _own[value];

    /// <summary>Whether a value of the other column belongs to this one.</summary>
    public bool IsForeign(int value) => _other[value];

    /// <summary>The same of any text.</summary>
    public bool Holds(string text) => text.Length <= ValueForms.LongestText && _set.Contains(_numbers.Of(text, _level, add: false));

    /// <returns>Null where the two columns' values are too much alike.</returns>
    public static Distinction? Of(ValueForms own, ValueForms other, FormNumbers numbers)
    {
        (FormLevel Level, List<int> Forms, double Share) best = (FormLevel.Runs, [], 0);
        for (var level = FormLevel.Runs; level <= FormLevel.Values && best.Share < Most; level++)
        {
            var (mine, others) = (own.Rows(level), other.Rows(level));
            var least = level == FormLevel.Values ? FewestOfValue : Math.Max(FewestRows, Usual * own.Column.Filled);
            var forms = mine.Where(form => form.Value >= least && (double)form.Value / own.Column.Filled >= Odds * others.GetValueOrDefault(form.Key) / other.Column.Filled)
                .OrderByDescending(form => form.Value).ThenBy(form => numbers[form.Key], StringComparer.Ordinal).Take(level == FormLevel.Values ? int.MaxValue : MostForms).ToList();
            var share = (double)forms.Sum(form => form.Value) / own.Column.Filled;
            if (share > best.Share)
                best = (level, forms.ConvertAll(form => form.Key), share);
        }
        return best.Share < Least ? null : new Distinction(own, other, numbers, best.Level, best.Forms);
    }

    /// <summary>A row expression: whether the value of the other column belongs to this one.</summary>
    public string Condition()
    {
        var name = Sql.Identifier(_foreign.Column.Name);
        if (_level != FormLevel.Values)
            return $"regexp_full_match({name}, {Sql.Literal(string.Join('|', _forms.Select(form => ValueForms.PatternOf(_numbers[form], _ascii)).Distinct()))})";
        // Of a long list what has been seen at the wrong place is enough.
        var values = _forms.Count <= MostValues ? _forms : [.. _forms.Where(_foreign.Rows(_level).ContainsKey)];
        return $"{name} IN ({string.Join(", ", values.Select(value => _numbers[value]).Order(StringComparer.Ordinal).Select(Sql.Literal))})";
    }

    private static bool[] Belonging(ValueForms column, FormLevel level, HashSet<int> forms)
    {
        var of = column.Of(level);
        var belongs = new bool[of.Length];
        for (var value = 1; value < belongs.Length; value++)
            belongs[value] = forms.Contains(of[value]);
        return belongs;
    }

    private static int Rows(CodedColumn column, bool[] values)
    {
        var rows = 0;
        for (var value = 1; value < values.Length; value++)
            rows += values[value] ? column.Counts[value] : 0;
        return rows;
    }

    private static bool IsAscii(CodedColumn column, bool[] values)
    {
        for (var value = 1; value < values.Length; value++)
        {
            if (values[value] && !column.Values[value].All(char.IsAscii))
                return false;
        }
        return true;
    }
}
