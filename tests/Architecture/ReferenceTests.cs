namespace Qualiz.Architecture.Tests;

/// <summary>Who may reference whom.</summary>
public class ReferenceTests
{
    private static readonly string[] Operators = ["Qualiz.Ingest", "Qualiz.Cleanse", "Qualiz.Dedup", "Qualiz.Enrich", "Qualiz.Deliver", "Qualiz.Notify", "Qualiz.Tasks"];

    [Fact]
    public void Services_share_only_contracts_the_platform_and_the_engine()
    {
        foreach (var service in Repository.Services)
        {
            service.References.Except(["Qualiz.Contracts", "Qualiz.Platform", "Qualiz.Engine"])
                .ShouldBeEmpty($"{service} must not know another service: they meet in messages");
        }
    }

    [Fact]
    public void Only_operators_and_the_catalogue_use_the_engine()
    {
        var users = Repository.Services.Where(service => service.References.Contains("Qualiz.Engine")).Select(service => service.Name);
        // Datasets reads rows with it: docs/adr/0003.
        users.Except([.. Operators, "Qualiz.Datasets"]).ShouldBeEmpty();
    }

    [Fact]
    public void Contracts_depend_on_next_to_nothing()
    {
        var contracts = Project("Qualiz.Contracts");
        contracts.References.ShouldBeEmpty();
        contracts.Packages.Except(["MassTransit.Abstractions", "YamlDotNet"]).ShouldBeEmpty();
        contracts.Frameworks.ShouldBeEmpty();
    }

    [Fact]
    public void The_engine_has_no_bus_and_no_web()
    {
        var engine = Project("Qualiz.Engine");
        engine.Sdk.ShouldBe("Microsoft.NET.Sdk");
        engine.Frameworks.ShouldNotContain("Microsoft.AspNetCore.App");
        engine.References.Except(["Qualiz.Contracts", "Qualiz.Engine.Kernels"]).ShouldBeEmpty();
        Project("Qualiz.Engine.Kernels").References.ShouldBeEmpty("it registers on any DuckDB connection");
        engine.Packages.ShouldNotContain(package => package.StartsWith("MassTransit", StringComparison.Ordinal));
    }

    [Fact]
    public void The_command_line_client_knows_only_the_contracts() =>
        Project("Qualiz.Cli").References.ShouldBe(["Qualiz.Contracts"]);

    [Fact]
    public void The_gateway_knows_no_service() =>
        Project("Qualiz.Gateway").References.Except(["Qualiz.Contracts", "Qualiz.Platform"]).ShouldBeEmpty();

    [Fact]
    public void Nothing_but_tests_references_a_host()
    {
        foreach (var project in Repository.Projects.Where(project => !project.Folder.StartsWith("tests/", StringComparison.Ordinal)))
        {
            project.References.Intersect(["Qualiz.Standalone", "Qualiz.Gateway", "Qualiz.Cli"]).ShouldBeEmpty($"{project}");
        }
    }

    [Fact]
    public void Package_versions_stand_in_one_place()
    {
        foreach (var project in Repository.Projects)
        {
            project.VersionedPackages.ShouldBeEmpty($"{project}: versions belong into Directory.Packages.props");
        }
    }

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        var solution = Repository.Read("Qualiz.sln").Replace('\\', '/');
        foreach (var project in Repository.Projects)
        {
            solution.ShouldContain($"\"{project.Path}\"", Case.Sensitive, $"{project.Path} would not be built or tested");
        }
    }

    private static Project Project(string name) => Repository.Projects.Single(project => project.Name == name);
}
