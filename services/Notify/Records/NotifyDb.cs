using Microsoft.EntityFrameworkCore;

namespace Qualiz.Notify.Records;

/// <summary>The tables of schema <c>notify</c> (Migrations/).</summary>
internal sealed class NotifyDb(DbContextOptions<NotifyDb> options) : DbContext(options)
{
    public DbSet<SentMessage> Sent => Set<SentMessage>();
    public DbSet<PipelineCondition> Pipelines => Set<PipelineCondition>();
    public DbSet<Notice> Notices => Set<Notice>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasDefaultSchema("notify");
        modelBuilder.Entity<SentMessage>(builder =>
        {
            builder.ToTable("sent");
            builder.HasKey(message => message.Key);
        });
        modelBuilder.Entity<PipelineCondition>(builder =>
        {
            builder.ToTable("pipeline");
            builder.HasKey(pipeline => pipeline.PipelineId);
            builder.Property(pipeline => pipeline.PipelineId).ValueGeneratedNever();
        });
        modelBuilder.Entity<Notice>(builder =>
        {
            builder.ToTable("notice");
            builder.HasKey(notice => notice.Id);
            builder.Property(notice => notice.Id).ValueGeneratedNever();
        });
    }
}

internal sealed class SentMessage
{
    public required Guid Key { get; init; }
    public required string Project { get; init; }
    public required string Channel { get; init; }
    public required string State { get; set; }
    public required int Attempts { get; set; }
    public required DateTimeOffset At { get; set; }
}

/// <summary>How a pipeline stood after its last run: only changes of that are told.</summary>
internal sealed class PipelineCondition
{
    public required Guid PipelineId { get; init; }
    public required string Project { get; init; }
    public required string Pipeline { get; init; }
    public required string State { get; set; }

    /// <summary>Where and why it failed: the same cause is told once.</summary>
    public string? Cause { get; set; }

    /// <summary>When the run of the state ended; what ended before it says nothing any more.</summary>
    public required DateTimeOffset At { get; set; }
}

/// <summary>One thing to tell to one address.</summary>
internal sealed class Notice
{
    public required Guid Id { get; init; }
    public required string Project { get; init; }
    public required string Pipeline { get; init; }
    public required Guid VersionId { get; init; }
    public required Guid RunId { get; init; }
    public required string Target { get; init; }
    public required string Kind { get; init; }
    public required string Subject { get; init; }
    public required string Body { get; init; }
    public required bool Digest { get; init; }
    public required DateTimeOffset DueAt { get; set; }
    public required string State { get; set; }
    public int Attempts { get; set; }
    public string? Error { get; set; }
    public required DateTimeOffset CreatedAt { get; init; }
}
