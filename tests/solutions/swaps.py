"""Mutants made by a tool: one operator, constant or statement of an answer changed at a time."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

BINARY: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv,
}
COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    """What may stand in place of an expression."""
    match node:
        case ast.BinOp(left, ast.MatMult(), right):
            yield ast.BinOp(right, ast.MatMult(), left)
        case ast.BinOp(left, op, right) if type(op) in BINARY:
            yield ast.BinOp(left, BINARY[type(op)](), right)
            yield left
        case ast.UnaryOp(ast.USub() | ast.Not(), operand):
            yield operand
        case ast.Compare(left, [op], [right]) if type(op) in COMPARE:
            yield ast.Compare(left, [COMPARE[type(op)]()], [right])
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.Constant(bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(int() | float() as value):
            yield ast.Constant(value + 1)
            yield ast.Constant(value - 1)
        case ast.Attribute(value, "T"):
            yield value
        case ast.Call(func, [first, second, *rest], keywords):
            yield ast.Call(func, [second, first, *rest], keywords)
        case ast.IfExp(test, body, orelse):
            yield ast.IfExp(test, orelse, body)


def _sites(node: ast.AST) -> Iterator[tuple[Callable[[ast.AST], None], ast.AST]]:
    """Every expression below a node, with a function that puts another in its place."""
    for name, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            yield (lambda new, name=name: setattr(node, name, new)), value
            yield from _sites(value)
        elif isinstance(value, list):
            for k, item in enumerate(value):
                if isinstance(item, ast.AST):
                    yield (lambda new, value=value, k=k: value.__setitem__(k, new)), item
                    yield from _sites(item)


def mutants(source: str, name: str) -> Iterator[tuple[str, str]]:
    """A description ("line before → line after") and the source of each mutant of a function."""
    tree = ast.parse(source)
    (function,) = (n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name)
    if ast.get_docstring(function) is not None:
        function.body = function.body[1:]
    function.decorator_list = []
    before = ast.unparse(function)

    def described() -> tuple[str, str]:
        after = ast.unparse(ast.fix_missing_locations(function))
        old, new = before.splitlines(), after.splitlines()
        if len(old) == len(new):
            pairs = [(a.strip(), b.strip()) for a, b in zip(old, new, strict=True) if a != b]
            return f"{pairs[0][0]} → {pairs[0][1]}" if pairs else "", after
        return "", after

    for statement in list(function.body):
        for put, original in list(_sites(statement)):
            for changed in _changes(original):
                put(changed)
                what, mutant = described()
                put(original)
                if what:
                    yield what, mutant

    # a statement left out
    blocks = [
        block
        for node in ast.walk(function)
        for block in (getattr(node, "body", None), getattr(node, "orelse", None))
        if isinstance(block, list)
    ]
    for block in blocks:
        for k, statement in enumerate(block):
            if isinstance(statement, (ast.Assign, ast.AugAssign, ast.Expr)):
                block[k] = ast.Pass()
                yield f"{ast.unparse(statement)} → left out", ast.unparse(function)
                block[k] = statement
