using System.CommandLine;
using System.Net;

namespace Qualiz.Cli.Tests;

public sealed class ValidateTests : IDisposable
{
    private readonly string _file = Path.Combine(Directory.CreateTempSubdirectory("qualiz-cli-").FullName, "customers.yaml");
    private readonly StringWriter _output = new();
    private readonly StringWriter _errors = new();

    public ValidateTests() => File.WriteAllText(_file, "qualiz: 1");

    public void Dispose()
    {
        Directory.Delete(Path.GetDirectoryName(_file)!, recursive: true);
        _output.Dispose();
        _errors.Dispose();
    }

    [Fact]
    public async Task An_error_says_file_line_column_path_and_what_was_meant()
    {
        (await ValidateAsync("""
            {"valid": false, "plan": null, "steps": [], "problems": [
              {"message": "Column \"emial\" does not exist; did you mean \"email\"?", "path": "steps.clean.with.checks[0].columns[1]", "file": "customers.yaml", "line": 35, "column": 18, "suggestion": "email"}]}
            """)).ShouldBe(ExitCode.BadInput);
        _errors.ToString().ShouldBe($"{_file}:35:18 steps.clean.with.checks[0].columns[1]: Column \"emial\" does not exist; did you mean \"email\"?{Environment.NewLine}");
    }

    [Fact]
    public async Task Steps_that_were_not_checked_are_named()
    {
        (await ValidateAsync("""
            {"valid": true, "plan": {}, "problems": [], "steps": [
              {"step": "crm", "checked": false, "notChecked": "there is no file to look at yet", "outputs": {}},
              {"step": "clean", "checked": true, "notChecked": null, "outputs": {}}]}
            """)).ShouldBe(ExitCode.Done);
        _output.ToString().ShouldBe($"{_file}: ok{Environment.NewLine}columns not checked in crm: there is no file to look at yet{Environment.NewLine}");
    }

    private async Task<int> ValidateAsync(string answer)
    {
        using var client = new StubServer(_ => StubServer.Json(HttpStatusCode.OK, answer)).Client();
        var terminal = new Terminal(_output, _errors, colour: false, interactive: false);
        return await Queries.ValidateAsync(new CommandContext(new RootCommand().Parse(""), client, terminal, "demo", false), _file, CancellationToken.None);
    }
}
