using System.Text.Json.Nodes;
using Npgsql;
using Qualiz.Cli.Running;

namespace Qualiz.Cli.Demo;

/// <summary>Seeds the project, its sources, its reference data and its connections, as often as it is called, and runs the demo's pipeline.</summary>
internal sealed class DemoCommand(CommandContext context)
{
    private static readonly string[] Reference = ["countries", "us-zip"];

    /// <param name="definition">The folder with the pipeline and the reference data.</param>
    /// <param name="rows">How many customers, both systems together; 0: as many as are looked through in a moment.</param>
    public async Task<int> ExecuteAsync(string definition, string landing, string postgres, long rows, CancellationToken ct)
    {
        var (crmRows, shopRows) = rows == 0 ? (DemoData.CrmRows, DemoData.ShopRowsPerCountry) : (rows * 4 / 7, rows / 7);
        var address = new NpgsqlConnectionStringBuilder(postgres);
        await Changes.EnsureProjectAsync(context.Client, context.Project, "Demo", "Invented customers of two systems.", ct);
        var round = await new CrmTable(postgres).FillAsync(crmRows, ct);
        // The first file of a new table replaces what an earlier one has left.
        DemoData.WriteShop(landing, DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime), round, shopRows, crmRows);
        DemoData.WriteCrmFile(landing);

        await PutConnectionAsync("landing", "folder", new JsonObject { ["root"] = landing }, ct);
        foreach (var name in new[] { "crm-db", "dwh" })
        {
            await PutConnectionAsync(name, "postgres", new JsonObject
            {
                ["host"] = address.Host,
                ["port"] = address.Port,
                ["database"] = address.Database,
                ["user"] = address.Username,
                ["password"] = address.Password,
            }, ct);
        }
        foreach (var dataset in Reference)
        {
            await EnsureDatasetAsync(dataset, Path.Combine(definition, $"{dataset}.csv"), ct);
        }
        return await new RunCommand(context.Client, context.Terminal, TimeProvider.System).ExecuteAsync(
            new RunOptions(Path.Combine(definition, "customers-golden.yaml"), [], context.Project, context.Json, Strict: false, Out: null, Detach: false), ct);
    }

    private Task PutConnectionAsync(string name, string type, JsonObject settings, CancellationToken ct) =>
        Changes.PutConnectionAsync(context, name, type, settings, ct);

    /// <summary>Reference data that somebody has changed stays as it is.</summary>
    private async Task EnsureDatasetAsync(string name, string file, CancellationToken ct)
    {
        try
        {
            await context.Client.GetAsync($"{context.ProjectPath}/datasets/{name}", ct);
        }
        catch (ProblemException missing) when (missing.Status == System.Net.HttpStatusCode.NotFound)
        {
            var upload = await Changes.SendFileAsync(context, file, null, ct);
            await Changes.AddVersionAsync(context, name, upload.Text("id")!, ct);
        }
    }
}
