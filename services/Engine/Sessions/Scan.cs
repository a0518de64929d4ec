namespace Qualiz.Engine.Sessions;

/// <summary>
/// The one place where files are read in SQL. A folder <c>country=NO</c> above a file says nothing about what is in it: by itself the engine would make
/// a column of it, over one of the file's own.
/// </summary>
public static class Scan
{
    /// <param name="rowNumbers">With the column <c>file_row_number</c>, from 0 on.</param>
    public static string Parquet(string path, bool rowNumbers = false) => Parquet(Sql.Literal(path), rowNumbers ? ", file_row_number = true" : "");

    /// <summary>Files that all have the columns of the first; with <paramref name="byName"/> those that any of them has.</summary>
    public static string Parquet(IEnumerable<string> paths, bool byName = false) => Parquet(Sql.List(paths), byName ? ", union_by_name = true" : "");

    /// <param name="options">Such as <c>header = false</c>.</param>
    public static string Csv(string path, string options) => $"read_csv({Sql.Literal(path)}, hive_partitioning = false, {options})";

    private static string Parquet(string files, string options) => $"read_parquet({files}, hive_partitioning = false{options})";
}
