using System.Text.Json;
using System.Text.Json.Serialization;
using Qualiz.Contracts.Files;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Contracts.Plans;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Contracts.Schemas;
using Qualiz.Contracts.Values;

namespace Qualiz.Contracts.Tests.Files;

public sealed class PipelineCompilerTests
{
    private static readonly OperatorCatalogue Operators = new([
        Manifest<IngestConfig>("ingest", "1.3", 0, 0, "out", "rejected"),
        Manifest<CleanConfig>("cleanse", "1.0", 1, null, "out", "rejected"),
        Manifest<CleanConfig>("cleanse", "2.0", 1, null, "out", "rejected"),
        Manifest<DeliverConfig>("deliver", "1.0", 1, 1),
        Manifest<NoConfig>("split", "1.0", 1, 1, "left", "right"),
    ]);

    [Fact]
    public void A_good_file_becomes_a_plan_with_its_defaults()
    {
        var plan = Plan("""
            limits: {concurrency: 1, whenBusy: reject, timeout: 45m}
            retry: {times: 3, on: any}
            params:
              day: {type: date, default: "${run.day}", title: Business day}
              countries: {type: list, of: text, default: [US, NO]}
              must: {type: int64}
            steps:
              crm: {uses: ingest, with: {files: "shop/${params.day}/*.csv"}, timeout: 10m}
              clean:
                uses: cleanse@1
                inputs: [crm, crm.rejected, "dataset:old@12"]
                needs: [prepare]
                retry: {wait: 1m, times: 0}
                with: {rules: [{rule: trim}]}
                publish: customers
              prepare: {uses: ingest, with: {files: x}}
            """);
        plan.Pipeline.ShouldBe("p");
        plan.Limits.ShouldBe(new PlanLimits(1, WhenBusy.Reject, TimeSpan.FromMinutes(45)));
        plan.Params.Select(param => (param.Name, param.Type, param.Of, param.Default?.GetRawText(), param.Title)).ShouldBe([
            ("day", "date", null, "\"${run.day}\"", "Business day"), ("countries", "list", "text", "[\"US\",\"NO\"]", null), ("must", "int64", null, null, null)]);
        plan.Steps.Select(step => step.Id).ShouldBe(["crm", "clean", "prepare"]);
        plan.Step("crm").Retry.ShouldBe(new RetryPolicy(3, TimeSpan.FromSeconds(10), 2, RetryOn.Any));
        plan.Step("crm").Timeout.ShouldBe(TimeSpan.FromMinutes(10));
        var clean = plan.Step("clean");
        (clean.Operator, clean.Major, clean.Publish).ShouldBe(("cleanse", 1, "customers"));
        clean.Retry.ShouldBe(new RetryPolicy(0, TimeSpan.FromMinutes(1), 2, RetryOn.Any));
        clean.Inputs.ShouldBe([
            new PlanInput("crm", "crm", "out", null), new PlanInput("crm.rejected", "crm", "rejected", null), new PlanInput("dataset:old@12", null, null, "dataset:old@12")]);
        clean.Dependencies.ShouldBe(["crm", "prepare"]);
    }

    [Fact]
    public void Without_any_retry_there_is_none() => Plan("steps: {a: {uses: ingest, with: {files: x}}}").Steps[0].Retry.ShouldBe(RetryPolicy.None);

    [Fact]
    public void The_newest_major_is_taken_when_none_is_named() =>
        Plan("steps: {a: {uses: ingest, with: {files: x}}, b: {uses: cleanse, inputs: [a], with: {rules: [{rule: trim}]}}}").Step("b").Major.ShouldBe(2);

    [Fact]
    public void An_error_found_at_run_time_has_its_place_in_the_file()
    {
        var plan = Plan("""
            steps:
              a:
                uses: ingest
                with:
                  files: x
                  limit: 3
              b: {uses: cleanse, inputs: [a], when: "a.rows > 0", with: {rules: [{rule: trim}, {rule: trim}]}}
            """);
        Place("a", "limit").ShouldBe("p.yaml:8:14 steps.a.with.limit");
        Place("a", "limit.deeper[3]").ShouldBe("p.yaml:8:14 steps.a.with.limit.deeper[3]");
        Place("a", "format.type").ShouldBe("p.yaml:6:5 steps.a.with.format.type");
        Place("b", "when").ShouldBe("p.yaml:9:41 steps.b.when");
        Place("b", "inputs[0]").ShouldBe("p.yaml:9:31 steps.b.inputs[0]");
        Place("b", "rules[1].rule").ShouldBe("p.yaml:9:91 steps.b.with.rules[1].rule");
        plan.Locate("a", new StepError { Code = "c", Message = "m" }).Place.ShouldBeNull();

        string Place(string step, string path)
        {
            var place = plan.Locate(step, new StepError { Code = "c", Message = "m", Path = path }).Place!;
            return $"{place.File}:{place.Line}:{place.Column} {place.Path}";
        }
    }

    [Fact]
    public void A_plan_survives_the_way_through_JSON()
    {
        var plan = Plan("params: {day: {type: date}}\nsteps: {a: {uses: ingest, with: {files: x, limit: 3}, when: \"run.day > '2026'\"}}");
        var again = JsonSerializer.Deserialize<PipelinePlan>(JsonSerializer.Serialize(plan, JsonSerializerOptions.Web), JsonSerializerOptions.Web)!;
        JsonSerializer.Serialize(again, JsonSerializerOptions.Web).ShouldBe(JsonSerializer.Serialize(plan, JsonSerializerOptions.Web));
        again.Params[0].Default.ShouldBeNull();
    }

    [Theory]
    [InlineData("uses: ingest, with: {}", "5:27 steps.a.with: \"files\" is missing; for example files: \"shop/*.csv\"")]
    [InlineData("uses: ingest", "5:3 steps.a.with: \"files\" is missing; for example files: \"shop/*.csv\"")]
    [InlineData("uses: ingest, with: {files: x, limit: \"${params.n}\"}", null)]
    [InlineData("uses: ingest, with: {files: x, limit: \"${params.day}\"}", "5:45 steps.a.with.limit: should be a whole number, but \"${params.day}\" gives text")]
    [InlineData("uses: ingest, with: {files: x, limit: \"n${params.n}\"}", "5:45 steps.a.with.limit: should be a whole number, but \"n${params.n}\" gives text")]
    [InlineData("uses: ingest, with: {files: \"${params.list}\"}", "5:35 steps.a.with.files: should be text, but \"${params.list}\" gives a list")]
    [InlineData("uses: ingest, with: {files: \"${params.dya}\"}", "5:45 steps.a.with.files: \"dya\" is no parameter; did you mean \"day\"?")]
    [InlineData("uses: ingest, with: {files: \"${steps.a.rows}\"}", "5:44 steps.a.with.files: a step cannot read its own result")]
    [InlineData("uses: ingest, with: {files: \"${params.day\"}", "5:35 steps.a.with.files: \"${\" is not closed: a \"}\" is missing")]
    [InlineData("uses: ingest, with: {files: \"$${not.a.template}\"}", null)]
    [InlineData("uses: ingest, with: {files: x, mode: \"${params.text}\"}", null)]
    [InlineData("uses: ingest, with: {files: x, only: \"day > '${params.day}'\"}", null)]
    [InlineData("uses: ingest, with: {files: x, only: \"name = '${params.text}'\"}", "5:55 steps.a.with.only: params.text is text and could change what the expression does; only numbers, dates and true/false are filled in here")]
    [InlineData("uses: ingest, with: {files: x, from: \"${params.text}\"}", "5:44 steps.a.with.from: a connection is named, not filled in, so that it is known which connections a version uses")]
    [InlineData("uses: ingest, inputs: [\"dataset:x\"], with: {files: x}", "5:21 steps.a.inputs: ingest takes no input; to come after a step, write needs: [step]")]
    [InlineData("uses: cleanse, inputs: [\"dataset:x\"], with: {rules: [{rule: \"${params.text}\"}]}", "5:67 steps.a.with.rules[0].rule: should be one of trim, date, written out")]
    [InlineData("uses: deliver, inputs: [\"dataset:x\"], publish: y", "5:54 steps.a.publish: deliver has no output to publish")]
    [InlineData("uses: ingest, with: {files: x, any: {deep: [\"${params.dya}\"]}}", "5:61 steps.a.with.any.deep[0]: \"dya\" is no parameter; did you mean \"day\"?")]
    [InlineData("uses: zebra", "5:13 steps.a.uses: \"zebra\" is no operator; there is cleanse, deliver, ingest, split")]
    [InlineData("uses: cleanse@9, inputs: [\"dataset:x\"]", "5:13 steps.a.uses: cleanse has no version 9; there is cleanse@2, cleanse@1")]
    public void What_the_operators_say_stands_where_it_is_wrong(string step, string? problem)
    {
        var text = "qualiz: 1\npipeline: p\nparams: {day: {type: date}, n: {type: int64}, text: {type: text}, list: {type: list}}\nsteps:\n  a: {" + step + "}\n";
        Compile(text).Problems.Select(found => found.ToString()).ShouldBe(problem is null ? [] : ["p.yaml:" + problem]);
    }

    [Fact]
    public void A_port_that_is_not_there_is_named()
    {
        var problems = Compile("""
            qualiz: 1
            pipeline: p
            steps:
              a: {uses: ingest, with: {files: x}}
              s: {uses: split, inputs: [a]}
              b: {uses: deliver, inputs: [s]}
              c: {uses: deliver, inputs: [s.lefft]}
              d: {uses: deliver, inputs: [s.zebra]}
              e: {uses: deliver, inputs: [a, s.left]}
            """).Problems;
        problems.Select(problem => problem.Message).ShouldBe([
            "s (split) has several outputs: write s.left or s.right",
            "s (split) has no output \"lefft\"; did you mean \"left\"?",
            "s (split) has no output \"zebra\"; there is left, right",
            "deliver takes at most 1 input, has 2",
        ]);
    }

    [Fact]
    public void What_is_late_is_part_of_the_plan_when_somebody_wants_to_know()
    {
        var compiled = Compile("qualiz: 1\npipeline: p\nkeep: {runs: 9d}\nnotify: [{when: late, to: [\"email:a@b.c\"]}]\nsteps: {a: {uses: ingest, with: {files: x}}}\n");
        compiled.Plan!.Keep.ShouldBe(new PlanKeep(null, TimeSpan.FromDays(9)));
        compiled.Problems.ShouldBeEmpty();
        compiled.Plan.Late.ShouldBe(new PlanLate(null, 3));
        Compile("qualiz: 1\npipeline: p\nlate: {by: 07:30}\nsteps: {a: {uses: ingest, with: {files: x}}}\n").Problems.Select(problem => problem.ToString())
            .ShouldBe(["p.yaml:3:1 late: warning: nobody is told of late runs; add late to a \"when\" under notify"]);
        Plan("late: {by: 07:30, times: 1.5}\nnotify: [{when: late, to: [\"email:a@b.c\"]}]\nsteps: {a: {uses: ingest, with: {files: x}}}").Late.ShouldBe(new PlanLate(new TimeOnly(7, 30), 1.5));
        Plan("owner: crm@example.org\nsteps: {a: {uses: ingest, with: {files: x}}}").Late.ShouldBe(new PlanLate(null, 3));
        Plan("owner: crm-team\nsteps: {a: {uses: ingest, with: {files: x}}}").Late.ShouldBeNull();
    }

    [Theory]
    [InlineData("a@x.org", true)]
    [InlineData("first.last+tag@mail.example.org", true)]
    [InlineData("a@x.org,b@x.org", false)]
    [InlineData("a@x.org;b@x.org", false)]
    [InlineData("a@b@c", false)]
    [InlineData("@x.org", false)]
    [InlineData("a@", false)]
    [InlineData("Team<a@x.org>", false)]
    [InlineData("a @x.org", false)]
    public void An_address_of_messages_is_one_mailbox(string address, bool good)
    {
        var text = "qualiz: 1\npipeline: p\nnotify: [{when: failed, to: [\"email:" + address + "\"]}]\nsteps: {a: {uses: ingest, with: {files: x}}}\n";
        Compile(text).Problems.Select(problem => problem.ToString()).ShouldBe(good ? [] :
            [$"p.yaml:3:30 notify[0].to[0]: \"email:{address}\" is no address; write email:name@example.org (one address an entry), slack:connection or webhook:connection"]);
        Plan($"owner: \"{address}\"\nsteps: {{a: {{uses: ingest, with: {{files: x}}}}}}").Notify.Count.ShouldBe(good ? 1 : 0);
    }

    [Fact]
    public void ForEach_is_part_of_the_plan_with_its_defaults()
    {
        var each = Plan("steps: {a: {uses: ingest, forEach: {items: [1], as: x, onError: continue}, with: {files: \"${x}\"}}}").Step("a").ForEach!;
        (each.As, each.Parallel, each.OnError, each.Items.GetRawText()).ShouldBe(("x", 1, OnItemError.Continue, "[1]"));
        var number = Plan("steps: {a: {uses: ingest, forEach: {items: 5, parallel: 3}, with: {files: \"${item}\"}, when: \"item > 2\"}}").Step("a").ForEach!;
        (number.As, number.Parallel, number.OnError, number.Items.GetRawText()).ShouldBe(("item", 3, OnItemError.Fail, "5"));
    }

    [Fact]
    public void The_connections_of_each_step_are_known() =>
        Compile("qualiz: 1\npipeline: p\nsteps: {a: {uses: ingest, with: {files: x, from: landing}}, b: {uses: ingest, with: {files: x}}}\n")
            .Connections.Select(use => (use.Connection, use.Step, use.Path)).ShouldBe([("landing", "a", "steps.a.with.from")]);

    [Fact]
    public void A_file_that_cannot_be_read_gives_its_problem() => Compile("[").Problems.ShouldHaveSingleItem();

    private static CompiledPipeline Compile(string text) => PipelineCompiler.Compile(PipelineFile.Parse(text, "p.yaml"), Operators);

    private static PipelinePlan Plan(string rest)
    {
        var compiled = Compile("qualiz: 1\npipeline: p\n" + rest);
        compiled.Problems.ShouldBeEmpty();
        return compiled.Plan!;
    }

    private static OperatorManifest Manifest<T>(string kind, string version, int min, int? max, params string[] ports) where T : class => new()
    {
        Kind = kind,
        Version = version,
        Title = kind,
        Description = kind,
        Icon = kind,
        MinInputs = min,
        MaxInputs = max,
        Outputs = [.. ports.Select(port => new OperatorPort(port, port))],
        ConfigSchema = ConfigSchema.For<T>(),
    };

    public sealed record NoConfig;

    public sealed record DeliverConfig;

    public sealed record IngestConfig
    {
        [Field(Example = "shop/*.csv")]
        public required string Files { get; init; }

        [Field(Minimum = 1)]
        public long? Limit { get; init; }

        public IngestMode Mode { get; init; }

        [Field(Format = FieldFormat.Expression)]
        public string? Only { get; init; }

        [Field(Format = FieldFormat.Connection)]
        public string? From { get; init; }

        public JsonElement? Any { get; init; }
    }

    public enum IngestMode
    {
        Fast,
        Careful,
    }

    public sealed record CleanConfig
    {
        public IReadOnlyList<Rule> Rules { get; init; } = [];
        public Share MaxRejected { get; init; } = new(1);
    }

    [JsonPolymorphic(TypeDiscriminatorPropertyName = "rule")]
    [JsonDerivedType(typeof(Trim), "trim")]
    [JsonDerivedType(typeof(Date), "date")]
    public abstract record Rule;

    public sealed record Trim : Rule;

    public sealed record Date : Rule;
}
