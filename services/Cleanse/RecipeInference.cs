using Qualiz.Contracts.Data;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Recipes;
using Qualiz.Engine.Sessions;

namespace Qualiz.Cleanse;

/// <summary>
/// What a recipe gives, by the compiler itself: on inputs without rows. The compiler stops at the first mistake, so a rule or check
/// that is wrong is told and left out, and the rest is compiled again, as long as leaving it out changes nothing for those behind it.
/// </summary>
internal sealed class RecipeInference(EngineSession session, CleanseConfig config, IReadOnlyList<InferInput> inputs)
{
    private const int MostProblems = 20;

    private readonly List<(Rule Rule, int At)> _rules = [.. config.Rules.Select((rule, at) => (rule, at))];
    private readonly List<(Check Check, int At)> _checks = [.. config.Checks.Select((check, at) => (check, at))];
    private readonly List<ConfigProblem> _problems = [];

    public OutputInferred Run()
    {
        var datasets = inputs.Select(input => new RecipeInput(input.Name, EmptyDataset.Of(input.Schema!))).ToList();
        var columns = inputs.SelectMany(input => input.Schema!.Columns).ToList();
        var changes = ChangeLog.Schema(SensitivityTags.Strictest(columns));
        while (true)
        {
            try
            {
                var compiled = RecipeCompiler.Compile(session, new Recipe([.. _rules.Select(rule => rule.Rule)], [.. _checks.Select(check => check.Check)]) { Suggested = config.Auto is null ? null : [] }, datasets);
                return new OutputInferred { Outputs = new Dictionary<string, DatasetSchema> { ["out"] = compiled.Schema, [RejectedRows.Port] = RejectedRows.Schema([.. columns, .. compiled.Schema.Columns]), [ChangeLog.Port] = changes }, Problems = _problems };
            }
            catch (RecipeException exception)
            {
                if (!GoOn(exception))
                    return new OutputInferred { Outputs = new Dictionary<string, DatasetSchema> { [RejectedRows.Port] = RejectedRows.Schema(columns), [ChangeLog.Port] = changes }, Problems = _problems };
            }
        }
    }

    /// <summary>Notes the problem at its place in the whole recipe and leaves out what it is about.</summary>
    private bool GoOn(RecipeException exception)
    {
        var (list, at, field) = Place(exception.Path);
        var index = list switch { "rules" when at < _rules.Count => _rules[at].At, "checks" when at < _checks.Count => _checks[at].At, _ => -1 };
        _problems.Add(RecipeProblem.Of(exception, index < 0 ? exception.Path : $"{list}[{index}]{field}"));
        if (index < 0 || _problems.Count == MostProblems)
            return false;
        if (list == "checks")
        {
            _checks.RemoveAt(at);
            return true;
        }

        var rule = _rules[at].Rule;
        _rules.RemoveAt(at);
        // Other rules make columns or change types: what comes behind them cannot be judged without them.
        return rule is TrimRule or NullsRule or CaseRule or ReplaceRule or RegexRule or FillRule or FilterRule or MajorityRule or SwapRule or ShiftRule
            or UnicodeRule or AccentsRule or UnescapeRule or RemoveRule or PadRule or TruncateRule or EmailRule or PhoneRule or CountryRule or CurrencyRule or MaskRule;
    }

    /// <summary><c>rules[2].columns[0]</c> is <c>rules</c>, 2 and <c>.columns[0]</c>.</summary>
    private static (string List, int At, string Field) Place(string path)
    {
        var open = path.IndexOf('[', StringComparison.Ordinal);
        var close = path.IndexOf(']', StringComparison.Ordinal);
        return open > 0 && close > open && int.TryParse(path.AsSpan(open + 1, close - open - 1), out var at)
            ? (path[..open], at, path[(close + 1)..])
            : (path, -1, "");
    }
}
