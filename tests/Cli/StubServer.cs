using System.Net;

namespace Qualiz.Cli.Tests;

/// <summary>Answers requests from a list of answers, in turn, and remembers what was asked.</summary>
internal sealed class StubServer(params Func<HttpRequestMessage, HttpResponseMessage>[] answers) : HttpMessageHandler
{
    private int _next;

    public List<HttpRequestMessage> Requests { get; } = [];

    public QualizClient Client() => new(new Uri("http://127.0.0.1:1/"), this);

    public static HttpResponseMessage Json(HttpStatusCode status, string body, string? tag = null)
    {
        var response = new HttpResponseMessage(status) { Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json") };
        if (tag is not null)
        {
            response.Headers.TryAddWithoutValidation("ETag", tag);
        }
        return response;
    }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Requests.Add(request);
        return Task.FromResult(answers[_next++](request));
    }
}
