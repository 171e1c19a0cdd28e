"""Finding the place of an edit in a text: exact first, then tolerant of whitespace, never by guess."""

from __future__ import annotations

import ast
import re
from difflib import SequenceMatcher

from policies.tree import children, walk

_NUMBERED = re.compile(r"^\s*\d+\| ?")


class EditProblem(Exception):
    """Why an edit cannot be applied; the message is fed back to the model."""


def replace_text(current: str, anchor: str, text: str) -> tuple[str, str]:
    """Replace the only occurrence of `anchor`; returns the new text and a note on what was tolerated.

    Raises: EditProblem when the anchor is absent, ambiguous or changes nothing.
    """
    if not anchor.strip():
        raise EditProblem("the anchor is empty")
    if "\r\n" in current and current.count("\r\n") == current.count("\n"):
        unix, note = replace_text(*(t.replace("\r\n", "\n") for t in (current, anchor, text)))
        return unix.replace("\n", "\r\n"), note
    found = current.count(anchor)
    if found == 1:
        result, note = current.replace(anchor, text), ""
    elif found > 1:
        raise EditProblem(_ambiguous([current[:m].count("\n") + 1 for m in _offsets(current, anchor)]))
    else:
        result, note = _tolerant(current, anchor, text)
    if result == current:
        raise EditProblem("it changes nothing: text and anchor are the same")
    return result, note


def _tolerant(current: str, anchor: str, text: str) -> tuple[str, str]:
    """Match whole lines whose only difference is whitespace at their ends or a common indentation."""
    wanted, new = _lines(anchor), _lines(text)
    if all(_NUMBERED.match(line) for line in wanted if line.strip()):
        wanted = [_NUMBERED.sub("", line) for line in wanted]
        if all(_NUMBERED.match(line) for line in new if line.strip()):
            new = [_NUMBERED.sub("", line) for line in new]
    lines = current.split("\n")
    for name, form in (
        ("trailing whitespace", str.rstrip),
        ("indentation", str.strip),
        ("whitespace", _squeeze),
    ):
        key = [form(line) for line in wanted]
        starts = [
            i for i in range(len(lines) - len(key) + 1) if [form(x) for x in lines[i : i + len(key)]] == key
        ]
        if len(starts) > 1:
            raise EditProblem(_ambiguous([i + 1 for i in starts]))
        if starts:
            at = starts[0]
            fitted = _shifted(new, _first_indent(lines[at:]) - _first_indent(wanted))
            return "\n".join([*lines[:at], *fitted, *lines[at + len(wanted) :]]), (
                f"the anchor matched line {at + 1} except for {name}"
            )
    raise EditProblem(_absent(lines, wanted))


def _lines(text: str) -> list[str]:
    """The lines of a block, without the blank ones around it."""
    lines = text.split("\n")
    while len(lines) > 1 and not lines[-1].strip():
        lines.pop()
    while len(lines) > 1 and not lines[0].strip():
        lines.pop(0)
    return lines


def _squeeze(line: str) -> str:
    return re.sub(r"\s+", "", line)


def _first_indent(lines: list[str]) -> int:
    """Leading blanks of the first line that is not blank."""
    first = next((line for line in lines if line.strip()), "")
    return len(first) - len(first.lstrip())


def _shifted(lines: list[str], by: int) -> list[str]:
    """Lines moved right or left; none loses more than its own indentation, blank ones stay."""
    return [_shift(line, by) if line.strip() else line for line in lines]


def _shift(line: str, by: int) -> str:
    return " " * by + line if by >= 0 else line[min(-by, len(line) - len(line.lstrip())) :]


def _offsets(text: str, part: str) -> list[int]:
    return [m.start() for m in re.finditer(f"(?={re.escape(part)})", text)]


def _ambiguous(numbers: list[int]) -> str:
    where = ", ".join(map(str, numbers[:8]))
    return f"the anchor occurs {len(numbers)} times (lines {where}): take more lines around it"


def _absent(lines: list[str], wanted: list[str]) -> str:
    """Where the text comes closest, so that the next anchor can be copied from there."""
    goal = "\n".join(line.strip() for line in wanted)[:2000]
    best, at = 0.0, 0
    for i in range(min(len(lines), 5000)):
        window = "\n".join(line.strip() for line in lines[i : i + len(wanted)])[:2000]
        matcher = SequenceMatcher(None, window, goal)
        if matcher.real_quick_ratio() > best and matcher.quick_ratio() > best and matcher.ratio() > best:
            best, at = matcher.ratio(), i
    if best < 0.4:
        return "the anchor does not occur in the file, and nothing like it does"
    shown = "\n".join(
        f"{i + 1:>5}| {lines[i]}" for i in range(at, min(len(lines), at + min(len(wanted), 12)))
    )
    return f"the anchor does not occur in the file; the closest lines are\n{shown}"


def replace_definition(current: str, name: str, text: str) -> str:
    """Replace the function, method or class `name`, decorators included, by `text`, indented to fit.

    Raises: EditProblem when the name is absent or ambiguous, or the text does not define it.
    """
    try:
        tree = ast.parse(current)
    except (SyntaxError, ValueError) as error:
        raise EditProblem(f"the file does not parse ({error}): use replace or write_file") from error
    places = [node for node, qualified in _definitions(tree) if qualified == name.strip().strip("`")]
    if not places:
        raise EditProblem(f"there is no {name!r}; the file defines {_listed(tree)}")
    if len(places) > 1:
        where = ", ".join(str(node.lineno) for node in places)
        raise EditProblem(f"{name!r} is defined {len(places)} times (lines {where}): use replace")
    node = places[0]
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    new = _reindented(text, node.name, node.col_offset)
    lines = current.split("\n")
    return "\n".join([*lines[: first - 1], *new, *lines[node.end_lineno or first :]])


_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def _definitions(tree: ast.AST, prefix: str = "") -> list[tuple[_Definition, str]]:
    """Every definition with its qualified name; those under `if` and `try` belong to the scope around."""
    found: list[tuple[_Definition, str]] = []
    for node in children(tree):
        inner = prefix
        if isinstance(node, _Definition):
            found.append((node, prefix + node.name))
            inner = f"{prefix}{node.name}."
        found += _definitions(node, inner)
    return found


def _listed(tree: ast.AST) -> str:
    names = [qualified for _, qualified in _definitions(tree)]
    return ", ".join(names[:40]) + (", ..." if len(names) > 40 else "") if names else "nothing"


def _reindented(text: str, name: str, column: int) -> list[str]:
    """The lines of a definition moved to `column`; lines inside multi-line strings stay where they are."""
    lines = _lines(text.replace("\r\n", "\n"))
    indent = _first_indent(lines)
    # An indented block parses under a line that opens one.
    source = "\n".join(["if 1:" if indent else "", *lines])
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = f" in line {line - 1} of the text" if line else ""
        raise EditProblem(f"the text is not Python: {getattr(error, 'msg', error)}{where}") from error
    _require_definition(tree.body[0].body if indent and isinstance(tree.body[0], ast.If) else tree.body, name)
    inside = _string_interior(tree)
    return [
        line if number in inside or not line.strip() else _shift(line, column - indent)
        for number, line in enumerate(lines, 2)
    ]


def _require_definition(body: list[ast.stmt], name: str) -> None:
    if not any(isinstance(node, _Definition) and node.name == name for node in body):
        raise EditProblem(f"the text does not define {name!r}")
    other = next((node for node in body if not isinstance(node, _Definition)), None)
    if other is not None:
        said = ast.unparse(other)[:80]
        raise EditProblem(f"the text must hold only definitions, but has `{said}`: use replace for the rest")


def _string_interior(tree: ast.AST) -> set[int]:
    """Numbers of the lines that begin inside a string."""
    return {
        line
        for node in walk(tree)
        if isinstance(node, ast.JoinedStr)
        or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))
        for line in range(node.lineno + 1, (node.end_lineno or node.lineno) + 1)
    }
