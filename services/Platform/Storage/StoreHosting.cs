using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Qualiz.Platform.Storage;

public static class StoreHosting
{
    /// <summary>Registers the object store that <c>Store:Type</c> names: <c>local</c> (default; <c>Store:Root</c>) or <c>s3</c> (<c>Store:S3:*</c>).</summary>
    /// <param name="inWorker">In an engine worker, whose host has opened the store before it.</param>
    public static IHostApplicationBuilder AddObjectStore(this IHostApplicationBuilder builder, bool inWorker = false)
    {
        builder.Services.TryAddSingleton(services => Create(services.GetRequiredService<IConfiguration>(), inWorker));
        builder.Services.TryAddSingleton<IStoreSpace>(services => new StoreSpace(services.GetRequiredService<IConfiguration>()));
        return builder;
    }

    /// <exception cref="InvalidOperationException">A setting is missing or wrong; the message names it.</exception>
    internal static IObjectStore Create(IConfiguration configuration, bool inWorker = false)
    {
        switch (configuration["Store:Type"] ?? "local")
        {
            case "local":
                return LocalObjectStore.Open(configuration["Store:Root"] is { Length: > 0 } root ? root : throw Missing("Store:Root", "the folder that holds datasets, logs and uploads"), marks: !inWorker);
            case "s3":
                var options = configuration.GetSection("Store:S3").Get<S3StoreOptions>() ?? new S3StoreOptions();
                if (string.IsNullOrEmpty(options.Bucket))
                    throw Missing("Store:S3:Bucket", "the bucket that holds datasets, logs and uploads");
                if (options.AccessKey is { Length: > 0 } && string.IsNullOrEmpty(options.SecretKey))
                    throw Missing("Store:S3:SecretKey", "the secret that belongs to Store:S3:AccessKey");
                return new S3ObjectStore(options);
            case var other:
                throw new InvalidOperationException($"Store:Type is \"{other}\"; it must be local or s3.");
        }
    }

    private static InvalidOperationException Missing(string key, string meaning) => new($"{key} is not set: {meaning}.");
}

/// <summary><c>Store:S3:*</c>.</summary>
internal sealed record S3StoreOptions
{
    /// <summary>Empty: AWS itself.</summary>
    public string? Endpoint { get; init; }
    public string Region { get; init; } = "us-east-1";
    public string? Bucket { get; init; }

    /// <summary>A folder in the bucket, when it is shared.</summary>
    public string? Prefix { get; init; }

    /// <summary>Empty: what the environment or the machine's role gives.</summary>
    public string? AccessKey { get; init; }
    public string? SecretKey { get; init; }
    public bool PathStyle { get; init; } = true;

    public override string ToString() => $"bucket {Bucket} at {Endpoint ?? "AWS"}";
}
