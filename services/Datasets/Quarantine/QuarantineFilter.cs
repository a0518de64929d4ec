using System.Globalization;
using Dapper;
using Microsoft.AspNetCore.Mvc;
using Qualiz.Platform.Http;

namespace Qualiz.Datasets.Quarantine;

/// <summary>Which items: every choice narrows.</summary>
internal sealed record QuarantineFilter
{
    [FromQuery(Name = "pipeline")]
    public string? Pipeline { get; init; }

    [FromQuery(Name = "step")]
    public string? Step { get; init; }

    /// <summary>Rows with a reason of this rule or check.</summary>
    [FromQuery(Name = "rule")]
    public string? Rule { get; init; }

    /// <summary>Rows with a reason about this column.</summary>
    [FromQuery(Name = "column")]
    public string? Column { get; init; }

    /// <summary>States, separated by commas; default all.</summary>
    [FromQuery(Name = "state")]
    public string? State { get; init; }

    /// <summary>Rows that this run rejected.</summary>
    [FromQuery(Name = "run")]
    public Guid? Run { get; init; }

    [FromQuery(Name = "assignee")]
    public string? Assignee { get; init; }

    /// <summary>Open items that are due on this day (2026-12-01) or before; <c>overdue</c>: that were due before today (UTC).</summary>
    [FromQuery(Name = "due")]
    public string? Due { get; init; }

    public bool IsEmpty => this == new QuarantineFilter();

    /// <summary>A condition on <c>datasets.quarantine_item i</c> and <c>datasets.quarantine_step s</c>.</summary>
    /// <exception cref="ApiException">A state is none.</exception>
    public string Where(string project, DynamicParameters parameters)
    {
        parameters.Add("project", project);
        var conditions = new List<string> { "s.project = @project" };
        void Add(string condition, string name, object value)
        {
            conditions.Add(condition);
            parameters.Add(name, value);
        }

        if (Pipeline is not null)
            Add("s.pipeline = @pipeline", "pipeline", Pipeline);
        if (Step is not null)
            Add("s.step = @step", "step", Step);
        if (Rule is not null)
            Add("@rule = any (i.rules)", "rule", Rule);
        if (Column is not null)
            Add("@column = any (i.columns)", "column", Column);
        if (Assignee is not null)
            Add("i.assignee = @assignee", "assignee", Assignee);
        if (Run is { } run)
            Add("exists (select from datasets.quarantine_occurrence o join datasets.quarantine_batch b on b.id = o.batch_id where o.item_id = i.id and b.run_id = @run)", "run", run);
        if (Due is not null)
        {
            var isDate = DateOnly.TryParseExact(Due, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day);
            if (!isDate && Due != "overdue")
            {
                throw new ApiException(StatusCodes.Status400BadRequest, "badRequest", $"due is a day like 2026-12-01, or overdue; it is \"{Due}\".", [new ApiError("should be a day or overdue", "due")]);
            }
            conditions.Add("i.state = 'open'");
            Add("i.due <= @dueBy::date", "dueBy", isDate ? Due : DateOnly.FromDateTime(DateTime.UtcNow).AddDays(-1).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        }
        if (State is not null)
        {
            var states = State.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            if (states.Length == 0 || states.Except(ItemState.All).FirstOrDefault() is { } unknown && unknown.Length > 0)
            {
                throw new ApiException(StatusCodes.Status400BadRequest, "badRequest", $"state is one or more of {string.Join(", ", ItemState.All)}, separated by commas.",
                    [new ApiError($"should be of {string.Join(", ", ItemState.All)}", "state")]);
            }
            Add("i.state = any (@states)", "states", states);
        }
        return string.Join(" and ", conditions);
    }
}
