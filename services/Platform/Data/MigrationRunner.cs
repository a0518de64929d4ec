namespace Qualiz.Platform.Data;

internal sealed class MigrationRunner;
