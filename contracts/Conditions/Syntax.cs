using System.Text.Json;

namespace Qualiz.Contracts.Conditions;

internal abstract record Node(int Position);

internal sealed record Literal(JsonElement Value, int Position) : Node(Position);

internal sealed record PathNode(ConditionPath Path) : Node(Path.Position);

internal sealed record Not(Node Operand, int Position) : Node(Position);

internal sealed record Logic(bool IsAnd, Node Left, Node Right, int Position) : Node(Position);

internal sealed record Comparison(Comparer Operator, Node Left, Node Right, int Position) : Node(Position);

internal enum Comparer
{
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}
