"""Makes bundles that nobody would write from ones that somebody did: seeded, one to four damages each."""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Callable

from policies.records import Bundle

Damage = Callable[[random.Random, str], str]
_NAME = re.compile(r"[A-Za-z_]\w*")
_NUMBER = re.compile(r"\b\d+(?:\.\d+)?\b")
_SCRAPS: tuple[str, ...] = (
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ":",
    ",",
    "\\",
    '"""',
    "'",
    "#",
    "\t",
    "\0",
    "\ufeff",
    "é",
    "💥",
    "*",
    "&",
)
_SCRAPS += (
    "lambda",
    "yield",
    "await",
    "global",
    "del",
    "async",
    "match x:",
    "case _:",
    "<<:",
    "${a.b}",
    "- ",
    "!!",
)
_VALUES = (
    "None",
    "-1",
    "0",
    "1e400",
    "[]",
    "{}",
    "'x'",
    "...",
    "True",
    "not x",
    "(yield)",
    "*a",
    "cfg",
    "f'{x}'",
)


def mutated(bundle: Bundle, rng: random.Random) -> Bundle:
    """The bundle with a few of its files damaged, missing or exchanged."""
    files, beside = dict(bundle.files), dict(bundle.run_configs or bundle.given)
    for _ in range(rng.randint(1, 4)):
        given = beside if beside and rng.random() < 0.15 else files
        if not given:
            break
        path = rng.choice(sorted(given))
        if rng.random() < 0.04:
            del given[path]
        elif rng.random() < 0.04:
            other = rng.choice(sorted(given))
            given[path], given[other] = given[other], given[path]
        else:
            damages = _ANY + (_PYTHON if path.endswith(".py") else ())
            given[path] = rng.choice(damages)(rng, given[path])
    name = "run_configs" if bundle.run_configs else "given"
    return bundle.model_copy(update={"files": files, name: beside})


def _cut(rng: random.Random, text: str) -> str:
    return text[: rng.randint(0, len(text))]


def _drop_lines(rng: random.Random, text: str) -> str:
    lines = text.splitlines(keepends=True)
    start = rng.randint(0, len(lines))
    return "".join(lines[:start] + lines[start + rng.randint(1, 6) :])


def _move_lines(rng: random.Random, text: str) -> str:
    lines = text.splitlines(keepends=True)
    start, size = rng.randint(0, len(lines)), rng.randint(1, 5)
    block, rest = lines[start : start + size], lines[:start] + lines[start + size :]
    goal = rng.randint(0, len(rest))
    again = block if rng.random() < 0.5 else []
    return "".join(rest[:goal] + block + rest[goal:] + again)


def _indent(rng: random.Random, text: str) -> str:
    lines = text.splitlines(keepends=True) or [""]
    index = rng.randrange(len(lines))
    lines[index] = rng.choice((" " + lines[index], "    " + lines[index], lines[index].lstrip(" ")))
    return "".join(lines)


def _insert(rng: random.Random, text: str) -> str:
    place = rng.randint(0, len(text))
    return text[:place] + rng.choice(_SCRAPS) + text[place:]


def _exchange(pattern: re.Pattern[str], values: tuple[str, ...]) -> Damage:
    """One match becomes another match of the text, or one of `values`."""

    def damage(rng: random.Random, text: str) -> str:
        found = list(pattern.finditer(text))
        if not found:
            return text
        match = rng.choice(found)
        others = values if values and rng.random() < 0.5 else tuple(m[0] for m in found)
        return text[: match.start()] + rng.choice(others) + text[match.end() :]

    return damage


def _drop_statement(rng: random.Random, text: str) -> str:
    return _with_statement(rng, text, lambda lines: [])


def _wrap_statement(rng: random.Random, text: str) -> str:
    heads = (
        "if True:",
        "for _ in range(2):",
        "try:",
        "with open('x') as f:",
        "def f():",
        "class C:",
        "while x:",
    )
    head = rng.choice(heads)
    tail = ["except Exception:\n    pass\n"] if head == "try:" else []
    return _with_statement(rng, text, lambda lines: [head + "\n", *("    " + line for line in lines), *tail])


def _with_statement(rng: random.Random, text: str, change: Callable[[list[str]], list[str]]) -> str:
    """One top-level or nested statement replaced by what `change` makes of its dedented lines."""
    try:
        tree = ast.parse(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return text
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    if not statements:
        return text
    node = rng.choice(statements)
    lines = text.splitlines(keepends=True)
    block = lines[node.lineno - 1 : node.end_lineno]
    pad = " " * node.col_offset
    plain = [line.removeprefix(pad) for line in block]
    new = [pad + line if line.strip() else line for line in change(plain)]
    return "".join(lines[: node.lineno - 1] + new + lines[node.end_lineno or node.lineno :])


def _expression(rng: random.Random, text: str) -> str:
    """One expression that stands on a single line becomes something else."""
    try:
        tree = ast.parse(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return text
    nodes = [n for n in ast.walk(tree) if isinstance(n, ast.expr) and n.lineno == n.end_lineno]
    if not nodes:
        return text
    node = rng.choice(nodes)
    lines = text.splitlines(keepends=True)
    line = lines[node.lineno - 1].encode()
    start, end = node.col_offset, node.end_col_offset or node.col_offset
    lines[node.lineno - 1] = (line[:start] + rng.choice(_VALUES).encode() + line[end:]).decode(
        "utf-8", "replace"
    )
    return "".join(lines)


_ANY: tuple[Damage, ...] = (
    _cut,
    _drop_lines,
    _drop_lines,
    _move_lines,
    _indent,
    _insert,
    _exchange(_NAME, ("None", "self", "cfg", "x", "import", "torch", "__getattr__")),
    _exchange(_NUMBER, ("0", "-1", "1e9", "99999999999999999999", "''")),
)
_PYTHON: tuple[Damage, ...] = (
    _drop_statement,
    _drop_statement,
    _wrap_statement,
    _expression,
    _expression,
    _expression,
)
