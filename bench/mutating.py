"""Small changes to a Python file, each of which a good test would notice. Pure."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate

_LOGGED = {"debug", "info", "warning", "error", "exception", "critical"}
_COMPARED: Mapping[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_CALCULATED: Mapping[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Add,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
_REMOVED = (ast.Expr, ast.Assign, ast.AugAssign, ast.Raise, ast.Delete, ast.Break, ast.Continue)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_NO_BEHAVIOUR = ("annotation", "returns", "decorator_list", "bases")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One change: the lines `was`, without their blanks at the ends, read `now` afterwards.

    `scope` is the qualified name of the innermost function or class around it; `function` is the
    first line of that function, decorators counted, or None outside of any. Lines count from 1.
    """

    file: str
    line: int
    scope: str
    function: int | None
    was: str
    now: str
    source: str

    @property
    def name(self) -> tuple[str, str, str, str]:
        """The same for as long as the code stays, wherever its lines move to."""
        return self.file, self.scope, self.was, self.now


@dataclass(frozen=True, slots=True)
class _Around:
    scope: tuple[str, ...] = ()
    function: int | None = None


def mutants_of(file: str, source: str) -> list[Mutant]:
    """Every mutant of a file, in the order of its lines, none twice.

    Left alone is what tests of behaviour have no say in: docstrings, annotations, decorators,
    type aliases, imports, what is logged, the words of an error, and a module's bare numbers, like
    a patience of 5.0 seconds.
    """
    text = _Text(file, source)
    found = {}
    for node, around, now in _changes(ast.parse(source), _Around()):
        mutant = text.mutant(node, around, now)
        if mutant is not None:
            found.setdefault((mutant.line, mutant.now), mutant)
    return sorted(found.values(), key=lambda mutant: mutant.line)


class _Text:
    def __init__(self, file: str, source: str) -> None:
        self._file = file
        self._source = source.encode()
        self._starts = [0, *accumulate(len(line) for line in self._source.splitlines(True))]
        self._parsed = ast.dump(ast.parse(source))

    def mutant(self, node: ast.AST, around: _Around, now: str) -> Mutant | None:
        """None where the change is none to the parsed file."""
        start, end = self._starts[node.lineno - 1], self._starts[node.end_lineno]
        left = self._source[start : start + node.col_offset]
        right = self._source[self._starts[node.end_lineno - 1] + node.end_col_offset : end]
        written = left + now.encode() + right
        source = (self._source[:start] + written + self._source[end:]).decode()
        if ast.dump(ast.parse(source)) == self._parsed:
            return None
        return Mutant(
            file=self._file,
            line=node.lineno,
            scope=".".join(around.scope),
            function=around.function,
            was=_one_line(self._source[start:end]),
            now=_one_line(written),
            source=source,
        )


def _one_line(lines: bytes) -> str:
    return " ".join(line.strip() for line in lines.decode().splitlines())


def _changes(node: ast.AST, around: _Around) -> Iterator[tuple[ast.AST, _Around, str]]:
    """The nodes to replace, where each stands, and what comes in its place."""
    yield from ((replaced, around, now) for replaced, now in _of(node, around))
    inner = _inside(node, around)
    for field, value in ast.iter_fields(node):
        if field in _NO_BEHAVIOUR or isinstance(node, ast.Raise):
            continue
        # Defaults are worked out where the function is made, not where it is called.
        where = around if field == "args" and isinstance(node, _FUNCTIONS) else inner
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _left_alone(child, inner):
                yield from _changes(child, where)


def _inside(node: ast.AST, around: _Around) -> _Around:
    if isinstance(node, _FUNCTIONS):
        first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
        return _Around((*around.scope, node.name), first)
    if isinstance(node, ast.ClassDef):
        return _Around((*around.scope, node.name), around.function)
    return around


def _left_alone(node: ast.AST, around: _Around) -> bool:
    match node:
        case ast.JoinedStr() | ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=name))) if name in _LOGGED:
            return True
        case ast.Assign(targets=[ast.Name(id="__slots__" | "__all__")]):
            return True
        case ast.Assign(value=ast.Subscript() | ast.BinOp(op=ast.BitOr())):
            return not around.scope
        case ast.Assign(value=ast.Constant(value=int() | float())):
            return not around.scope
    return False


def _of(node: ast.AST, around: _Around) -> Iterator[tuple[ast.AST, str]]:
    match node:
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            yield from _negated(test)
        case ast.comprehension(ifs=tests):
            for test in tests:
                yield from _negated(test)
        case ast.ExceptHandler(type=ast.Tuple(elts=caught) as all_of_them):
            for one in caught:
                yield all_of_them, ast.unparse(ast.Tuple([it for it in caught if it is not one]))
        case ast.stmt():
            yield from ((node, now) for now in _of_statement(node, around))
        case ast.Constant() | ast.Name():
            yield from ((node, now) for now in _of_atom(node))
        case ast.expr():
            yield from ((node, f"({now})") for now in _of_expression(node))


def _negated(test: ast.expr) -> Iterator[tuple[ast.AST, str]]:
    match test:
        case ast.Compare(ops=[_]) | ast.UnaryOp(op=ast.Not()):
            return  # its own mutants say the same
    yield test, f"(not ({ast.unparse(test)}))"


def _of_statement(node: ast.stmt, around: _Around) -> Iterator[str]:
    match node:
        case ast.Return(value=ast.expr()):
            yield "return None"
        case ast.AugAssign(target=target, op=op, value=value) if type(op) in _CALCULATED:
            yield ast.unparse(ast.AugAssign(target, _CALCULATED[type(op)](), value))
        case ast.Break():
            yield "continue"
        case ast.Continue():
            yield "break"
    if isinstance(node, _REMOVED) and around.function is not None:
        yield "pass"


def _of_expression(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Compare(left=left, ops=ops, comparators=others):
            for place, op in enumerate(ops):
                for other in _COMPARED[type(op)]:
                    changed = [*ops[:place], other(), *ops[place + 1 :]]
                    yield ast.unparse(ast.Compare(left, changed, others))
        case ast.BoolOp(op=op, values=values):
            yield ast.unparse(
                ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
            )
            for place in range(len(values)):
                rest = [value for at, value in enumerate(values) if at != place]
                yield ast.unparse(rest[0] if len(rest) == 1 else ast.BoolOp(op, rest))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _CALCULATED:
            yield ast.unparse(ast.BinOp(left, _CALCULATED[type(op)](), right))
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield ast.unparse(operand)


def _of_atom(node: ast.Constant | ast.Name) -> Iterator[str]:
    match node:
        case ast.Name(id=name) if name in _NAMES:
            yield _NAMES[name]
        case ast.Constant(value=value):
            yield from map(repr, _other_values(value))


def _other_values(value: object) -> Iterator[object]:
    match value:
        case bool():
            yield not value
        case int() | float():
            yield value + 1
        case str() if value and " " not in value:
            yield value + "x"
        case bytes() if b" " not in value:
            yield value + b"x"
