using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Qualiz.Platform.Operators;

public static class OperatorHosting
{
    /// <summary>
    /// Makes an operator of this service known: it is announced, its queue <c>operator.&lt;kind&gt;.v&lt;major&gt;</c> is consumed,
    /// and its steps run where the description says.
    /// </summary>
    public static IHostApplicationBuilder AddOperator<TOperator, TConfig>(this IHostApplicationBuilder builder, OperatorDescription description)
        where TOperator : class, IOperator<TConfig>
        where TConfig : class
    {
        builder.Services.TryAddScoped<TOperator>();
        builder.Services.AddSingleton<OperatorRegistration>(new OperatorRegistration<TOperator, TConfig>(description));
        builder.Services.TryAddSingleton<OperatorCatalog>();
        return builder;
    }
}
