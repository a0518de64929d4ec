using System.Buffers.Text;
using System.Reflection;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Qualiz.Platform.Http;

/// <summary>A page of a list. <see cref="Next"/> goes into <c>?cursor=</c> for the page after it and is null on the last.</summary>
public sealed record Page<T>(IReadOnlyList<T> Items, string? Next);

public static class Page
{
    /// <summary>Makes a page of a list that was read one item further than asked, to know whether there is a next page.</summary>
    /// <param name="found">Up to <c>page.Limit + 1</c> items, in order.</param>
    /// <param name="key">What <see cref="PageRequest.TryGetAfter{TKey}"/> needs to go on behind an item.</param>
    public static Page<T> Of<T, TKey>(IReadOnlyList<T> found, PageRequest page, Func<T, TKey> key) =>
        found.Count <= page.Limit
            ? new Page<T>(found, null)
            : new Page<T>([.. found.Take(page.Limit)], PageRequest.Encode(key(found[page.Limit - 1])));
}

/// <summary>The query parameters <c>?limit=</c> (1 to 500, default 50) and <c>?cursor=</c>. Take it as a parameter of the handler.</summary>
public sealed record PageRequest(int Limit, string? Cursor)
{
    public const int DefaultLimit = 50;
    public const int MaxLimit = 500;

    public static ValueTask<PageRequest?> BindAsync(HttpContext context, ParameterInfo parameter)
    {
        var limit = DefaultLimit;
        if (context.Request.Query.TryGetValue("limit", out var text) && (!int.TryParse(text, out limit) || limit is < 1 or > MaxLimit))
            throw new ApiException(StatusCodes.Status400BadRequest, "badRequest", $"limit is a whole number from 1 to {MaxLimit}.", [new ApiError($"should be from 1 to {MaxLimit}", "limit")]);
        return ValueTask.FromResult<PageRequest?>(new PageRequest(limit, context.Request.Query["cursor"].FirstOrDefault() is { Length: > 0 } cursor ? cursor : null));
    }

    /// <summary>The key of the last item of the page before, false for the first page.</summary>
    /// <exception cref="ApiException">The cursor is not one of ours.</exception>
    public bool TryGetAfter<TKey>(out TKey key)
    {
        key = default!;
        if (Cursor is null)
            return false;
        try
        {
            key = JsonSerializer.Deserialize<TKey>(Base64Url.DecodeFromChars(Cursor), JsonSerializerOptions.Web)!;
            return key is not null ? true : throw new JsonException();
        }
        catch (Exception exception) when (exception is FormatException or JsonException)
        {
            throw new ApiException(StatusCodes.Status400BadRequest, "badRequest", "The cursor is not one that a list has given; begin without it.", [new ApiError("is no cursor", "cursor")]);
        }
    }

    internal static string Encode<TKey>(TKey key) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(key, JsonSerializerOptions.Web));
}
