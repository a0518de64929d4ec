using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Qualiz.Platform.Messaging.Sagas;

/// <summary>What every saga's row has: its id and, as the net under the lock, PostgreSQL's own row version.</summary>
public abstract class SagaMap<TState> : IEntityTypeConfiguration<TState> where TState : class, SagaStateMachineInstance
{
    public void Configure(EntityTypeBuilder<TState> builder)
    {
        builder.HasKey(saga => saga.CorrelationId);
        builder.Property(saga => saga.CorrelationId).ValueGeneratedNever();
        builder.Property<uint>("RowVersion").HasColumnName("xmin").IsRowVersion();
        ConfigureState(builder);
    }

    protected abstract void ConfigureState(EntityTypeBuilder<TState> builder);
}
