using System.Reflection;

namespace Qualiz.Architecture.Tests;

/// <summary>How a service looks from outside.</summary>
public class ServiceTests
{
    public static TheoryData<string> Services => [.. Repository.Services.Select(service => service.Name)];

    [Theory]
    [MemberData(nameof(Services))]
    public void A_service_starts_with_one_statement(string name)
    {
        var project = Repository.Services.Single(service => service.Name == name);
        var program = Repository.Read($"{project.Folder}/Program.cs");
        var code = program.Split('\n').Where(line => line.Trim() is { Length: > 0 } text && !text.StartsWith("using ", StringComparison.Ordinal) && !text.StartsWith("//", StringComparison.Ordinal));
        string.Concat(code).Count(c => c == ';').ShouldBe(1, $"{project.Folder}/Program.cs");
        program.ShouldContain("QualizHost.RunAsync");
    }

    [Theory]
    [MemberData(nameof(Services))]
    public void A_service_shows_its_module_and_nothing_else(string name)
    {
        var shown = Assembly.Load(name).GetExportedTypes()
            .Where(type => type.Name != "Program" && !type.Name.EndsWith("Module", StringComparison.Ordinal) && !type.IsNested && !IsGenerated(type))
            .Select(type => type.FullName);
        shown.ShouldBeEmpty($"{name}: its types are internal; its module class is its public face");
    }

    [Fact]
    public void Standalone_holds_every_service()
    {
        var standalone = Repository.Projects.Single(project => project.Name == "Qualiz.Standalone");
        Repository.Services.Select(service => service.Name).Except(standalone.References).ShouldBeEmpty();
    }

    private static bool IsGenerated(Type type) => type.Namespace is { } name && name.StartsWith("Microsoft.", StringComparison.Ordinal);
}
