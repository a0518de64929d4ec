using Microsoft.EntityFrameworkCore;

namespace Qualiz.Notify.Records;

/// <summary>The tables of schema <c>notify</c> (Migrations/).</summary>
internal sealed class NotifyDb(DbContextOptions<NotifyDb> options) : DbContext(options)
{
    public DbSet<SentMessage> Sent => Set<SentMessage>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasDefaultSchema("notify");
        modelBuilder.Entity<SentMessage>(builder =>
        {
            builder.ToTable("sent");
            builder.HasKey(message => message.Key);
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
