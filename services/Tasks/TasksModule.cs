using System.Runtime.CompilerServices;
using Qualiz.Platform.Operators;
using Qualiz.Tasks.Log;
using Qualiz.Tasks.Queries;
using Qualiz.Tasks.Subjob;
using Qualiz.Tasks.Transform;
using Qualiz.Tasks.Wait;

[assembly: InternalsVisibleTo("Qualiz.Tasks.Tests")]

namespace Qualiz.Tasks;

public static class TasksModule
{
    /// <summary>The small steps that touch no data (a line in the log, a pause, another pipeline), and those that make other rows of rows.</summary>
    public static IHostApplicationBuilder AddTasks(this IHostApplicationBuilder builder)
    {
        builder.AddOperator<LogOperator, LogConfig>(LogOperator.Description);
        builder.AddOperator<WaitOperator, WaitConfig>(WaitOperator.Description);
        builder.AddOperator<SqlOperator, SqlConfig>(SqlOperator.Description);
        builder.AddOperator<TransformOperator, TransformConfig>(TransformOperator.Description);
        builder.AddOperator<SubjobOperator, SubjobConfig>(SubjobOperator.Description);
        return builder;
    }
}
