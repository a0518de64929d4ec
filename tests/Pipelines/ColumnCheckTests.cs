using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Qualiz.Contracts;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Datasets.V1;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Contracts.Schemas;
using Qualiz.Pipelines.Operators;
using Qualiz.Platform.Messaging;
using Qualiz.Platform.Operators;
using Qualiz.TestKit;

namespace Qualiz.Pipelines.Tests;

/// <summary>The Pipelines module with operators that answer about columns, and stand-ins for Runs and Datasets.</summary>
public sealed class ColumnCheckTests : IAsyncLifetime
{
    private readonly Answers _answers = new();
    private TestHost _host = null!;
    private string _project = "";

    public async Task InitializeAsync()
    {
        _host = await TestHost.StartAsync(
            builder =>
            {
                builder.AddPipelines();
                builder.Services.AddSingleton(_answers);
                builder.AddRequestConsumer<RunsAnswers>(Queues.RunClaims);
                builder.AddRequestConsumer<DatasetAnswers>(Queues.DatasetRequests);
                builder.AddOperator<RowsOperator, RowsConfig>(Description("rows", 0));
                builder.AddOperator<KeepOperator, KeepConfig>(Description("keep", 1));
            },
            app => app.MapPipelines(),
            settings: new Dictionary<string, string?>
            {
                ["Secrets:Key"] = Convert.ToBase64String(new byte[32]),
                ["Store:Root"] = Directory.CreateTempSubdirectory("qualiz-columns-").FullName,
                ["Folders:Roots"] = Path.GetTempPath(),
            });
        await TestHost.UntilAsync(async () => (await _host.Services.GetRequiredService<OperatorRegistry>().ListAsync(default)).Count == 2 ? null : "two operators");
        (await _host.Client.PostAsJsonAsync("/api/v1/projects", new { slug = _project = "columns" })).EnsureSuccessStatusCode();
    }

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task An_unknown_column_is_refused_with_its_place_and_the_nearest_name()
    {
        const string text = """
            qualiz: 1
            pipeline: golden
            steps:
              a: {uses: rows, with: {columns: [id, email]}}
              b:
                uses: keep
                inputs: [a]
                with:
                  columns: [id, emial]
            """;
        var answer = await ValidateAsync(text);
        answer.GetProperty("valid").GetBoolean().ShouldBeFalse();
        var problem = answer.GetProperty("problems").EnumerateArray().ShouldHaveSingleItem();
        Place(problem).ShouldBe("golden.yaml:9:21 steps.b.with.columns[1] email");
        problem.GetProperty("message").GetString().ShouldBe("Column \"emial\" does not exist; did you mean \"email\"?");

        var saved = await PipelinesHost.ReadAsync(await SaveAsync("golden", text), 422);
        saved.GetProperty("errors").EnumerateArray().ShouldHaveSingleItem().GetProperty("line").GetInt32().ShouldBe(9);
        await PipelinesHost.ReadAsync(await SaveAsync("golden", text.Replace("emial", "email", StringComparison.Ordinal)), 201);
    }

    [Fact]
    public async Task The_steps_tell_the_columns_that_they_give_and_which_were_not_checked()
    {
        await AnnounceAsync("mystery", infers: false, available: true);
        await AnnounceAsync("gone", infers: true, available: false);
        var answer = await ValidateAsync("""
            qualiz: 1
            pipeline: golden
            steps:
              a: {uses: rows, with: {columns: [id, email]}}
              b: {uses: keep, inputs: [a], with: {columns: [email]}}
              m: {uses: mystery, inputs: [b]}
              g: {uses: gone, inputs: [b]}
              after: {uses: keep, inputs: [m], with: {columns: [whatever]}}
              late: {uses: rows, needs: [b], with: {columns: ["n${b.rows}"]}}
            """);
        answer.GetProperty("valid").GetBoolean().ShouldBeTrue(answer.GetRawText());
        Steps(answer).ShouldBe(
        [
            "a checked exact id,email", "b checked exact email", "m its operator cannot tell before a run ", "g its operator is not running ",
            "after the columns of m are not known ", "late its settings hold a ${...} that only a run can fill in ",
        ]);
    }

    [Fact]
    public async Task An_operator_that_does_not_answer_keeps_nobody_from_saving()
    {
        await AnnounceAsync("silent", infers: true, available: true);
        var answer = await ValidateAsync("""
            qualiz: 1
            pipeline: golden
            steps:
              s: {uses: silent}
            """);
        answer.GetProperty("valid").GetBoolean().ShouldBeTrue(answer.GetRawText());
        Steps(answer).ShouldBe(["s its operator did not answer in time "]);
    }

    [Fact]
    public async Task What_only_the_last_run_or_a_part_of_the_data_says_is_a_warning()
    {
        const string text = """
            qualiz: 1
            pipeline: golden
            steps:
              a: {uses: rows, with: {columns: []}}
              b: {uses: keep, inputs: [a], with: {columns: [emial]}}
            """;
        await PipelinesHost.ReadAsync(await SaveAsync("golden", text), 201);
        _answers.Last = new LastOutputs
        {
            Version = 1,
            Steps = new Dictionary<string, IReadOnlyDictionary<string, DatasetSchema>> { ["a"] = Schemas("id", "email"), ["b"] = Schemas("id") },
        };
        var answer = await ValidateAsync(text);
        answer.GetProperty("valid").GetBoolean().ShouldBeTrue(answer.GetRawText());
        var problem = answer.GetProperty("problems").EnumerateArray().ShouldHaveSingleItem();
        (Place(problem), problem.GetProperty("severity").GetString()).ShouldBe(("golden.yaml:5:49 steps.b.with.columns[0] email", "warning"));
        Steps(answer).ShouldBe(["a nothing there yet guess id,email", "b checked guess "]);

        // With other settings it may give other columns.
        Steps(await ValidateAsync(text.Replace("columns: []", "columns: [], note: changed", StringComparison.Ordinal)))
            .ShouldBe(["a nothing there yet ", "b the columns of a are not known "]);
    }

    [Fact]
    public async Task Datasets_and_parameters_are_filled_in()
    {
        _answers.Datasets["dataset:customers"] = Schemas("id", "email")["out"];
        var answer = await ValidateAsync("""
            qualiz: 1
            pipeline: golden
            params: {which: {type: text, default: emial}}
            steps:
              b: {uses: keep, inputs: ["dataset:customers"], with: {columns: [id, "${params.which}"]}}
              c: {uses: keep, inputs: ["dataset:custmers"], with: {columns: [id]}}
              d: {uses: keep, inputs: ["dataset:custmers"], with: {columns: [email], lookup: "dataset:customers"}}
            """);
        var problem = answer.GetProperty("problems").EnumerateArray().ShouldHaveSingleItem();
        Place(problem).ShouldBe("golden.yaml:5:71 steps.b.with.columns[1] email");
        Steps(answer).ShouldBe(["b checked exact id", "c the columns of dataset:custmers are not known ", "d checked exact email"]);
    }

    [Fact]
    public async Task Connections_without_secrets_travel_along_and_no_others()
    {
        foreach (var (name, body) in new (string, object)[]
        {
            ("landing", new { type = "folder", settings = new { root = Path.GetTempPath() } }),
            ("dwh", new { type = "postgres", settings = new { host = "db", database = "d", user = "u", password = "4711" } }),
        })
        {
            (await _host.Client.PutAsJsonAsync($"/api/v1/projects/{_project}/connections/{name}", body)).EnsureSuccessStatusCode();
        }

        Steps(await ValidateAsync("""
            qualiz: 1
            pipeline: golden
            steps:
              a: {uses: rows, with: {connection: landing, columns: [id]}}
              b: {uses: rows, with: {connection: dwh, columns: [id]}}
            """)).ShouldBe(["a checked exact id,landing", "b the connection dwh is only opened in a run "]);
    }

    private Task<HttpResponseMessage> SaveAsync(string name, string text) =>
        _host.Client.PutAsync($"/api/v1/projects/{_project}/pipelines/{name}", new StringContent(text, Encoding.UTF8, "application/yaml"));

    private async Task<JsonElement> ValidateAsync(string text) => await PipelinesHost.ReadAsync(
        await _host.Client.PostAsync($"/api/v1/projects/{_project}/pipelines/validate?file=golden.yaml", new StringContent(text, Encoding.UTF8, "application/yaml")), 200);

    private static string Place(JsonElement problem) =>
        $"{problem.GetProperty("file")}:{problem.GetProperty("line")}:{problem.GetProperty("column")} {problem.GetProperty("path")} {problem.GetProperty("suggestion")}";

    private static IEnumerable<string> Steps(JsonElement answer) => answer.GetProperty("steps").EnumerateArray().Select(step =>
    {
        var columns = step.GetProperty("outputs").TryGetProperty("out", out var schema)
            ? string.Join(",", schema.GetProperty("columns").EnumerateArray().Select(column => column.GetProperty("name").GetString()))
            : "";
        var certainty = step.TryGetProperty("certainty", out var known) && known.ValueKind == JsonValueKind.String ? $"{known.GetString()} " : "";
        return $"{step.GetProperty("step")} {(step.GetProperty("checked").GetBoolean() ? "checked" : step.GetProperty("notChecked"))} {certainty}{columns}";
    });

    private static Dictionary<string, DatasetSchema> Schemas(params string[] columns) =>
        new() { ["out"] = new DatasetSchema { Columns = [.. columns.Select(name => new DatasetColumn { Name = name, Type = "text" })] } };

    private Task AnnounceAsync(string kind, bool infers, bool available) => _host.Services.GetRequiredService<OperatorRegistry>().SeenAsync(
        new OperatorAnnounced
        {
            Manifest = new OperatorManifest
            {
                Kind = kind,
                Version = "1.0",
                Title = kind,
                Description = kind,
                Icon = "table",
                Outputs = [new OperatorPort("out", "Rows")],
                Infers = infers,
                ConfigSchema = ConfigSchema.For<Nothing>(),
            },
            Instance = "test",
            At = available ? DateTimeOffset.UtcNow : DateTimeOffset.UtcNow.AddMinutes(-5),
        },
        default);

    private static OperatorDescription Description(string kind, int inputs) => new()
    {
        Kind = kind,
        Title = kind,
        Description = kind,
        Icon = "table",
        MinInputs = inputs,
        MaxInputs = inputs,
        Outputs = [new OperatorPort("out", "Rows")],
        RunsIn = OperatorRunsIn.Host,
    };

    internal sealed record Nothing;

    internal sealed record RowsConfig
    {
        public IReadOnlyList<string> Columns { get; init; } = [];
        public string? Note { get; init; }

        [Field(Format = FieldFormat.Connection)]
        public string? Connection { get; init; }
    }

    /// <summary>Gives the columns that it is told, and the name of its connection as one more; without any it does not know.</summary>
    internal sealed class RowsOperator : IOperator<RowsConfig>
    {
        public Task<StepResult> ExecuteAsync(RowsConfig config, StepContext step, CancellationToken ct) => throw new NotSupportedException();

        public async Task<OutputInferred> InferOutputAsync(RowsConfig config, InferenceContext context, CancellationToken ct)
        {
            var columns = config.Columns.ToList();
            if (columns.Count == 0)
                return OutputInferred.Unknown("nothing there yet");
            if (config.Connection is { } connection)
                columns.Add((await context.Connections.OpenAsync(connection, ct)).Name);
            return new OutputInferred { Outputs = Schemas([.. columns]) };
        }
    }

    internal sealed record KeepConfig
    {
        public IReadOnlyList<string> Columns { get; init; } = [];

        [Field(Format = FieldFormat.Dataset)]
        public string? Lookup { get; init; }
    }

    /// <summary>Keeps some columns of its input, or those of the dataset that it names instead.</summary>
    internal sealed class KeepOperator : IOperator<KeepConfig>
    {
        public Task<StepResult> ExecuteAsync(KeepConfig config, StepContext step, CancellationToken ct) => throw new NotSupportedException();

        public Task<OutputInferred> InferOutputAsync(KeepConfig config, InferenceContext context, CancellationToken ct)
        {
            if ((config.Lookup is { } lookup ? context.Dataset(lookup) : context.Inputs[0].Schema) is not { } schema)
                return Task.FromResult(OutputInferred.Unknown($"the columns of {context.Inputs[0].Name} are not known"));
            var unknown = config.Columns.Index().Where(column => schema.Find(column.Item) is null).ToList();
            return Task.FromResult(new OutputInferred
            {
                Outputs = Schemas([.. config.Columns.Where(name => schema.Find(name) is not null)]),
                Problems = [.. unknown.Select(column => new ConfigProblem
                {
                    Code = "columnUnknown",
                    Path = $"columns[{column.Index}]",
                    Message = $"Column \"{column.Item}\" does not exist; did you mean \"email\"?",
                    Suggestion = "email",
                    Needs = SchemaCertainty.Names,
                })],
            });
        }
    }

    internal sealed class Answers
    {
        public LastOutputs Last { get; set; } = new();
        public Dictionary<string, DatasetSchema> Datasets { get; } = [];
    }

    internal sealed class RunsAnswers(Answers answers) : IConsumer<GetLastOutputs>
    {
        public Task Consume(ConsumeContext<GetLastOutputs> context) => context.RespondAsync(answers.Last);
    }

    internal sealed class DatasetAnswers(Answers answers) : IConsumer<DescribeDataset>
    {
        public Task Consume(ConsumeContext<DescribeDataset> context) => answers.Datasets.TryGetValue(context.Message.Reference, out var schema)
            ? context.RespondAsync(new DatasetDescribed { Version = 1, Schema = schema })
            : context.RespondAsync(new DatasetUnknown { Message = "There is no such dataset." });
    }
}
