using System.Reflection;
using System.Runtime.CompilerServices;
using Qualiz.Contracts;

namespace Qualiz.Architecture.Tests;

/// <summary>What crosses the bus.</summary>
public class MessageTests
{
    private static readonly IReadOnlyList<Type> Messages =
    [
        .. typeof(IEvent).Assembly.GetExportedTypes()
            .Where(type => type.Namespace is { } name && name.EndsWith(".V1", StringComparison.Ordinal) && type is { IsClass: true, IsAbstract: false }),
    ];

    [Fact]
    public void Messages_are_sealed_records()
    {
        Messages.ShouldNotBeEmpty();
        Messages.Where(type => !type.IsSealed || !IsRecord(type)).ShouldBeEmpty();
    }

    [Fact]
    public void No_message_has_a_property_that_the_bus_takes_for_its_correlation()
    {
        Messages.SelectMany(type => type.GetProperties())
            .Where(property => property.Name is "EventId" or "CorrelationId" && Nullable.GetUnderlyingType(property.PropertyType) is null && property.PropertyType == typeof(Guid))
            .Select(property => $"{property.DeclaringType!.Name}.{property.Name}")
            .ShouldBeEmpty();
    }

    [Fact]
    public void Messages_cannot_be_changed()
    {
        Messages.SelectMany(type => type.GetProperties())
            .Where(property => property.SetMethod is { IsPublic: true } setter && !setter.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)))
            .Select(property => $"{property.DeclaringType!.Name}.{property.Name}")
            .ShouldBeEmpty();
    }

    private static bool IsRecord(Type type) => type.GetMethod("<Clone>$", BindingFlags.Public | BindingFlags.Instance) is not null;
}
