using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Contracts.Schemas;
using Qualiz.Platform.Outbound;

namespace Qualiz.Platform.Operators;

/// <summary>An operator of this process, without its types: what the executor and the engine worker work with.</summary>
internal abstract class OperatorRegistration(OperatorDescription description, Type operatorType, Type configType, bool infers)
{
    private readonly Lazy<OperatorManifest> _manifest = new(() => new OperatorManifest
    {
        Kind = description.Kind,
        Version = description.Version,
        Title = description.Title,
        Description = description.Description,
        Icon = description.Icon,
        MinInputs = description.MinInputs,
        MaxInputs = description.MaxInputs,
        Outputs = description.Outputs,
        Accounts = description.Accounts,
        Delta = description.Delta,
        Whole = description.Whole,
        AddsUnless = description.AddsUnless,
        KeepsState = description.KeepsState,
        Infers = infers,
        ConfigSchema = ConfigSchema.For(configType),
    });

    public OperatorDescription Description => description;
    public Type OperatorType => operatorType;
    public OperatorManifest Manifest => _manifest.Value;
    public bool Infers => infers;
    public string Queue => OperatorManifest.QueueName(description.Kind, Manifest.Major);

    /// <summary>Whether a step with this configuration reads on from what the last run left.</summary>
    public bool KeepsState(JsonElement config) => description.KeepsState.Any(path => ConfigSettings.Has(config, path));

    /// <summary>Null when the configuration is right; else what is wrong and where.</summary>
    public abstract StepError? Check(JsonElement config);

    public abstract Task<StepResult> ExecuteAsync(IServiceProvider services, StepContext step, CancellationToken ct);

    public abstract Task<OutputInferred> InferAsync(IServiceProvider services, InferenceContext context, CancellationToken ct);
}

internal sealed class OperatorRegistration<TOperator, TConfig>(OperatorDescription description)
    : OperatorRegistration(description, typeof(TOperator), typeof(TConfig), ImplementsInference)
    where TOperator : class, IOperator<TConfig>
    where TConfig : class
{
    /// <summary>Whether the operator has an <c>InferOutputAsync</c> of its own: one that has none need not be asked.</summary>
    private static bool ImplementsInference
    {
        get
        {
            var map = typeof(TOperator).GetInterfaceMap(typeof(IOperator<TConfig>));
            var at = Array.FindIndex(map.InterfaceMethods, method => method.Name == nameof(IOperator<TConfig>.InferOutputAsync));
            return map.TargetMethods[at].DeclaringType is { IsInterface: false };
        }
    }

    public override StepError? Check(JsonElement config) => OperatorConfig.TryBind<TConfig>(config, out _);

    public override async Task<StepResult> ExecuteAsync(IServiceProvider services, StepContext step, CancellationToken ct)
    {
        if (OperatorConfig.TryBind<TConfig>(step.Command.Config, out var config) is { } error)
            return new StepResult.Failed(error);
        await using var scope = services.CreateAsyncScope();
        try
        {
            return await scope.ServiceProvider.GetRequiredService<TOperator>().ExecuteAsync(config!, step, ct);
        }
        catch (ConnectionException exception)
        {
            return new StepResult.Failed(new StepError { Code = "connectionRefused", Message = exception.Message });
        }
        catch (DatasetException exception)
        {
            return new StepResult.Failed(new StepError { Code = "datasetUnknown", Message = exception.Message });
        }
        catch (OutboundRefusedException exception)
        {
            return new StepResult.Failed(new StepError { Code = "addressRefused", Message = exception.Message });
        }
    }

    public override async Task<OutputInferred> InferAsync(IServiceProvider services, InferenceContext context, CancellationToken ct)
    {
        if (OperatorConfig.TryBind<TConfig>(context.Request.Config, out var config) is { } error)
        {
            var path = error.Path ?? "";
            var place = path.Length == 0 ? "with: " : $"with.{path}: ";
            return new OutputInferred
            {
                Problems =
                [
                    new ConfigProblem
                    {
                        Code = error.Code,
                        Path = path,
                        Message = error.Message.StartsWith(place, StringComparison.Ordinal) ? error.Message[place.Length..] : error.Message,
                        // What was filled in may be to blame, and a run may fill in something else.
                        Needs = context.Request.Assumed ? SchemaCertainty.Exact : null,
                    },
                ],
                Certainty = SchemaCertainty.Guess,
            };
        }

        await using var scope = services.CreateAsyncScope();
        try
        {
            return await scope.ServiceProvider.GetRequiredService<TOperator>().InferOutputAsync(config!, context, ct);
        }
        catch (ConnectionException exception)
        {
            return OutputInferred.Unknown(exception.Message.TrimEnd('.'));
        }
    }
}

/// <summary>All operators of this process, by kind and major version.</summary>
internal sealed class OperatorCatalog(IEnumerable<OperatorRegistration> registrations)
{
    public IReadOnlyList<OperatorRegistration> All { get; } = [.. registrations];

    public OperatorRegistration? Find(string kind, int major) =>
        All.FirstOrDefault(registration => registration.Description.Kind == kind && registration.Manifest.Major == major);
}
