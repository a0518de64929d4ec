using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using Qualiz.TestKit;

namespace Qualiz.Chaos.Tests.Harness;

/// <summary>A row as it should arrive.</summary>
internal sealed record Order(long Id, string Customer, string Email, string Amount);

/// <summary>Somebody who is in the file twice, as he should arrive.</summary>
internal sealed record Person(long Id, string Customer, string Label, string Tag);

/// <summary>
/// The pipelines, which use every operator there is, the files they read, and what must come out: computed here from the files' rows, never from Qualiz's own
/// answers.
/// </summary>
internal sealed class Workload(Instance instance, Api api, Receiver receiver, int seed)
{
    /// <summary>Every run reads a file of its own.</summary>
    public const string Orders = """
        qualiz: 1
        pipeline: orders
        params:
          file: {type: text}
        retry: {times: 30, wait: 1s, backoff: 1, on: transient}
        steps:
          read:
            uses: ingest
            with:
              from: {connection: landing, files: "orders/${params.file}"}
              format: {type: csv}
              types: {id: int64, customer: text, email: text, amount: "decimal(18,2)"}
          clean:
            uses: cleanse
            inputs: [read]
            with:
              rules:
                - {rule: trim, columns: [customer]}
              checks:
                - {check: notNull, columns: [email], else: reject}
            publish: orders
          pause:
            uses: wait
            needs: [read]
            with: {for: 1s}
          table:
            uses: deliver
            inputs: [clean]
            needs: [pause]
            with: {to: {connection: dwh, table: public.orders}}
          file:
            uses: deliver
            inputs: [clean]
            with: {to: {file: "${params.file}"}}
        """;

    /// <summary>Every run reads what no completed run has read.</summary>
    public const string Fresh = """
        qualiz: 1
        pipeline: fresh
        limits: {concurrency: 1, whenBusy: queue}
        retry: {times: 30, wait: 1s, backoff: 1, on: transient}
        steps:
          read:
            uses: ingest
            with:
              from: {connection: landing, files: "fresh/*.csv", onlyNew: true}
              format: {type: csv}
              types: {id: int64, customer: text, email: text, amount: "decimal(18,2)"}
          table:
            uses: deliver
            inputs: [read]
            with: {to: {connection: dwh, table: public.fresh}}
        """;

    /// <summary>What the other two do not use: matching, looking up, notifying.</summary>
    public const string People = """
        qualiz: 1
        pipeline: people
        params:
          file: {type: text}
        retry: {times: 30, wait: 1s, backoff: 1, on: transient}
        steps:
          begin:
            uses: log
            with: {message: "reads ${params.file}"}
          read:
            uses: ingest
            needs: [begin]
            with:
              from: {connection: landing, files: "people/${params.file}"}
              format: {type: csv}
              types: {id: int64, customer: text, code: text}
          people:
            uses: dedup
            inputs: [read]
            with: {keys: [{columns: [id]}]}
          enriched:
            uses: enrich
            inputs: [people.entities]
            with:
              lookup: "dataset:codes"
              keys: {code: code}
              take: {label: add}
              derive: [{column: tag, expression: "CAST(id AS VARCHAR) || '-' || code"}]
          table:
            uses: deliver
            inputs: [enriched]
            with: {to: {connection: dwh, table: public.people}}
          tell:
            uses: notify
            inputs: [enriched]
            needs: [table]
            with:
              send: {by: webhook, connection: hook, body: '{"run": "{{run.id}}", "rows": "{{values.rows}}" }'}
              values: {rows: "rows ${enriched.rows}"}
        """;

    /// <summary>Elements, and what is done in between: each run reads three files, two at a time, and writes two tables.</summary>
    public const string Parts = """
        qualiz: 1
        pipeline: parts
        params:
          file: {type: text}
        retry: {times: 30, wait: 1s, backoff: 1, on: transient}
        steps:
          read:
            forEach: {items: [a, b, c], as: part, parallel: 2}
            uses: ingest
            with:
              from: {connection: landing, files: "parts/${params.file}-${part}.csv"}
              format: {type: csv}
              types: {id: int64, customer: text, email: text, amount: "decimal(18,2)"}
          shaped:
            uses: transform
            inputs: [read]
            with: {operations: [{operation: filter, where: "email IS NOT NULL"}]}
          chosen:
            uses: sql
            inputs: [shaped]
            with: {query: "SELECT id, customer, email, amount FROM shaped", key: [id]}
          looked:
            uses: detect
            inputs: [chosen]
          table:
            forEach: {items: [first, second], as: copy, parallel: 2}
            uses: deliver
            inputs: [looked]
            with: {to: {connection: dwh, table: "public.parts_${copy}"}}
        """;

    /// <summary>A run that is the step of another one.</summary>
    public const string Family = """
        qualiz: 1
        pipeline: family
        params:
          file: {type: text}
        retry: {times: 30, wait: 1s, backoff: 1, on: transient}
        steps:
          begin:
            uses: log
            with: {message: "begins ${params.file}"}
          parts:
            uses: subjob
            needs: [begin]
            with: {pipeline: parts, params: {file: "${params.file}"}}
          end:
            uses: log
            needs: [parts]
            with: {message: "ends ${params.file}"}
        """;

    /// <summary>Makes the dataset that the people's codes are looked up in.</summary>
    public const string Codes = """
        qualiz: 1
        pipeline: codes
        steps:
          read:
            uses: ingest
            with: {from: {connection: landing, files: "codes/*.csv"}, format: {type: csv}}
            publish: codes
        """;

    public static readonly IReadOnlyList<string> Pipelines = [Orders, Fresh, People, Codes, Parts, Family];

    private const int RowsPerFile = 3000;
    private int _number;

    /// <summary>The runs of each pipeline and what each should deliver, by run; of these also what each step should reject.</summary>
    public ConcurrentDictionary<Guid, (string File, IReadOnlyList<Order> Rows, IReadOnlyList<(string Step, long Row)> Rejected)> OrderRuns { get; } = new();
    public ConcurrentDictionary<Guid, IReadOnlyList<Order>> FreshRuns { get; } = new();
    public ConcurrentDictionary<Guid, IReadOnlyList<Person>> PeopleRuns { get; } = new();

    /// <summary>Each has one child, a run of <see cref="Parts"/>, which delivers these to both tables.</summary>
    public ConcurrentDictionary<Guid, IReadOnlyList<Order>> FamilyRuns { get; } = new();
    public Receiver Receiver => receiver;

    /// <summary>All runs, of whichever pipeline, those that others start too.</summary>
    public int Runs => OrderRuns.Count + FreshRuns.Count + PeopleRuns.Count + (FamilyRuns.Count * 2);

    /// <summary>A number that no run has had, for the next one.</summary>
    public int Next() => Interlocked.Increment(ref _number);

    /// <summary>Each of the four pipelines in turn.</summary>
    public Task<Guid> StartAsync(int number) => (number % 4) switch
    {
        0 => StartFreshAsync(number),
        1 => StartOrdersAsync(number),
        2 => StartPeopleAsync(number),
        _ => StartFamilyAsync(number),
    };

    public async Task PrepareAsync()
    {
        Directory.CreateDirectory(Path.Combine(instance.Landing, "orders"));
        Directory.CreateDirectory(Path.Combine(instance.Landing, "fresh"));
        Directory.CreateDirectory(Path.Combine(instance.Landing, "people"));
        Directory.CreateDirectory(Path.Combine(instance.Landing, "codes"));
        Directory.CreateDirectory(Path.Combine(instance.Landing, "parts"));
        await File.WriteAllTextAsync(Path.Combine(instance.Landing, "codes", "codes.csv"), $"code,label\n{string.Concat(Enumerable.Range(0, 10).Select(code => $"c{code},label {code}\n"))}");
        await api.CreateProjectAsync();
        await api.PutAsync("Pipelines", $"/api/v1/projects/{Api.Project}/connections/hook", new { type = "webhook", settings = new { url = receiver.Address } });
        await api.SaveAsync("orders", Orders);
        await api.SaveAsync("fresh", Fresh);
        await api.SaveAsync("codes", Codes);
        await api.SaveAsync("parts", Parts);
        await api.SaveAsync("family", Family);
        await api.UntilEndAsync(await api.StartRunAsync("codes", "codes"), TimeSpan.FromMinutes(2));
        await TestHost.UntilAsync(async () =>
            await api.TryGetAsync("Datasets", $"/api/v1/projects/{Api.Project}/datasets/codes/versions/latest") is var (status, _) && status == HttpStatusCode.OK ? null : "dataset codes", TimeSpan.FromSeconds(60));
        await api.SaveAsync("people", People);
    }

    public async Task<Guid> StartOrdersAsync(int number)
    {
        var file = $"orders-{number:000}.csv";
        var rejected = new List<(string, long)>();
        var rows = Write(Path.Combine("orders", file), number, rejected);
        var run = await api.StartRunAsync("orders", $"orders {number}", new { file });
        OrderRuns[run] = (file, rows, rejected);
        return run;
    }

    public async Task<Guid> StartFreshAsync(int number)
    {
        var rows = Write(Path.Combine("fresh", $"fresh-{number:000}.csv"), 1000 + number);
        var run = await api.StartRunAsync("fresh", $"fresh {number}");
        FreshRuns[run] = rows;
        return run;
    }

    public async Task<Guid> StartFamilyAsync(int number)
    {
        var file = $"parts-{number:000}";
        var rows = new List<Order>();
        foreach (var (part, at) in new[] { ("a", 0), ("b", 1), ("c", 2) })
            rows.AddRange(Write(Path.Combine("parts", $"{file}-{part}.csv"), 2000 + (number * 3) + at));
        var run = await api.StartRunAsync("family", $"family {number}", new { file });
        FamilyRuns[run] = rows;
        return run;
    }

    public async Task<Guid> StartPeopleAsync(int number)
    {
        var file = $"people-{number:000}.csv";
        var people = new List<Person>();
        var text = new StringBuilder("id,customer,code\n");
        var random = new Random(HashCode.Combine(seed, number));
        for (var i = 0; i < RowsPerFile / 3; i++)
        {
            var id = (number * 1_000_000L) + i;
            var code = random.Next(10);
            var customer = $"{Names[random.Next(Names.Length)].Trim()} {random.Next(1000)}";
            people.Add(new Person(id, customer, $"label {code}", $"{id}-c{code}"));
            var line = string.Create(CultureInfo.InvariantCulture, $"{id},\"{customer.Replace("\"", "\"\"", StringComparison.Ordinal)}\",c{code}\n");
            text.Append(line).Append(i % 3 == 0 ? line : "");
        }
        WriteWhole(Path.Combine("people", file), text.ToString());
        var run = await api.StartRunAsync("people", $"people {number}", new { file });
        PeopleRuns[run] = people;
        return run;
    }

    /// <summary>Writes a file whole or not at all, as whoever delivers into a landing folder must.</summary>
    /// <param name="rejected">Of a pipeline that cleanses: gets what its steps should reject.</param>
    /// <returns>What of it should be delivered.</returns>
    private List<Order> Write(string path, int number, List<(string Step, long Row)>? rejected = null)
    {
        var clean = rejected is not null;
        var random = new Random(HashCode.Combine(seed, number));
        var good = new List<Order>();
        var text = new StringBuilder("id,customer,email,amount\n");
        for (var i = 0; i < RowsPerFile; i++)
        {
            var id = (number * 1_000_000L) + i;
            var customer = $"{Names[random.Next(Names.Length)]} {random.Next(1000)}";
            var email = clean && random.Next(10) == 0 ? "" : $"u{id}@example.org";
            var whole = !clean || random.Next(20) > 0;
            var amount = whole ? (random.Next(1, 10_000_000) / 100m).ToString("0.00", CultureInfo.InvariantCulture) : "n/a";
            text.Append(CultureInfo.InvariantCulture, $"{id},\"{customer.Replace("\"", "\"\"", StringComparison.Ordinal)}\",{email},{amount}\n");
            if (email.Length > 0 && whole)
                good.Add(new Order(id, clean ? customer.Trim() : customer, email, amount));
            else
                rejected!.Add((whole ? "clean" : "read", i + 1));
        }
        WriteWhole(path, text.ToString());
        return good;
    }

    private void WriteWhole(string path, string text)
    {
        var final = Path.Combine(instance.Landing, path);
        File.WriteAllText(final + ".part", text);
        File.Move(final + ".part", final);
    }

    private static readonly string[] Names = ["Åse Ørn", "O'Neill, Pat", "Müller \"Max\"", "  Wide Space", "李雷", "Plain"];
}
