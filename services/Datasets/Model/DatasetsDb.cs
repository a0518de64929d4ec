using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using Qualiz.Contracts.Data;

namespace Qualiz.Datasets.Model;

/// <summary>The tables of schema <c>datasets</c> (Migrations/).</summary>
internal sealed class DatasetsDb(DbContextOptions<DatasetsDb> options) : DbContext(options)
{
    public DbSet<Dataset> Datasets => Set<Dataset>();
    public DbSet<DatasetVersion> Versions => Set<DatasetVersion>();
    public DbSet<ReadPin> Pins => Set<ReadPin>();
    public DbSet<Upload> Uploads => Set<Upload>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasDefaultSchema("datasets");
        modelBuilder.ApplyConfiguration(new DatasetMap());
        modelBuilder.ApplyConfiguration(new VersionMap());
        modelBuilder.ApplyConfiguration(new PinMap());
        modelBuilder.ApplyConfiguration(new UploadMap());
    }

    private sealed class DatasetMap : IEntityTypeConfiguration<Dataset>
    {
        public void Configure(EntityTypeBuilder<Dataset> builder)
        {
            builder.ToTable("dataset");
            builder.HasKey(dataset => dataset.Id);
            builder.Property(dataset => dataset.Id).ValueGeneratedNever();
            builder.Property(dataset => dataset.RowVersion).IsRowVersion();
        }
    }

    private sealed class VersionMap : IEntityTypeConfiguration<DatasetVersion>
    {
        private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

        public void Configure(EntityTypeBuilder<DatasetVersion> builder)
        {
            builder.ToTable("version");
            builder.HasKey(version => new { version.DatasetId, version.Number });
            builder.Property(version => version.Number).ValueGeneratedNever();
            // Written once and never changed, so it compares by reference.
            builder.Property(version => version.Content).HasColumnType("jsonb").HasConversion(
                new ValueConverter<DatasetRef, string>(content => JsonSerializer.Serialize(content, Json), text => JsonSerializer.Deserialize<DatasetRef>(text, Json)!),
                new ValueComparer<DatasetRef>((a, b) => ReferenceEquals(a, b), content => content.GetHashCode(), content => content));
        }
    }

    private sealed class PinMap : IEntityTypeConfiguration<ReadPin>
    {
        public void Configure(EntityTypeBuilder<ReadPin> builder)
        {
            builder.ToTable("read_pin");
            builder.HasKey(pin => new { pin.RunId, pin.Reference });
        }
    }

    private sealed class UploadMap : IEntityTypeConfiguration<Upload>
    {
        public void Configure(EntityTypeBuilder<Upload> builder)
        {
            builder.ToTable("upload");
            builder.HasKey(upload => upload.Id);
            builder.Property(upload => upload.Id).ValueGeneratedNever();
        }
    }
}
