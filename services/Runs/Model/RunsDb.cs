using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Qualiz.Runs.Model;

/// <summary>The tables of schema <c>runs</c> (Migrations/), but for the events, which are only appended and read in order.</summary>
internal sealed class RunsDb(DbContextOptions<RunsDb> options) : DbContext(options)
{
    /// <summary>How JSON is written to the database and to events.</summary>
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
    };

    public DbSet<RunState> Runs => Set<RunState>();
    public DbSet<StepState> Steps => Set<StepState>();
    public DbSet<PlanRow> Plans => Set<PlanRow>();
    public DbSet<StepMemory> Memories => Set<StepMemory>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasDefaultSchema("runs");
        modelBuilder.ApplyConfiguration(new RunMap());
        modelBuilder.ApplyConfiguration(new StepMap());
        modelBuilder.ApplyConfiguration(new PlanMap());
        modelBuilder.ApplyConfiguration(new MemoryMap());
    }

    private sealed class RunMap : IEntityTypeConfiguration<RunState>
    {
        public void Configure(EntityTypeBuilder<RunState> builder)
        {
            builder.ToTable("run");
            builder.HasKey(run => run.CorrelationId);
            builder.Property(run => run.CorrelationId).HasColumnName("id").ValueGeneratedNever();
            builder.Property(run => run.CurrentState).HasColumnName("state");
            builder.Property(run => run.RowVersion).IsRowVersion();
            builder.Property(run => run.Params).HasColumnType("jsonb");
            builder.Property(run => run.Error).IsJson();
            builder.Property(run => run.Given).HasColumnType("jsonb");
            builder.Property(run => run.Reinjection).IsJson();
            builder.Ignore(run => run.Interval);
        }
    }

    private sealed class StepMap : IEntityTypeConfiguration<StepState>
    {
        public void Configure(EntityTypeBuilder<StepState> builder)
        {
            builder.ToTable("step");
            builder.HasKey(step => new { step.RunId, step.StepId });
            builder.HasOne<RunState>().WithMany().HasForeignKey(step => step.RunId);
            builder.Property(step => step.State).HasConversion<string>();
            builder.Ignore(step => step.IsTakenOver);
            builder.Property(step => step.Item).HasColumnType("jsonb");
            builder.Property(step => step.Items).IsJson();
            builder.Property(step => step.Progress).IsJson();
            builder.Property(step => step.Deferral).IsJson();
            builder.Property(step => step.Outcome).IsJson();
            builder.Property(step => step.Error).IsJson();
        }
    }

    private sealed class PlanMap : IEntityTypeConfiguration<PlanRow>
    {
        public void Configure(EntityTypeBuilder<PlanRow> builder)
        {
            builder.ToTable("plan");
            builder.HasKey(row => row.VersionId);
            builder.Property(row => row.VersionId).ValueGeneratedNever();
            builder.Property(row => row.Body).HasColumnType("json");
        }
    }

    private sealed class MemoryMap : IEntityTypeConfiguration<StepMemory>
    {
        public void Configure(EntityTypeBuilder<StepMemory> builder)
        {
            builder.ToTable("state");
            builder.HasKey(memory => new { memory.PipelineId, memory.StepId });
            builder.Property(memory => memory.Value).HasColumnType("jsonb");
        }
    }
}

file static class JsonColumns
{
    /// <summary>A whole object in a jsonb column. It is replaced, never changed in place, so it compares by reference.</summary>
    public static void IsJson<T>(this PropertyBuilder<T?> property) where T : class =>
        property.HasColumnType("jsonb").HasConversion(
            new ValueConverter<T?, string?>(
                value => value == null ? null : JsonSerializer.Serialize(value, RunsDb.Json),
                text => text == null ? null : JsonSerializer.Deserialize<T>(text, RunsDb.Json)),
            new ValueComparer<T?>((a, b) => ReferenceEquals(a, b), value => value == null ? 0 : value.GetHashCode(), value => value));
}
