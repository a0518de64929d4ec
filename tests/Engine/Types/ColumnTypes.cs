using Qualiz.Engine.Types;

namespace Qualiz.Engine.Tests.Types;

internal static class ColumnTypes
{
    public static string Nearest(string engineType) =>
        (ColumnType.FromDuckDb(engineType) ?? ColumnType.NearestTo(engineType) ?? throw new InvalidOperationException(engineType)).ToString();
}
