using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Qualiz.Pipelines.Model;

/// <summary>The tables of schema <c>pipelines</c> (Migrations/) that are mapped; operators are plain SQL.</summary>
internal sealed class PipelinesDb(DbContextOptions<PipelinesDb> options) : DbContext(options)
{
    public const string Schema = "pipelines";

    public DbSet<Project> Projects => Set<Project>();
    public DbSet<Pipeline> Pipelines => Set<Pipeline>();
    public DbSet<PipelineVersion> Versions => Set<PipelineVersion>();
    public DbSet<ProjectConnection> Connections => Set<ProjectConnection>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasDefaultSchema(Schema);
        modelBuilder.ApplyConfiguration(new ProjectMap());
        modelBuilder.ApplyConfiguration(new PipelineMap());
        modelBuilder.ApplyConfiguration(new VersionMap());
        modelBuilder.ApplyConfiguration(new ConnectionMap());
    }

    private sealed class ProjectMap : IEntityTypeConfiguration<Project>
    {
        public void Configure(EntityTypeBuilder<Project> builder)
        {
            builder.ToTable("project");
            builder.HasKey(project => project.Id);
            builder.Property(project => project.Id).ValueGeneratedNever();
            builder.HasQueryFilter(project => project.DeletedAt == null);
        }
    }

    private sealed class PipelineMap : IEntityTypeConfiguration<Pipeline>
    {
        public void Configure(EntityTypeBuilder<Pipeline> builder)
        {
            builder.ToTable("pipeline");
            builder.HasKey(pipeline => pipeline.Id);
            builder.Property(pipeline => pipeline.Id).ValueGeneratedNever();
            builder.HasQueryFilter(pipeline => pipeline.DeletedAt == null);
        }
    }

    private sealed class VersionMap : IEntityTypeConfiguration<PipelineVersion>
    {
        public void Configure(EntityTypeBuilder<PipelineVersion> builder)
        {
            builder.ToTable("version");
            builder.HasKey(version => version.Id);
            builder.Property(version => version.Id).ValueGeneratedNever();
            StoredJson.Map(builder.Property(version => version.Plan), "json");
            StoredJson.Map(builder.Property(version => version.Connections), "jsonb");
        }
    }

    private sealed class ConnectionMap : IEntityTypeConfiguration<ProjectConnection>
    {
        public void Configure(EntityTypeBuilder<ProjectConnection> builder)
        {
            builder.ToTable("connection");
            builder.HasKey(connection => connection.Id);
            builder.Property(connection => connection.Id).ValueGeneratedNever();
            builder.Property(connection => connection.Revision).IsConcurrencyToken();
            StoredJson.Map(builder.Property(connection => connection.Settings), "jsonb");
        }
    }
}

/// <summary>How records are kept in JSON columns. They are replaced whole, never changed, so they compare by reference.</summary>
internal static class StoredJson
{
    public static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public static void Map<T>(PropertyBuilder<T> property, string type) where T : class =>
        property.HasColumnType(type).HasConversion(
            new ValueConverter<T, string>(value => JsonSerializer.Serialize(value, Options), text => JsonSerializer.Deserialize<T>(text, Options)!),
            new ValueComparer<T>((a, b) => ReferenceEquals(a, b), value => value.GetHashCode(), value => value));
}
