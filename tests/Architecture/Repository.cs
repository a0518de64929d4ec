using System.Xml.Linq;

namespace Qualiz.Architecture.Tests;

/// <summary>The checkout that the tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    public static IReadOnlyList<Project> Projects { get; } =
        [.. Files("*.csproj").Select(path => new Project(path)).OrderBy(project => project.Name, StringComparer.Ordinal)];

    public static IEnumerable<Project> Services =>
        Projects.Where(project => project.Folder.StartsWith("services/", StringComparison.Ordinal) && project.Name is not ("Qualiz.Platform" or "Qualiz.Standalone")
            && !project.Name.StartsWith("Qualiz.Engine", StringComparison.Ordinal));

    /// <summary>Every file that belongs to the repository, by its path from the root.</summary>
    public static IEnumerable<string> Files(string pattern) => Directory
        .EnumerateFiles(Root, pattern, new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint })
        .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'))
        .Where(path => !path.Split('/').Any(part => part is ".git" or "artifacts" or ".qualiz" or "node_modules" or "TestResults" or ".vs" or ".idea"));

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Qualiz.sln")))
            {
                return folder.FullName;
            }
        }
        throw new InvalidOperationException($"No Qualiz.sln above {AppContext.BaseDirectory}.");
    }
}

internal sealed class Project
{
    public Project(string path)
    {
        var xml = XDocument.Parse(Repository.Read(path));
        Path = path;
        Folder = path[..path.LastIndexOf('/')];
        Name = System.IO.Path.GetFileNameWithoutExtension(path);
        Packages = [.. xml.Descendants("PackageReference").Select(item => (string)item.Attribute("Include")!)];
        References = [.. xml.Descendants("ProjectReference").Select(item => System.IO.Path.GetFileNameWithoutExtension(((string)item.Attribute("Include")!).Replace('\\', '/')))];
        VersionedPackages = [.. xml.Descendants("PackageReference").Where(item => item.Attribute("Version") is not null || item.Element("Version") is not null).Select(item => (string)item.Attribute("Include")!)];
        Sdk = (string?)xml.Root!.Attribute("Sdk") ?? "";
        Frameworks = [.. xml.Descendants("FrameworkReference").Select(item => (string)item.Attribute("Include")!)];
    }

    public string Path { get; }
    public string Folder { get; }
    public string Name { get; }
    public string Sdk { get; }
    public IReadOnlyList<string> Packages { get; }
    public IReadOnlyList<string> VersionedPackages { get; }
    public IReadOnlyList<string> References { get; }
    public IReadOnlyList<string> Frameworks { get; }

    public override string ToString() => Name;
}
