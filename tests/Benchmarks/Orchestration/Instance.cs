using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using Qualiz.TestKit;

namespace Qualiz.Benchmarks.Orchestration;

internal enum Deployment
{
    /// <summary>One process, in-process bus.</summary>
    InProcess,

    /// <summary>A process for each service that takes part, on RabbitMQ.</summary>
    RabbitMq,
}

/// <summary>A running Qualiz of its own: fresh database (and virtual host), the Release build, loopback ports.</summary>
internal sealed class Instance : IAsyncDisposable
{
    public const string Project = "bench";
    private readonly List<Process> _processes = [];
    private readonly string _folder;

    private Instance(string folder, string database)
    {
        _folder = folder;
        Database = database;
    }

    public string Database { get; }

    /// <summary>Where its log and store lie; removed with it.</summary>
    public string Folder => _folder;
    public HttpClient Pipelines { get; private set; } = null!;
    public HttpClient Runs { get; private set; } = null!;
    public IReadOnlyList<int> ProcessIds => [.. _processes.Select(process => process.Id)];

    /// <param name="more">Settings beside those that every instance has; what they say of folders is below <see cref="Folder"/>.</param>
    public static async Task<Instance> StartAsync(Deployment deployment, CancellationToken ct, Func<string, IReadOnlyDictionary<string, string>>? more = null)
    {
        var database = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        var instance = new Instance(Directory.CreateTempSubdirectory("qualiz-bench-").FullName, database);
        try
        {
            var settings = new Dictionary<string, string>
            {
                ["ConnectionStrings__Qualiz"] = database,
                ["Store__Root"] = Path.Combine(instance._folder, "store"),
                ["Store__MinFree"] = "0",
                ["Secrets__KeyFile"] = Path.Combine(instance._folder, "secrets.key"),
                ["ASPNETCORE_ENVIRONMENT"] = "Production",
                ["Logging__LogLevel__Default"] = "Warning",
            };
            foreach (var (name, value) in more?.Invoke(instance._folder) ?? new Dictionary<string, string>())
                settings[name] = value;
            await File.WriteAllTextAsync(settings["Secrets__KeyFile"], Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32)), ct);
            if (deployment == Deployment.InProcess)
            {
                settings["Bus__Transport"] = "InProcess";
                var client = await instance.LaunchAsync("Standalone", settings, ct);
                instance.Pipelines = instance.Runs = client;
            }
            else
            {
                settings["Bus__Transport"] = "RabbitMq";
                settings["Bus__Uri"] = await (await RabbitMqServer.SharedAsync()).CreateVirtualHostAsync();
                // One after the other, so that each finds the schemas it needs.
                instance.Pipelines = await instance.LaunchAsync("Pipelines", settings, ct);
                instance.Runs = await instance.LaunchAsync("Runs", settings, ct);
                using var tasks = await instance.LaunchAsync("Tasks", settings, ct);
            }

            return instance;
        }
        catch
        {
            await instance.DisposeAsync();
            throw;
        }
    }

    private async Task<HttpClient> LaunchAsync(string service, Dictionary<string, string> settings, CancellationToken ct)
    {
        var port = FreePort();
        var program = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", $"Qualiz.{service}", "release", $"Qualiz.{service}.dll"));
        var log = Path.Combine(_folder, $"{service}.log");
        var start = new ProcessStartInfo("/bin/sh") { WorkingDirectory = Path.GetDirectoryName(program)! };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add($"exec dotnet '{program}' >'{log}' 2>&1");
        foreach (var (key, value) in settings)
            start.Environment[key] = value;
        start.Environment["ASPNETCORE_URLS"] = $"http://127.0.0.1:{port}";
        _processes.Add(Process.Start(start)!);

        var client = new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = Timeout.InfiniteTimeSpan }) { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        for (var waited = Stopwatch.StartNew(); ;)
        {
            try
            {
                using var ready = await client.GetAsync("/health/ready", ct);
                if (ready.IsSuccessStatusCode)
                    return client;
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            if (_processes[^1].HasExited || waited.Elapsed > TimeSpan.FromMinutes(2))
                throw new InvalidOperationException($"{service} did not start:\n{await File.ReadAllTextAsync(log, ct)}");
            await Task.Delay(100, ct);
        }
    }

    /// <summary>The pipelines that the orchestration is measured by.</summary>
    public async Task SeedAsync(CancellationToken ct)
    {
        using var project = await Pipelines.PostAsJsonAsync("/api/v1/projects", new { slug = Project, name = "Benchmarks" }, ct);
        if (!project.IsSuccessStatusCode)
            throw new InvalidOperationException($"The project was not made: {await project.Content.ReadAsStringAsync(ct)}");
        await PublishAsync("two", 2, ct);
        await PublishAsync("sequential40", 40, ct);
        foreach (var items in OrchestrationBenchmark.ForEachSizes)
            await PublishAsync($"foreach{items}", string.Create(CultureInfo.InvariantCulture,
                $"qualiz: 1\npipeline: foreach{items}\nsteps:\n  each:\n    uses: log\n    forEach: {{items: {items}, parallel: 20}}\n    with: {{message: \"element ${{item}}\"}}\n"), ct);
    }

    /// <summary>A pipeline of trivial steps, one after the other.</summary>
    private async Task PublishAsync(string name, int steps, CancellationToken ct)
    {
        var text = new StringBuilder($"qualiz: 1\npipeline: {name}\nsteps:\n");
        for (var i = 1; i <= steps; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"  s{i}:\n    uses: log\n");
            if (i > 1)
                text.Append(CultureInfo.InvariantCulture, $"    needs: [s{i - 1}]\n");
            text.Append("    with: {message: done}\n");
        }

        await PublishAsync(name, text.ToString(), ct);
    }

    private async Task PublishAsync(string name, string text, CancellationToken ct)
    {
        // The operators announce themselves a moment after the service is ready.
        for (var waited = Stopwatch.StartNew(); ; await Task.Delay(200, ct))
        {
            using var saved = await Pipelines.PutAsync($"/api/v1/projects/{Project}/pipelines/{name}", new StringContent(text, Encoding.UTF8, "application/yaml"), ct);
            if (saved.IsSuccessStatusCode)
                return;
            if (waited.Elapsed > TimeSpan.FromSeconds(30))
                throw new InvalidOperationException($"Pipeline {name} was not saved: {(int)saved.StatusCode} {await saved.Content.ReadAsStringAsync(ct)}");
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }

        Directory.Delete(_folder, recursive: true);
    }
}
