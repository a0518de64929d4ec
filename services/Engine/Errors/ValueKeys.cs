using System.Globalization;
using System.Text.RegularExpressions;
using Qualiz.Engine.Columns;

namespace Qualiz.Engine.Errors;

/// <summary>What the values of a column mean, apart from how they are written: in a column of times of day, the minute of the day; else the value itself.</summary>
internal sealed partial class ValueKeys
{
    /// <summary>So many of the values must be times for the column to be one of times.</summary>
    private const double Most = 0.8;

    private readonly CodedColumn _column;
    private readonly int[] _keys;
    private readonly string? _usual;
    private readonly Dictionary<int, int> _texts = [];

    private ValueKeys(CodedColumn column, int[] keys)
    {
        _column = column;
        _keys = keys;
        // The usual way of writing is that of most rows; a key is written as its most frequent text in that way, or else as its most frequent text.
        var styles = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var value = 1; value < keys.Length; value++)
            styles[Style(value)] = styles.GetValueOrDefault(Style(value)) + column.Counts[value];
        _usual = styles.OrderByDescending(style => style.Value).ThenBy(style => style.Key, StringComparer.Ordinal).Take(1).Select(style => style.Key).FirstOrDefault();
        foreach (var value in Enumerable.Range(1, keys.Length - 1).OrderByDescending(value => IsUsual(value)).ThenByDescending(value => column.Counts[value]).ThenBy(value => value))
            _texts.TryAdd(keys[value], value);
    }

    public int this[int value] => _keys[value];

    /// <summary>How that meaning is written in this column.</summary>
    public string TextOf(int key)
    {
        var value = _texts[key];
        if (key >= 0 || IsUsual(value))
            return _column.Values[value];
        // No one wrote it in the usual way: as one that was, of the same half of the day.
        var minute = -1 - key;
        var hour = minute / 60;
        var like = _texts.Where(text => text.Key < 0 && (-1 - text.Key) / 720 == minute / 720 && IsUsual(text.Value)).OrderBy(text => text.Key).Select(text => _column.Values[text.Value]).FirstOrDefault();
        if (like is null)
            return _column.Values[value];
        var match = Time().Match(like);
        var shown = match.Groups["half"].Success ? ((hour + 11) % 12) + 1 : hour;
        var end = match.Groups["minute"];
        return string.Create(CultureInfo.InvariantCulture, $"{like[..match.Index]}{shown}:{minute % 60:00}{like[(end.Index + end.Length)..]}");
    }

    /// <summary>Whether the value is written as most are.</summary>
    public bool IsUsual(int value) => Style(value) == _usual;

    public static ValueKeys Of(CodedColumn column)
    {
        var times = column.Values.Select(Minute).ToArray();
        var timed = Enumerable.Range(1, column.Values.Length - 1).Where(value => times[value] is not null).Sum(value => column.Counts[value]);
        var isTime = timed >= Most * column.Filled;
        // Times are numbered before all values, so that the two never meet.
        return new ValueKeys(column, [.. column.Values.Select((_, value) => isTime && times[value] is { } minute ? -1 - minute : value)]);
    }

    private static int? Minute(string value)
    {
        var matches = Time().Matches(value);
        if (matches.Count != 1)
            return null;
        var match = matches[0];
        var hour = int.Parse(match.Groups["hour"].ValueSpan, CultureInfo.InvariantCulture);
        var minute = int.Parse(match.Groups["minute"].ValueSpan, CultureInfo.InvariantCulture);
        if (hour > 23 || minute > 59)
            return null;
        if (match.Groups["half"].Success)
            hour = (hour % 12) + (match.Groups["half"].Value is "p" or "P" ? 12 : 0);
        return (hour * 60) + minute;
    }

    /// <summary>The form with runs of digits as one and the half of the day left open.</summary>
    private string Style(int value) => Runs().Replace(Formats.FormOf(_column.Values[value]), "9");

    [GeneratedRegex(@"(?<![\d:])(?<hour>\d{1,2}):(?<minute>\d{2})(?::\d{2})?(?!\d)\s*(?<half>[ap])?(?:\.?m\b\.?)?", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Time();

    [GeneratedRegex("9+")]
    private static partial Regex Runs();
}
