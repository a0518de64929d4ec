using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Qualiz.Chaos.Tests.Harness;

/// <summary>A row as it should arrive.</summary>
internal sealed record Order(long Id, string Customer, string Email, string Amount);

/// <summary>
/// Two pipelines, the files they read, and what must come out: computed here from the files' rows, never from Qualiz's own
/// answers.
/// </summary>
internal sealed class Workload(Instance instance, Api api, int seed)
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

    private const int RowsPerFile = 3000;
    private int _number;

    /// <summary>The runs of each pipeline and what each should deliver, by run.</summary>
    public ConcurrentDictionary<Guid, (string File, IReadOnlyList<Order> Rows)> OrderRuns { get; } = new();
    public ConcurrentDictionary<Guid, IReadOnlyList<Order>> FreshRuns { get; } = new();

    /// <summary>A number that no run has had, for the next one.</summary>
    public int Next() => Interlocked.Increment(ref _number);

    /// <summary>One in three reads only what is new.</summary>
    public Task<Guid> StartAsync(int number) => number % 3 == 0 ? StartFreshAsync(number) : StartOrdersAsync(number);

    public async Task PrepareAsync()
    {
        Directory.CreateDirectory(Path.Combine(instance.Landing, "orders"));
        Directory.CreateDirectory(Path.Combine(instance.Landing, "fresh"));
        await api.CreateProjectAsync();
        await api.SaveAsync("orders", Orders);
        await api.SaveAsync("fresh", Fresh);
    }

    public async Task<Guid> StartOrdersAsync(int number)
    {
        var file = $"orders-{number:000}.csv";
        var rows = Write(Path.Combine("orders", file), number, clean: true);
        var run = await api.StartRunAsync("orders", $"orders {number}", new { file });
        OrderRuns[run] = (file, rows);
        return run;
    }

    public async Task<Guid> StartFreshAsync(int number)
    {
        var rows = Write(Path.Combine("fresh", $"fresh-{number:000}.csv"), 1000 + number, clean: false);
        var run = await api.StartRunAsync("fresh", $"fresh {number}");
        FreshRuns[run] = rows;
        return run;
    }

    /// <summary>Writes a file whole or not at all, as whoever delivers into a landing folder must.</summary>
    /// <param name="clean">Whether the pipeline cleanses it.</param>
    /// <returns>What of it should be delivered.</returns>
    private List<Order> Write(string path, int number, bool clean)
    {
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
        }
        var final = Path.Combine(instance.Landing, path);
        File.WriteAllText(final + ".part", text.ToString());
        File.Move(final + ".part", final);
        return good;
    }

    private static readonly string[] Names = ["Åse Ørn", "O'Neill, Pat", "Müller \"Max\"", "  Wide Space", "李雷", "Plain"];
}
