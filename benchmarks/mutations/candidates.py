"""Single-line mutations of Python source: each changes one expression inside a function, on one line.

Left out: docstrings, annotations, signatures, decorators, `assert`, and what is raised or warned of, since a wrong word
of an error is no wrong number.
"""

import ast
import builtins
from collections.abc import Callable, Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], tuple[str, ...]] = {
    ast.Lt: ("<=", ">"), ast.LtE: ("<", ">="), ast.Gt: (">=", "<"), ast.GtE: (">", "<="), ast.Eq: ("!=",),
    ast.NotEq: ("==",), ast.In: ("not in",), ast.NotIn: ("in",), ast.Is: ("is not",), ast.IsNot: ("is",),
}  # fmt: skip
OPERATORS: dict[type[ast.operator], tuple[str, ...]] = {
    ast.Add: ("-",), ast.Sub: ("+",), ast.Mult: ("/",), ast.Div: ("*",), ast.FloorDiv: ("*",), ast.Mod: ("*",),
    ast.Pow: ("*",), ast.BitOr: ("&",), ast.BitAnd: ("|",),
}  # fmt: skip
# A name, or the last part of a dotted one, and what stands in its place.
NAMES = {
    "min": "max", "max": "min", "any": "all", "all": "any", "argmin": "argmax", "argmax": "argmin", "sum": "mean",
    "mean": "sum", "floor": "ceil", "ceil": "floor", "round": "int", "idxmin": "idxmax", "idxmax": "idxmin",
    "first": "last", "last": "first", "square": "abs", "abs": "square", "exp": "expm1", "above_zero": "below_zero",
    "below_zero": "above_zero", "low": "high", "high": "low", "minimum": "maximum", "init": "order", "order": "init",
    "maximum": "minimum", "cumsum": "cumprod", "train": "validation", "validation": "train", "test": "validation",
}  # fmt: skip
AXES = ("dim", "axis")
# Swapping their arguments raises at once, or changes nothing.
NEVER_SWAPPED = ("isinstance", "getattr", "hasattr", "replace", "partial", "setdefault", "min", "max")
SWAPPED = "swapped arguments"
# Keywords that only guard, or hold for other machines than this one.
GUARDS = ("encoding", "strict", "validate", "exist_ok")


@dataclass(frozen=True)
class Mutation:
    """One change: the file, its line number from 1, the line before and after, and what kind of change it is."""

    file: str
    line: int
    before: str
    after: str
    kind: str


def mutations_of(file: str, source: str) -> list[Mutation]:
    """All of a file's, in the order of its lines; each gives a file that can still be parsed."""
    mutations: dict[tuple[int, str], Mutation] = {}
    tree, lines = ast.parse(source), source.splitlines()
    names = {node.id if isinstance(node, ast.Name) else node.arg for node in ast.walk(tree)
             if isinstance(node, ast.Name | ast.arg)}  # fmt: skip
    for node in _nodes_of_functions(tree):
        if isinstance(node, ast.Name) and NAMES.get(node.id, node.id) not in names and not _is_builtin(node.id):
            continue  # the other name would be unknown
        for start, end, replacement, kind in _changes(node, source):
            number, line = node.lineno, lines[node.lineno - 1].encode()
            after = (line[:start] + replacement.encode() + line[end:]).decode()
            mutation = Mutation(file, number, lines[number - 1].strip(), after.strip(), kind)
            if after != lines[number - 1] and _is_python(mutated(source, number, after)):
                mutations.setdefault((number, after), mutation)
    return sorted(mutations.values(), key=lambda mutation: (mutation.line, mutation.after))


def mutated(source: str, line: int, after: str) -> str:
    """The source with another line, indented as the line that it replaces."""
    lines = source.splitlines()
    indent = lines[line - 1][: len(lines[line - 1]) - len(lines[line - 1].lstrip())]
    lines[line - 1] = indent + after.strip()
    return "\n".join(lines) + "\n"


def _is_builtin(name: str) -> bool:
    return hasattr(builtins, NAMES.get(name, ""))


def _is_python(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def _nodes_of_functions(tree: ast.AST) -> Iterator[ast.expr]:
    """Expressions on one line, in the bodies of functions, that may be changed."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            for statement in body:
                yield from _expressions(statement)


def _expressions(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Raise | ast.Assert | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.arguments):
        return
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "warn":
        return
    if isinstance(node, ast.keyword) and node.arg in GUARDS:
        return
    if isinstance(node, ast.expr) and node.lineno == node.end_lineno:
        yield node
    for name, value in ast.iter_fields(node):
        if name != "annotation":
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _expressions(child)


def _changes(node: ast.expr, source: str) -> Iterator[tuple[int, int, str, str]]:
    """(first byte, byte after the last, replacement, kind) of each change of a node, on its line."""

    def text(part: ast.expr) -> str:
        return ast.get_source_segment(source, part) or ""

    start, end = node.col_offset, node.end_col_offset or node.col_offset
    match node:
        case ast.Compare(left=left, ops=[operator], comparators=[right]):
            for other in COMPARISONS.get(type(operator), ()):
                yield start, end, f"{text(left)} {other} {text(right)}", "comparison"
        case ast.BinOp(left=left, op=operator, right=right) if not isinstance(left, ast.JoinedStr):
            for other in OPERATORS.get(type(operator), ()):
                yield start, end, f"{text(left)} {other} {text(right)}", "operator"
        case ast.BoolOp(op=operator, values=values):
            other = " or " if isinstance(operator, ast.And) else " and "
            yield start, end, other.join(map(text, values)), "and or"
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert(), operand=operand):
            yield start, end, text(operand), "dropped sign or not"
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield start, end, f"{text(orelse)} if {text(test)} else {text(body)}", "branches"
        case ast.Constant(value=bool(value)):
            yield start, end, str(not value), "constant"
        case ast.Constant(value=int(value)):
            yield start, end, str(value + 1), "constant"
            if value == 1:
                yield start, end, "0", "constant"
        case ast.Constant(value=float(value)):
            yield start, end, repr(2 * value if value else 1.0), "constant"
        case ast.Call():
            yield from _changes_of_call(node, text)
        case ast.Name(id=name) if isinstance(node.ctx, ast.Load) and name in NAMES:
            yield start, end, NAMES[name], "name"
        case ast.Attribute(attr=name, value=value) if isinstance(node.ctx, ast.Load) and name in NAMES:
            yield start, end, f"{text(value)}.{NAMES[name]}", "name"
        case ast.Slice(lower=lower, upper=upper, step=None) if (lower is None) != (upper is None):
            bound = text(upper or lower)  # type: ignore[arg-type]
            yield start, end, f"{bound}:" if upper else f":{bound}", "slice"


def _changes_of_call(node: ast.Call, text: Callable[[ast.expr], str]) -> Iterator[tuple[int, int, str, str]]:
    """Dropped keywords, the other axis, and swapped first arguments."""
    start, end = node.col_offset, node.end_col_offset or node.col_offset
    given = [text(argument) for argument in node.args]
    named = [
        f"{keyword.arg}={text(keyword.value)}" if keyword.arg else f"**{text(keyword.value)}"
        for keyword in node.keywords
    ]
    unlike = any(isinstance(argument, ast.Starred | ast.Constant | ast.Lambda | ast.Dict) for argument in node.args[:2])
    if len(given) > 1 and not unlike and text(node.func).rpartition(".")[2] not in NEVER_SWAPPED:
        swapped = ", ".join([given[1], given[0], *given[2:], *named])
        yield start, end, f"{text(node.func)}({swapped})", SWAPPED
    for index, keyword in enumerate(node.keywords):
        if keyword.arg in GUARDS:
            continue
        others = ", ".join([*given, *named[:index], *named[index + 1 :]])
        yield start, end, f"{text(node.func)}({others})", "dropped keyword"
        if keyword.arg in AXES and text(keyword.value) in ("0", "1", "-1"):
            axis = {"0": "1", "1": "0", "-1": "0"}[text(keyword.value)]
            turned = ", ".join([*given, *named[:index], f"{keyword.arg}={axis}", *named[index + 1 :]])
            yield start, end, f"{text(node.func)}({turned})", "axis"
